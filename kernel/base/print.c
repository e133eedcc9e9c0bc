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

enum { SINKS = 4, DIGITS = 24, LINE = 128 };

/* ---- The formatter ---------------------------------------------------------------- */

/* Where characters go: a buffer of a given size; `flush` empties a full one, or is NULL. */
struct output {
    char  *buffer;
    size_t size, used;
    size_t length;                  /* of the whole text, whether it fits or not */
    void (*flush)(struct output *);
};

struct format {
    bool     left, zero, plus, space, alternate;
    int      width, precision;      /* precision -1: none */
    unsigned bytes;                 /* size of the argument */
};

static void put_character(struct output *out, char c)
{
    if (out->used == out->size && out->flush)
        out->flush(out);
    if (out->used < out->size)
        out->buffer[out->used++] = c;
    out->length++;
}

/* Characters in a row: at once where they fit. */
static void put_row(struct output *out, const char *row, size_t count)
{
    if (count < out->size - out->used) {
        memcpy(out->buffer + out->used, row, count);
        out->used   += count;
        out->length += count;
        return;
    }
    while (count-- > 0)
        put_character(out, *row++);
}

static void put_many(struct output *out, char c, int count)
{
    while (count-- > 0)
        put_character(out, c);
}

/* `body` in its field: blanks, prefix (sign, 0x), zeros, body, blanks. */
static void put_field(struct output *out, const struct format *f, const char *prefix, int zeros,
                      const char *body, int length)
{
    int prefixed = (int)strlen(prefix), blanks = f->width - prefixed - zeros - length;

    if (!f->left)
        put_many(out, ' ', blanks);
    while (*prefix)
        put_character(out, *prefix++);
    put_many(out, '0', zeros);
    put_row(out, body, (size_t)length);
    if (f->left)
        put_many(out, ' ', blanks);
}

static void put_number(struct output *out, const struct format *f, uint64_t value, unsigned base, bool capital,
                       const char *prefix)
{
    const char *digits = capital ? "0123456789ABCDEF" : "0123456789abcdef";
    char        text[DIGITS];
    int         at = DIGITS, length, zeros;

    for (; value >> 32 != 0; value /= base)
        text[--at] = digits[value % base];
    for (uint32_t rest = (uint32_t)value; rest > 0; rest /= base)       /* without a 64-bit division */
        text[--at] = digits[rest % base];
    length = DIGITS - at;
    if (f->precision >= 0)
        zeros = f->precision - length;
    else if (f->zero && !f->left)
        zeros = f->width - (int)strlen(prefix) - length;
    else
        zeros = 0;
    if (zeros < 1)
        zeros = length == 0 && f->precision != 0;       /* zero itself has one digit */
    put_field(out, f, prefix, zeros, text + at, length);
}

static void put_signed(struct output *out, const struct format *f, int64_t value)
{
    const char *prefix = value < 0 ? "-" : f->plus ? "+" : f->space ? " " : "";

    put_number(out, f, value < 0 ? -(uint64_t)value : (uint64_t)value, 10, false, prefix);
}

static void put_text(struct output *out, const struct format *f, const char *text)
{
    size_t most = f->precision >= 0 ? (size_t)f->precision : SIZE_MAX;

    if (!text)
        text = "(null)";
    put_field(out, f, "", 0, text, (int)strnlen(text, most));
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
    for (;; at++) {
        if (*at == '-')
            f->left = true;
        else if (*at == '0')
            f->zero = true;
        else if (*at == '+')
            f->plus = true;
        else if (*at == ' ')
            f->space = true;
        else if (*at == '#')
            f->alternate = true;
        else
            break;
    }
    at = read_count(at, list, &f->width);
    if (f->width < 0) {
        f->left = true;
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

static int64_t take_signed(va_list *list, unsigned bytes)
{
    int value;

    if (bytes == sizeof(long long))
        return va_arg(*list, long long);
    if (bytes == sizeof(long))
        return va_arg(*list, long);
    value = va_arg(*list, int);
    return bytes == sizeof(char) ? (signed char)value : bytes == sizeof(short) ? (short)value : value;
}

static uint64_t take_unsigned(va_list *list, unsigned bytes)
{
    uint64_t value = (uint64_t)take_signed(list, bytes);

    return bytes >= sizeof value ? value : value & ((1ull << bytes * 8) - 1);
}

static void put_formatted(struct output *out, const char *at, va_list *list)
{
    struct format f;
    uint64_t      value;

    for (; *at; at++) {
        if (*at != '%') {
            const char *row = at;

            while (at[1] != '\0' && at[1] != '%')
                at++;
            put_row(out, row, (size_t)(at + 1 - row));
            continue;
        }
        at = read_format(at + 1, list, &f);
        switch (*at) {
        case 'd':
        case 'i':
            put_signed(out, &f, take_signed(list, f.bytes));
            break;
        case 'u':
            put_number(out, &f, take_unsigned(list, f.bytes), 10, false, "");
            break;
        case 'x':
        case 'X':
            value = take_unsigned(list, f.bytes);
            put_number(out, &f, value, 16, *at == 'X', f.alternate && value ? (*at == 'X' ? "0X" : "0x") : "");
            break;
        case 'o':
            put_number(out, &f, take_unsigned(list, f.bytes), 8, false, f.alternate ? "0" : "");
            break;
        case 'p':
            f.precision = 2 * sizeof(void *);
            put_number(out, &f, (uintptr_t)va_arg(*list, void *), 16, false, "");
            break;
        case 'c':
            put_field(out, &f, "", 0, &(char){ (char)va_arg(*list, int) }, 1);
            break;
        case 's':
            put_text(out, &f, va_arg(*list, const char *));
            break;
        case '\0':
            return;
        default:                                        /* %%, and conversions that there are not */
            put_character(out, *at);
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
