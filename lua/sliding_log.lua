--[[
sliding_log: remembers every admitted request until it is a window old. A sorted set, so that a
check costs O(log n) of its n entries, and a denial O(log^2 n); n is at most the quota.
Mirrors src/algorithm/sliding_log.rs

Inputs:
  units, window  units; ms
  now            ms since the epoch
  reply          a member and its score, or nothing
  rank           entries that come before it
  name           a string: the key that this step and the next ones are about
  amount, cost   units
State:
  total  units of the log up to and with an entry
  units  units of this entry alone
  at     ms since the epoch: its score
Reply:
  read      units that remain
  charge    nothing: writes the state with the amount in it, where there is something to write, an
            amount or a state that a wrong clock wrote
  standing  units that remain; ms until the quota is whole again
  wait_for  ms
]]

local key, as_of, expired, first, last, used, has_expired, astray, is_new

local function entry(reply)
  local total, entry_units = parse(reply[1], '^(%d+) (%d+)$')
  if not total then
    return nil
  end
  return { total = total, units = entry_units, at = tonumber(reply[2]), member = reply[1] }
end

local function entry_at(rank)
  return entry(call('ZRANGE', key, rank, rank, 'WITHSCORES'))
end

local function read(name)
  key = name
  local found = pcall('ZRANGE', key, '-1', '-1', 'WITHSCORES')
  is_new = not found.err and not found[1]
  last = entry(state_of(found))
  local stamp = last and last.at or 0
  as_of, astray = read_as_of(stamp, window, now)
  -- What a wrong clock wrote is summed as of when it wrote it.
  expired = max(as_of, stamp) - window
  first = last and entry_at('0')
  has_expired = not first or first.at <= expired
  if last and has_expired then
    local after = format('(%d', expired)
    first = entry(call('ZRANGEBYSCORE', key, after, '+inf', 'WITHSCORES', 'LIMIT', '0', '1'))
  end
  used = first and last.total - first.total + first.units or 0
  return used < units and units - used or 0
end

local function wait_for(cost)
  -- The entries must go until this total, counted from before the log began.
  local must_go = first.total - first.units + used + cost - units
  local last_to_go = first
  if last_to_go.total < must_go then
    local low = call('ZCOUNT', key, '-inf', format('%d', expired))
    local high = call('ZCARD', key) - 1
    while low < high do
      local middle = floor_div(low + high, 2)
      local found = entry_at(middle)
      if found and found.total < must_go then
        low = middle + 1
      else
        high = middle
      end
    end
    last_to_go = entry_at(low) or last
  end
  return min(last_to_go.at, as_of) + window - now
end

local function charge(amount)
  if amount == 0 and not astray then
    return
  end
  local total, entry_units, replaced = amount, amount, nil
  local goes_on = last and not astray
  if not goes_on then
    -- Used at times that were wrong: all of it counts as used now.
    total, entry_units = used + amount, used + amount
    if not is_new then
      call('DEL', key)
    end
  elseif used > 0 then
    total = last.total + amount
    if last.at == as_of then
      entry_units, replaced = last.units + amount, last.member
    end
  end
  -- First, since a script that has written is not told any more that the memory is full.
  call('ZADD', key, format('%d', as_of), format('%d %d', total, entry_units))
  if goes_on and has_expired then
    call('ZREMRANGEBYSCORE', key, '-inf', format('%d', expired))
  end
  if replaced then
    call('ZREM', key, replaced)
  end
  call('PEXPIRE', key, format('%d', as_of + window - now + TTL_SLACK))
  -- What a read would find now.
  used, expired = used + amount, as_of - window
  local begins = not goes_on or not first or first.member == replaced
  last = { total = total, units = entry_units, at = as_of }
  first = begins and last or first
end

local function standing()
  local remaining = used < units and units - used or 0
  return remaining, used > 0 and min(last.at, as_of) + window - now or 0
end

return read, charge, standing, wait_for
