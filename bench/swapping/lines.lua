-- Lines in an order that is the same each time: 58 bytes, of which eight are by chance.
local x = 7
for _ = 1, 2400000 do
    x = (x * 1103515245 + 12345) & 0x7fffffff
    io.write(string.format("%08x is a number, and this is one of the lines with it\n", x))
end
