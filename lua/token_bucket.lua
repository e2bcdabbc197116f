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
  charge    ms until the quota is whole again; parts that are not yet refilled. It adds the amount,
            at most the units that remain, to the state and writes it, unless the amount is 0 and no
            wrong clock wrote the state
  wait_for  ms
]]

local full = burst * window
local key, stamp, debt, kept_until, astray

local function read(name)
  key = name
  local stored_stamp, stored_debt, stored_kept_until =
    unpacked(pcall('GET', name), '>I7I7I7', 21)
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
  debt = debt + amount * window
  -- In this order, so that no sum passes 2^53.
  local reset_after = debt > 0 and stamp - now + ceil_div(debt, units) or 0
  if amount > 0 or astray and not is_peek then
    -- Setting a TTL takes Redis longer than setting a value. So the TTL lasts until an empty bucket
    -- would be full, and most charges until then need not set it.
    if reset_after <= kept_until - now then
      call('SETRANGE', key, '0', pack('>I7I7I7', stamp, debt, kept_until))
    else
      kept_until = math.min(stamp + ceil_div(full, units), MAX_EXACT)
      local value = pack('>I7I7I7', stamp, debt, kept_until)
      local ttl = math.max(kept_until - now, reset_after) + TTL_SLACK
      call('SET', key, value, 'PX', string.format('%d', ttl))
    end
  end
  return reset_after, debt
end

local function wait_for(cost)
  return stamp - now + ceil_div(debt - (burst - cost) * window, units)
end

return read, charge, wait_for
