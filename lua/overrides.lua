--[[
overrides: reads or replaces the overrides that operators make, or reads the lines of what they
changed. A text has a generation, which no later text has again.
Mirrors src/store/memory/overrides.rs

Keys:
  two: the text of the overrides, and the lines of the changes, newest first
Arguments:
  verb               a string: read, replace or changes
  generation         ms since the epoch: that of the text as the caller knows it; 0: it knows none
  text               a string: the text to put in place of the one of that generation
  keep_for           ms until the text expires
  change             a string: the line to put before the others
  changes_keep_for   ms until the lines expire
  most_changes       entries: the most lines that are kept, or returned
Reply:
  now         ms since the epoch
  generation  ms since the epoch: that of the text; 0: there is none
  text        a string: nothing if it is of the generation that the caller knows
]]

local text_key, changes_key = KEYS[1], KEYS[2]
local verb = ARGV[1]
local known = tonumber(ARGV[2])
local text = ARGV[3]
local keep_for = ARGV[4]
local change = ARGV[5]
local changes_keep_for = ARGV[6]
local most_changes = tonumber(ARGV[7])

local time = call('TIME')
local now = time[1] * 1000 + floor_div(tonumber(time[2]), 1000)

-- The first lines of `lines`, at most `most` of them.
local function first_lines(lines, most)
  local last = 0
  for _ = 1, most do
    local at = string.find(lines, '\n', last + 1, true)
    if not at then
      return lines
    end
    last = at
  end
  return string.sub(lines, 1, last)
end

if verb == 'changes' then
  local lines = string_of(pcall('GET', changes_key)) or ''
  return { now, 0, first_lines(lines, most_changes) }
end

local generation = 0
local head = string_of(pcall('GETRANGE', text_key, '0', '7'))
if head and #head == 8 then
  generation = unpack('>I8', head)
end

if verb == 'read' then
  if generation == known then
    return { now, generation }
  end
  return { now, generation, string.sub(string_of(pcall('GET', text_key)) or '', 9) }
end

if generation ~= known then
  return { now, generation, '' }
end
local next_generation = math.max(generation + 1, now)
local lines = change .. '\n' .. (string_of(pcall('GET', changes_key)) or '')
call('SET', text_key, pack('>I8', next_generation) .. text, 'PX', keep_for)
call('SET', changes_key, first_lines(lines, most_changes), 'PX', changes_keep_for)
return { now, next_generation }
