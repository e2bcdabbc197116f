--[[
token_bucket: refills steadily up to its burst, by the generic cell rate algorithm.
Mirrors src/domain/algorithm/token_bucket.rs

Inputs:
  units, window, burst  units; ms; units
  now                   ms since the epoch
  name                  a string: the key that this step and the following ones use
  amount, cost          units
  is_peek               whether nothing may be written
State:
  stamp       ms since the epoch
  debt        parts of a unit that are not yet refilled; a unit has one for each ms of the window
  kept_until  ms since the epoch: the key has a TTL that ends no earlier
Reply:
  read      units that remain
  charge    units that remain; ms until the quota is whole again; parts that are not yet refilled.
            It adds the amount to the state and writes it, unless the amount is 0 and no wrong clock
            wrote the state
  wait_for  ms
]]

local full = burst * window
local key, stamp, debt, kept_until, astray

local function reset_after()
  -- In this order, so that no sum passes 2^53.
  return debt > 0 and stamp - now + ceil_div(debt, units) or 0
end

local function read(name)
  key = name
  local stored_stamp, stored_debt, stored_kept_until =
    unpacked(pcall('GET', key), '>I7I7I7', 21)
  if not stored_stamp then
    stored_stamp, stored_debt, stored_kept_until = 0, 0, 0
  end
  -- After a change to a smaller burst, no more is missing than the bucket holds.
  debt = stored_debt < full and stored_debt or full
  stamp, astray = read_as_of(stored_stamp, window, now)
  kept_until = astray and 0 or stored_kept_until
  -- If the refill is too large to be exact, it is more than any debt.
  local refilled = stamp > stored_stamp and (stamp - stored_stamp) * units or 0
  debt = refilled < debt and debt - refilled or 0
  return floor_div(full - debt, window)
end

local function charge(amount, is_peek)
  if amount > 0 or astray and not is_peek then
    debt = debt + amount * window
    -- Setting a TTL takes Redis longer than setting a value. So the TTL lasts until an empty bucket
    -- would be full, and most charges until then need not set it.
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
  return floor_div(full - debt, window), reset_after(), debt
end

local function wait_for(cost)
  return stamp - now + ceil_div(debt - (burst - cost) * window, units)
end

return read, charge, wait_for
