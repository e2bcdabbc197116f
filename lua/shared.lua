--[[
shared: exact arithmetic, the instant as of which a state is read, and how states are read back.
Mirrors src/domain/algorithm.rs

Inputs:
  x, y     integers from 0 to 2^53 - 1; y at least 1
  stamp    ms since the epoch: as of when a state was written
  window   ms
  now      ms since the epoch
  reply    a string, or whatever else redis.pcall gave
  layout   a string: how the integers of a value are packed, which are 2 or 3
  size     integers: the bytes that such a value has
Reply:
  floor_div, ceil_div  x / y, rounded to integers
  read_as_of           ms since the epoch; whether a wrong clock wrote the state, more than a window
                       ahead
  string_of            a string; nil where there is none, or a value of another type
  unpacked             the integers of a value; nil where it is not of that size or they are too
                       large to be exact
]]

-- A key outlives the time at which its quota is whole again by this many ms, so that expiry, which
-- rounds on its own, never changes a decision.
local TTL_SLACK = 1000

-- Numbers up to this one are exact.
local MAX_EXACT = 2 ^ 53 - 1

-- Every call makes its functions anew, at a price that grows with what they share: what seldom runs
-- takes what it needs from the libraries.
local format, max, min = string.format, math.max, math.min
local pack, unpack = struct.pack, struct.unpack
local call, pcall = redis.call, redis.pcall

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
  if stamp > now + window then
    return now, true
  elseif stamp > now then
    return stamp, false
  end
  return now, false
end

-- A value of another type is no state of ours. Any other error ends the script: where keys may not
-- be read, nobody may be taken for new.
local function string_of(reply)
  if type(reply) == 'table' then
    if not string.match(reply.err, '^-?WRONGTYPE') then
      error(reply.err)
    end
    return nil
  end
  return reply or nil
end

-- No text is taken for such a value: its last integers would be too large.
local function unpacked(reply, layout, size)
  -- An error is a table without a length.
  if not reply or #reply ~= size then
    string_of(reply)
    return nil
  end
  -- Behind two integers comes the position after them, which is small.
  local a, b, c = unpack(layout, reply)
  if a > MAX_EXACT or b > MAX_EXACT or c > MAX_EXACT then
    return nil
  end
  return a, b, c
end
