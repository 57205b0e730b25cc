-- Adds patches to the set of one entity and answers the whole set and the time, in one step.
-- KEYS: the entity's hash. ARGV: seconds to keep it, then the key and body of each patch.
-- EXPIRE stands first because a script that has written goes on when the memory is full: what a worker adds here came
-- out of the queue, which gives up as much when the worker acknowledges.
if redis.replicate_commands then redis.replicate_commands() end
redis.call('EXPIRE', KEYS[1], ARGV[1])
for i = 2, #ARGV, 2 do
    redis.call('HSET', KEYS[1], ARGV[i], ARGV[i + 1])
end
redis.call('EXPIRE', KEYS[1], ARGV[1])
return {redis.call('HGETALL', KEYS[1]), redis.call('TIME')}
