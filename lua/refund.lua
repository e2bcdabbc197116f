--[[
refund: gives a key back what was charged to it, as far as that is still counted there: for requests
that a policy with a key in another slot denied. It never gives back more than was charged, nor what
other requests used; of a token bucket, not what has refilled since.
Mirrors src/store/redis/script.rs

Keys:
  of the one policy
Arguments:
  algorithm   fixed-window, sliding-window, sliding-log or token-bucket
  units       units allowed per window
  window      ms
  amount      units that were charged
  charged_at  ms since the epoch: when that was
Reply:
  given       units
]]

local key = KEYS[1]
local algorithm = ARGV[1]
local units = tonumber(ARGV[2])
local window = tonumber(ARGV[3])
local amount = tonumber(ARGV[4])
local charged_at = tonumber(ARGV[5])

local this_start = charged_at - charged_at % window
local refunds = {}

-- Who is given something back is whole again no later than the TTL says already.
local function write(value)
  call('SET', key, value, 'KEEPTTL')
end

-- The field names the window of the charge: what was counted in another is not touched.
refunds['fixed-window'] = function()
  local field = format('%d %d', this_start, window)
  local used = tonumber(state_of(pcall('HGET', key, field)) or nil)
  if not used then
    return 0
  elseif used <= amount then
    call('DEL', key)
    return used
  end
  call('HINCRBY', key, field, format('-%d', amount))
  return amount
end

refunds['sliding-window'] = function()
  local start, previous, current, stored_window =
    unpacked(pcall('GET', key), '>I7I7I7I7', 28)
  local given = 0
  if start == this_start then
    given = min(amount, current)
    current = current - given
  elseif start == this_start + window then
    given = min(amount, previous)
    previous = previous - given
  end
  if given == 0 then
    return 0
  elseif previous + current == 0 then
    call('DEL', key)
  else
    -- As long as it was: the TTL is that of the window that wrote it.
    write(pack('>I7I7I7I7', start, previous, current, stored_window))
  end
  return given
end

-- The totals of later entries hold the amount, too: there is one for each millisecond since.
refunds['sliding-log'] = function()
  local entries =
    state_of(pcall('ZRANGEBYSCORE', key, format('%d', charged_at), '+inf', 'WITHSCORES'))
  if tonumber(entries[2] or nil) ~= charged_at then
    return 0
  end
  local given
  for i = 1, #entries, 2 do
    local total, used = parse(entries[i], '^(%d+) (%d+)$')
    if not total then
      return given or 0
    elseif not given then
      given = min(amount, used)
      used = used - given
    end
    -- First the new one, so that the key, and its TTL, stay.
    if used > 0 then
      call('ZADD', key, entries[i + 1], format('%d %d', total - given, used))
    end
    call('ZREM', key, entries[i])
  end
  return given
end

-- What had refilled when others were charged may be what they would have found refilled without it:
-- that stays used.
refunds['token-bucket'] = function()
  local stamp, debt, stored_window, kept_until =
    unpacked(pcall('GET', key), '>I7I7I7I7', 28)
  local since = max((stamp or 0) - charged_at, 0)
  if stored_window ~= window or since >= ceil_div(amount * window, units) then
    return 0
  end
  local given = min(debt, amount * window - since * units)
  debt = debt - given
  if debt == 0 then
    call('DEL', key)
  else
    write(pack('>I7I7I7I7', stamp, debt, window, kept_until))
  end
  return floor_div(given, window)
end

return refunds[algorithm]()
