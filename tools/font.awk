# font.awk - the kernel's font: from a font of GRUB's, as a C source with one glyph of 8 by 16 dots for each character
# of ISO 8859-1 that prints something.
#
#   od -An -v -tu1 /usr/share/grub/euro.pf2 | awk -f tools/font.awk > screen_font.c
#
# Source   the GNU GRUB developers' manual, "Font file format": sections of a name (4 bytes), a length and contents,
# numbers with their highest byte first. CHIX lists characters: code point, flags, where the glyph is in the file. A
# glyph is width, height, offsets of its lower left corner from the base line, how far to go on, and its dots, row after
# row without padding. ASCE says how far the base line is below the top.

{ for (i = 1; i <= NF; i++) byte[bytes++] = $i }

function number(at, count,    value) {
    for (value = 0; count > 0; count--)
        value = value * 256 + byte[at++]
    return value
}

function signed(at,    value) {
    value = number(at, 2)
    return value >= 32768 ? value - 65536 : value
}

function fail(why) {
    print "font.awk: " why > "/dev/stderr"
    failed = 1
    exit 1
}

# The dots of the glyph at `at`, as sixteen bytes.
function glyph(at,    width, height, left, top, x, y, bit, row, text) {
    width = number(at, 2); height = number(at + 2, 2)
    left = signed(at + 4); top = ascent - signed(at + 6) - height
    if (left < 0 || top < 0 || left + width > 8 || top + height > 16)
        fail("a glyph is larger than 8 by 16 dots")
    split("", row)
    for (y = 0; y < height; y++)
        for (x = 0; x < width; x++) {
            bit = y * width + x
            if (int(byte[at + 10 + int(bit / 8)] / 2 ^ (7 - bit % 8)) % 2)
                row[top + y] += 2 ^ (7 - left - x)
        }
    for (y = 0; y < 16; y++)
        text = text sprintf("%s0x%02X", y ? ", " : "", row[y])
    return text
}

END {
    if (failed || number(0, 4) != 1179208773 || number(8, 4) != 1346782770)        # FILE, PFF2
        fail("this is not a font of GRUB's")
    for (at = 12; at + 8 <= bytes; at += 8 + size) {
        name = sprintf("%c%c%c%c", byte[at], byte[at + 1], byte[at + 2], byte[at + 3])
        size = number(at + 4, 4)
        if (name == "ASCE")
            ascent = number(at + 8, 2)
        if (name == "CHIX")
            for (entry = at + 8; entry + 9 <= at + 8 + size; entry += 9)
                place[number(entry, 4)] = number(entry + 5, 4)
        if (name == "DATA")
            break
    }
    print "/* Made by tools/font.awk. */"
    print "#include \"base/types.h\""
    print "extern const uint8_t screen_font[224][16];"
    print "const uint8_t screen_font[224][16] = {"
    for (c = 32; c < 256; c++)
        if (c < 127 || c >= 160) {
            shown = c == 173 ? 45 : c           # the soft hyphen's glyph is a wide box with its name in it
            if (!(shown in place))
                fail("there is no character " shown)
            printf "    [%d] = { %s },\n", c - 32, glyph(place[shown])
        }
    print "};"
}
