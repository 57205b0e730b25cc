-- Moves an entry to the dead letters; 0 when another worker has finished it meanwhile.
-- KEYS: stream, dead letters, receipts. ARGV: group, id, error, attempts, 1 when web accepted it, else 0.
if redis.replicate_commands then redis.replicate_commands() end
redis.call('XACK', KEYS[1], ARGV[1], ARGV[2])
local entry = redis.call('XRANGE', KEYS[1], ARGV[2], ARGV[2])[1]
if not entry then return 0 end
local fields, project, items = entry[2], '', 0
for i = 1, #fields, 2 do
    if fields[i] == 'p' then project = fields[i + 1] end
    if fields[i] == 'n' then items = tonumber(fields[i + 1]) or 0 end
end
redis.call('XDEL', KEYS[1], ARGV[2])
redis.call('XADD', KEYS[2], '*', 'error', ARGV[3], 'id', ARGV[2], 'attempts', ARGV[4], 'counted', ARGV[5], unpack(fields))
if project == '' or ARGV[5] == '0' then return 1 end -- nobody's: it was never accepted
redis.call('HINCRBY', KEYS[3], 'dead.requests:' .. project, 1)
redis.call('HINCRBY', KEYS[3], 'dead.items:' .. project, string.format('%d', items))
return 1
