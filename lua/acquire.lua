--[[
acquire: decides and charges a batch of requests, each of them all or nothing.
Mirrors src/store/memory.rs

Keys:
  of each request in turn, one for each policy of its group
Arguments:
  now              ms since the epoch; 0: the server's own TIME (tests alone pass another)
  then for each group of requests that meet the same policies at the same cost:
  cost             units that one request uses of each quota
  policy_count     policies that follow
  request_count    requests that follow them
    of each policy:
    algorithm        fixed-window, sliding-window, sliding-log or token-bucket
    units            units allowed per window
    window           ms
    burst            units: the most that can be used at once
    of each request:
    count            identical requests that this one stands for; 0: decide, charge nothing
Reply:
  of each request in turn, integers in one flat array:
  admitted         requests, of count
    of each policy, as it stands afterwards:
    remaining        units
    reset_after      ms until the quota is whole again; 0: it is
    retry_after      ms until one more request of that cost is admitted; 0: now; -1: never
]]

local keys, arguments = KEYS, ARGV
local keys_read, arguments_read = 0, 0
local reply, replied = {}, 0

local function argument()
  arguments_read = arguments_read + 1
  return arguments[arguments_read]
end

local function read_policies(policy_count, now)
  local policies = {}
  for i = 1, policy_count do
    local algorithm = algorithms[argument()]()
    local units = tonumber(argument())
    local window = tonumber(argument())
    local burst = tonumber(argument())
    local policy = {
      read = algorithm.read,
      charge = algorithm.charge,
      reset_after = algorithm.reset_after,
      wait_for = algorithm.wait_for,
      units = units,
      window = window,
      burst = burst,
      -- Filled anew for each request.
      state = {},
    }
    if algorithm.begin then
      algorithm.begin(policy, now)
    end
    policies[i] = policy
  end
  return policies
end

local function retry_after(policy, key, now, cost)
  if cost <= policy.state.remaining then
    return 0
  elseif cost <= policy.burst then
    return policy.wait_for(policy.state, key, policy, now, cost)
  end
  return -1
end

-- Decides `count` requests for the next keys, one for each policy.
local function decide(policies, policy_count, now, cost, count)
  local admitted = count
  for i = 1, policy_count do
    local policy = policies[i]
    policy.read(policy.state, keys[keys_read + i], policy, now)
    if policy.state.remaining < admitted * cost then
      admitted = floor_div(policy.state.remaining, cost)
    end
  end
  replied = replied + 1
  reply[replied] = admitted
  for i = 1, policy_count do
    local policy, key = policies[i], keys[keys_read + i]
    local state = policy.state
    -- A denied request writes nothing but what a wrong clock wrote.
    if admitted > 0 or (count > 0 and state.astray) then
      policy.charge(state, key, policy, now, admitted * cost)
    end
    reply[replied + 1] = state.remaining
    reply[replied + 2] = policy.reset_after(state, policy, now)
    reply[replied + 3] = retry_after(policy, key, now, cost)
    replied = replied + 3
  end
  keys_read = keys_read + policy_count
end

local now = tonumber(argument())
if now == 0 then
  local time = call('TIME')
  now = time[1] * 1000 + floor_div(tonumber(time[2]), 1000)
end

while arguments_read < #arguments do
  local cost = tonumber(argument())
  local policy_count = tonumber(argument())
  local request_count = tonumber(argument())
  local policies = read_policies(policy_count, now)
  for _ = 1, request_count do
    local count = tonumber(argument())
    decide(policies, policy_count, now, cost, count)
  end
end
return reply
