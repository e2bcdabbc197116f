--[[
fixed_window: counts per window, aligned to the epoch. A hash of one field, which names the window,
so that all keys of a batch look for the same one and count on in place; its value is what was used.
Mirrors src/algorithm/fixed_window.rs

Inputs:
  state    the state that read fills in, with the units that remain, and charge changes
  key      a string: the state's name
  policy   units; window in ms
  now      ms since the epoch
  units    units
State:
  start    ms since the epoch: where the window begins
  window   ms
Reply:
  begin        the policy, with the field of the window that counts now in ms
  read         the state, rolled to the window that counts now
  reset_after  ms
  wait_for     ms
  charge       the state with the units in it, written
]]

local fixed_window = {}

function fixed_window.begin(policy, now)
  policy.start = now - now % policy.window
  policy.field = format('%d %d', policy.start, policy.window)
end

-- The state of a key without this window's field: untouched, or of another window.
local function roll(state, key, policy, now)
  local reply = find('HGETALL', key)
  local start, window = parse(reply[1], '^(%d+) (%d+)$')
  local used = parse(reply[2], '^(%d+)$')
  if not window or not used then
    start, used = 0, 0
  end
  local as_of = read_as_of(start, policy.window, now)
  state.in_place = false
  state.astray = is_astray(start, policy.window, now)
  state.start = as_of - as_of % policy.window
  -- A later start than this window's is from a shorter window that the quota had before.
  state.used = start >= state.start and used or 0
end

function fixed_window.read(state, key, policy, now)
  local used = tonumber(find('HGET', key, policy.field))
  if used and used <= MAX_EXACT then
    -- Counted in place, a key keeps the TTL that it got with its window.
    state.in_place, state.astray = true, false
    state.start, state.used = policy.start, used
  else
    roll(state, key, policy, now)
  end
  state.remaining = max(policy.units - state.used, 0)
end

function fixed_window.reset_after(state, policy, now)
  if state.used == 0 then
    return 0
  end
  return state.start + policy.window - now
end

function fixed_window.wait_for(state, _, policy, now)
  return state.start + policy.window - now
end

function fixed_window.charge(state, key, policy, now, units)
  state.used = state.used + units
  state.remaining = max(policy.units - state.used, 0)
  if state.in_place then
    call('HINCRBY', key, policy.field, format('%d', units))
  else
    call('DEL', key)
    call('HSET', key, format('%d %d', state.start, policy.window), format('%d', state.used))
    call('PEXPIRE', key, state.start + policy.window - now + TTL_SLACK)
  end
end

return fixed_window
