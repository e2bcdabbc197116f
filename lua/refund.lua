--[[
refund: gives back a charge, as far as the key still counts it. It never gives back more than was
charged, nor what a token bucket has refilled since.
Mirrors src/domain/algorithm.rs

Keys:
  one, of the policy; then, if the charge may be given back once alone, one that remembers that
Arguments:
  now         ms since the epoch; 0: the server's own TIME (only tests pass another time)
  algorithm   fixed-window, calendar-window, sliding-window, sliding-log, token-bucket or in-flight
  units       units allowed per window
  window      ms; where a calendar ends it, the longest
  amount      units that were charged
  charged_at  ms since the epoch: the time of the charge; 0: what was charged last is given back
  starts      ms since the epoch: when five successive windows of a calendar begin, as big-endian
              integers of 8 bytes; only if a calendar ends the window
Reply:
  given       units, rounded up; -1: it was given back before. If the windows of the time that
              matters are not known, the error CALENDAR and that time instead, before anything is
              given back
]]

local key, once = KEYS[1], KEYS[2]
local now = tonumber(ARGV[1])
local algorithm = ARGV[2]
local units = tonumber(ARGV[3])
local window = tonumber(ARGV[4])
local amount = tonumber(ARGV[5])
local charged_at = tonumber(ARGV[6])
local starts = ARGV[7]

if now == 0 then
  local time = call('TIME')
  now = time[1] * 1000 + (time[2] - time[2] % 1000) / 1000
end

if once and call('GET', once) then
  return -1
end

local is_last = charged_at == 0
local this_start = is_last and now - now % window or charged_at - charged_at % window
local from, ends
if starts then
  local at = is_last and now or charged_at
  local known = { unpack('>I8I8I8I8I8', starts) }
  for i = 1, 4 do
    if known[i] <= at and at < known[i + 1] then
      from, ends = known[i], known[i + 1]
    end
  end
  if not from then
    return redis.error_reply(string.format('CALENDAR %.0f', at))
  end
end
local refunds = {}

-- A refund never makes a quota whole later than its TTL says, so all writes keep the TTL.

-- Units of another window stay as they are.
refunds['fixed-window'] = function()
  local stride, value = window * 1000, pcall('GET', key)
  local number, used = unpacked(value, '>I5I7', 12)
  local count = not number and tonumber(value) or -1
  local is_counted = count >= 0 and count <= MAX_EXACT and count % 1 == 0
  if is_counted then
    number, used = floor_div(count, stride), count % stride
  end
  if number ~= this_start / window or now >= this_start + window then
    return 0
  end
  local given = math.min(amount, used)
  if given == used then
    call('DEL', key)
  elseif is_counted then
    call('SET', key, string.format('%d', count - given), 'KEEPTTL')
  else
    call('SETRANGE', key, '5', pack('>I7', used - given))
  end
  return given
end

refunds['calendar-window'] = function()
  local start, used = unpacked(pcall('GET', key), '>I7I7', 14)
  if start ~= from or now >= ends then
    return 0
  end
  local given = math.min(amount, used)
  if given == used then
    call('DEL', key)
  else
    call('SETRANGE', key, '7', pack('>I7', used - given))
  end
  return given
end

refunds['sliding-window'] = function()
  local start, previous, current = unpacked(pcall('GET', key), '>I7I7I7', 21)
  if not start then
    return 0
  end
  -- What was charged last may be of this window and of the one before it.
  local from_current = start == this_start or is_last and start + window == this_start
  local from_previous = start == (is_last and this_start or this_start + window)
  local given = 0
  if from_current and now < start + 2 * window then
    given = math.min(amount, current)
    current = current - given
  end
  if from_previous and now < start + window then
    local more = math.min(amount - given, previous)
    previous = previous - more
    given = given + more
  end
  if previous + current == 0 then
    call('DEL', key)
  elseif given > 0 then
    call('SETRANGE', key, '0', pack('>I7I7I7', start, previous, current))
  end
  return given
end

-- The totals of later entries include the amount too, so all of them are written again.
refunds['sliding-log'] = function()
  local length = pcall('STRLEN', key)
  local index = type(length) == 'number' and length / 14 - 1 or string_of(length) or 0
  if index < 1 or index % 1 ~= 0 then
    return 0
  end
  local function entry(number)
    local first = number * 14
    local last = string.format('%d', first + 13)
    return unpack('>I7I7', call('GETRANGE', key, string.format('%d', first), last))
  end
  local kept_until, before = entry(0)
  local used_at, total = entry(index)
  if math.max(kept_until, before, used_at, total) > MAX_EXACT then
    return 0
  end
  local given, left = 0, {}
  while index > 0 and given < amount and now < used_at + window do
    if not is_last and used_at < charged_at then
      break
    end
    local at_before, total_before = entry(index - 1)
    local used = total - total_before
    local taken = (is_last or used_at == charged_at) and math.min(amount - given, used) or 0
    if taken < used then
      table.insert(left, 1, { at = used_at, used = used - taken })
    end
    given = given + taken
    index, used_at, total = index - 1, at_before, total_before
  end
  if given <= 0 then
    return 0
  elseif index == 0 and #left == 0 then
    call('DEL', key)
    return given
  end
  local last_at = #left > 0 and left[#left].at or used_at
  local log = { call('GETRANGE', key, '14', string.format('%d', index * 14 + 13)) }
  for i, it in ipairs(left) do
    total = total + it.used
    log[i + 1] = pack('>I7I7', it.at, total)
  end
  -- A log that is kept for longer than two windows after its last entry counts as no log.
  local header = pack('>I7I7', math.min(kept_until, last_at + 2 * window), before)
  call('SET', key, header .. table.concat(log), 'KEEPTTL')
  return given
end

-- Units that have refilled since may have been used by other requests already. They stay used.
refunds['token-bucket'] = function()
  local stamp, debt, kept_until = unpacked(pcall('GET', key), '>I7I7I7', 21)
  if not stamp then
    return 0
  end
  local as_of = math.max(now, stamp)
  local charged = math.min(amount, floor_div(MAX_EXACT, window)) * window
  local since = is_last and 0 or math.max(as_of - charged_at, 0)
  if since >= ceil_div(charged, units) then
    return 0
  end
  local refilled = math.min(as_of - stamp, ceil_div(debt, units))
  local missing = math.max(debt - refilled * units, 0)
  local given = math.min(missing, charged - since * units)
  debt = debt - given
  if debt == 0 then
    call('DEL', key)
  elseif given > 0 then
    call('SETRANGE', key, '0', pack('>I7I7I7', stamp, debt, kept_until))
  end
  return ceil_div(given, window)
end

-- Slots are given back by their names.
refunds['in-flight'] = function()
  return 0
end

local given = refunds[algorithm]()
if once then
  -- After this time the key does not count the charge any more.
  local charged = math.min(amount, floor_div(MAX_EXACT, window)) * window
  local counts_for = math.max(2 * window, ceil_div(charged, units))
  call('SET', once, '', 'PX', string.format('%d', counts_for + TTL_SLACK))
end
return given
