/*
 * words.c - command text taken apart; numbers with checked arithmetic.
 */
#include "console/words.h"

#include "base/error.h"
#include "base/print.h"
#include "base/range.h"
#include "mmu.h"

static bool is_space(char c) { return c == ' ' || c == '\t'; }

int words_of(char *text, char *words[WORDS])
{
    int count = 0;

    for (;;) {
        while (is_space(*text))
            *text++ = 0;
        if (*text == 0)
            return count;
        if (count == WORDS)
            return -E2BIG;
        words[count++] = text;
        while (*text != 0 && !is_space(*text))
            text++;
    }
}

/* The value of a digit, 16 for what is none. */
static unsigned digit_of(char c)
{
    if (c >= '0' && c <= '9')
        return (unsigned)(c - '0');
    if (c >= 'a' && c <= 'f')
        return (unsigned)(c - 'a') + 10;
    if (c >= 'A' && c <= 'F')
        return (unsigned)(c - 'A') + 10;
    return 16;
}

bool number_of(const char *word, uint64_t *out)
{
    unsigned base  = 10;
    uint64_t value = 0;

    if (word[0] == '0' && (word[1] == 'x' || word[1] == 'X')) {
        base = 16;
        word += 2;
    }
    if (digit_of(*word) >= base)
        return false;
    for (; *word != 0; word++) {
        if (*word == '_' && digit_of(word[1]) < base)
            continue;
        if (digit_of(*word) >= base || !checked_multiply(value, base, &value) ||
            !checked_add(value, digit_of(*word), &value))
            return false;
    }
    *out = value;
    return true;
}

bool number_argument(const char *word, const char *what, uint64_t least, uint64_t most, uint64_t *out)
{
    uint64_t value;

    if (!number_of(word, &value)) {
        print("%s: expected a number, like 42 or 0x2A, not \"%s\"\n", what, word);
        return false;
    }
    if (value < least || value > most) {
        print("%s: expected a number from %llu to %llu, not %s\n", what, (unsigned long long)least,
              (unsigned long long)most, word);
        return false;
    }
    *out = value;
    return true;
}

bool address_argument(const char *word, vaddr_t *out)
{
    uint64_t value, last = ((uint64_t)MMU_SPACE_END << PAGE_SHIFT) - 1;

    if (!number_of(word, &value) || value > last) {
        print("address: expected 0x0 to 0x%llX, like 0xC010_0000, not \"%s\"\n", (unsigned long long)last,
              word);
        return false;
    }
    *out = (vaddr_t)value;
    return true;
}
