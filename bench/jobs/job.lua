-- A job for Lua: tables, strings, closures and numbers.
local seed = 7
local function chance(n)
    seed = (seed * 1103515245 + 12345) % 2147483648
    return seed % n
end
local counts, list = {}, {}
for i = 1, 120000 do
    local word = string.format("w%05d", chance(20000))
    counts[word] = (counts[word] or 0) + 1
    list[#list + 1] = word
end
table.sort(list)
local text = table.concat(list, " ")
local found = 0
for word in text:gmatch("w%d+9") do found = found + #word end
local function body(n) return { x = n, y = n / 2, vx = 0, vy = 0, mass = 1 + n % 3 } end
local bodies = {}
for i = 1, 12 do bodies[i] = body(i) end
for step = 1, 3000 do
    for i, a in ipairs(bodies) do
        for j = i + 1, #bodies do
            local b = bodies[j]
            local dx, dy = a.x - b.x, a.y - b.y
            local pull = 0.001 / (dx * dx + dy * dy + 0.01)
            a.vx, a.vy = a.vx - dx * b.mass * pull, a.vy - dy * b.mass * pull
            b.vx, b.vy = b.vx + dx * a.mass * pull, b.vy + dy * a.mass * pull
        end
    end
    for _, a in ipairs(bodies) do a.x, a.y = a.x + a.vx * 0.01, a.y + a.vy * 0.01 end
end
print(#text, found, list[1], list[#list], string.format("%.6f", bodies[1].x))
local parts = {}
for i = 1, 60000 do parts[i] = text:sub(i, i + 40):reverse():upper() end
print(#table.concat(parts))
