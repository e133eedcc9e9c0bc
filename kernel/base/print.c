/*
 * print.c - a small printf().
 *
 * One formatter writes characters through a function; print() gives it the consoles,
 * format_text() a buffer. Numbers are built backwards in a small array, because their
 * length is known only at the end.
 */
#include "base/print.h"
#include "base/check.h"
#include "base/lock.h"
#include "base/string.h"

enum { SINKS = 4, LINE = 128, PREFIX_MOST = 2 };

/* ---- Numbers ----------------------------------------------------------------------- */

char *format_number(char *to, uint64_t value, unsigned base, unsigned least)
{
    static const char digits[] = "0123456789abcdef";
    char              text[NUMBER_MOST], *end = text + NUMBER_MOST, *at = end;
    uint32_t          low;

    deep_assert(base >= 8 && base <= 16 && least <= NUMBER_MOST);
    while (value >> 32 != 0) {
        uint64_t above = value / base;

        *--at = digits[(uint32_t)value - (uint32_t)above * base];
        value = above;
    }
    for (low = (uint32_t)value; low != 0; low /= base)          /* without a 64-bit division */
        *--at = digits[low % base];
    while (end - at < (long)least)
        *--at = '0';
    memcpy(to, at, (size_t)(end - at));
    return to + (end - at);
}

/* ---- The formatter ---------------------------------------------------------------- */

/* Where characters go: a buffer of a given size; `flush` empties a full one, or is NULL. */
struct output {
    char  *buffer;
    size_t size, used;
    size_t length;                  /* of the whole text, whether it fits or not */
    void (*flush)(struct output *);
};

/* A flag is the bit that its character has; all of them lie between the blank and the zero. */
#define FLAG(c) (1u << ((c) - ' '))
enum { FLAGS = FLAG('-') | FLAG('0') | FLAG('+') | FLAG(' ') | FLAG('#') };

struct format {
    unsigned flags;
    int      width, precision;      /* precision -1: none */
    unsigned bytes;                 /* size of the argument */
};

static void put_bytes(struct output *out, const char *from, size_t count)
{
    out->length += count;
    for (;;) {
        size_t part = out->size - out->used;

        if (part > count)
            part = count;
        memcpy(out->buffer + out->used, from, part);
        out->used += part;
        from      += part;
        count     -= part;
        if (count == 0 || out->flush == NULL)
            return;                     /* it is all there, or the rest does not fit */
        out->flush(out);
    }
}

static void put_many(struct output *out, char c, int count)
{
    while (count-- > 0)
        put_bytes(out, &c, 1);
}

/* `body` in its field: blanks before it, or after. */
static void put_field(struct output *out, const struct format *f, const char *body, size_t length)
{
    int blanks = f->width - (int)length;

    if (!(f->flags & FLAG('-')))
        put_many(out, ' ', blanks);
    put_bytes(out, body, length);
    if (f->flags & FLAG('-'))
        put_many(out, ' ', blanks);
}

/* What is written before the digits; of a number below zero *value becomes what comes after the sign. */
static const char *prefix_of(const struct format *f, char kind, uint64_t *value)
{
    if (kind == 'd' && (int64_t)*value < 0) {
        *value = -*value;
        return "-";
    }
    if (kind == 'd')
        return f->flags & FLAG('+') ? "+" : f->flags & FLAG(' ') ? " " : "";
    if (!(f->flags & FLAG('#')))
        return "";
    return kind == 'o' ? "0" : *value == 0 || kind == 'u' ? "" : "0x";
}

/* `kind` is 'd', or of an unsigned number 'u', 'x', 'X' or 'o'. */
static void put_number(struct output *out, const struct format *f, uint64_t value, char kind)
{
    char text[PREFIX_MOST + NUMBER_MOST], *at = text, *end;
    int  digits = f->precision;                         /* at the least: zero itself has one, as a rule */

    for (const char *prefix = prefix_of(f, kind, &value); *prefix != '\0'; )
        *at++ = *prefix++;
    if (digits < 0)
        digits = (f->flags & (FLAG('0') | FLAG('-'))) == FLAG('0') ? f->width - (int)(at - text) : 1;
    if (digits < 1 && f->precision != 0)
        digits = 1;
    end = format_number(at, value, kind == 'o' ? 8 : (kind | ' ') == 'x' ? 16 : 10,
                        digits < NUMBER_MOST ? (unsigned)digits : NUMBER_MOST);
    for (char *c = text; kind == 'X' && c < end; c++)
        if (*c >= 'a')
            *c -= 'a' - 'A';
    put_field(out, f, text, (size_t)(end - text));
}

static void put_text(struct output *out, const struct format *f, const char *text)
{
    size_t most = f->precision >= 0 ? (size_t)f->precision : SIZE_MAX;

    if (!text)
        text = "(null)";
    put_field(out, f, text, strnlen(text, most));
}

/* A width or precision: digits, or '*' for an argument. Absurd ones are cut. */
static const char *read_count(const char *at, va_list *list, int *count)
{
    *count = 0;
    if (*at == '*') {
        *count = va_arg(*list, int);
        return at + 1;
    }
    for (; *at >= '0' && *at <= '9'; at++)
        if (*count < 4096)
            *count = *count * 10 + (*at - '0');
    return at;
}

static const char *read_format(const char *at, va_list *list, struct format *f)
{
    *f = (struct format){ .precision = -1, .bytes = sizeof(int) };
    for (; *at >= ' ' && *at <= '0' && (FLAG(*at) & FLAGS) != 0; at++)
        f->flags |= FLAG(*at);
    at = read_count(at, list, &f->width);
    if (f->width < 0) {
        f->flags |= FLAG('-');
        f->width = -f->width;
    }
    if (*at == '.')
        at = read_count(at + 1, list, &f->precision);
    if (*at == 'h') {
        f->bytes = at[1] == 'h' ? sizeof(char) : sizeof(short);
        at += at[1] == 'h' ? 2 : 1;
    } else if (*at == 'l') {
        f->bytes = at[1] == 'l' ? sizeof(long long) : sizeof(long);
        at += at[1] == 'l' ? 2 : 1;
    } else if (*at == 'z') {
        f->bytes = sizeof(size_t);
        at++;
    }
    return at;
}

/* A long is as wide as an int, or as a long long. What is short has come as an int: its other bits do not count. */
static uint64_t take_number(va_list *list, unsigned bytes, bool negates)
{
    unsigned value, above = 8 * (unsigned)(sizeof value - bytes);

    if (bytes == sizeof(long long))
        return va_arg(*list, unsigned long long);
    value = va_arg(*list, unsigned) << above;
    return negates ? (uint64_t)((int)value >> above) : value >> above;
}

static void put_formatted(struct output *out, const char *at, va_list *list)
{
    struct format f;

    for (;; at++) {
        const char *from = at;

        for (; *at != '%'; at++) {
            if (*at == '\0') {
                put_bytes(out, from, (size_t)(at - from));
                return;
            }
        }
        put_bytes(out, from, (size_t)(at - from));
        at = read_format(at + 1, list, &f);
        switch (*at) {
        case 'd':
        case 'i':
            put_number(out, &f, take_number(list, f.bytes, true), 'd');
            break;
        case 'u': case 'x': case 'X': case 'o':
            put_number(out, &f, take_number(list, f.bytes, false), *at);
            break;
        case 'p':
            f.precision = 2 * sizeof(void *);
            put_number(out, &f, (uintptr_t)va_arg(*list, void *), 'x');
            break;
        case 'c':
            put_field(out, &f, &(char){ (char)va_arg(*list, int) }, 1);
            break;
        case 's':
            put_text(out, &f, va_arg(*list, const char *));
            break;
        case '\0':
            return;
        default:                                        /* %%, and conversions that there are not */
            put_bytes(out, at, 1);
        }
    }
}

/* ---- Into memory ------------------------------------------------------------------ */

int format_list(char *out, size_t size, const char *format, va_list list)
{
    struct output into = { .buffer = out, .size = size > 0 ? size - 1 : 0 };
    va_list       copy;

    va_copy(copy, list);
    put_formatted(&into, format, &copy);
    va_end(copy);
    if (size > 0)
        out[into.used] = '\0';
    return (int)into.length;
}

int format_text(char *out, size_t size, const char *format, ...)
{
    va_list list;
    int     length;

    va_start(list, format);
    length = format_list(out, size, format, list);
    va_end(list);
    return length;
}

/* ---- To the consoles -------------------------------------------------------------- */

static struct lock print_lock = LOCK("print", RANK_PRINT);
static bool        lock_is_ignored;
static unsigned    sink_count;          /* [print_lock], as all below */
static print_sink  sinks[SINKS];
static char        ring[PRINT_RING];    /* the last text that was printed before the first console */
static size_t      ring_total;          /* characters ever put into the ring                      */

static lock_state begin_quiet(void)              { return lock_is_ignored ? 0 : lock_take(&print_lock); }
static void       end_quiet(lock_state s)  { if (!lock_is_ignored) lock_drop(&print_lock, s); }

static void give_text(const char *text, size_t length)
{
    for (unsigned i = 0; i < sink_count; i++)
        sinks[i](text, length);
    if (sink_count == 0)
        for (size_t i = 0; i < length; i++)
            ring[ring_total++ % PRINT_RING] = text[i];
}

static void give_buffer(struct output *out)
{
    give_text(out->buffer, out->used);
    out->used = 0;
}

static void print_list(const char *format, va_list list)
{
    char          line[LINE];
    struct output out = { .buffer = line, .size = sizeof line, .flush = give_buffer };
    va_list       copy;
    lock_state    state = begin_quiet();

    va_copy(copy, list);
    put_formatted(&out, format, &copy);
    va_end(copy);
    give_buffer(&out);
    end_quiet(state);
}

void print(const char *format, ...)
{
    va_list list;

    va_start(list, format);
    print_list(format, list);
    va_end(list);
}

void print_text(const char *text, size_t length)
{
    lock_state state = begin_quiet();

    give_text(text, length);
    end_quiet(state);
}

void print_to(print_sink sink)
{
    lock_state state = begin_quiet();
    size_t     start;

    assert(sink_count < SINKS);
    if (sink_count == 0 && ring_total > 0) {
        start = ring_total > PRINT_RING ? ring_total % PRINT_RING : 0;
        sink(ring + start, (ring_total > PRINT_RING ? PRINT_RING : ring_total) - start);
        sink(ring, start);
    }
    sinks[sink_count++] = sink;
    end_quiet(state);
}

void print_only_to(print_sink sink, const char *text, size_t length)
{
    lock_state state = begin_quiet();

    sink(text, length);
    end_quiet(state);
}

void print_unlocked(void)
{
    lock_is_ignored = true;
}
