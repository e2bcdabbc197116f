--[[
fixed_window: counts per window, aligned to the epoch. A hash of one field, which names the window,
so that all keys of a batch look for the same one and count on in place; its value is what was used.
Mirrors src/algorithm/fixed_window.rs

Inputs:
  units, window  units; ms
  now            ms since the epoch
  name           a string: the key that this step and the next ones are about
  found          a string, or whatever else was found instead of this window's count
  amount         units
State:
  start   ms since the epoch: where the window begins
  window  ms
Reply:
  read      units that remain
  charge    nothing: writes the state with the amount in it, where there is something to write, an
            amount or a state that a wrong clock wrote
  standing  units that remain; ms until the quota is whole again
  wait_for  ms
]]

local this_start = now - now % window
local field = format('%d %d', this_start, window)
local key, start, used, in_place, astray, is_new
-- What one request after another uses, mostly the same: as text, which Redis takes at less.
local amount_written, amount_text

-- The state of a key without this window's field: untouched, or of another window.
local function roll(found)
  state_of(found)
  local hash = pcall('HGETALL', key)
  is_new = not hash.err and not hash[1]
  local reply = state_of(hash)
  local stored_start, stored_window = parse(reply[1], '^(%d+) (%d+)$')
  local stored_used = parse(reply[2], '^(%d+)$')
  if not stored_window or not stored_used then
    stored_start, stored_used = 0, 0
  end
  local as_of
  as_of, astray = read_as_of(stored_start, window, now)
  in_place = false
  start = as_of - as_of % window
  -- A later start than this window's is from a shorter window that the quota had before.
  used = stored_start >= start and stored_used or 0
end

local function read(name)
  key = name
  local found = pcall('HGET', key, field)
  used = tonumber(found)
  if used and used <= MAX_EXACT then
    -- Counted in place, a key keeps the TTL that it got with its window.
    in_place, astray, start = true, false, this_start
  else
    roll(found)
  end
  return used < units and units - used or 0
end

local function charge(amount)
  if amount == 0 and not astray then
    return
  end
  used = used + amount
  if in_place then
    if amount ~= amount_written then
      amount_written, amount_text = amount, format('%d', amount)
    end
    call('HINCRBY', key, field, amount_text)
  else
    -- A script that has written, and be it a DEL, is not told any more that the memory is full.
    if not is_new then
      call('DEL', key)
    end
    call('HSET', key, format('%d %d', start, window), format('%d', used))
    call('PEXPIRE', key, format('%d', start + window - now + TTL_SLACK))
  end
end

local function standing()
  return used < units and units - used or 0, used > 0 and start + window - now or 0
end

local function wait_for()
  return start + window - now
end

return read, charge, standing, wait_for
