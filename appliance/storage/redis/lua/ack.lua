-- Deletes entries whose rows are written, and counts each once, however many workers acknowledge it.
-- KEYS: stream, receipts. ARGV: group, then id, project, items written and items refused of each entry.
if redis.replicate_commands then redis.replicate_commands() end
for i = 2, #ARGV, 4 do
    redis.call('XACK', KEYS[1], ARGV[1], ARGV[i])
    if redis.call('XDEL', KEYS[1], ARGV[i]) == 1 then
        redis.call('HINCRBY', KEYS[2], 'written.requests:' .. ARGV[i + 1], 1)
        redis.call('HINCRBY', KEYS[2], 'written.items:' .. ARGV[i + 1], ARGV[i + 2])
        if ARGV[i + 3] ~= '0' then redis.call('HINCRBY', KEYS[2], 'refused.items:' .. ARGV[i + 1], ARGV[i + 3]) end
    end
end
