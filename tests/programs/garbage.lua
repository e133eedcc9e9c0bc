-- Allocating and collecting: tables, strings, closures, coroutines.
local function tree(depth)
    if depth == 0 then return {} end
    return { tree(depth - 1), tree(depth - 1) }
end
local function count(t) return t[1] and 1 + count(t[1]) + count(t[2]) or 1 end

local total = 0
for i = 1, 8 do total = total + count(tree(12)) end
print("nodes", total)

local words = {}
for i = 1, 20000 do words[#words + 1] = ("%x"):format(i * 2654435761 % 4294967296) end
table.sort(words)
print("words", words[1], words[10000], words[20000], #table.concat(words))

local peak = collectgarbage("count")
words = nil
collectgarbage()
print("collected", collectgarbage("count") < peak / 4)

local function generate(n) return coroutine.wrap(function() for i = 1, n do coroutine.yield(i) end end) end
local sum = 0
for i in generate(10000) do sum = sum + i end
print("coroutines", sum)

print("float", 2^0.5, 1e15 / 3, math.pi, 7 // 2, 7.5 % 2)
print("match", ("key = value"):match("(%w+)%s*=%s*(%w+)"))
local big = ("x"):rep(1 << 18)
print("string", #(big .. big), select(2, big:gsub("x", "y")))
local file = assert(io.open("/tmp/lua.txt", "w+"))
for i = 1, 1000 do file:write(i, "\n") end
file:seek("set", 0)
local lines = 0
for _ in file:lines() do lines = lines + 1 end
print("file", lines, file:seek("end"))
file:close()
print("error", pcall(error, { code = 5 }), select("#", pcall(error)))
os.exit(9)
