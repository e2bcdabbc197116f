--[[
sliding_window: the units of this window, plus a part of the window before. The part is what a full
window that ends now still covers of it.
Mirrors src/domain/algorithm/sliding_window.rs

Inputs:
  units, window  units; ms
  now            ms since the epoch
  name           a string: the key that this step and the following ones use
  amount, cost   units
  is_peek        whether nothing may be written
State:
  start     ms since the epoch: where the window begins
  previous  units used in the window before it
  current   units used in it
Reply:
  read      units that remain
  charge    ms until the quota is whole again. It adds the amount, at most the units that remain, to
            the state and writes it, unless the amount is 0 and no wrong clock wrote the state
  wait_for  ms
]]

local key, as_of, start, previous, current, in_place, astray

local function remaining()
  local stop = start + window
  local covered = as_of > start and stop - as_of or window
  local left = units - current - ceil_div(previous * covered, window)
  return left > 0 and left or 0
end

local function reset_after()
  if current > 0 then
    return start + 2 * window - now
  end
  return previous > 0 and start + window - now or 0
end

local function read(name)
  key = name
  local stored_start, stored_previous, stored_current =
    unpacked(pcall('GET', key), '>I7I7I7', 21)
  if not stored_start or stored_start % window ~= 0 then
    stored_start, stored_previous, stored_current = 0, 0, 0
  end
  as_of, astray = read_as_of(stored_start, window, now)
  start, previous, current = as_of - as_of % window, stored_previous, stored_current
  in_place = stored_start == start and current > 0
  if stored_start + window < start then
    previous, current = 0, 0
  elseif stored_start < start then
    previous, current = current, 0
  end
  -- Units that were used under a larger quota count at most as this whole quota.
  previous, current = math.min(previous, units), math.min(current, units)
  return remaining()
end

local function write()
  local value = pack('>I7I7I7', start, previous, current)
  if in_place then
    -- The first unit of a window has set the TTL: it tells how long the units of the window count.
    call('SETRANGE', key, '0', value)
  else
    call('SET', key, value, 'PX', string.format('%d', reset_after() + TTL_SLACK))
  end
end

local function charge(amount, is_peek)
  if amount > 0 or astray and not is_peek then
    current = current + amount
    write()
  end
  return reset_after()
end

local function wait_for(cost)
  local stop = start + window
  local room = units - cost
  if current <= room then
    return stop - floor_div((room - current) * window, previous) - now
  end
  return stop + window - floor_div(room * window, current) - now
end

return read, charge, wait_for
