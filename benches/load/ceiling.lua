--[[
ceiling: reads its arguments and replies as lua/acquire.lua does, and admits every request. It
touches no key and calls no command, not even TIME. The time in the reply is a fixed one, as long
as a real one: nothing depends on it while nobody is denied. So it costs Redis the call alone. What
acquire costs beyond that are its decisions and their keys.

Keys and arguments: those of acquire, of quotas that nobody uses up
Reply: that of acquire, in which each window has just begun
]]

local arguments = ARGV[1]
local unpack = struct.unpack

local _, at = unpack('>I8', arguments)
local reply, replied = { 1790000000000, 0, 0, 0, 0 }, 1

while at <= #arguments do
  local cost, count, request_count, policy_count, penalty_count, trial_count
  cost, count, request_count, policy_count, penalty_count, trial_count, at =
    unpack('>I8I4I4I4I2I2', arguments, at)

  local remaining, windows = {}, {}
  for i = 1, policy_count + trial_count do
    local units, window, _
    if i > policy_count then
      _, at = unpack('>I4', arguments, at)
    end
    units, window, _, _, at = unpack('>I8I8I8s', arguments, at)
    remaining[i], windows[i] = units - count * cost, window
  end
  for _ = 1, penalty_count do
    local _
    _, _, _, _, _, at = unpack('>I4I4I8I8I8', arguments, at)
  end

  for _ = 1, request_count do
    replied = replied + 1
    reply[replied] = count
    for i = 1, policy_count do
      reply[replied + 1] = remaining[i]
      reply[replied + 2] = windows[i]
      reply[replied + 3] = 0
      replied = replied + 3
      if count > 1 then
        replied = replied + 1
        reply[replied] = 0
      end
    end
    if penalty_count > 0 then
      reply[replied + 1] = 0
      reply[replied + 2] = 0
      reply[replied + 3] = 0
      replied = replied + 3
    end
    for _ = 1, trial_count do
      reply[replied + 1] = count
      reply[replied + 2] = 0
      replied = replied + 2
    end
  end
end
if replied < #reply then
  table.remove(reply)
end
return cmsgpack.pack(reply)
