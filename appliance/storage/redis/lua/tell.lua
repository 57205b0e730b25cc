-- Keeps which traces became readable, for a while and so many of them; returns where that is in the order of all.
-- The first command needs no memory, so that a full Redis lets the others pass.
-- KEYS: what was told. ARGV: seconds to keep it, number of entries to keep, then one JSON list of trace ids for each entry.
if redis.replicate_commands then redis.replicate_commands() end
redis.call('EXPIRE', KEYS[1], ARGV[1])
local position
for i = 3, #ARGV do
    position = redis.call('XADD', KEYS[1], 'MAXLEN', '~', ARGV[2], '*', 'traces', ARGV[i])
end
redis.call('EXPIRE', KEYS[1], ARGV[1])
return position
