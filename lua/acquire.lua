--[[
acquire: decides and charges a batch of requests. Each request is charged under all its policies or
under none.
Mirrors src/store/memory/acquire.rs

Keys:
  for each request in turn: one key for each policy of its group, then one for each trial
Arguments:
  one string of big-endian integers of 8 bytes, or of 4 bytes where noted
  now              ms since the epoch; 0: the server's own TIME (only tests pass another time)
  then for each group of requests that meet the same policies at the same cost:
  cost             units that one request uses of each quota
  count            identical requests that each request stands for; 0: decide only; 4 bytes
  request_count    requests of the group; 4 bytes
  policy_count     policies that follow; 4 bytes
  trial_count      policies after them that are tried out, and refuse nothing; 4 bytes
    of each of them:
    replaced         only of a trial, counted in policies from 1: the one in whose place it is tried
                     out; 0: it is tried out beside all of them; 4 bytes
    units            units allowed per window
    window           ms
    burst            units: the most that can be used at once
    algorithm        fixed-window, sliding-window, sliding-log or token-bucket; a zero byte ends it
Reply:
  one string, an array of integers in MessagePack
  now              ms since the epoch: the time of the decisions
  then for each request in turn:
  admitted         requests, of count
    for each policy, as it stands afterwards:
    remaining        units
    reset_after      ms until the quota is whole again; 0: it is whole
    retry_after      ms until one more request of that cost is admitted; 0: now; -1: never
    debt             only if count is above 1: parts of a unit that a token bucket has yet to
                     refill; 0 under another algorithm
    for each trial:
    passed           requests, of count, that it admits
    retry_after      ms, as of a policy
]]

local keys, arguments = KEYS, ARGV[1]
local keys_read = 0

local now, at = unpack('>I8', arguments)
if now == 0 then
  local time = call('TIME')
  now = time[1] * 1000 + floor_div(tonumber(time[2]), 1000)
end

-- It has room for the answer to one request, so that the table need not grow for that.
local reply, replied = { now, 0, 0, 0, 0 }, 1

while at <= #arguments do
  local cost, count, request_count, policy_count, trial_count
  cost, count, request_count, policy_count, trial_count, at = unpack('>I8I4I4I4I4', arguments, at)
  local key_count = policy_count + trial_count

  local policies = {}
  for i = 1, key_count do
    local replaced
    if i > policy_count then
      replaced, at = unpack('>I4', arguments, at)
    end
    local units, window, burst, algorithm
    units, window, burst, algorithm, at = unpack('>I8I8I8s', arguments, at)
    local read, charge, standing, wait_for = steps_of(algorithm, units, window, burst, now)
    policies[i] = {
      read = read, charge = charge, standing = standing, wait_for = wait_for, burst = burst,
      replaced = replaced,
    }
  end

  for _ = 1, request_count do
    local admitted, amount = count, count * cost
    for i = 1, policy_count do
      local remaining = policies[i].read(keys[keys_read + i])
      if remaining < amount then
        admitted = floor_div(remaining, cost)
        amount = admitted * cost
      end
    end
    replied = replied + 1
    reply[replied] = admitted
    for i = 1, policy_count do
      local policy = policies[i]
      -- A peek writes nothing. A denied request writes only if a wrong clock wrote the state.
      if count > 0 then
        policy.charge(amount)
      end
      local remaining, reset_after, debt = policy.standing()
      local retry_after = 0
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
      if trial_count > 0 then
        policy.has_room = retry_after == 0
      end
    end
    for i = policy_count + 1, key_count do
      local trial = policies[i]
      -- If all others have room for one more, only the policy that is replaced denies.
      local most = count
      for other = 1, policy_count do
        if trial.replaced == 0 or other ~= trial.replaced and not policies[other].has_room then
          most = admitted
        end
      end
      local passed = min(most, floor_div(trial.read(keys[keys_read + i]), cost))
      trial.charge(passed * cost)
      local retry_after = 0
      if trial.standing() < cost then
        retry_after = cost <= trial.burst and trial.wait_for(cost) or -1
      end
      reply[replied + 1] = passed
      reply[replied + 2] = retry_after
      replied = replied + 2
    end
    keys_read = keys_read + key_count
  end
end
-- A request that is only tried out has a shorter answer.
if replied < #reply then
  table.remove(reply)
end
-- One string costs the client less to read than many numbers.
return cmsgpack.pack(reply)
