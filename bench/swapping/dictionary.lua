-- A dictionary of words and of what is known of each; then words are looked up, and some are changed.
local known, count, x = {}, 1100000, 7

local function chance(below)
    x = (x * 1103515245 + 12345) & 0x7fffffff
    return (x >> 8) % below
end

collectgarbage("generational")
for n = 1, count do
    known[string.format("word-%07d", n)] = { n, n * n % 10007 }
end
local sum = 0
for n = 1, 100000 do
    local of = known[string.format("word-%07d", chance(count) + 1)]
    sum = (sum * 31 + of[1] + of[2]) & 0xffffffff
    if n % 2 == 0 then
        of[2] = n
    end
end
for _, of in pairs(known) do
    sum = sum + of[2]
end
print(count, sum)
