-- Dead letters, oldest first, with the length of the body in place of the body.
-- KEYS: dead letters. ARGV: first id, most letters.
local letters = redis.call('XRANGE', KEYS[1], ARGV[1], '+', 'COUNT', ARGV[2])
for _, entry in ipairs(letters) do
    local fields = entry[2]
    for i = 2, #fields, 2 do
        if fields[i - 1] == 'b' then fields[i] = tostring(#fields[i]) end
    end
end
return letters
