--[[
token_bucket: refills steadily up to its burst, by the generic cell rate algorithm.
Mirrors src/domain/algorithm/token_bucket.rs

Inputs:
  units, window, burst  units; ms; units
  now                   ms since the epoch
  name                  a string: the key that this step and the next ones are about
  amount, cost          units
State:
  stamp       ms since the epoch
  debt        parts of a unit, as many as the window has ms, that are not yet refilled
  kept_until  ms since the epoch: the key has a TTL that ends no earlier
Reply:
  read      units that remain
  charge    nothing: writes the state with the amount in it, where there is something to write, an
            amount or a state that a wrong clock wrote
  standing  units that remain; ms until the quota is whole again; parts that are not yet refilled
  wait_for  ms
]]

local full = burst * window
local key, stamp, debt, kept_until, astray

local function reset_after()
  -- In this order, or a sum might pass 2^53.
  return debt > 0 and stamp - now + ceil_div(debt, units) or 0
end

local function read(name)
  key = name
  local stored_stamp, stored_debt, stored_kept_until =
    unpacked(pcall('GET', key), '>I7I7I7', 21)
  if not stored_stamp then
    stored_stamp, stored_debt, stored_kept_until = 0, 0, 0
  end
  -- No debt is more than the bucket holds.
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
  local is_kept = reset_after() <= kept_until - now
  if not is_kept then
    kept_until = min(stamp + ceil_div(full, units), MAX_EXACT)
  end
  local value = pack('>I7I7I7', stamp, debt, kept_until)
  if is_kept then
    call('SETRANGE', key, '0', value)
  else
    call('SET', key, value, 'PX', format('%d', max(kept_until - now, reset_after()) + TTL_SLACK))
  end
end

local function standing()
  return floor_div(full - debt, window), reset_after(), debt
end

local function wait_for(cost)
  return stamp - now + ceil_div(debt - (burst - cost) * window, units)
end

return read, charge, standing, wait_for
