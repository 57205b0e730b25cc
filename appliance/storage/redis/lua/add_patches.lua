-- Adds patches to the sets of some entities and answers the whole sets and the time, in one step: a server that syncs its
-- file after every few commands would spend most of its time on that.
-- KEYS: the entities' hashes. ARGV: seconds to keep them, then for each the number of its patches, their keys and bodies.
-- EXPIRE stands first because a script that has written goes on when the memory is full: what a worker adds here came
-- out of the queue, which gives up as much when the worker acknowledges.
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
