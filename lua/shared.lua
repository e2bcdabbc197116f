--[[
shared: exact arithmetic, the time as of which a state is read, and how stored values are read.
Mirrors src/domain/algorithm.rs

Inputs:
  x, y     integers from 0 to 2^53 - 1; y at least 1
  stamp    ms since the epoch: the time at which a state was written
  window   ms
  now      ms since the epoch
  reply    a string, or anything else that redis.pcall returned
  layout   a string: how the 2 or 3 integers of a value are packed
  size     integers: the bytes of such a value
Reply:
  floor_div, ceil_div  x / y, rounded to integers
  read_as_of           ms since the epoch; whether a wrong clock wrote the state, more than a window
                       ahead
  string_of            a string; nil if there is no value, or a value of another type
  unpacked             the integers of a value; nil if it has another size, or if they are too
                       large to be exact
]]

local function floor_div(x, y)
  return (x - x % y) / y
end

local function ceil_div(x, y)
  local rest = x % y
  if rest == 0 then
    return x / y
  end
  return (x - rest) / y + 1
end

local function read_as_of(stamp, window, now)
  if stamp <= now then
    return now, false
  elseif stamp <= now + window then
    return stamp, false
  end
  return now, true
end

-- A value of another type counts as no state. Any other error ends the script: if a key cannot be
-- read, its client must not be taken for new.
local function string_of(reply)
  if type(reply) == 'table' then
    if not string.match(reply.err, '^-?WRONGTYPE') then
      error(reply.err)
    end
    return nil
  end
  return reply or nil
end

-- A text is never mistaken for such a value, because its last integers would be too large.
local function unpacked(reply, layout, size)
  -- An error is a table without a length.
  if not reply or #reply ~= size then
    string_of(reply)
    return nil
  end
  -- With two integers, `c` is the position after them, which is small.
  local a, b, c = unpack(layout, reply)
  if a > MAX_EXACT or b > MAX_EXACT or c > MAX_EXACT then
    return nil
  end
  return a, b, c
end
