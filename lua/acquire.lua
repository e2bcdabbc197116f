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

local arguments_read = 0

local function argument()
  arguments_read = arguments_read + 1
  return ARGV[arguments_read]
end

local function read_policies(policy_count)
  local policies = {}
  for i = 1, policy_count do
    local algorithm = algorithms[argument()]
    local units = tonumber(argument())
    local window = tonumber(argument())
    local burst = tonumber(argument())
    policies[i] = { algorithm = algorithm, units = units, window = window, burst = burst }
  end
  return policies
end

-- How many of `count` requests are admitted; the states are charged for as many.
local function decide(policies, keys, states, now, cost, count)
  local admitted = count
  for i, policy in ipairs(policies) do
    local state = policy.algorithm.read(keys[i], policy, now)
    states[i] = state
    admitted = min(admitted, floor_div(policy.algorithm.remaining(state, policy), cost))
  end
  for i, policy in ipairs(policies) do
    -- A denied request writes nothing but what a wrong clock wrote.
    if admitted > 0 or (count > 0 and states[i].astray) then
      states[i] = policy.algorithm.charge(keys[i], states[i], policy, now, admitted * cost)
    end
  end
  return admitted
end

local function retry_after(policy, key, state, now, cost)
  if cost <= policy.algorithm.remaining(state, policy) then
    return 0
  elseif cost <= policy.burst then
    return policy.algorithm.wait_for(key, state, policy, now, cost)
  end
  return -1
end

local now = tonumber(argument())
if now == 0 then
  local time = redis.call('TIME')
  now = time[1] * 1000 + floor_div(tonumber(time[2]), 1000)
end

local keys_read = 0
local reply = {}
while arguments_read < #ARGV do
  local cost = tonumber(argument())
  local policy_count = tonumber(argument())
  local request_count = tonumber(argument())
  local policies = read_policies(policy_count)
  for _ = 1, request_count do
    local count = tonumber(argument())
    local keys, states = {}, {}
    for i = 1, policy_count do
      keys[i] = KEYS[keys_read + i]
    end
    keys_read = keys_read + policy_count
    local admitted = decide(policies, keys, states, now, cost, count)
    reply[#reply + 1] = admitted
    for i, policy in ipairs(policies) do
      local state = states[i]
      reply[#reply + 1] = policy.algorithm.remaining(state, policy)
      reply[#reply + 1] = policy.algorithm.reset_after(state, policy, now)
      reply[#reply + 1] = retry_after(policy, keys[i], state, now, cost)
    end
  end
end
return reply
