--[[
sliding_window: this window's units, and those of the window before weighed by how much of it the
last full window still covers.
Mirrors src/algorithm/sliding_window.rs

Inputs:
  state   the state that read fills in, with the units that remain, and charge changes
  key     a string: the state's name
  policy  units; window in ms
  now     ms since the epoch
  cost    units
  units   units
State:
  start     ms since the epoch: where the window begins
  previous  units used in the window before it
  current   units used in it
Reply:
  weigh        the state with the units that remain
  read         the state, rolled to the window that counts now
  reset_after  ms
  wait_for     ms
  charge       the state with the units in it, written
]]

local sliding_window = {}

function sliding_window.weigh(state, policy, now)
  local window = policy.window
  local covered = state.start + window - read_as_of(state.start, window, now)
  local weighed = ceil_div(state.previous * covered, window)
  state.remaining = max(policy.units - state.current - weighed, 0)
end

function sliding_window.read(state, key, policy, now)
  local window = policy.window
  local start, previous, current = parse(find('GET', key), '^(%d+) (%d+) (%d+)$')
  if not start then
    start, previous, current = 0, 0, 0
  end
  local as_of = read_as_of(start, window, now)
  state.astray = is_astray(start, window, now)
  state.start = as_of - as_of % window
  if start + window < state.start then
    previous, current = 0, 0
  elseif start < state.start then
    previous, current = current, 0
  end
  -- What was used under a larger quota weighs no more than this one.
  state.previous = min(previous, policy.units)
  state.current = min(current, policy.units)
  sliding_window.weigh(state, policy, as_of)
end

function sliding_window.reset_after(state, policy, now)
  local stop = state.start + policy.window
  if state.current > 0 then
    return stop + policy.window - now
  elseif state.previous > 0 then
    return stop - now
  end
  return 0
end

function sliding_window.wait_for(state, _, policy, now, cost)
  local window, current = policy.window, state.current
  local stop = state.start + window
  local room = policy.units - cost
  if current <= room then
    return stop - floor_div((room - current) * window, state.previous) - now
  end
  return stop + window - floor_div(room * window, current) - now
end

function sliding_window.charge(state, key, policy, now, units)
  state.current = state.current + units
  sliding_window.weigh(state, policy, now)
  local value = format('%d %d %d', state.start, state.previous, state.current)
  local ttl = sliding_window.reset_after(state, policy, now) + TTL_SLACK
  call('SET', key, value, 'PX', ttl)
end

return sliding_window
