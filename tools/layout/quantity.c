/* quantity.c - addresses, sizes and rights between text and numbers. See quantity.h. */
#include "quantity.h"

#include "document.h"

#include <ctype.h>
#include <inttypes.h>
#include <string.h>
#include <strings.h>

static int digit_value(char c)
{
    if (isdigit((unsigned char)c))
        return c - '0';
    return isxdigit((unsigned char)c) ? tolower((unsigned char)c) - 'a' + 10 : 99;
}

/* Digits of a base, with underscores between them; stops at any other character. */
static bool read_digits(const char **text, unsigned base, uint64_t limit, uint64_t *out)
{
    const char *at = *text;
    uint64_t value = 0;

    if ((unsigned)digit_value(*at) >= base)
        return false;
    for (; (unsigned)digit_value(*at) < base || (*at == '_' && at[1] != '_'); at++) {
        if (*at == '_')
            continue;
        value = value * base + (unsigned)digit_value(*at);
        if (value > limit)
            return false;
    }
    if (at[-1] == '_')
        return false;
    *text = at;
    *out = value;
    return true;
}

bool read_address(const char *text, uint64_t *out)
{
    if (text[0] != '0' || (text[1] != 'x' && text[1] != 'X'))
        return false;
    text += 2;
    return read_digits(&text, 16, SPACE_END - 1, out) && *text == '\0';
}

bool read_count(const char *text, uint64_t *out)
{
    return read_digits(&text, 10, UINT32_MAX, out) && *text == '\0';
}

static const struct { const char *name; unsigned shift; } units[] = {
    { "GiB", 30 }, { "MiB", 20 }, { "KiB", 10 }, { "B", 0 },
};

static bool read_unit(const char **text, unsigned *shift)
{
    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++)
        if (strncmp(*text, units[i].name, strlen(units[i].name)) == 0) {
            *text += strlen(units[i].name);
            *shift = units[i].shift;
            return true;
        }
    return false;
}

/* Ten digits behind a point, as bytes in KiB may have; times a GiB they fit into 64 bits. */
#define MOST_SCALE 10000000000ull

/* One number with its unit. A fraction must come to whole bytes. */
static bool read_term(const char **text, uint64_t *out)
{
    uint64_t whole, part = 0, scale = 1;
    const char *at = *text;
    unsigned shift;

    if (!read_digits(&at, 10, SPACE_END, &whole))
        return false;
    if (*at == '.') {
        for (at++; isdigit((unsigned char)*at) && scale < MOST_SCALE; at++) {
            part = part * 10 + (unsigned)digit_value(*at);
            scale *= 10;
        }
        if (scale == 1)
            return false;
    }
    at += strspn(at, " ");
    if (!read_unit(&at, &shift) || whole > SPACE_END >> shift || (part << shift) % scale != 0)
        return false;
    *out = (whole << shift) + (part << shift) / scale;
    *text = at;
    return true;
}

bool read_size(const char *text, uint64_t *out)
{
    uint64_t total, term;

    if (!read_term(&text, &total))
        return false;
    while (*text != '\0') {
        bool less = strncasecmp(text, " less ", 6) == 0;

        if (!less && strncasecmp(text, " and ", 5) != 0)
            return false;
        text += less ? 6 : 5;
        if (!read_term(&text, &term) || (less && term > total))
            return false;
        total = less ? total - term : total + term;
    }
    *out = total;
    return total <= SPACE_END;
}

static const char *const rights_names[8] = { "---", "r--", "-w-", "rw-", "--x", "r-x", "-wx", "rwx" };

bool read_rights(const char *text, unsigned *out)
{
    for (unsigned rights = 0; rights < 8; rights++)
        if (strcasecmp(rights_names[rights], text) == 0) {
            *out = rights;
            return true;
        }
    return false;
}

const char *rights_text(unsigned rights)
{
    return rights_names[rights & 7];
}

/* A size that is a whole number of one unit, or of half or quarter ones; else NULL. */
static const char *one_term(struct source *s, uint64_t bytes)
{
    static const char *const quarters[4] = { "", ".25", ".5", ".75" };

    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
        uint64_t unit = 1ull << units[i].shift, whole = bytes / unit, rest = bytes % unit;

        if (whole > 0 && (rest == 0 || (unit > 1 && rest % (unit / 4) == 0)))
            return source_print(s, "%" PRIu64 "%s %s", whole, quarters[rest * 4 / unit], units[i].name);
        if (whole > 0)
            return NULL;
    }
    return "0 B";
}

const char *size_text(struct source *s, uint64_t bytes)
{
    const char *term = one_term(s, bytes), *less;
    uint64_t unit = 1;

    if (term != NULL)
        return term;
    for (size_t i = 0; bytes / unit / 1024 > 0 && i + 1 < sizeof(units) / sizeof(units[0]); i++)
        unit *= 1024;
    less = one_term(s, unit - bytes % unit);
    if (less != NULL && bytes % unit > unit / 2)
        return source_print(s, "%s less %s", one_term(s, bytes - bytes % unit + unit), less);
    return source_print(s, "%s and %s", one_term(s, bytes - bytes % unit), size_text(s, bytes % unit));
}
