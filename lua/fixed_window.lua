--[[
fixed_window: counts per window, aligned to the epoch.
Mirrors src/algorithm/fixed_window.rs

Inputs:
  key      the state's name
  policy   units; window in ms
  now      ms since the epoch
  units    units
State:
  start    ms since the epoch: where the window begins
  used     units used in it
Reply:
  read         the state rolled to the window that counts now
  remaining    units
  reset_after  ms
  wait_for     ms
  charge       the state with the units in it
]]

local fixed_window = {}
algorithms['fixed-window'] = fixed_window

function fixed_window.read(key, policy, now)
  local window = policy.window
  -- pcall: a key of another type is no state.
  local start, used = parse(redis.pcall('GET', key), '^(%d+) (%d+)$')
  if not start then
    start, used = 0, 0
  end
  local as_of = read_as_of(start, window, now)
  local current = as_of - as_of % window
  -- A later start than this window's is from a shorter window that the quota had before.
  if start < current then
    used = 0
  end
  return { start = current, used = used, astray = is_astray(start, window, now) }
end

function fixed_window.remaining(state, policy)
  return max(policy.units - state.used, 0)
end

function fixed_window.reset_after(state, policy, now)
  if state.used == 0 then
    return 0
  end
  return state.start + policy.window - now
end

function fixed_window.wait_for(_, state, policy, now)
  return state.start + policy.window - now
end

function fixed_window.charge(key, state, policy, now, units)
  state.used = state.used + units
  local ttl = fixed_window.reset_after(state, policy, now) + TTL_SLACK
  redis.call('SET', key, format('%.0f %.0f', state.start, state.used), 'PX', ttl)
  return state
end
