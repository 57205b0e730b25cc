-- Stores a worker's heartbeat, even when the memory is full (a script that has written continues).
-- KEYS: the worker's key, all workers. ARGV: name, state, seconds to keep it.
if redis.replicate_commands then redis.replicate_commands() end
redis.call('DEL', KEYS[1])
redis.call('SET', KEYS[1], ARGV[2], 'EX', ARGV[3])
local now = redis.call('TIME')[1]
redis.call('ZADD', KEYS[2], now, ARGV[1])
redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', now - 3600)
