/*
 * number.c - numbers in text.
 */
#include "base/number.h"

#include "base/range.h"

static int digit(char c, unsigned base)
{
    int value = c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10
              : c >= 'A' && c <= 'F' ? c - 'A' + 10 : 16;

    return value < (int)base ? value : -1;
}

const char *number_parse(const char *text, uint64_t *out)
{
    unsigned base  = text[0] == '0' && (text[1] == 'x' || text[1] == 'X') ? 16 : 10;
    uint64_t value = 0;

    if (base == 16)
        text += 2;
    if (digit(*text, base) < 0)
        return NULL;
    for (; digit(*text, base) >= 0; text++)
        if (!checked_multiply(value, base, &value) || !checked_add(value, (unsigned)digit(*text, base), &value))
            return NULL;
    *out = value;
    return text;
}
