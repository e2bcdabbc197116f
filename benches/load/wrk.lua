-- What wrk sends, and what it reports: wrk ... -- KEYS SEED DIALECT
-- Every request is of a random client out of KEYS, with an API key where the dialect is so called;
-- throttlecrab and the gate of Tollgate are asked in their own words.

local threads = 0

function setup(thread)
  threads = threads + 1
  thread:set('thread_number', threads)
end

function init(args)
  keys = tonumber(args[1])
  random = math.random
  math.randomseed(tonumber(args[2]) * 1000 + thread_number)
  head = 'GET /api/data HTTP/1.1\r\nHost: 127.0.0.1\r\nx-client: '
  if args[3] == 'throttle' then
    request = throttle
  elseif args[3] == 'check' then
    request = check
  elseif args[3] == 'auth' then
    head = 'GET /v1/auth?proxy=caddy HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Forwarded-Method: GET\r\n'
      .. 'X-Forwarded-Uri: /api/data\r\nX-Forwarded-For: 192.0.2.1\r\nx-client: '
  elseif args[3] == 'key' then
    head = head:gsub('x%-client', 'Authorization: Bearer bench\r\nx-client')
  end
end

function request()
  return head .. random(keys) .. '\r\n\r\n'
end

function throttle()
  local body = '{"max_burst":1000000,"count_per_period":1000000,"period":3600,"key":"'
    .. random(keys) .. '"}'
  return 'POST /throttle HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n'
    .. 'Content-Length: ' .. #body .. '\r\n\r\n' .. body
end

function check()
  local body = '{"method":"GET","path":"/api/data","headers":{"x-client":"' .. random(keys) .. '"}}'
  return 'POST /v1/check HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n'
    .. 'Content-Length: ' .. #body .. '\r\n\r\n' .. body
end

-- Times are in microseconds.
function done(summary, latency)
  local errors = summary.errors
  local lost = errors.connect + errors.read + errors.write + errors.timeout
  io.write(string.format('measured %d %d %d %d %d %d\n', summary.requests, summary.duration,
    latency:percentile(50), latency:percentile(99), errors.status, lost))
end
