-- Creates the stream and its group when missing, even when the memory is full (a script that has written continues).
-- KEYS: stream. ARGV: group.
if redis.replicate_commands then redis.replicate_commands() end
redis.call('XACK', KEYS[1], ARGV[1], '0-1')
redis.pcall('XGROUP', 'CREATE', KEYS[1], ARGV[1], '0', 'MKSTREAM')
