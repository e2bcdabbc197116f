-- The action lua.tollgate of haproxy.cfg: asks the gate, and refuses the request as the gate says.

-- The question goes to the section `listen tollgate` of haproxy.cfg, which knows where the gate is.
local GATE = 'http://tollgate/v1/auth?proxy=haproxy'
local WAY = 'abns@tollgate'

-- The token of the gate, where it has one. Only root should read this file then.
local TOKEN = nil -- 'tg_...'

-- What becomes of requests while the gate does not answer. Leave one of the two lines.
local WHEN_SILENT = 'closed' -- closed: nothing passes, and clients get 503.
-- local WHEN_SILENT = 'open' -- open: everything passes uncounted.

-- Of the client's fields only these reach the gate: credentials, and what else the configuration of Tollgate names, in
-- lower case. Those are the field of auth.api_key_header, those of policies with key = "header:NAME", and that of
-- log.request_id_header. By the last two the gate knows a CORS preflight, for cors.preflight.
local FIELDS = { 'accept', 'authorization', 'x-api-key', 'origin', 'access-control-request-method' }

-- The fields that a refused client gets.
local OF_REFUSALS = {
  'content-type', 'cache-control', 'retry-after', 'ratelimit-policy', 'ratelimit', 'www-authenticate',
  'ratelimit-limit', 'ratelimit-remaining', 'ratelimit-reset',
  'x-ratelimit-limit', 'x-ratelimit-remaining', 'x-ratelimit-reset', 'access-control-expose-headers', 'vary',
}

-- The lines of a field, which HAProxy numbers from 0.
local function lines(fields, name)
  local all = {}
  local of_name = fields[name] or {}
  local index = 0
  while of_name[index] do
    all[#all + 1] = of_name[index]
    index = index + 1
  end
  return all
end

-- What the gate is told of the request.
local function question(txn)
  local fields = txn.http:req_get_headers()
  local sent = {
    ['x-forwarded-method'] = { txn.f:method() },
    ['x-forwarded-uri'] = { txn.f:pathq() },
  }
  for _, name in ipairs(FIELDS) do
    local all = lines(fields, name)
    if #all > 0 then
      sent[name] = all
    end
  end
  -- What the client sent comes first, and the address that connected here last: Tollgate reads from the end.
  local addresses = lines(fields, 'x-forwarded-for')
  addresses[#addresses + 1] = txn.f:src()
  sent['x-forwarded-for'] = { table.concat(addresses, ', ') }
  if TOKEN then
    sent['x-tollgate-token'] = { TOKEN }
  end
  return sent
end

-- The answer that the client gets in place of the application's.
local function refuse(txn, status, fields, body)
  local reply = txn:reply({ status = status })
  for _, name in ipairs(OF_REFUSALS) do
    for _, line in ipairs(lines(fields, name)) do
      reply:add_header(name, line)
    end
  end
  reply:set_body(body)
  txn:done(reply)
end

core.register_action('tollgate', { 'http-req' }, function(txn)
  local client = core.httpclient()
  local answer = client:get({ url = GATE, dst = WAY, headers = question(txn) })
  local fields = answer and answer.headers or {}
  -- HAProxy itself answers for a gate that is silent. The gate's own 503 has a field that tells it apart.
  local status = answer and answer.status or 503
  local is_own = lines(fields, 'cache-control')[1] == 'no-store'
  if (status == 502 or status == 503 or status == 504) and not is_own then
    if WHEN_SILENT == 'closed' then
      refuse(txn, 503, { ['retry-after'] = { [0] = '1' } }, '')
    end
  elseif status == 200 then
    local policy, ratelimit = lines(fields, 'ratelimit-policy'), lines(fields, 'ratelimit')
    if #ratelimit > 0 then
      txn:set_var('txn.tollgate_policy', table.concat(policy, ', '))
      txn:set_var('txn.tollgate_ratelimit', table.concat(ratelimit, ', '))
    end
  else
    refuse(txn, status, fields, answer.body or '')
  end
end)
