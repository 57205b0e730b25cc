-- Deletes a dead letter, after putting it back into the queue for `replay`; 0 when there is none of this id.
-- KEYS: dead letters, stream, receipts. ARGV: id, 'replay' or 'drop'.
if redis.replicate_commands then redis.replicate_commands() end
local letter = redis.call('XRANGE', KEYS[1], ARGV[1], ARGV[1])[1]
if not letter then return 0 end
local entry, project, items, counted = {}, '', 0, '1'
for i = 1, #letter[2], 2 do
    local name, value = letter[2][i], letter[2][i + 1]
    if i == 7 and name == 'counted' then
        counted = value
    elseif name ~= 'error' and name ~= 'id' and name ~= 'attempts' then
        entry[#entry + 1] = name
        entry[#entry + 1] = value
    end
    if name == 'p' then project = value end
    if name == 'n' then items = tonumber(value) or 0 end
end
redis.call('XDEL', KEYS[1], ARGV[1])
if ARGV[2] == 'replay' then redis.call('XADD', KEYS[2], '*', unpack(entry)) end
if project == '' or counted == '0' then return 1 end -- nobody's: it was never accepted
redis.call('HINCRBY', KEYS[3], 'dead.requests:' .. project, -1)
redis.call('HINCRBY', KEYS[3], 'dead.items:' .. project, string.format('%d', -items))
if ARGV[2] == 'drop' then
    redis.call('HINCRBY', KEYS[3], 'dropped.requests:' .. project, 1)
    redis.call('HINCRBY', KEYS[3], 'dropped.items:' .. project, string.format('%d', items))
end
return 1
