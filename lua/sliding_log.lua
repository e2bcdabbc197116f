--[[
sliding_log: remembers every admitted request until it is a window old. A sorted set, so that a
check costs O(log n) of its n entries, and a denial O(log^2 n); n is at most the quota.
Mirrors src/algorithm/sliding_log.rs

Inputs:
  policy  units; window in ms
  now     ms since the epoch
  reply   a member and its score, or nothing
  rank    entries that come before it
  name    a string: the key that this step and the next ones are about
  amount  units
  cost    units
State:
  total  units of the log up to and with an entry
  units  units of this entry alone
  at     ms since the epoch: its score
Reply:
  read         units that remain
  charge       units that remain, once the state with the amount in it is written; nil where
               there is nothing to write: no amount, and no state that a wrong clock wrote
  reset_after  ms
  wait_for     ms
]]

local quota, window = policy.units, policy.window
local key, as_of, expired, first, last, used, astray

local function entry(reply)
  local total, units = parse(reply[1], '^(%d+) (%d+)$')
  if not total then
    return nil
  end
  return { total = total, units = units, at = tonumber(reply[2]), member = reply[1] }
end

local function entry_at(rank)
  return entry(call('ZRANGE', key, rank, rank, 'WITHSCORES'))
end

local function read(name)
  key = name
  last = entry(state_of(pcall('ZRANGE', key, '-1', '-1', 'WITHSCORES')))
  local stamp = last and last.at or 0
  as_of = read_as_of(stamp, window, now)
  astray = is_astray(stamp, window, now)
  -- What a wrong clock wrote is summed as of when it wrote it.
  expired = text(max(as_of, stamp) - window)
  first = last
    and entry(
      call('ZRANGEBYSCORE', key, '(' .. expired, '+inf', 'WITHSCORES', 'LIMIT', '0', '1')
    )
  used = first and last.total - first.total + first.units or 0
  return max(quota - used, 0)
end

local function reset_after()
  if used == 0 then
    return 0
  end
  return min(last.at, as_of) + window - now
end

local function wait_for(cost)
  -- The entries must go until this total, counted from before the log began.
  local must_go = first.total - first.units + used + cost - quota
  local last_to_go = first
  if last_to_go.total < must_go then
    local low = call('ZCOUNT', key, '-inf', expired)
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
    return nil
  end
  local total, units = amount, amount
  if astray or not last then
    -- Used at times that were wrong: all of it counts as used now.
    total, units = used + amount, used + amount
    call('DEL', key)
  else
    call('ZREMRANGEBYSCORE', key, '-inf', expired)
    if used > 0 then
      total = last.total + amount
      if last.at == as_of then
        units = last.units + amount
        call('ZREM', key, last.member)
      end
    end
  end
  call('ZADD', key, text(as_of), format('%d %d', total, units))
  call('PEXPIRE', key, text(as_of + window - now + TTL_SLACK))
  return read(key)
end

return { read = read, charge = charge, reset_after = reset_after, wait_for = wait_for }
