--[[
token_bucket: refills steadily up to its burst, by the generic cell rate algorithm.
Mirrors src/algorithm/token_bucket.rs

Inputs:
  units, window, burst  units; ms; units
  now                   ms since the epoch
  name                  a string: the key that this step and the next ones are about
  amount, cost          units
State:
  stamp       ms since the epoch
  debt        parts of a unit, as many as the window has ms, that are not yet refilled
  window      ms: the window of those parts
  kept_until  ms since the epoch: the key has a TTL that ends no earlier
Reply:
  read      units that remain
  charge    nothing: writes the state with the amount in it, where there is something to write, an
            amount or a state that a wrong clock wrote
  standing  units that remain; ms until the quota is whole again
  wait_for  ms
]]

local full = burst * window
local key, stamp, debt, kept_until, astray

local function reset_after()
  return debt > 0 and stamp + ceil_div(debt, units) - now or 0
end

local function read(name)
  key = name
  local stored_stamp, stored_debt, stored_window, stored_kept_until =
    unpacked(pcall('GET', key), '>I7I7I7I7', 28)
  if not stored_stamp or stored_window == 0 then
    stored_stamp, stored_debt, stored_window, stored_kept_until = 0, 0, window, 0
  end
  -- Another window's debt is rounded up to whole units; no debt is more than the bucket holds.
  if stored_window ~= window then
    stored_debt = min(ceil_div(stored_debt, stored_window), burst) * window
  end
  debt = stored_debt < full and stored_debt or full
  stamp, astray = read_as_of(stored_stamp, window, now)
  kept_until = astray and 0 or stored_kept_until
  -- A refill too large to be exact is more than any debt.
  local refilled = stamp > stored_stamp and (stamp - stored_stamp) * units or 0
  debt = refilled < debt and debt - refilled or 0
  return floor_div(full - debt, window)
end

local function charge(amount)
  if amount == 0 and not astray then
    return
  end
  debt = debt + amount * window
  -- A TTL takes Redis longer to set than the value. This one lasts until an empty bucket would be
  -- full, and so for most charges until then.
  local is_kept = now + reset_after() <= kept_until
  if not is_kept then
    kept_until = min(stamp + ceil_div(full, units), MAX_EXACT)
  end
  local value = pack('>I7I7I7I7', stamp, debt, window, kept_until)
  if is_kept then
    call('SET', key, value, 'KEEPTTL')
  else
    call('SET', key, value, 'PX', format('%d', kept_until - now + TTL_SLACK))
  end
end

local function standing()
  return floor_div(full - debt, window), reset_after()
end

local function wait_for(cost)
  return stamp + ceil_div(debt - (burst - cost) * window, units) - now
end

return read, charge, standing, wait_for
