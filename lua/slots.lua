--[[
slots: gives slots of requests under way back, or renews them. A slot that has ended is not taken
again.
Mirrors src/domain/algorithm/in_flight.rs

Keys:
  one for each slot, of its policy
Arguments:
  now     ms since the epoch; 0: the server's own TIME (only tests pass another time)
  verb    a string: release or renew
  then for each slot:
  slot    a string of 15 bytes: its name in the sorted set
  window  ms for which it is renewed
Reply:
  held    integers: for each slot 1 if it was held, and 0 if not
]]

local now, verb = tonumber(ARGV[1]), ARGV[2]
if now == 0 then
  local time = call('TIME')
  now = time[1] * 1000 + (time[2] - time[2] % 1000) / 1000
end

local held = {}
for i, key in ipairs(KEYS) do
  local slot, window = ARGV[2 * i + 1], tonumber(ARGV[2 * i + 2])
  local ends = pcall('ZSCORE', key, slot)
  -- A value of another type holds no slots.
  ends = tonumber(string_of(ends)) or 0
  held[i] = ends > now and 1 or 0
  if ends > 0 and verb == 'release' then
    call('ZREM', key, slot)
  elseif ends > now and verb == 'renew' then
    call('ZADD', key, string.format('%d', now + window), slot)
    call('PEXPIRE', key, string.format('%d', 2 * window + TTL_SLACK))
  end
end
return held
