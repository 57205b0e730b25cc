-- Dead-letters a part of an entry, once, however often a worker begins with the entry again.
-- It counts as a request of its own, whose items were accepted with the entry.
-- KEYS: dead-lettered parts of this entry, dead letters, receipts. ARGV: seconds to remember, number of the part, error, id,
-- attempts, project, items, then the fields of the part as an entry.
if redis.replicate_commands then redis.replicate_commands() end
redis.call('EXPIRE', KEYS[1], ARGV[1])
if redis.call('SADD', KEYS[1], ARGV[2]) == 0 then return 0 end
redis.call('EXPIRE', KEYS[1], ARGV[1])
local fields = {'error', ARGV[3], 'id', ARGV[4], 'attempts', ARGV[5], 'counted', '1'}
for i = 8, #ARGV do fields[#fields + 1] = ARGV[i] end
redis.call('XADD', KEYS[2], '*', unpack(fields))
redis.call('HINCRBY', KEYS[3], 'accepted.requests:' .. ARGV[6], 1)
redis.call('HINCRBY', KEYS[3], 'dead.requests:' .. ARGV[6], 1)
redis.call('HINCRBY', KEYS[3], 'dead.items:' .. ARGV[6], ARGV[7])
return 1
