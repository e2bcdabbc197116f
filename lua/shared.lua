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
  number   integers from 0 to 2^53 - 1
Reply:
  floor_div, ceil_div  x / y, rounded to integers
  is_astray            whether a wrong clock wrote the state, more than a window ahead
  read_as_of           ms since the epoch
  state_of             a string or the state's parts; no state of another type
  parse                the captures as integers; nil where the value does not match or they are too
                       large to be exact
  text                 a string of digits
]]

-- A key outlives the time at which its quota is whole again by this many ms, so that expiry, which
-- rounds on its own, never changes a decision.
local TTL_SLACK = 1000

-- Numbers up to this one are exact.
local MAX_EXACT = 2 ^ 53 - 1

local format, match, max, min = string.format, string.match, math.max, math.min
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

local function is_astray(stamp, window, now)
  return stamp > now + window
end

local function read_as_of(stamp, window, now)
  if is_astray(stamp, window, now) then
    return now
  end
  return max(now, stamp)
end

-- A key of another type is no state of ours. Any other error ends the script: where keys may not
-- be read, nobody may be taken for new.
local function state_of(reply)
  if type(reply) == 'table' and reply.err then
    if not match(reply.err, '^-?WRONGTYPE') then
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
  local a, b, c = match(value, pattern)
  a, b, c = tonumber(a), tonumber(b), tonumber(c)
  if max(a or 0, b or 0, c or 0) > MAX_EXACT then
    return nil
  end
  return a, b, c
end

-- Numbers as text, which redis.call takes at a third of the price, each written once.
local texts = {}

local function text(number)
  local written = texts[number]
  if not written then
    written = format('%d', number)
    texts[number] = written
  end
  return written
end

-- By name, what makes of a policy the steps that decide under it. Only the calls that meet an
-- algorithm run its file.
local algorithms = {}
