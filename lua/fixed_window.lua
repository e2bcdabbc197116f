--[[
fixed_window: counts per window, aligned to the epoch.
Mirrors src/domain/algorithm/fixed_window.rs

Inputs:
  units, window  units; ms
  now            ms since the epoch
  name           a string: the key that this step and the following ones use
  amount         units
  is_peek        whether nothing may be written
State:
  number  windows before this one since the epoch; its 40 bits last for 34,000 years
  used    units used in that window
Reply:
  read      units that remain
  charge    ms until the quota is whole again. It adds the amount, at most the units that remain, to
            the state and writes it, unless the amount is 0 and no wrong clock wrote the state
  wait_for  ms
]]

-- Redis keeps an integer in less memory than a string. So the state is one integer as long as that
-- is exact and fewer units are used than this: the number times this, plus the units. Otherwise
-- both are packed. The units of the quota do not matter, so they may change.
local STRIDE = window * 1000

local this_number = floor_div(now, window)
local this_count, this_ends_after = this_number * STRIDE, (this_number + 1) * window - now
local most_counted = this_count + STRIDE <= MAX_EXACT and STRIDE or 0

local key, used, is_counted, ends_after, number, astray
local step, step_text

local function read(name)
  key = name
  local value = pcall('GET', name)
  local count = tonumber(value) or -1
  used = count - this_count
  is_counted = used >= 0 and used < most_counted and used % 1 == 0
  if is_counted then
    number, astray, ends_after = this_number, false, this_ends_after
  else
    local as_of
    local stored_number, stored_used = unpacked(value, '>I5I7', 12)
    if not stored_number and count >= 0 and count <= MAX_EXACT and count % 1 == 0 then
      stored_number, stored_used = floor_div(count, STRIDE), count % STRIDE
    end
    stored_number = stored_number or 0
    as_of, astray = read_as_of(stored_number * window, window, now)
    number = floor_div(as_of, window)
    ends_after = (number + 1) * window - now
    -- If the window is later than this one, a wrong clock wrote it.
    used = stored_number >= number and stored_used or 0
  end
  return used < units and units - used or 0
end

local function charge(amount, is_peek)
  used = used + amount
  if amount > 0 or astray and not is_peek then
    if amount ~= step then
      step, step_text = amount, string.format('%d', amount)
    end
    -- The key keeps the TTL that it got at the beginning of its window.
    local raised = is_counted and used < most_counted and pcall('INCRBY', key, step_text)
    if raised ~= this_count + used then
      -- Something else may have written the number in a form that is no integer for Redis. Any
      -- other error ends the script, as it is.
      if raised and not string.match(raised.err, 'not an integer') then
        call('INCRBY', key, step_text)
      end
      local count = number * STRIDE
      local fits = used < STRIDE and count + STRIDE <= MAX_EXACT
      local value = fits and string.format('%d', count + used)
        or pack('>I5I7', number, used)
      call('SET', key, value, 'PX', string.format('%d', ends_after + TTL_SLACK))
    end
  end
  return used > 0 and ends_after or 0
end

local function wait_for()
  return ends_after
end

return read, charge, wait_for
