--[[
fixed_window: counts per window, aligned to the epoch. A hash of one field, which names the window,
so that all keys of a batch look for the same one and count on in place; its value is what was used.
Mirrors src/algorithm/fixed_window.rs

Inputs:
  policy  units; window in ms
  now     ms since the epoch
  name    a string: the key that this step and the next ones are about
  found   a string, or whatever else was found instead of this window's count
  amount  units
State:
  start   ms since the epoch: where the window begins
  window  ms
Reply:
  read         units that remain
  charge       units that remain, once the state with the amount in it is written; nil where
               there is nothing to write: no amount, and no state that a wrong clock wrote
  reset_after  ms
  wait_for     ms
]]

local units, window = policy.units, policy.window
local this_start = now - now % window
local field = format('%d %d', this_start, window)
local key, start, used, in_place, astray

-- The state of a key without this window's field: untouched, or of another window.
local function roll(found)
  state_of(found)
  local reply = state_of(pcall('HGETALL', key))
  local stored_start, stored_window = parse(reply[1], '^(%d+) (%d+)$')
  local stored_used = parse(reply[2], '^(%d+)$')
  if not stored_window or not stored_used then
    stored_start, stored_used = 0, 0
  end
  local as_of = read_as_of(stored_start, window, now)
  in_place = false
  astray = is_astray(stored_start, window, now)
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
  return max(units - used, 0)
end

local function charge(amount)
  if amount == 0 and not astray then
    return nil
  end
  used = used + amount
  if in_place then
    call('HINCRBY', key, field, text(amount))
  else
    call('DEL', key)
    call('HSET', key, format('%d %d', start, window), text(used))
    call('PEXPIRE', key, text(start + window - now + TTL_SLACK))
  end
  return max(units - used, 0)
end

local function reset_after()
  if used == 0 then
    return 0
  end
  return start + window - now
end

local function wait_for()
  return start + window - now
end

return { read = read, charge = charge, reset_after = reset_after, wait_for = wait_for }
