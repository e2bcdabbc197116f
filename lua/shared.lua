--[[
shared: exact arithmetic, and the instant as of which a state is read.
Mirrors src/algorithm.rs

Inputs:
  x, y     integers from 0 to 2^53 - 1; y at least 1
  stamp    ms since the epoch: as of when a state was written
  window   ms
  now      ms since the epoch
  reply    a string, or whatever else redis.pcall gave
  value    a string, or anything else where there is none
  pattern  a Lua pattern whose captures are decimal digits
  layout   a string: how the integers of a value are packed, which are 3 or 4
  size     integers: the bytes that such a value has
Reply:
  floor_div, ceil_div  x / y, rounded to integers
  read_as_of           ms since the epoch; whether a wrong clock wrote the state, more than a window
                       ahead
  state_of             a string or the state's parts; no state of another type
  parse                the captures as integers; nil where the value does not match or they are too
                       large to be exact
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

-- A key of another type is no state of ours. Any other error ends the script: where keys may not
-- be read, nobody may be taken for new.
local function state_of(reply)
  if type(reply) == 'table' and reply.err then
    if not string.match(reply.err, '^-?WRONGTYPE') then
      error(reply.err)
    end
    return {}
  end
  return reply
end

-- What something else wrote under a key of ours counts as no state, and is written over.
local function parse(value, pattern)
  if type(value) ~= 'string' then
    return nil
  end
  local a, b = string.match(value, pattern)
  a, b = tonumber(a), tonumber(b)
  if max(a or 0, b or 0) > MAX_EXACT then
    return nil
  end
  return a, b
end

-- The same of a reply that is packed: no text is taken for one, for its integers are too large.
local function unpacked(reply, layout, size)
  -- An error is a table without a length.
  if not reply or #reply ~= size then
    state_of(reply)
    return nil
  end
  local a, b, c, d = unpack(layout, reply)
  if a > MAX_EXACT or b > MAX_EXACT or c > MAX_EXACT or d > MAX_EXACT then
    return nil
  end
  return a, b, c, d
end
