--[[
acquire: decides and charges a batch of requests, each of them all or nothing.
Mirrors src/store/memory.rs

Keys:
  of each request in turn, one for each policy of its group
Arguments:
  now              ms since the epoch; 0: the server's own TIME (tests alone pass another)
  then for each group of requests that meet the same policies at the same cost:
  cost             units that one request uses of each quota
  count            identical requests that each one stands for; 0: decide, charge nothing
  request_count    requests of the group
  policy_count     policies that follow
    of each policy:
    algorithm        fixed-window, sliding-window, sliding-log or token-bucket
    units            units allowed per window
    window           ms
    burst            units: the most that can be used at once
Reply:
  now              ms since the epoch: when all of it was decided
  then of each request in turn, integers in one flat array:
  admitted         requests, of count
    of each policy, as it stands afterwards:
    remaining        units
    reset_after      ms until the quota is whole again; 0: it is
    retry_after      ms until one more request of that cost is admitted; 0: now; -1: never
]]

local keys, arguments = KEYS, ARGV
local keys_read, arguments_read = 0, 0
-- The first is the time.
local reply, replied = {}, 1
-- Of the request at hand, by policy.
local remains = {}

local function argument()
  arguments_read = arguments_read + 1
  return arguments[arguments_read]
end

local now = tonumber(argument())
if now == 0 then
  local time = call('TIME')
  now = time[1] * 1000 + floor_div(tonumber(time[2]), 1000)
end
reply[1] = now

local function read_policies(policy_count)
  local policies = {}
  for i = 1, policy_count do
    local algorithm = argument()
    local units = tonumber(argument())
    local window = tonumber(argument())
    local burst = tonumber(argument())
    local policy = { units = units, window = window, burst = burst }
    local steps = algorithms[algorithm](policy, now)
    steps.burst = burst
    policies[i] = steps
  end
  return policies
end

local function retry_after(policy, remaining, cost)
  if cost <= remaining then
    return 0
  elseif cost <= policy.burst then
    return policy.wait_for(cost)
  end
  return -1
end

-- Decides `count` requests for the next keys, one for each policy.
local function decide(policies, policy_count, cost, count)
  local admitted, amount = count, count * cost
  for i = 1, policy_count do
    local remaining = policies[i].read(keys[keys_read + i])
    if remaining < amount then
      admitted = floor_div(remaining, cost)
      amount = admitted * cost
    end
    remains[i] = remaining
  end
  replied = replied + 1
  reply[replied] = admitted
  for i = 1, policy_count do
    local policy, remaining = policies[i], remains[i]
    -- A peek writes nothing; a denied request puts right what a wrong clock wrote.
    if count > 0 then
      remaining = policy.charge(amount) or remaining
    end
    reply[replied + 1] = remaining
    reply[replied + 2] = policy.reset_after()
    reply[replied + 3] = retry_after(policy, remaining, cost)
    replied = replied + 3
  end
  keys_read = keys_read + policy_count
end

while arguments_read < #arguments do
  local cost = tonumber(argument())
  local count = tonumber(argument())
  local request_count = tonumber(argument())
  local policy_count = tonumber(argument())
  local policies = read_policies(policy_count)
  for _ = 1, request_count do
    decide(policies, policy_count, cost, count)
  end
end
return reply
