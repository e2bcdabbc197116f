--[[
calendar_window: counts per window of a calendar, which only those who ask know.
Mirrors src/domain/algorithm/calendar_window.rs

Inputs:
  units          units
  starts         ms since the epoch, five of them: when successive windows begin. It is now in one
                 of the first three
  now            ms since the epoch
  name           a string: the key that this step and the following ones use
  amount         units
  is_peek        whether nothing may be written
State:
  start  ms since the epoch: when the window began
  used   units used in that window
Reply:
  read      units that remain
  charge    ms until the quota is whole again. It adds the amount, at most the units that remain, to
            the state and writes it, unless the amount is 0 and no wrong clock wrote the state
  wait_for  ms
]]

local this = 1
while starts[this + 1] <= now do
  this = this + 1
end

local key, start, used, ends_after, astray

local function read(name)
  key = name
  local stored_start, stored_used = unpacked(pcall('GET', name), '>I7I7', 14)
  stored_start = stored_start or 0
  astray = stored_start >= starts[this + 2]
  -- If the clock is up to one window behind, time stands still in the next one.
  local read_in = this
  if stored_start >= starts[this + 1] and not astray then
    read_in = this + 1
  end
  start, ends_after = starts[read_in], starts[read_in + 1] - now
  -- If the start is later than that of this window, a wrong clock wrote it.
  used = stored_start >= start and stored_used or 0
  return used < units and units - used or 0
end

local function charge(amount, is_peek)
  used = used + amount
  if amount > 0 or astray and not is_peek then
    call('SET', key, pack('>I7I7', start, used), 'PX', string.format('%d', ends_after + TTL_SLACK))
  end
  return used > 0 and ends_after or 0
end

local function wait_for()
  return ends_after
end

return read, charge, wait_for
