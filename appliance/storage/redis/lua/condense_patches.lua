-- Deletes patches that no longer count, and replaces others by their condensed form.
-- KEYS: the entity's hash. ARGV: seconds to keep it, number of patches to delete, their keys, then keys and bodies.
if redis.replicate_commands then redis.replicate_commands() end
redis.call('EXPIRE', KEYS[1], ARGV[1])
local last = 2 + tonumber(ARGV[2])
for i = 3, last do
    redis.call('HDEL', KEYS[1], ARGV[i])
end
for i = last + 1, #ARGV, 2 do
    redis.call('HSET', KEYS[1], ARGV[i], ARGV[i + 1])
end
redis.call('EXPIRE', KEYS[1], ARGV[1])
