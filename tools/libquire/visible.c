/* visible.c - making a guest's bytes safe for a terminal. See visible.h. */
#include "visible.h"

#include <stdbool.h>
#include <string.h>

/* The length of the well-formed UTF-8 character at `at`, and its number; 0: there is none. RFC 3629, section 4. */
static size_t character(const uint8_t *at, size_t count, uint32_t *which)
{
    size_t length = at[0] >= 0xC2 && at[0] < 0xE0   ? 2
                    : (at[0] & 0xF0) == 0xE0        ? 3
                    : at[0] >= 0xF0 && at[0] < 0xF5 ? 4
                                                    : 0;

    if (length == 0 || count < length)
        return 0;
    *which = at[0] & (0xFFu >> (length + 1));
    for (size_t i = 1; i < length; i++) {
        if ((at[i] & 0xC0) != 0x80)
            return 0;
        *which = *which << 6 | (at[i] & 0x3F);
    }
    if (*which < (length == 3 ? 0x800u : length == 4 ? 0x10000u : 0x80u) || *which > 0x10FFFF)
        return 0;
    return length;
}

/* Beyond ASCII: no controls (U+0080 to U+009F), no character that turns text round, has no width, or breaks a line. */
static bool harmless(uint32_t which)
{
    static const struct { uint32_t first, last; } hidden[] = {
        { 0x80, 0x9F },     { 0xAD, 0xAD },     { 0x61C, 0x61C },   { 0x200B, 0x200F }, { 0x2028, 0x202E },
        { 0x2060, 0x206F }, { 0xD800, 0xDFFF }, { 0xFEFF, 0xFEFF }, { 0xFFF0, 0xFFFF }, { 0xE0000, 0xE0FFF },
    };

    for (size_t i = 0; i < sizeof(hidden) / sizeof(hidden[0]); i++)
        if (which >= hidden[i].first && which <= hidden[i].last)
            return false;
    return true;
}

static size_t spell(uint8_t byte, char *to)
{
    static const char digits[] = "0123456789abcdef";

    if (byte < 0x20 || byte == 0x7F) {
        to[0] = '^';
        to[1] = (char)(byte ^ 0x40);
        return 2;
    }
    memcpy(to, (char[4]){ '\\', 'x', digits[byte >> 4], digits[byte & 15] }, 4);
    return 4;
}

size_t visible(const void *bytes, size_t count, char *to)
{
    const uint8_t *from = bytes;
    size_t length = 0;

    for (size_t i = 0; i < count;) {
        uint32_t which = 0;
        size_t whole = from[i] < 0x80 ? 0 : character(from + i, count - i, &which);

        if ((from[i] >= 0x20 && from[i] < 0x7F) || from[i] == '\n' || from[i] == '\t') {
            to[length++] = (char)from[i++];
        } else if (whole > 0 && harmless(which)) {
            memcpy(to + length, from + i, whole);
            length += whole;
            i += whole;
        } else {
            length += spell(from[i++], to + length);
        }
    }
    return length;
}
