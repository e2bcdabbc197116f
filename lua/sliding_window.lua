--[[
sliding_window: this window's units, and those of the window before weighed by how much of it the
last full window still covers.
Mirrors src/algorithm/sliding_window.rs

Inputs:
  key      the state's name
  policy   units; window in ms
  now      ms since the epoch
  cost     units
  units    units
State:
  start     ms since the epoch: where the window begins
  previous  units used in the window before it
  current   units used in it
Reply:
  read         the state rolled to the window that counts now
  remaining    units
  reset_after  ms
  wait_for     ms
  charge       the state with the units in it
]]

local sliding_window = {}
algorithms['sliding-window'] = sliding_window

function sliding_window.read(key, policy, now)
  local window = policy.window
  -- pcall: a key of another type is no state.
  local start, previous, current = parse(redis.pcall('GET', key), '^(%d+) (%d+) (%d+)$')
  if not start then
    start, previous, current = 0, 0, 0
  end
  local as_of = read_as_of(start, window, now)
  local rolled = as_of - as_of % window
  if start < rolled then
    if start + window >= rolled then
      previous, current = current, 0
    else
      previous, current = 0, 0
    end
  end
  -- What was used under a larger quota weighs no more than this one.
  return {
    start = rolled,
    previous = min(previous, policy.units),
    current = min(current, policy.units),
    covered = rolled + window - as_of,
    astray = is_astray(start, window, now),
  }
end

function sliding_window.remaining(state, policy)
  local weighed = ceil_div(state.previous * state.covered, policy.window)
  return max(policy.units - state.current - weighed, 0)
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

function sliding_window.wait_for(_, state, policy, now, cost)
  local window, current = policy.window, state.current
  local stop = state.start + window
  local room = policy.units - cost
  if current <= room then
    return stop - floor_div((room - current) * window, state.previous) - now
  end
  return stop + window - floor_div(room * window, current) - now
end

function sliding_window.charge(key, state, policy, now, units)
  state.current = state.current + units
  state.covered = state.start + policy.window - read_as_of(state.start, policy.window, now)
  local value = format('%.0f %.0f %.0f', state.start, state.previous, state.current)
  local ttl = sliding_window.reset_after(state, policy, now) + TTL_SLACK
  redis.call('SET', key, value, 'PX', ttl)
  return state
end
