--[[
fixed_window: counts per window, aligned to the epoch.
Mirrors src/algorithm/fixed_window.rs

Inputs:
  state   the state that read fills in, with the units that remain, and charge changes
  key     a string: the state's name
  policy  units; window in ms
  now     ms since the epoch
  units   units
State:
  start  ms since the epoch: where the window begins
  used   units used in it
Reply:
  read         the state, rolled to the window that counts now
  reset_after  ms
  wait_for     ms
  charge       the state with the units in it, written
]]

local fixed_window = {}
algorithms['fixed-window'] = fixed_window

function fixed_window.read(state, key, policy, now)
  local window = policy.window
  -- pcall: a key of another type is no state.
  local start, used = parse(pcall('GET', key), '^(%d+) (%d+)$')
  if not start then
    start, used = 0, 0
  end
  local as_of = read_as_of(start, window, now)
  state.astray = is_astray(start, window, now)
  state.start = as_of - as_of % window
  -- A later start than this window's is from a shorter window that the quota had before.
  state.used = start >= state.start and used or 0
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
  local ttl = fixed_window.reset_after(state, policy, now) + TTL_SLACK
  call('SET', key, format('%d %d', state.start, state.used), 'PX', ttl)
end
