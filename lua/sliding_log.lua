--[[
sliding_log: remembers every admitted request until it is a window old. A sorted set, so that a
check costs O(log n) of its n entries, and a denial O(log^2 n); n is at most the quota.
Mirrors src/algorithm/sliding_log.rs

Inputs:
  key      the state's name
  policy   units; window in ms
  now      ms since the epoch
  cost     units
  units    units
  rank     entries that come before it
  reply    a member and its score, or nothing
State:
  total    units of the log up to and with this entry
  units    units of this entry alone
  at       ms since the epoch: its score
Reply:
  read         the state, as far as it is live
  remaining    units
  reset_after  ms
  wait_for     ms
  charge       the state with the units in it
]]

local sliding_log = {}
algorithms['sliding-log'] = sliding_log

local function entry(reply)
  local total, units = parse(reply[1], '^(%d+) (%d+)$')
  if not total then
    return nil
  end
  return { total = total, units = units, at = tonumber(reply[2]), member = reply[1] }
end

local function entry_at(key, rank)
  return entry(redis.call('ZRANGE', key, rank, rank, 'WITHSCORES'))
end

function sliding_log.read(key, policy, now)
  local window = policy.window
  -- pcall: a key of another type is no state.
  local last = entry(redis.pcall('ZRANGE', key, -1, -1, 'WITHSCORES'))
  if not last then
    return { as_of = now, used = 0, absent = true }
  end
  local as_of = read_as_of(last.at, window, now)
  -- What a wrong clock wrote is summed as of when it wrote it.
  local expired = format('%.0f', max(as_of, last.at) - window)
  local first = entry(
    redis.call('ZRANGEBYSCORE', key, '(' .. expired, '+inf', 'WITHSCORES', 'LIMIT', 0, 1)
  )
  return {
    as_of = as_of,
    expired = expired,
    first = first,
    last = last,
    used = first and last.total - first.total + first.units or 0,
    astray = is_astray(last.at, window, now),
  }
end

function sliding_log.remaining(state, policy)
  return max(policy.units - state.used, 0)
end

function sliding_log.reset_after(state, policy, now)
  if state.used == 0 then
    return 0
  end
  return min(state.last.at, state.as_of) + policy.window - now
end

function sliding_log.wait_for(key, state, policy, now, cost)
  -- The entries must go until this total, counted from before the log began.
  local must_go = state.first.total - state.first.units + state.used + cost - policy.units
  local last_to_go = state.first
  if last_to_go.total < must_go then
    local low = redis.call('ZCOUNT', key, '-inf', state.expired)
    local high = redis.call('ZCARD', key) - 1
    while low < high do
      local middle = floor_div(low + high, 2)
      local found = entry_at(key, middle)
      if found and found.total < must_go then
        low = middle + 1
      else
        high = middle
      end
    end
    last_to_go = entry_at(key, low) or state.last
  end
  return min(last_to_go.at, state.as_of) + policy.window - now
end

function sliding_log.charge(key, state, policy, now, units)
  local as_of = state.as_of
  local charged = { total = units, units = units, at = as_of }
  if state.astray or state.absent then
    -- Used at times that were wrong: all of it counts as used now.
    charged.total, charged.units = state.used + units, state.used + units
    redis.call('DEL', key)
  else
    redis.call('ZREMRANGEBYSCORE', key, '-inf', state.expired)
    if state.used > 0 then
      charged.total = state.last.total + units
      if state.last.at == as_of then
        charged.units = state.last.units + units
        redis.call('ZREM', key, state.last.member)
      end
    end
  end
  charged.member = format('%.0f %.0f', charged.total, charged.units)
  redis.call('ZADD', key, as_of, charged.member)
  redis.call('PEXPIRE', key, as_of + policy.window - now + TTL_SLACK)
  return sliding_log.read(key, policy, now)
end
