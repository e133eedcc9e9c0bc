/*
 * line_discipline_output.c - a terminal's processing of output: line ends, tabs, and the cursor's column.
 */
#include "base/check.h"
#include "files/terminal/line_discipline_output.h"

static size_t put_newline(struct line_discipline *d, char *out)
{
    uint32_t flags = d->settings.output;

    if (flags & ONLCR) {
        d->column = 0;
        out[0] = '\r';
        out[1] = '\n';
        return 2;
    }
    if (flags & ONLRET)
        d->column = 0;
    out[0] = '\n';
    return 1;
}

static size_t put_return(struct line_discipline *d, char *out)
{
    uint32_t flags = d->settings.output;

    if ((flags & ONOCR) && d->column == 0)
        return 0;
    if (flags & OCRNL) {
        if (flags & ONLRET)
            d->column = 0;
        out[0] = '\n';
        return 1;
    }
    d->column = 0;
    out[0] = '\r';
    return 1;
}

static size_t put_tab(struct line_discipline *d, char *out)
{
    uint32_t spaces = 8 - (d->column & 7);

    deep_assert(out != NULL);
    d->column += spaces;
    if ((d->settings.output & TABS) != TABS) {
        out[0] = '\t';
        return 1;
    }
    for (uint32_t i = 0; i < spaces; i++)       /* bound: 8 */
        out[i] = ' ';
    return spaces;
}

size_t line_discipline_put_output(struct line_discipline *d, uint8_t c, char out[OUTPUT_LONGEST])
{
    if (d->settings.output & OPOST) {
        if (c == '\n')
            return put_newline(d, out);
        if (c == '\r')
            return put_return(d, out);
        if (c == '\t')
            return put_tab(d, out);
        if (c == '\b' && d->column > 0)
            d->column--;
        if ((d->settings.output & OLCUC) && line_discipline_is_lower(c))
            c -= 'a' - 'A';
        if (c >= ' ' && c != 0x7F && !((d->settings.input & IUTF8) && (c & 0xC0) == 0x80))
            d->column++;
    }
    out[0] = (char)c;
    return 1;
}

size_t line_discipline_output(struct line_discipline *d, const uint8_t *from, size_t count, size_t *used, char *to,
                              size_t room)
{
    size_t put = 0, i;

    for (i = 0; i < count && put + OUTPUT_LONGEST <= room; i++)     /* bound: room, TERMINAL_OUT */
        put += line_discipline_put_output(d, from[i], to + put);
    *used = i;
    return put;
}
