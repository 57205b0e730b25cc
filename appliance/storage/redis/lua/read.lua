-- Delivers entries up to a number of bytes. A body that is too large by itself is left out: its value is empty.
-- KEYS: stream. ARGV: group, consumer, id to continue from or '>', most entries, most bytes, most bytes of one body.
if redis.replicate_commands then redis.replicate_commands() end
local entries, size, start = {}, 0, ARGV[3]
while #entries < tonumber(ARGV[4]) and size < tonumber(ARGV[5]) do
    local answer = redis.call('XREADGROUP', 'GROUP', ARGV[1], ARGV[2], 'COUNT', 1, 'STREAMS', KEYS[1], start)
    local entry = answer and answer[1][2][1]
    if not entry then break end
    local fields = entry[2]
    if fields then
        for i = 2, #fields, 2 do
            if fields[i - 1] == 'b' and #fields[i] > tonumber(ARGV[6]) then fields[i] = '' end
            size = size + #fields[i]
        end
    end
    entries[#entries + 1] = entry
    if start ~= '>' then start = entry[1] end
end
return entries
