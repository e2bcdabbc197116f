-- The access checker of tollgate.conf: asks the gate, and refuses the request as the gate says.

local socket = require 'socket'

-- The gate.
local HOST, PORT = '127.0.0.1', 8082

-- The token of the gate, where it has one. Only root should read this file then.
local TOKEN = nil -- 'tg_...'

-- How many seconds a request waits for the gate.
local TIMEOUT = 1

-- What becomes of requests while the gate does not answer. Leave one of the two lines.
local WHEN_SILENT = 'closed' -- closed: nothing passes, and clients get 503.
-- local WHEN_SILENT = 'open' -- open: everything passes uncounted.

-- Of the client's fields only these reach the gate: credentials, and what else the configuration of Tollgate names.
-- Those are the field of auth.api_key_header, those of policies with key = "header:NAME", and that of
-- log.request_id_header. By the last two the gate knows a CORS preflight, for cors.preflight.
local FIELDS = { 'Accept', 'Authorization', 'X-Api-Key', 'Origin', 'Access-Control-Request-Method' }

-- The fields that clients get: with an admitted request, and with a refusal.
local OF_BOTH = {
  'RateLimit-Policy', 'RateLimit', 'RateLimit-Limit', 'RateLimit-Remaining', 'RateLimit-Reset',
  'X-RateLimit-Limit', 'X-RateLimit-Remaining', 'X-RateLimit-Reset', 'Access-Control-Expose-Headers',
}
local OF_REFUSALS = { 'Cache-Control', 'Retry-After', 'Vary', 'WWW-Authenticate' }

-- The connection to the gate that this thread keeps.
local kept

-- The path as Apache passes it on: decoded, without dot segments and double slashes. As the client sent it, "/x/../api"
-- would be counted as that, and the application would see "/api".
local function path_of(r)
  return (r.uri:gsub('[^%w/._~-]', function(byte)
    return ('%%%02X'):format(byte:byte())
  end))
end

-- The text of the question, in HTTP/1.1.
local function question(r)
  local sent = {
    'GET /v1/auth?proxy=apache HTTP/1.1',
    'Host: ' .. HOST,
    'X-Forwarded-Method: ' .. r.method,
    'X-Forwarded-Uri: ' .. path_of(r),
  }
  -- What the client sent comes first, and the address that connected here last: Tollgate reads from the end.
  local before = r.headers_in['X-Forwarded-For']
  sent[#sent + 1] = 'X-Forwarded-For: ' .. (before and before .. ', ' or '') .. r.useragent_ip
  if TOKEN then
    sent[#sent + 1] = 'X-Tollgate-Token: ' .. TOKEN
  end
  for _, name in ipairs(FIELDS) do
    local value = r.headers_in[name]
    if value then
      sent[#sent + 1] = name .. ': ' .. value
    end
  end
  return table.concat(sent, '\r\n') .. '\r\n\r\n'
end

-- Reads an answer: a table, or nil if there is none.
local function read(connection)
  local line = connection:receive('*l')
  local status = line and line:match('^HTTP/1%.1 (%d%d%d)')
  if not status then
    return nil
  end
  local answer = { status = tonumber(status), fields = {} }
  while true do
    line = connection:receive('*l')
    if not line then
      return nil
    end
    local name, value = line:match('^([^:]+):%s*(.-)%s*$')
    if not name then
      break
    end
    answer.fields[name:lower()] = value
  end
  local length = tonumber(answer.fields['content-length'] or '')
  if not length then
    return nil
  end
  answer.body = length > 0 and connection:receive(length) or ''
  return answer.body and answer
end

-- Sends `text` over `connection`, and returns the answer. The connection is kept for the next question.
local function converse(connection, text)
  connection:settimeout(TIMEOUT)
  local answer = connection:send(text) and read(connection)
  if answer and (answer.fields['connection'] or ''):lower() ~= 'close' then
    kept = connection
  else
    connection:close()
  end
  return answer
end

-- Asks the gate: a table, or nil if it does not answer.
local function asked(text)
  local connection = kept
  kept = nil
  -- The gate closes connections that were idle for long. The question was then not read, and is asked again.
  if connection then
    connection:settimeout(0)
    local _, reason = connection:receive(0)
    if reason == 'timeout' then
      return converse(connection, text)
    end
    connection:close()
  end
  connection = socket.tcp()
  connection:settimeout(TIMEOUT)
  if not connection:connect(HOST, PORT) then
    return nil
  end
  connection:setoption('tcp-nodelay', true)
  return converse(connection, text)
end

-- Puts fields of the answer on the response, whatever becomes of the request.
local function put(r, answer, names)
  for _, name in ipairs(names) do
    local value = answer.fields[name:lower()]
    if value then
      r.err_headers_out[name] = value
    end
  end
end

-- The answer that the client gets in place of the application's.
local function refuse(r, answer)
  put(r, answer, OF_BOTH)
  put(r, answer, OF_REFUSALS)
  r.status = answer.status
  r.content_type = answer.fields['content-type'] or 'text/plain'
  r:puts(answer.body)
  return apache2.DONE
end

function ask(r)
  -- Apache also checks what it redirects to by itself, such as documents of errors.
  if not r.is_initial_req then
    return apache2.DECLINED
  end
  local answer = asked(question(r))
  if not answer then
    if WHEN_SILENT == 'closed' then
      return refuse(r, { status = 503, fields = { ['retry-after'] = '1' }, body = '' })
    end
    return apache2.DECLINED
  end
  if answer.status == 200 then
    put(r, answer, OF_BOTH)
    return apache2.DECLINED
  end
  return refuse(r, answer)
end
