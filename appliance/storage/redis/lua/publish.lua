-- Appends ids of traces that became readable to a stream of bounded length and age; returns the position of the last entry.
-- The first command needs no memory, so that the script continues when the memory is full.
-- KEYS: stream of messages. ARGV: seconds to keep it, number of entries to keep, then one JSON list of trace ids for each entry.
if redis.replicate_commands then redis.replicate_commands() end
redis.call('EXPIRE', KEYS[1], ARGV[1])
local position
for i = 3, #ARGV do
    position = redis.call('XADD', KEYS[1], 'MAXLEN', '~', ARGV[2], '*', 'traces', ARGV[i])
end
redis.call('EXPIRE', KEYS[1], ARGV[1])
return position
