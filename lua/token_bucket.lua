--[[
token_bucket: refills steadily up to its burst, by the generic cell rate algorithm.
Mirrors src/algorithm/token_bucket.rs

Inputs:
  state   the state that read fills in, with the units that remain, and charge changes
  key     a string: the state's name
  policy  units; window in ms; burst in units
  now     ms since the epoch
  cost    units
  units   units
  debt    parts of a unit, as many as the window has ms
State:
  stamp   ms since the epoch
  debt    parts of a unit that are not yet refilled
  window  ms: the window of those parts
Reply:
  owe          the state with the debt, and the units that remain
  read         the state, refilled up to now
  reset_after  ms
  wait_for     ms
  charge       the state with the units in it, written
]]

local token_bucket = {}

function token_bucket.owe(state, policy, debt)
  state.debt = debt
  state.remaining = floor_div(policy.burst * policy.window - debt, policy.window)
end

function token_bucket.read(state, key, policy, now)
  local stamp, debt, window = parse(find('GET', key), '^(%d+) (%d+) (%d+)$')
  if not stamp or window == 0 then
    stamp, debt, window = 0, 0, policy.window
  end
  -- Another window's debt is rounded up to whole units; no debt is more than the bucket holds.
  if window ~= policy.window then
    debt = min(ceil_div(debt, window), policy.burst) * policy.window
  end
  debt = min(debt, policy.burst * policy.window)
  local as_of = read_as_of(stamp, policy.window, now)
  state.astray = is_astray(stamp, policy.window, now)
  state.stamp = as_of
  local refilled = max(as_of - stamp, 0)
  if refilled >= ceil_div(debt, policy.units) then
    debt = 0
  else
    debt = debt - refilled * policy.units
  end
  token_bucket.owe(state, policy, debt)
end

function token_bucket.reset_after(state, policy, now)
  if state.debt == 0 then
    return 0
  end
  return state.stamp + ceil_div(state.debt, policy.units) - now
end

function token_bucket.wait_for(state, _, policy, now, cost)
  local debt = state.debt - (policy.burst - cost) * policy.window
  return state.stamp + ceil_div(debt, policy.units) - now
end

function token_bucket.charge(state, key, policy, now, units)
  token_bucket.owe(state, policy, state.debt + units * policy.window)
  local ttl = token_bucket.reset_after(state, policy, now) + TTL_SLACK
  call('SET', key, format('%d %d %d', state.stamp, state.debt, policy.window), 'PX', ttl)
end

return token_bucket
