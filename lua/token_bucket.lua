--[[
token_bucket: refills steadily up to its burst, by the generic cell rate algorithm.
Mirrors src/algorithm/token_bucket.rs

Inputs:
  key      the state's name
  policy   units; window in ms; burst in units
  now      ms since the epoch
  cost     units
  units    units
State:
  stamp    ms since the epoch
  debt     what is not yet refilled, in parts of a unit, as many as the window has ms
  window   ms: the window of those parts
Reply:
  read         the state refilled up to now
  remaining    units
  reset_after  ms
  wait_for     ms
  charge       the state with the units in it
]]

local token_bucket = {}
algorithms['token-bucket'] = token_bucket

function token_bucket.read(key, policy, now)
  -- pcall: a key of another type is no state.
  local stamp, debt, window = parse(redis.pcall('GET', key), '^(%d+) (%d+) (%d+)$')
  if not stamp or window == 0 then
    stamp, debt, window = 0, 0, policy.window
  end
  -- Another window's debt is rounded up to whole units; no debt is more than the bucket holds.
  if window ~= policy.window then
    debt = min(ceil_div(debt, window), policy.burst) * policy.window
  end
  debt = min(debt, policy.burst * policy.window)
  local as_of = read_as_of(stamp, policy.window, now)
  local refilled = max(as_of - stamp, 0)
  if refilled >= ceil_div(debt, policy.units) then
    debt = 0
  else
    debt = debt - refilled * policy.units
  end
  return { stamp = as_of, debt = debt, astray = is_astray(stamp, policy.window, now) }
end

function token_bucket.remaining(state, policy)
  return floor_div(policy.burst * policy.window - state.debt, policy.window)
end

function token_bucket.reset_after(state, policy, now)
  if state.debt == 0 then
    return 0
  end
  return state.stamp + ceil_div(state.debt, policy.units) - now
end

function token_bucket.wait_for(_, state, policy, now, cost)
  local debt = state.debt - (policy.burst - cost) * policy.window
  return state.stamp + ceil_div(debt, policy.units) - now
end

function token_bucket.charge(key, state, policy, now, units)
  state.debt = state.debt + units * policy.window
  local value = format('%.0f %.0f %.0f', state.stamp, state.debt, policy.window)
  local ttl = token_bucket.reset_after(state, policy, now) + TTL_SLACK
  redis.call('SET', key, value, 'PX', ttl)
  return state
end
