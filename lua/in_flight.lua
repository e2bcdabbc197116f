--[[
in_flight: counts the requests under way. Each holds a slot until it ends. A slot that its holder
does not renew ends by itself after one window.
Mirrors src/domain/algorithm/in_flight.rs

Inputs:
  units, window  units; ms
  now            ms since the epoch
  holder         a string of 8 bytes: the process whose requests these are
  name           a string: the key that this step and the following ones use
  amount         units: slots
  is_peek        whether nothing may be written
  first          integers: the number of the first of these slots
State:
  slot  a string, a member of a sorted set: the holder, and the number in 7 bytes. Its score is the
        time at which it ends, in ms since the epoch
Reply:
  read      units: slots that may be taken
  charge    integers: 0, since nobody knows when requests end. It takes as many slots as the amount.
            Unless this is a peek, slots that a wrong clock wrote are written again as if they were
            taken now
  wait_for  integers: -2, since it waits for another request to end
]]

local until_now, after_now = string.format('%d', now), string.format('(%d', now)
local ends, astray = string.format('%d', now + window), string.format('(%d', now + 2 * window)
-- If the clock is a window behind, slots last for two windows.
local ttl = string.format('%d', 2 * window + TTL_SLACK)

local key, is_other_type

local function read(name)
  key = name
  local held = pcall('ZCOUNT', name, after_now, '+inf')
  is_other_type = type(held) == 'table'
  if is_other_type then
    string_of(held)
    held = 0
  end
  return held < units and units - held or 0
end

local function put_right()
  if call('ZCOUNT', key, astray, '+inf') > 0 then
    for _, slot in ipairs(call('ZRANGEBYSCORE', key, astray, '+inf')) do
      call('ZADD', key, ends, slot)
    end
    return true
  end
  return false
end

local function keep()
  call('ZREMRANGEBYSCORE', key, '-inf', until_now)
  local kept = pcall('PEXPIRE', key, ttl)
  if type(kept) == 'table' then
    -- No key may stay without a TTL.
    call('DEL', key)
    error(kept.err)
  end
end

local function charge(amount, is_peek, first)
  if is_other_type and amount > 0 then
    call('DEL', key)
  end
  if amount == 0 and (is_peek or is_other_type or not put_right()) then
    return 0
  end
  if amount > 0 then
    put_right()
    for number = first, first + amount - 1 do
      call('ZADD', key, ends, holder .. pack('>I7', number))
    end
  end
  keep()
  return 0
end

local function wait_for()
  return -2
end

return read, charge, wait_for
