--[[
sliding_log: remembers every admitted request until it is a window old. The log is a string of
entries of equal size, oldest first. Bisection finds an entry, so a check of n entries costs
O(log n). There are at most two entries for each unit of the quota. A header, which has the form of
an entry, comes before the first one.
Mirrors src/domain/algorithm/sliding_log.rs

Inputs:
  units, window          units; ms
  now                    ms since the epoch
  index, low, high       the numbers of entries; the header is 0
  least_at, least_total  ms since the epoch; units
  kept_for               ms
  from, to               integers: the first byte, and the byte after the last
  name                   a string: the key that this step and the following ones use
  amount, cost           units
  is_peek                whether nothing may be written
State:
  at     ms since the epoch: when the units of an entry were used; in the header, until when the log
         is kept, by a TTL that ends no earlier
  total  units of the log up to and including an entry; in the header, the units before the first
Reply:
  read      units that remain
  charge    ms until the quota is whole again. It adds the amount, at most the units that remain, to
            the state and writes it, unless the amount is 0 and no wrong clock wrote the state
  wait_for  ms
]]

-- The bytes of the first read, which are 64 entries. A shorter log needs no other read.
local AT_ONCE = 896

-- A log is copied in parts of this many bytes. Larger parts cost more.
local PART = 65520

local key, text, length, shift
local as_of, astray, expired, kept_until, first, last, last_at, last_total, before, used

-- Returns an entry from what was read, or else from the key.
local function stored(index)
  if length < AT_ONCE then
    return unpack('>I7I7', text, index * 14 + 1)
  end
  local from = (index - shift) * 14
  local to = string.format('%d', from + 13)
  return unpack('>I7I7', call('GETRANGE', key, string.format('%d', from), to))
end

-- Returns the first entry that is no earlier and has no lower total, or `high` if there is none
-- before it.
local function search(low, high, least_at, least_total)
  while low < high do
    local middle = floor_div(low + high, 2)
    local at, total = stored(middle)
    if at < least_at or total < least_total then
      low = middle + 1
    else
      high = middle
    end
  end
  return low
end

-- Returns whether there is a log. A value that something else wrote has numbers that are too large,
-- or totals that shrink.
local function find_live()
  last = length / 14 - 1
  if length % 14 ~= 0 or last < 1 then
    return false
  end
  kept_until, before = stored(0)
  last_at, last_total = stored(last)
  local is_exact = math.max(before, last_at, last_total) <= MAX_EXACT
  if not is_exact or kept_until > last_at + 2 * window then
    return false
  end
  as_of, astray = read_as_of(last_at, window, now)
  -- Entries of a wrong clock are summed as of the time when they were written.
  expired = math.max(as_of, last_at) - window
  first = last_at > expired and search(1, last, expired + 1, 0) or last + 1
  local _, total = stored(first - 1)
  before, used = total, last_total - total
  return used >= 0
end

local function read(name)
  key, shift = name, 0
  text = pcall('GETRANGE', key, '0', '895')
  length = #text
  if length == AT_ONCE then
    length = call('STRLEN', key)
  elseif length == 0 then
    string_of(text)
  end
  if not find_live() then
    as_of, astray, expired, kept_until = now, false, now - window, 0
    first, last, last_at, last_total, before, used = 1, 0, 0, 0, 0, 0
  end
  return used < units and units - used or 0
end

-- Writes the log again with its TTL. It keeps the given bytes of the old log, and puts the last
-- entry behind them.
local function rewrite(kept_for, from, to)
  kept_until = as_of + kept_for
  local parts = { pack('>I7I7', kept_until, before) }
  for at = from, to - 1, PART do
    local stop = string.format('%d', math.min(at + PART, to) - 1)
    parts[#parts + 1] = call('GETRANGE', key, string.format('%d', at), stop)
  end
  parts[#parts + 1] = pack('>I7I7', last_at, last_total)
  local at_first = #parts <= 3 and #parts or 1
  local value = table.concat(parts, '', 1, at_first)
  call('SET', key, value, 'PX', string.format('%d', kept_until - now + TTL_SLACK))
  for i = at_first + 1, #parts do
    call('APPEND', key, parts[i])
  end
end

local function add(amount)
  local is_new = used == 0 or astray
  local is_same = not is_new and last_at == as_of
  used, last_at = used + amount, as_of
  if is_new then
    -- The times were wrong: all units count as used now.
    before, first, last, last_total = 0, 1, 1, used
    rewrite(window, 0, 0)
  else
    last_total = last_total + amount
    local stored_first, stored_last = (first - shift) * 14, (last - shift) * 14
    if as_of + window > kept_until then
      -- This happens about once a window, so there are entries of at most two windows.
      rewrite(2 * window, stored_first, is_same and stored_last or stored_last + 14)
      shift = first - 1
    elseif is_same then
      call('SETRANGE', key, string.format('%d', stored_last), pack('>I7I7', last_at, last_total))
    elseif length < AT_ONCE then
      -- APPEND would take twice the memory.
      call('SET', key, text .. pack('>I7I7', last_at, last_total), 'KEEPTTL')
    else
      call('APPEND', key, pack('>I7I7', last_at, last_total))
    end
    if not is_same then
      last = last + 1
    end
  end
end

local function charge(amount, is_peek)
  if amount > 0 or astray and not is_peek then
    add(amount)
  end
  return used > 0 and math.min(last_at, as_of) + window - now or 0
end

local function wait_for(cost)
  -- The entries up to this total, counted since the log began, must become a window old.
  local index = search(first, last, 0, before + used + cost - units)
  local at = index < last and stored(index) or last_at
  return math.max(math.min(at, as_of) + window - now, 1)
end

return read, charge, wait_for
