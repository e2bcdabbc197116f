--[[
token_bucket: refills steadily up to its burst, by the generic cell rate algorithm.
Mirrors src/algorithm/token_bucket.rs

Inputs:
  policy  units; window in ms; burst in units
  now     ms since the epoch
  name    a string: the key that this step and the next ones are about
  amount  units
  cost    units
State:
  stamp   ms since the epoch
  debt    parts of a unit, as many as the window has ms, that are not yet refilled
  window  ms: the window of those parts
Reply:
  read         units that remain
  charge       units that remain, once the state with the amount in it is written; nil where
               there is nothing to write: no amount, and no state that a wrong clock wrote
  reset_after  ms
  wait_for     ms
]]

local units, window, burst = policy.units, policy.window, policy.burst
local full = burst * window
local key, stamp, debt, astray

local function read(name)
  key = name
  local stored_stamp, stored_debt, stored_window =
    parse(state_of(pcall('GET', key)), '^(%d+) (%d+) (%d+)$')
  if not stored_stamp or stored_window == 0 then
    stored_stamp, stored_debt, stored_window = 0, 0, window
  end
  -- Another window's debt is rounded up to whole units; no debt is more than the bucket holds.
  if stored_window ~= window then
    stored_debt = min(ceil_div(stored_debt, stored_window), burst) * window
  end
  debt = min(stored_debt, full)
  stamp = read_as_of(stored_stamp, window, now)
  astray = is_astray(stored_stamp, window, now)
  local refilled = max(stamp - stored_stamp, 0)
  if refilled >= ceil_div(debt, units) then
    debt = 0
  else
    debt = debt - refilled * units
  end
  return floor_div(full - debt, window)
end

local function reset_after()
  if debt == 0 then
    return 0
  end
  return stamp + ceil_div(debt, units) - now
end

local function charge(amount)
  if amount == 0 and not astray then
    return nil
  end
  debt = debt + amount * window
  local value = format('%d %d %d', stamp, debt, window)
  call('SET', key, value, 'PX', text(reset_after() + TTL_SLACK))
  return floor_div(full - debt, window)
end

local function wait_for(cost)
  return stamp + ceil_div(debt - (burst - cost) * window, units) - now
end

return { read = read, charge = charge, reset_after = reset_after, wait_for = wait_for }
