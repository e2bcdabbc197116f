--[[
acquire: decides and charges a batch of requests. Each request is charged under all its policies or
under none.
Mirrors src/store/memory/acquire.rs

Keys:
  for each request in turn: one key for each policy of its group, then for each policy of each
  trial, then for each penalty
Arguments:
  one string of big-endian integers of 8 bytes, or of 4 bytes where noted
  now              ms since the epoch; 0: the server's own TIME (only tests pass another time)
  then for each group of requests that meet the same policies at the same costs:
  count            identical requests that each request stands for; 0: decide only; 4 bytes
  request_count    requests of the group; 4 bytes
  policy_count     policies that follow; 4 bytes
  penalty_count    policies of them that have a penalty; 2 bytes
  trial_count      trials after them, of policies that are tried out and refuse nothing; 2 bytes
    of each trial, before its policies:
    replaced_from    counted in policies from 1: the first one in whose place it is tried out; 0: it
                     is tried out beside all of them; 4 bytes
    replaced_to      the last one of these policies; 4 bytes
    tried_count      policies that are tried out together; 2 bytes
    of each policy:
    cost             units that one request uses of the quota
    units            units allowed per window
    window           ms; where a calendar ends it, the longest
    burst            units: the most that can be used at once
    algorithm        fixed-window, calendar-window, sliding-window, sliding-log, token-bucket or
                     in-flight; a zero byte ends it
    holder           a string of 8 bytes, only of in-flight: the process whose requests these are
    first            integers, only of in-flight: the number of the first slot that these requests
                     may take. Each takes as many as its count, one after another; 7 bytes
    of each penalty:
    from             its policy, counted in policies from 1: the first quota; 4 bytes
    to               the last one of these policies; 4 bytes
    denials          denials that begin a ban; 4 bytes
    within           ms
    ban              ms: the first one
    longest_ban      ms
Calendars:
  only if a calendar ends the window of a policy: one string of big-endian integers of 8 bytes
  known_from       ms since the epoch: from when the windows of all of them are known
  known_until      ms since the epoch: until when they are
  then for each such policy in turn:
  starts           ms since the epoch, five of them: when successive windows begin
Reply:
  if it is a time of which the windows are not known, the error CALENDAR and that time, before
  anything is charged; else
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
    retry_after      ms, as of a policy: the longest of its policies
]]

local keys, arguments, calendars = KEYS, ARGV[1], ARGV[2]
local keys_read = 0

local now, at = unpack('>I8', arguments)
if now == 0 then
  local time = call('TIME')
  now = time[1] * 1000 + (time[2] - time[2] % 1000) / 1000
end

local calendars_at
if calendars then
  local known_from, known_until
  known_from, known_until, calendars_at = unpack('>I8I8', calendars)
  if now < known_from or now >= known_until then
    return redis.error_reply(string.format('CALENDAR %.0f', now))
  end
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
    local is_peek = count == 0

    local policies, key_count = {}, 0
    local trials = trial_count > 0 and {}
    for t = 0, trial_count do
      local part_count = policy_count
      if t > 0 then
        local replaced_from, replaced_to, tried_count
        replaced_from, replaced_to, tried_count, at = unpack('>I4I4I2', arguments, at)
        trials[t] = {
          first = key_count + 1, last = key_count + tried_count, replaced_from = replaced_from,
          replaced_to = replaced_to,
        }
        part_count = tried_count
      end
      for _ = 1, part_count do
        local cost, units, window, burst, algorithm
        cost, units, window, burst, algorithm, at = unpack('>I8I8I8I8s', arguments, at)
        local holder, first
        if algorithm == 'in-flight' then
          holder, first, at = unpack('>c8I7', arguments, at)
        elseif calendars and algorithm == 'calendar-window' then
          local starts = { unpack('>I8I8I8I8I8', calendars, calendars_at) }
          window, calendars_at = starts, starts[6]
        end
        local read, charge, wait_for =
          steps_of(algorithm, units, window, burst, now, nil, holder)
        key_count = key_count + 1
        policies[key_count] = {
          read = read, charge = charge, wait_for = wait_for, cost = cost, burst = burst,
          first = first,
        }
      end
    end

    local penalties = penalty_count > 0 and {}
    for i = 1, penalty_count do
      local from, to, denials, within, ban, longest_ban
      from, to, denials, within, ban, longest_ban, at = unpack('>I4I4I4I8I8I8', arguments, at)
      local read, until_ban, count_denials =
        steps_of('penalty', denials, within, ban, now, longest_ban)
      penalties[i] = {
        read = read, until_ban = until_ban, count_denials = count_denials,
        from = from, to = to,
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
          local penalty = penalties[i]
          penalty.denies = false
          for j = penalty.from, penalty.to do
            penalty.denies = penalty.denies or not policies[j].has_room
          end
          if penalty.denies then
            denied = math.min(denied, penalty.until_ban())
          end
        end
        for i = 1, penalty_count do
          local left = 0
          if denied > 0 and penalties[i].denies then
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
      for t = 1, trial_count do
        local trial = trials[t]
        local from, to = trial.replaced_from, trial.replaced_to
        -- If all others have room for one more, only the policy that is replaced denies.
        local passed = lasts > 0 and decided or count
        for i = 1, policy_count do
          if from == 0 or (i < from or i > to) and not policies[i].has_room then
            passed = admitted
          end
        end
        for i = trial.first, trial.last do
          local tried = policies[i]
          local remaining, cost = tried.read(keys[keys_read + i]), tried.cost
          tried.remaining = remaining
          passed = math.min(passed, (remaining - remaining % cost) / cost)
        end
        local retry_after = 0
        for i = trial.first, trial.last do
          local tried = policies[i]
          local cost = tried.cost
          tried.charge(passed * cost, is_peek, tried.first and tried.first + number * count)
          if tried.remaining - passed * cost < cost then
            local wait = cost <= tried.burst and tried.wait_for(cost) or -1
            if wait == -1 or retry_after >= 0 and (wait == -2 or wait > retry_after) then
              retry_after = wait
            end
          end
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
