--[[
sliding_log: remembers every admitted request until it is a window old. A sorted set, so that a
check costs O(log n) of its n entries, and a denial O(log^2 n); n is at most the quota.
Mirrors src/algorithm/sliding_log.rs

Inputs:
  state   the state that read fills in, with the units that remain, and charge changes
  key     a string: the state's name
  policy  units; window in ms
  now     ms since the epoch
  cost    units
  units   units
  rank    entries that come before it
  reply   a member and its score, or nothing
State:
  total  units of the log up to and with an entry
  units  units of this entry alone
  at     ms since the epoch: its score
Reply:
  read         the state, as far as it is live
  reset_after  ms
  wait_for     ms
  charge       the state with the units in it, written
]]

local sliding_log = {}

local function entry(reply)
  local total, units = parse(reply[1], '^(%d+) (%d+)$')
  if not total then
    return nil
  end
  return { total = total, units = units, at = tonumber(reply[2]), member = reply[1] }
end

local function entry_at(key, rank)
  return entry(call('ZRANGE', key, rank, rank, 'WITHSCORES'))
end

function sliding_log.read(state, key, policy, now)
  local window = policy.window
  local last = entry(find('ZRANGE', key, -1, -1, 'WITHSCORES'))
  local stamp = last and last.at or 0
  local as_of = read_as_of(stamp, window, now)
  -- What a wrong clock wrote is summed as of when it wrote it.
  local expired = format('%d', max(as_of, stamp) - window)
  local first = last
    and entry(
      call('ZRANGEBYSCORE', key, '(' .. expired, '+inf', 'WITHSCORES', 'LIMIT', 0, 1)
    )
  state.as_of, state.expired = as_of, expired
  state.first, state.last = first, last
  state.used = first and last.total - first.total + first.units or 0
  state.remaining = max(policy.units - state.used, 0)
  state.astray = is_astray(stamp, window, now)
end

function sliding_log.reset_after(state, policy, now)
  if state.used == 0 then
    return 0
  end
  return min(state.last.at, state.as_of) + policy.window - now
end

function sliding_log.wait_for(state, key, policy, now, cost)
  -- The entries must go until this total, counted from before the log began.
  local must_go = state.first.total - state.first.units + state.used + cost - policy.units
  local last_to_go = state.first
  if last_to_go.total < must_go then
    local low = call('ZCOUNT', key, '-inf', state.expired)
    local high = call('ZCARD', key) - 1
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

function sliding_log.charge(state, key, policy, now, units)
  local as_of, last = state.as_of, state.last
  local charged = { total = units, units = units }
  if state.astray or not last then
    -- Used at times that were wrong: all of it counts as used now.
    charged.total, charged.units = state.used + units, state.used + units
    call('DEL', key)
  else
    call('ZREMRANGEBYSCORE', key, '-inf', state.expired)
    if state.used > 0 then
      charged.total = last.total + units
      if last.at == as_of then
        charged.units = last.units + units
        call('ZREM', key, last.member)
      end
    end
  end
  call('ZADD', key, as_of, format('%d %d', charged.total, charged.units))
  call('PEXPIRE', key, as_of + policy.window - now + TTL_SLACK)
  sliding_log.read(state, key, policy, now)
end

return sliding_log
