--[[
commands: reads its arguments, calls the commands that lua/acquire.lua calls for clients that are known
under quotas that nobody uses up, and admits every request. It decides nothing. So what acquire costs
beyond that are its decisions, and no script that reads and writes each state can cost less.

Keys and arguments: those of acquire, without penalties and trials
Reply: that of acquire, with numbers that mean nothing
]]

local keys, arguments = KEYS, ARGV[1]
local keys_read = 0
local pack, unpack = struct.pack, struct.unpack
local call = redis.call

local now, at = unpack('>I8', arguments)
if now == 0 then
  local time = call('TIME')
  now = time[1] * 1000 + (time[2] - time[2] % 1000) / 1000
end
local reply, replied = { now, 0, 0, 0, 0 }, 1

while at <= #arguments do
  local cost, count, request_count, policy_count, units, _
  cost, count, request_count, policy_count, _, _, at = unpack('>I8I4I4I4I2I2', arguments, at)
  local counts = {}
  for i = 1, policy_count do
    local algorithm
    units, _, _, algorithm, at = unpack('>I8I8I8s', arguments, at)
    counts[i] = algorithm == 'fixed-window'
  end
  for _ = 1, request_count do
    replied = replied + 1
    reply[replied] = count
    for i = 1, policy_count do
      local key = keys[keys_read + i]
      local value = call('GET', key)
      if counts[i] then
        call('INCRBY', key, '1')
      else
        local a, b, c = 1, 2, 3
        if value then
          a, b, c = unpack('>I7I7I7', value)
        end
        call('SETRANGE', key, '0', pack('>I7I7I7', a, b, c))
      end
      reply[replied + 1] = units - cost
      reply[replied + 2] = tonumber(value) or 1
      reply[replied + 3] = 0
      replied = replied + 3
      if count > 1 then
        replied = replied + 1
        reply[replied] = 0
      end
    end
    keys_read = keys_read + policy_count
  end
end
return cmsgpack.pack(reply)
