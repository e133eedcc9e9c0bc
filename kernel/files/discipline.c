/*
 * discipline.c - keys into lines. See discipline.h; what is seen of it is discipline_output.c's.
 */
#include "files/discipline.h"

#include "base/check.h"
#include "base/string.h"
#include "files/discipline_output.h"

enum { SIGNAL_INTERRUPT = 2, SIGNAL_QUIT = 3, SIGNAL_STOP = 20 };       /* Linux's SIGINT, SIGQUIT, SIGTSTP */
enum { DISABLED = 0 };                  /* a key that is no key; also what stands for the end of input in a line */

/* One call of discipline_input(). */
struct input {
    struct discipline               *d;
    const struct discipline_effects *effects;
};

static bool local(const struct discipline *d, uint32_t flag)   { return (d->settings.local & flag) != 0; }
static bool incoming(const struct discipline *d, uint32_t flag) { return (d->settings.input & flag) != 0; }

static bool is_key(const struct discipline *d, unsigned key, uint8_t c)
{
    return c != DISABLED && d->settings.keys[key] == c;
}

/* ---- The ring -------------------------------------------------------------------------------- */

static uint32_t place(uint32_t at) { return at % DISCIPLINE_ROOM; }
static uint32_t held(const struct discipline *d) { return d->head - d->tail; }
static bool marked(const struct discipline *d, uint32_t at) { return d->marks[place(at) / 8] & 1u << place(at) % 8; }

static void mark(struct discipline *d, uint32_t at, bool set)
{
    uint8_t bit = (uint8_t)(1u << place(at) % 8);

    if (set)
        d->marks[place(at) / 8] |= bit;
    else
        d->marks[place(at) / 8] &= (uint8_t)~bit;
}

static void put(struct discipline *d, uint8_t c)
{
    mark(d, d->head, false);
    d->ring[place(d->head++)] = c;
}

/* The line is finished with this byte. A full ring has kept one place for it. */
static void finish_line(struct discipline *d, uint8_t c)
{
    if (held(d) == DISCIPLINE_ROOM)
        return;
    put(d, c);
    mark(d, d->head - 1, true);
    d->whole = d->head;
}

/* ---- Echo ------------------------------------------------------------------------------------- */

static void show(const struct input *in, const char *bytes, size_t count)
{
    in->effects->show(in->effects->context, bytes, count);
}

/* As a program's output would be. */
static void show_processed(const struct input *in, uint8_t c)
{
    char   out[OUTPUT_LONGEST];
    size_t count = discipline_put_output(in->d, c, out);

    show(in, out, count);
}

static bool is_control(uint8_t c) { return c < ' ' || c == 0x7F; }

static void show_key(const struct input *in, uint8_t c)
{
    if (is_control(c) && c != '\t' && c != '\n' && local(in->d, ECHOCTL)) {
        char out[2] = { '^', (char)(c ^ 0x40) };

        in->d->column += 2;
        show(in, out, 2);
    } else {
        show_processed(in, c);
    }
}

static void echo(const struct input *in, uint8_t c)
{
    if (!local(in->d, ECHO))
        return;
    if (in->d->head == in->d->whole)
        in->d->line_column = in->d->column;
    show_key(in, c);
}

/* ---- Erasing ------------------------------------------------------------------------------------ */

static bool continues(const struct discipline *d, uint32_t at)
{
    return incoming(d, IUTF8) && (d->ring[place(at)] & 0xC0) == 0x80;
}

/* Where the cursor was before the line's last tab: counted from the line's beginning. */
static uint32_t column_at(const struct discipline *d, uint32_t end)
{
    uint32_t column = d->line_column;

    for (uint32_t at = d->whole; at != end; at++) {
        uint8_t c = d->ring[place(at)];

        if (c == '\t')
            column = (column | 7) + 1;
        else if (is_control(c))
            column += local(d, ECHOCTL) ? 2 : 0;
        else if (!continues(d, at))
            column++;
    }
    return column;
}

static void back(const struct input *in, uint32_t columns, bool wipe)
{
    while (columns-- > 0) {
        show(in, wipe ? "\b \b" : "\b", wipe ? 3 : 1);
        if (in->d->column > 0)
            in->d->column--;
    }
}

/* The last character goes, all its bytes, from the line and from the screen. */
static void erase_one(const struct input *in)
{
    struct discipline *d = in->d;
    uint8_t            c;

    do
        d->head--;
    while (d->head != d->whole && continues(d, d->head));
    c = d->ring[place(d->head)];
    if (!local(d, ECHO))
        return;
    if (!local(d, ECHOE))
        show_key(in, d->settings.keys[KEY_ERASE]);
    else if (c == '\t')
        back(in, d->column - column_at(d, d->head) <= 8 ? d->column - column_at(d, d->head) : 0, false);
    else if (is_control(c))
        back(in, local(d, ECHOCTL) ? 2 : 0, true);
    else
        back(in, 1, true);
}

static bool is_word(uint8_t c)
{
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_' || c >= 0x80;
}

/* Back over what is no word, then over the word. */
static void erase_word(const struct input *in)
{
    struct discipline *d = in->d;
    bool               seen = false;

    while (d->head != d->whole) {
        bool word = is_word(d->ring[place(d->head - 1)]);

        if (seen && !word)
            break;
        seen = seen || word;
        erase_one(in);
    }
}

static void erase_line(const struct input *in)
{
    struct discipline *d = in->d;

    if (local(d, ECHO) && !(local(d, ECHOK) && local(d, ECHOKE) && local(d, ECHOE))) {
        d->head = d->whole;
        show_key(in, d->settings.keys[KEY_KILL]);
        if (local(d, ECHOK))
            show_processed(in, '\n');
        return;
    }
    while (d->head != d->whole)
        erase_one(in);
}

static void show_line_again(const struct input *in)
{
    struct discipline *d = in->d;

    if (!local(d, ECHO))
        return;
    show_key(in, d->settings.keys[KEY_REPRINT]);
    show_processed(in, '\n');
    d->line_column = d->column;
    for (uint32_t at = d->whole; at != d->head; at++)
        show_key(in, d->ring[place(at)]);
}

/* ---- Keys ------------------------------------------------------------------------------------------ */

/* Signals from keys also clear the line, unless that is not wanted. */
static bool take_signal(const struct input *in, uint8_t c)
{
    struct discipline *d = in->d;
    int                number;

    if (!local(d, ISIG))
        return false;
    if (is_key(d, KEY_INTERRUPT, c))
        number = SIGNAL_INTERRUPT;
    else if (is_key(d, KEY_QUIT, c))
        number = SIGNAL_QUIT;
    else if (is_key(d, KEY_SUSPEND, c))
        number = SIGNAL_STOP;
    else
        return false;
    if (!local(d, NOFLSH)) {
        discipline_forget_input(d);
        in->effects->flush(in->effects->context);
    }
    d->stopped = false;
    if (local(d, ECHO))
        show_key(in, c);
    in->effects->signal(in->effects->context, number);
    return true;
}

static bool take_flow(struct discipline *d, uint8_t c)
{
    if (!incoming(d, IXON))
        return false;
    if (is_key(d, KEY_START, c)) {
        d->stopped = false;
        return true;
    }
    if (is_key(d, KEY_STOP, c)) {
        d->stopped = true;
        return true;
    }
    if (d->stopped && incoming(d, IXANY))
        d->stopped = false;
    return false;
}

/* Keys that edit. True if this was one. */
static bool take_edit(const struct input *in, uint8_t c)
{
    struct discipline *d = in->d;
    bool               any = d->head != d->whole;

    if (is_key(d, KEY_ERASE, c)) {
        if (any)
            erase_one(in);
    } else if (is_key(d, KEY_KILL, c)) {
        if (any)
            erase_line(in);
    } else if (is_key(d, KEY_WORD, c) && local(d, IEXTEN)) {
        erase_word(in);
    } else if (is_key(d, KEY_REPRINT, c) && local(d, IEXTEN)) {
        show_line_again(in);
    } else if (is_key(d, KEY_LITERAL, c) && local(d, IEXTEN)) {
        d->literal = true;
        if (local(d, ECHO) && local(d, ECHOCTL))
            show(in, "^\b", 2);
    } else {
        return false;
    }
    return true;
}

static bool take_line_end(const struct input *in, uint8_t c)
{
    struct discipline *d = in->d;

    if (c == '\n') {
        if (local(d, ECHO) || local(d, ECHONL))
            show_processed(in, '\n');
        finish_line(d, c);
    } else if (is_key(d, KEY_END, c)) {
        finish_line(d, DISABLED);
    } else if (is_key(d, KEY_LINE, c) || (is_key(d, KEY_LINE_2, c) && local(d, IEXTEN))) {
        echo(in, c);
        finish_line(d, c);
    } else {
        return false;
    }
    return true;
}

/* A byte to be read. In canonical mode the last place is kept for the line's end. */
static void keep(const struct input *in, uint8_t c)
{
    struct discipline *d = in->d;

    if (held(d) >= DISCIPLINE_ROOM - (local(d, ICANON) ? 1 : 0)) {
        if (incoming(d, IMAXBEL))
            show(in, "\a", 1);
        return;
    }
    echo(in, c);
    put(d, c);
}

/* What the line's settings make of a byte: it, another, or (-1) nothing. */
static int translated(const struct discipline *d, uint8_t c)
{
    if (incoming(d, ISTRIP))
        c &= 0x7F;
    if (incoming(d, IUCLC) && local(d, IEXTEN) && c >= 'A' && c <= 'Z')
        c = (uint8_t)(c - 'A' + 'a');
    if (c == '\r') {
        if (incoming(d, IGNCR))
            return -1;
        return incoming(d, ICRNL) ? '\n' : c;
    }
    return c == '\n' && incoming(d, INLCR) ? '\r' : c;
}

static void take_key(const struct input *in, uint8_t raw)
{
    struct discipline *d = in->d;
    int                c;

    if (d->literal) {
        d->literal = false;
        keep(in, incoming(d, ISTRIP) ? raw & 0x7F : raw);
        return;
    }
    if (take_flow(d, raw) || take_signal(in, raw))
        return;
    c = translated(d, raw);
    if (c < 0)
        return;
    if (local(d, ICANON) && (take_edit(in, (uint8_t)c) || take_line_end(in, (uint8_t)c)))
        return;
    keep(in, (uint8_t)c);
}

/* ---- The calls --------------------------------------------------------------------------------------- */

void discipline_start(struct discipline *d)
{
    static const struct termios usual = {
        .input = ICRNL | IXON, .output = OPOST | ONLCR, .control = 0xBF,        /* 38400 baud, 8 bits, CREAD, HUPCL */
        .local = ISIG | ICANON | ECHO | ECHOE | ECHOK | ECHOCTL | ECHOKE | IEXTEN,
        .keys = { 3, 28, 127, 21, 4, 0, 1, 0, 17, 19, 26, 0, 18, 15, 23, 22, 0 },
    };

    *d = (struct discipline){ .settings = usual };
}

void discipline_input(struct discipline *d, const struct discipline_effects *effects, const uint8_t *bytes, size_t count)
{
    const struct input in = { d, effects };

    for (size_t i = 0; i < count; i++)
        take_key(&in, bytes[i]);
    if (!local(d, ICANON))
        d->whole = d->head;
}

void discipline_set(struct discipline *d, const struct termios *settings)
{
    bool was = local(d, ICANON), is = (settings->local & ICANON) != 0;

    d->settings = *settings;
    if (!(settings->input & IXON))
        d->stopped = false;
    if (was == is)
        return;
    memset(d->marks, 0, sizeof d->marks);
    if (is && held(d) > 0)
        mark(d, d->head - 1, true);             /* what is there counts as one line */
    d->whole = d->head;
    d->literal = false;
}

void discipline_forget_input(struct discipline *d)
{
    d->tail = d->whole = d->head;
    d->literal = false;
}

uint32_t discipline_waiting(const struct discipline *d)
{
    uint32_t count = 0;

    if (!local(d, ICANON))
        return held(d);
    for (uint32_t at = d->tail; at != d->whole; at++)
        count += !(marked(d, at) && d->ring[place(at)] == DISABLED);
    return count;
}

bool discipline_readable(const struct discipline *d)
{
    return local(d, ICANON) ? d->tail != d->whole : held(d) > 0;
}

uint32_t discipline_room(const struct discipline *d)
{
    return DISCIPLINE_ROOM - 1 - (held(d) < DISCIPLINE_ROOM - 1 ? held(d) : DISCIPLINE_ROOM - 1);
}

static size_t read_line(struct discipline *d, uint8_t *to, size_t room, bool *end)
{
    size_t count = 0;

    *end = false;
    while (d->tail != d->whole && !*end) {
        bool    last = marked(d, d->tail);
        uint8_t c    = d->ring[place(d->tail)];

        if (last && c == DISABLED) {            /* the end of input takes no room, and is not seen */
            *end = true;
            d->tail++;
            break;
        }
        if (count == room)
            break;
        to[count++] = c;
        *end = last;
        d->tail++;
    }
    return count;
}

size_t discipline_read(struct discipline *d, uint8_t *to, size_t room, bool *end)
{
    size_t count = 0;

    if (local(d, ICANON))
        return read_line(d, to, room, end);
    while (count < room && d->tail != d->head)
        to[count++] = d->ring[place(d->tail++)];
    *end = false;
    return count;
}

bool discipline_ok(const struct discipline *d)
{
    if (held(d) > DISCIPLINE_ROOM || d->whole - d->tail > held(d))
        return false;
    if (!local(d, ICANON))
        return true;
    for (uint32_t at = d->whole; at != d->head; at++)
        if (marked(d, at))
            return false;
    return d->tail == d->whole || marked(d, d->whole - 1);
}
