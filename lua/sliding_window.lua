--[[
sliding_window: this window's units, and those of the window before weighed by how much of it the
last full window still covers.
Mirrors src/algorithm/sliding_window.rs

Inputs:
  policy  units; window in ms
  now     ms since the epoch
  name    a string: the key that this step and the next ones are about
  as_of   ms since the epoch
  amount  units
  cost    units
State:
  start     ms since the epoch: where the window begins
  previous  units used in the window before it
  current   units used in it
Reply:
  read         units that remain
  charge       units that remain, once the state with the amount in it is written; nil where
               there is nothing to write: no amount, and no state that a wrong clock wrote
  reset_after  ms
  wait_for     ms
]]

local units, window = policy.units, policy.window
local key, start, previous, current, astray

local function remaining(as_of)
  local covered = start + window - read_as_of(start, window, as_of)
  return max(units - current - ceil_div(previous * covered, window), 0)
end

local function read(name)
  key = name
  local stored_start, stored_previous, stored_current =
    parse(state_of(pcall('GET', key)), '^(%d+) (%d+) (%d+)$')
  if not stored_start then
    stored_start, stored_previous, stored_current = 0, 0, 0
  end
  local as_of = read_as_of(stored_start, window, now)
  astray = is_astray(stored_start, window, now)
  start, previous, current = as_of - as_of % window, stored_previous, stored_current
  if stored_start + window < start then
    previous, current = 0, 0
  elseif stored_start < start then
    previous, current = current, 0
  end
  -- What was used under a larger quota weighs no more than this one.
  previous, current = min(previous, units), min(current, units)
  return remaining(as_of)
end

local function reset_after()
  local stop = start + window
  if current > 0 then
    return stop + window - now
  elseif previous > 0 then
    return stop - now
  end
  return 0
end

local function charge(amount)
  if amount == 0 and not astray then
    return nil
  end
  current = current + amount
  local value = format('%d %d %d', start, previous, current)
  call('SET', key, value, 'PX', text(reset_after() + TTL_SLACK))
  return remaining(now)
end

local function wait_for(cost)
  local stop = start + window
  local room = units - cost
  if current <= room then
    return stop - floor_div((room - current) * window, previous) - now
  end
  return stop + window - floor_div(room * window, current) - now
end

return { read = read, charge = charge, reset_after = reset_after, wait_for = wait_for }
