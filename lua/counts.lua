--[[
counts: decides and charges requests that meet one fixed window, as long as their keys hold nothing
or a count of this window. It decides as fixed_window does, which knows what else a key may hold.
Mirrors src/domain/algorithm/fixed_window.rs

Inputs:
  units, window, burst  units; ms; units
  now                   ms since the epoch
  cost                  units that one request uses of the quota
  count                 requests that each request stands for; 0: decide only
  keys                  a string for each request
  keys_read             integers: the keys that belong to requests before these
  request_count         requests
  reply                 integers: the reply so far
  replied               integers: how many those are
Reply:
  count_on  requests, of request_count, that it decided; integers: how many the reply has now. The
            next key holds something else, if requests are left
]]

local function count_on(
  units, window, burst, now, cost, count, keys, keys_read, request_count, reply, replied
)
  local number, stride = (now - now % window) / window, window * 1000
  local this_count, ends_after = number * stride, (number + 1) * window - now
  if this_count + stride > MAX_EXACT then
    return 0, replied
  end
  local whole, whole_text, ttl = count * cost, nil, nil
  for i = 1, request_count do
    local key = keys[keys_read + i]
    local value = pcall('GET', key)
    local used = value and (tonumber(value) or -1) - this_count or 0
    if used < 0 or used + whole >= stride or used % 1 ~= 0 then
      return i - 1, replied
    end
    local remaining = used < units and units - used or 0
    local admitted, amount = count, whole
    if remaining < amount then
      admitted = (remaining - remaining % cost) / cost
      amount = admitted * cost
    end
    if amount > 0 then
      used, remaining = used + amount, remaining - amount
      whole_text = whole_text or string.format('%d', whole)
      local text = amount == whole and whole_text or string.format('%d', amount)
      if not value then
        ttl = ttl or string.format('%d', ends_after + TTL_SLACK)
        call('SET', key, string.format('%d', this_count + used), 'PX', ttl)
      elseif pcall('INCRBY', key, text) ~= this_count + used then
        return i - 1, replied
      end
    end
    reply[replied + 1] = admitted
    reply[replied + 2] = remaining
    reply[replied + 3] = used > 0 and ends_after or 0
    reply[replied + 4] = remaining < cost and (cost <= burst and ends_after or -1) or 0
    replied = replied + 4
    if count > 1 then
      replied = replied + 1
      reply[replied] = 0
    end
  end
  return request_count, replied
end

