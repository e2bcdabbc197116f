--[[
acquire: decides and charges a batch of requests. Each request is charged under all its policies or
under none.
Mirrors src/store/memory/acquire.rs

Keys:
  for each request in turn: one key for each policy of its group, then for each trial, then for each
  penalty
Arguments:
  one string of big-endian integers of 8 bytes, or of 4 bytes where noted
  now              ms since the epoch; 0: the server's own TIME (only tests pass another time)
  then for each group of requests that meet the same policies at the same costs:
  count            identical requests that each request stands for; 0: decide only; 4 bytes
  request_count    requests of the group; 4 bytes
  policy_count     policies that follow; 4 bytes
  penalty_count    policies of them that have a penalty; 2 bytes
  trial_count      policies after them that are tried out, and refuse nothing; 2 bytes
    of each of them:
    replaced         only of a trial, counted in policies from 1: the one in whose place it is tried
                     out; 0: it is tried out beside all of them; 4 bytes
    cost             units that one request uses of the quota
    units            units allowed per window
    window           ms
    burst            units: the most that can be used at once
    algorithm        fixed-window, sliding-window, sliding-log, token-bucket or in-flight; a zero
                     byte ends it
    holder           a string of 8 bytes, only of in-flight: the process whose requests these are
    first            integers, only of in-flight: the number of the first slot that these requests
                     may take. Each takes as many as its count, one after another; 7 bytes
    of each penalty:
    charge           its policy, counted in policies from 1; 4 bytes
    denials          denials that begin a ban; 4 bytes
    within           ms
    ban              ms: the first one
    longest_ban      ms
Reply:
  one string, an array of integers in MessagePack
  now              ms since the epoch: the time of the decisions
  then for each request in turn:
  admitted         requests, of count
    for each policy, as it stands afterwards:
    remaining        units
    reset_after      ms until the quota is whole again; 0: it is whole
    retry_after      ms until one more request of that cost is admitted; 0: now; -1: never; -2: when
                     a request under way has ended
    debt             only if count is above 1: parts of a unit that a token bucket has yet to
                     refill; 0 under another algorithm
    only if a policy has a penalty:
    lasts            ms for which the client is still banned; 0: it is not
    banned_by        integers from 1: the penalty whose ban lasts so long
    decided          requests, of count, that the policies decided, of which the last one began the
                     ban; 0 if the client was banned before, or is not
    for each trial:
    passed           requests, of count, that it admits
    retry_after      ms, as of a policy
]]

local keys, arguments = KEYS, ARGV[1]
local keys_read = 0

local now, at = unpack('>I8', arguments)
if now == 0 then
  local time = call('TIME')
  now = time[1] * 1000 + (time[2] - time[2] % 1000) / 1000
end

-- It has room for the answer to one request, so that the table need not grow for that.
local reply, replied = { now, 0, 0, 0, 0 }, 1

while at <= #arguments do
  local count, request_count, policy_count, penalty_count, trial_count
  count, request_count, policy_count, penalty_count, trial_count, at =
    unpack('>I4I4I4I2I2', arguments, at)

  -- What most groups are needs no functions of an algorithm, and creating those takes longer than a
  -- decision.
  if policy_count == 1 and penalty_count + trial_count == 0 then
    local cost, units, window, burst, algorithm, after = unpack('>I8I8I8I8s', arguments, at)
    if algorithm == 'fixed-window' then
      local decided
      decided, replied = count_on(
        units, window, burst, now, cost, count, keys, keys_read, request_count, reply, replied
      )
      keys_read, request_count = keys_read + decided, request_count - decided
      if request_count == 0 then
        at = after
      end
    end
  end

  if request_count > 0 then
    steps_of = steps_of or create_steps_of()
    -- Only penalties and trials ask whether a policy has room for one more.
    local needs_room = penalty_count + trial_count > 0
    local key_count = policy_count + trial_count
    local is_peek = count == 0

    local policies = {}
    for i = 1, key_count do
      local replaced
      if i > policy_count then
        replaced, at = unpack('>I4', arguments, at)
      end
      local cost, units, window, burst, algorithm
      cost, units, window, burst, algorithm, at = unpack('>I8I8I8I8s', arguments, at)
      local holder, first
      if algorithm == 'in-flight' then
        holder, first, at = unpack('>c8I7', arguments, at)
      end
      local read, charge, wait_for =
        steps_of(algorithm, units, window, burst, now, nil, holder)
      policies[i] = {
        read = read, charge = charge, wait_for = wait_for, cost = cost, burst = burst,
        replaced = replaced, first = first,
      }
    end

    local penalties = penalty_count > 0 and {}
    for i = 1, penalty_count do
      local charge, denials, within, ban, longest_ban
      charge, denials, within, ban, longest_ban, at = unpack('>I4I4I8I8I8', arguments, at)
      local read, until_ban, count_denials =
        steps_of('penalty', denials, within, ban, now, longest_ban)
      penalties[i] = {
        read = read, until_ban = until_ban, count_denials = count_denials,
        policy = policies[charge],
      }
    end

    for number = 0, request_count - 1 do
      local admitted = count
      local lasts, banned_by, decided = 0, 0, 0
      if penalty_count > 0 then
        for i = 1, penalty_count do
          local left = penalties[i].read(keys[keys_read + key_count + i], is_peek)
          if left > lasts then
            lasts, banned_by = left, i
            admitted = 0
          end
        end
      end
      local was_banned = lasts > 0
      for i = 1, policy_count do
        local policy = policies[i]
        local remaining, cost = policy.read(keys[keys_read + i]), policy.cost
        policy.remaining = remaining
        if remaining < admitted * cost then
          admitted = (remaining - remaining % cost) / cost
        end
      end
      replied = replied + 1
      reply[replied] = admitted
      for i = 1, policy_count do
        local policy = policies[i]
        local cost = policy.cost
        local amount = admitted * cost
        -- A peek writes nothing. A denied request writes only if a wrong clock wrote the state.
        local first = policy.first and policy.first + number * count
        local reset_after, debt = policy.charge(amount, is_peek, first)
        local remaining, retry_after = policy.remaining - amount, 0
        if remaining < cost then
          retry_after = cost <= policy.burst and policy.wait_for(cost) or -1
        end
        reply[replied + 1] = remaining
        reply[replied + 2] = reset_after
        reply[replied + 3] = retry_after
        replied = replied + 3
        if count > 1 then
          replied = replied + 1
          reply[replied] = debt or 0
        end
        if needs_room then
          policy.has_room = retry_after == 0
        end
      end
      if penalty_count > 0 then
        -- All requests after the one that begins a ban are refused, and not counted.
        local denied = was_banned and 0 or count - admitted
        for i = 1, penalty_count do
          if not penalties[i].policy.has_room then
            denied = math.min(denied, penalties[i].until_ban())
          end
        end
        for i = 1, penalty_count do
          local left = 0
          if denied > 0 and not penalties[i].policy.has_room then
            left = penalties[i].count_denials(denied)
          end
          if left > lasts then
            lasts, banned_by, decided = left, i, admitted + denied
          end
        end
        reply[replied + 1] = lasts
        reply[replied + 2] = banned_by
        reply[replied + 3] = decided
        replied = replied + 3
      end
      for i = policy_count + 1, key_count do
        local trial = policies[i]
        -- If all others have room for one more, only the policy that is replaced denies.
        local most = lasts > 0 and decided or count
        for other = 1, policy_count do
          if trial.replaced == 0 or other ~= trial.replaced and not policies[other].has_room then
            most = admitted
          end
        end
        local remaining, cost = trial.read(keys[keys_read + i]), trial.cost
        local passed = math.min(most, (remaining - remaining % cost) / cost)
        trial.charge(passed * cost, is_peek, trial.first and trial.first + number * count)
        local retry_after = 0
        if remaining - passed * cost < cost then
          retry_after = cost <= trial.burst and trial.wait_for(cost) or -1
        end
        reply[replied + 1] = passed
        reply[replied + 2] = retry_after
        replied = replied + 2
      end
      keys_read = keys_read + key_count + penalty_count
    end
  end
end
-- A request that is only tried out has a shorter answer.
if replied < #reply then
  table.remove(reply)
end
-- One string costs the client less to read than many numbers.
return cmsgpack.pack(reply)
