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
  read      units that remain; ms until the quota is whole again
  charge    the same, in units and ms, once the state with the amount in it is written; nil where
            there is nothing to write: no amount, and no state that a wrong clock wrote
  wait_for  ms
]]

local units, window, burst = policy.units, policy.window, policy.burst
local full = burst * window
local key, stamp, debt, astray

local function standing()
  local reset_after = debt > 0 and stamp + ceil_div(debt, units) - now or 0
  return floor_div(full - debt, window), reset_after
end

local function read(name)
  key = name
  local stored_stamp, stored_debt, stored_window =
    unpacked(state_of(pcall('GET', key)), '>I7I7I7', 21)
  if not stored_stamp or stored_window == 0 then
    stored_stamp, stored_debt, stored_window = 0, 0, window
  end
  -- Another window's debt is rounded up to whole units; no debt is more than the bucket holds.
  if stored_window ~= window then
    stored_debt = min(ceil_div(stored_debt, stored_window), burst) * window
  end
  debt = min(stored_debt, full)
  stamp, astray = read_as_of(stored_stamp, window, now)
  local refilled = max(stamp - stored_stamp, 0)
  if refilled >= ceil_div(debt, units) then
    debt = 0
  else
    debt = debt - refilled * units
  end
  return standing()
end

local function charge(amount)
  if amount == 0 and not astray then
    return nil
  end
  debt = debt + amount * window
  local value = pack('>I7I7I7', stamp, debt, window)
  local remaining, reset_after = standing()
  call('SET', key, value, 'PX', format('%d', reset_after + TTL_SLACK))
  return remaining, reset_after
end

local function wait_for(cost)
  return stamp + ceil_div(debt - (burst - cost) * window, units) - now
end

return read, charge, wait_for
