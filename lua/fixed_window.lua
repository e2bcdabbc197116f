--[[
fixed_window: counts per window, aligned to the epoch.
Mirrors src/domain/algorithm/fixed_window.rs

Inputs:
  units, window  units; ms
  now            ms since the epoch
  name           a string: the key that this step and the following ones use
  amount         units
State:
  number  windows before this one since the epoch; its 40 bits last for 34,000 years
  used    units used in that window
Reply:
  read      units that remain
  charge    nothing: adds the amount to the state and writes it, unless the amount is 0 and no wrong
            clock wrote the state
  standing  units that remain; ms until the quota is whole again
  wait_for  ms
]]

local this_number = floor_div(now, window)
local key, number, used, in_place, astray

local function read(name)
  key = name
  local stored_number, stored_used = unpacked(pcall('GET', key), '>I5I7', 12)
  in_place, astray = stored_number == this_number, false
  if in_place then
    number, used = stored_number, stored_used
  else
    local as_of
    stored_number = stored_number or 0
    as_of, astray = read_as_of(stored_number * window, window, now)
    number = floor_div(as_of, window)
    -- If the window is later than this one, a wrong clock wrote it.
    used = stored_number >= number and stored_used or 0
  end
  return used < units and units - used or 0
end

local function wait_for()
  return (number + 1) * window - now
end

local function charge(amount)
  if amount == 0 and not astray then
    return
  end
  used = used + amount
  if in_place then
    -- The key keeps the TTL that it got at the beginning of its window.
    call('SETRANGE', key, '5', pack('>I7', used))
  else
    call('SET', key, pack('>I5I7', number, used), 'PX', format('%d', wait_for() + TTL_SLACK))
  end
end

local function standing()
  return used < units and units - used or 0, used > 0 and wait_for() or 0
end

return read, charge, standing, wait_for
