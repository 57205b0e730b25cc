-- Adds patches to the sets of some entities and returns the complete sets and the time. One script instead of many commands
-- saves syncs of the append-only file, which would take most of the time.
-- KEYS: the entities' hashes. ARGV: seconds to keep them, then for each the number of its patches, their keys and bodies.
-- EXPIRE comes first because a script that has written continues when the memory is full: the patches came out of the queue,
-- which frees as much when the worker acknowledges.
if redis.replicate_commands then redis.replicate_commands() end
local sets, at = {}, 2
for number, name in ipairs(KEYS) do
    redis.call('EXPIRE', name, ARGV[1])
    local last = at + 2 * tonumber(ARGV[at])
    for i = at + 1, last, 2 do
        redis.call('HSET', name, ARGV[i], ARGV[i + 1])
    end
    redis.call('EXPIRE', name, ARGV[1])
    sets[number] = redis.call('HGETALL', name)
    at = last + 1
end
return {sets, redis.call('TIME')}
