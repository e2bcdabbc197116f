--[[
refund: takes back a charge, as far as the key still counts it. The charge was made for a request
that a policy with a key in another slot denied. It never takes back more than was charged, nor what
other requests used, nor what a token bucket has refilled since.
Mirrors src/store/redis/script.rs

Keys:
  one, of the policy
Arguments:
  algorithm   fixed-window, sliding-window, sliding-log or token-bucket
  units       units allowed per window
  window      ms
  amount      units that were charged
  charged_at  ms since the epoch: the time of the charge
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
  if number ~= this_start / window then
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

refunds['sliding-window'] = function()
  local start, previous, current = unpacked(pcall('GET', key), '>I7I7I7', 21)
  local given = 0
  if start == this_start then
    given = math.min(amount, current)
    current = current - given
  elseif start == this_start + window then
    given = math.min(amount, previous)
    previous = previous - given
  end
  if given == 0 then
    return 0
  elseif previous + current == 0 then
    call('DEL', key)
  else
    call('SETRANGE', key, '0', pack('>I7I7I7', start, previous, current))
  end
  return given
end

-- The totals of later entries include the amount too. There is at most one entry per millisecond.
refunds['sliding-log'] = function()
  local length = pcall('STRLEN', key)
  local index = type(length) == 'number' and length / 14 - 1 or string_of(length) or 0
  if index < 1 or index % 1 ~= 0 then
    return 0
  end
  local function entry(number)
    local from = number * 14
    local to = string.format('%d', from + 13)
    return unpack('>I7I7', call('GETRANGE', key, string.format('%d', from), to))
  end
  local later = {}
  local at, total = entry(index)
  if math.max(at, total, (entry(0))) > MAX_EXACT then
    return 0
  end
  while at > charged_at and index > 1 do
    table.insert(later, 1, { at = at, total = total })
    index = index - 1
    at, total = entry(index)
  end
  local _, before = entry(index - 1)
  local given = math.min(amount, total - before)
  if at ~= charged_at or given <= 0 then
    return 0
  end
  -- An entry without units is removed.
  local is_left = total - given > before
  local rest = is_left and pack('>I7I7', at, total - given) or ''
  for _, it in ipairs(later) do
    rest = rest .. pack('>I7I7', it.at, it.total - given)
  end
  if is_left then
    call('SETRANGE', key, string.format('%d', index * 14), rest)
  elseif index == 1 and rest == '' then
    call('DEL', key)
  else
    local before_it = call('GETRANGE', key, '0', string.format('%d', index * 14 - 1))
    call('SET', key, before_it .. rest, 'KEEPTTL')
  end
  return given
end

-- Units that have refilled since may have been used by other requests already. They stay used.
refunds['token-bucket'] = function()
  local stamp, debt, kept_until = unpacked(pcall('GET', key), '>I7I7I7', 21)
  local since = math.max((stamp or 0) - charged_at, 0)
  if not stamp or since >= ceil_div(amount * window, units) then
    return 0
  end
  local given = math.min(debt, amount * window - since * units)
  debt = debt - given
  if debt == 0 then
    call('DEL', key)
  else
    call('SETRANGE', key, '0', pack('>I7I7I7', stamp, debt, kept_until))
  end
  return floor_div(given, window)
end

return refunds[algorithm]()
