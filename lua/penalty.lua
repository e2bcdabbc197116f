--[[
penalty: counts the denials of a client by one policy, and bans it after so many. Each further ban
is twice as long, up to the longest. Bans are forgotten as long after the last one as the longest
lasts.
Mirrors src/domain/penalty.rs

Inputs:
  denials      denials that begin a ban
  within       ms for which denials are counted together, from the first one on
  ban          ms: the first ban
  longest_ban  ms
  now          ms since the epoch
  from, lasts  ms since the epoch; ms
  name         a string: the key that this step and the following ones use
  is_peek      whether nothing may be written
  more         denials, at most as many as begin a ban
State:
  counts        denials that have begun no ban, times 256; plus the bans that are not forgotten
  since         ms since the epoch: the time of the first of those denials
  banned_until  ms since the epoch
Reply:
  read           ms for which the client is still banned; 0: it is not. What a wrong clock wrote is
                 written again as it is read
  until_ban      denials that are left, at least 1
  count_denials  ms for which the client is banned then; 0: it is not
]]

local key, denied, bans, since, banned_until

local function holds(from, lasts)
  return from <= now + lasts and now < from + lasts
end

local function write()
  local kept_until = denied > 0 and since + within or 0
  if bans > 0 then
    kept_until = math.max(kept_until, banned_until + longest_ban)
  end
  if kept_until == 0 then
    call('DEL', key)
    return
  end
  local counts, ttl = denied * 256 + bans, kept_until - now + TTL_SLACK
  call('SET', key, pack('>I5I7I7', counts, since, banned_until), 'PX', string.format('%d', ttl))
end

local function read(name, is_peek)
  key = name
  local counts
  counts, since, banned_until = unpacked(pcall('GET', key), '>I5I7I7', 19)
  if not counts then
    counts, since, banned_until = 0, 0, 0
  end
  -- What lies further ahead was written by a wrong clock. It must not hold again later.
  local astray = since > now + within or banned_until > now + longest_ban
  bans = counts % 256
  denied = (counts - bans) / 256
  if not holds(since, within) then
    denied, since = 0, 0
  end
  if not holds(banned_until, longest_ban) then
    bans, banned_until = 0, 0
  end
  if astray and not is_peek then
    write()
  end
  return math.max(banned_until - now, 0)
end

local function until_ban()
  return math.max(denials - denied, 1)
end

local function count_denials(more)
  if denied == 0 then
    since = now
  end
  local begins_ban = more >= until_ban()
  denied = denied + more
  if begins_ban then
    bans = math.min(bans + 1, 40)
    banned_until = now + math.min(ban * 2 ^ (bans - 1), longest_ban)
    denied, since = 0, 0
  end
  write()
  return math.max(banned_until - now, 0)
end

return read, until_ban, count_denials
