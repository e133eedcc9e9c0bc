/*
 * line_discipline.c - keys into lines. See line_discipline.h; line_discipline_output.c has the output.
 */
#include "files/terminal/line_discipline.h"

#include "base/check.h"
#include "base/string.h"
#include "files/terminal/line_discipline_output.h"

enum { SIGNAL_INTERRUPT = 2, SIGNAL_QUIT = 3, SIGNAL_STOP = 20 };       /* Linux's SIGINT, SIGQUIT, SIGTSTP */
enum { DISABLED = 0 };                  /* a key that is off; also the byte for the end of input in the ring */

/* One call of line_discipline_input(). */
struct input {
    struct line_discipline               *d;
    const struct line_discipline_effects *effects;
};

static bool has_local(const struct line_discipline *d, uint32_t flag)   { return (d->settings.local & flag) != 0; }
static bool has_input(const struct line_discipline *d, uint32_t flag) { return (d->settings.input & flag) != 0; }

static bool is_key(const struct line_discipline *d, unsigned key, uint8_t c)
{
    return c != DISABLED && d->settings.keys[key] == c;
}

/* ---- The ring -------------------------------------------------------------------------------- */

static uint32_t slot(uint32_t at) { return at % LINE_DISCIPLINE_ROOM; }
static uint32_t bytes_held(const struct line_discipline *d) { return d->head - d->tail; }
static bool is_marked(const struct line_discipline *d, uint32_t at)
{
    return d->marks[slot(at) / 8] & 1u << slot(at) % 8;
}

static void mark_byte(struct line_discipline *d, uint32_t at, bool set)
{
    uint8_t bit = (uint8_t)(1u << slot(at) % 8);

    if (set)
        d->marks[slot(at) / 8] |= bit;
    else
        d->marks[slot(at) / 8] &= (uint8_t)~bit;
}

static void put_byte(struct line_discipline *d, uint8_t c)
{
    mark_byte(d, d->head, false);
    d->ring[slot(d->head++)] = c;
}

/* Finish the line with this byte. keep_byte() keeps room for one. */
static void finish_line(struct line_discipline *d, uint8_t c)
{
    if (bytes_held(d) == LINE_DISCIPLINE_ROOM)
        return;
    put_byte(d, c);
    mark_byte(d, d->head - 1, true);
    d->whole = d->head;
}

/* ---- Echo ------------------------------------------------------------------------------------- */

static void show_bytes(const struct input *in, const char *bytes, size_t count)
{
    in->effects->show(in->effects->context, bytes, count);
}

/* Show a byte as a program's output would show. */
static void show_processed(const struct input *in, uint8_t c)
{
    char   out[OUTPUT_LONGEST];
    size_t count = line_discipline_put_output(in->d, c, out);

    show_bytes(in, out, count);
}

/* Letters are Latin-1's, as in Linux: words of UTF-8 text end at odd bytes, but at the same as on Linux. */
static bool is_upper(uint8_t c) { return (c >= 'A' && c <= 'Z') || (c >= 0xC0 && c <= 0xDE && c != 0xD7); }

static bool is_word(uint8_t c)
{
    return (c >= '0' && c <= '9') || is_upper(c) || line_discipline_is_lower(c) || c == '_';
}

static bool is_control(uint8_t c) { return c < ' ' || c == 0x7F; }

static void show_key(const struct input *in, uint8_t c)
{
    if (is_control(c) && c != '\t' && has_local(in->d, ECHOCTL)) {
        char out[2] = { '^', (char)(c ^ 0x40) };

        in->d->column += 2;
        show_bytes(in, out, 2);
    } else {
        show_processed(in, c);
    }
}

static void echo_key(const struct input *in, uint8_t c)
{
    if (!has_local(in->d, ECHO))
        return;
    if (in->d->head == in->d->whole)
        in->d->line_column = in->d->column;
    show_key(in, c);
}

/* ---- Erasing ------------------------------------------------------------------------------------ */

static bool continues(const struct line_discipline *d, uint32_t at)
{
    return has_input(d, IUTF8) && (d->ring[slot(at)] & 0xC0) == 0x80;
}

/* Wipe columns with backspaces and blanks, as a program would. */
static void wipe_columns(const struct input *in, uint32_t columns)
{
    for (; columns > 0; columns--)              /* bound: 2 columns of 3 bytes */
        for (const char *at = "\b \b"; *at != '\0'; at++)
            show_processed(in, (uint8_t)*at);
}

/* Move the cursor back over a tab, which has drawn nothing. */
static void go_back(const struct input *in, uint32_t columns)
{
    for (; columns > 0; columns--) {            /* bound: 8 */
        show_bytes(in, "\b", 1);
        if (in->d->column > 0)
            in->d->column--;
    }
}

/* The columns that the tab just erased took: counted from another tab, or the line's beginning, up to it. */
static uint32_t tab_columns(const struct line_discipline *d)
{
    uint32_t columns = 0;

    for (uint32_t at = d->head; ; at--) {       /* bound: the ring; with the erasing around it, each byte once */
        uint8_t c;

        if (at == d->whole) {
            columns += d->line_column;
            break;
        }
        c = d->ring[slot(at - 1)];
        if (c == '\t')
            break;
        if (is_control(c))
            columns += has_local(d, ECHOCTL) ? 2 : 0;
        else if (!continues(d, at - 1))
            columns++;
    }
    return 8 - (columns & 7);
}

/* Where the line's last character begins; false: the line begins with half a character, which stays. */
static bool last_character(const struct line_discipline *d, uint32_t *at)
{
    *at = d->head;
    do
        --*at;
    while (*at != d->whole && continues(d, *at));           /* bound: the ring, and each byte is erased once */
    return !continues(d, *at);
}

/* Wipe a character, which is out of the line already, from the screen. */
static void wipe_character(const struct input *in, uint8_t c)
{
    struct line_discipline *d = in->d;

    if (c == '\t')
        go_back(in, tab_columns(d));
    else if (is_control(c))
        wipe_columns(in, has_local(d, ECHOCTL) ? 2 : 0);
    else
        wipe_columns(in, 1);
}

static void erase_one(const struct input *in)
{
    struct line_discipline *d = in->d;
    uint32_t                at;

    if (!last_character(d, &at))
        return;
    d->head = at;
    if (!has_local(d, ECHO))
        return;
    if (has_local(d, ECHOE))
        wipe_character(in, d->ring[slot(at)]);
    else
        show_key(in, d->settings.keys[KEY_ERASE]);
}

/* Erase back over bytes of no word, then over a word; or the whole line. */
static void erase_many(const struct input *in, bool word_only)
{
    struct line_discipline *d = in->d;
    bool                    seen = false;
    uint32_t                at;

    while (d->head != d->whole && last_character(d, &at)) { /* bound: the ring, LINE_DISCIPLINE_ROOM */
        uint8_t c = d->ring[slot(at)];

        if (word_only && seen && !is_word(c))
            break;
        seen = seen || is_word(c);
        d->head = at;
        if (has_local(d, ECHO))
            wipe_character(in, c);
    }
}

static void erase_line(const struct input *in)
{
    struct line_discipline *d = in->d;

    if (has_local(d, ECHO) && !(has_local(d, ECHOK) && has_local(d, ECHOKE) && has_local(d, ECHOE))) {
        d->head = d->whole;
        show_key(in, d->settings.keys[KEY_KILL]);
        if (has_local(d, ECHOK))
            show_processed(in, '\n');
        return;
    }
    if (has_local(d, ECHO))
        erase_many(in, false);
    else
        d->head = d->whole;
}

static void show_line_again(const struct input *in)
{
    struct line_discipline *d = in->d;

    show_key(in, d->settings.keys[KEY_REPRINT]);
    show_processed(in, '\n');
    d->line_column = d->column;
    for (uint32_t at = d->whole; at != d->head; at++)       /* bound: the ring */
        show_key(in, d->ring[slot(at)]);
}

/* ---- Keys ------------------------------------------------------------------------------------------ */

/* Signals from keys also clear the line, unless that is not wanted. */
static bool take_signal_key(const struct input *in, uint8_t c)
{
    struct line_discipline *d = in->d;
    int                     number;

    if (!has_local(d, ISIG))
        return false;
    if (is_key(d, KEY_INTERRUPT, c))
        number = SIGNAL_INTERRUPT;
    else if (is_key(d, KEY_QUIT, c))
        number = SIGNAL_QUIT;
    else if (is_key(d, KEY_SUSPEND, c))
        number = SIGNAL_STOP;
    else
        return false;
    if (!has_local(d, NOFLSH)) {
        line_discipline_forget_input(d);
        in->effects->flush(in->effects->context);
    }
    d->stopped = false;
    if (has_local(d, ECHO))
        show_key(in, c);
    in->effects->signal(in->effects->context, number);
    return true;
}

static bool take_flow(struct line_discipline *d, uint8_t c)
{
    if (!has_input(d, IXON))
        return false;
    if (is_key(d, KEY_START, c)) {
        d->stopped = false;
        return true;
    }
    if (is_key(d, KEY_STOP, c)) {
        d->stopped = true;
        return true;
    }
    if (d->stopped && has_input(d, IXANY))
        d->stopped = false;
    return false;
}

/* Do what an editing key says. True if this was one. */
static bool take_edit(const struct input *in, uint8_t c)
{
    struct line_discipline *d = in->d;
    bool                    any = d->head != d->whole;

    if (is_key(d, KEY_ERASE, c)) {
        if (any)
            erase_one(in);
    } else if (is_key(d, KEY_KILL, c)) {
        if (any)
            erase_line(in);
    } else if (is_key(d, KEY_WORD, c) && has_local(d, IEXTEN)) {
        erase_many(in, true);
    } else if (is_key(d, KEY_REPRINT, c) && has_local(d, ECHO) && has_local(d, IEXTEN)) {
        show_line_again(in);
    } else if (is_key(d, KEY_LITERAL, c) && has_local(d, IEXTEN)) {
        d->literal = true;
        if (has_local(d, ECHO) && has_local(d, ECHOCTL))
            show_bytes(in, "^\b", 2);
    } else {
        return false;
    }
    return true;
}

static bool take_line_end(const struct input *in, uint8_t c)
{
    struct line_discipline *d = in->d;

    if (c == '\n') {
        if (has_local(d, ECHO) || has_local(d, ECHONL))
            show_processed(in, '\n');
        finish_line(d, c);
    } else if (is_key(d, KEY_END, c)) {
        finish_line(d, DISABLED);
    } else if (is_key(d, KEY_LINE, c) || (is_key(d, KEY_LINE_2, c) && has_local(d, IEXTEN))) {
        echo_key(in, c);
        finish_line(d, c);
    } else {
        return false;
    }
    return true;
}

/*
 * Keep a byte for a read. In canonical mode one byte of the ring is kept free for the line's end. A line feed that ends
 * no line shows as ^J, unless the return key made it.
 */
static void keep_byte(const struct input *in, uint8_t c, bool was_return)
{
    struct line_discipline *d = in->d;

    if (bytes_held(d) >= LINE_DISCIPLINE_ROOM - (has_local(d, ICANON) ? 1 : 0)) {
        if (has_input(d, IMAXBEL))
            show_bytes(in, "\a", 1);
        return;
    }
    if (c == '\n' && was_return && has_local(d, ECHO))
        show_processed(in, c);
    else
        echo_key(in, c);
    put_byte(d, c);
}

static uint8_t without_case(const struct line_discipline *d, uint8_t c)
{
    if (has_input(d, ISTRIP))
        c &= 0x7F;
    return has_input(d, IUCLC) && has_local(d, IEXTEN) && is_upper(c) ? c + ('a' - 'A') : c;
}

/* A byte as the settings translate it, or -1 if they drop it. */
static int translated(const struct line_discipline *d, uint8_t c)
{
    if (c == '\r') {
        if (has_input(d, IGNCR))
            return -1;
        return has_input(d, ICRNL) ? '\n' : c;
    }
    return c == '\n' && has_input(d, INLCR) ? '\r' : c;
}

static void take_key(const struct input *in, uint8_t raw)
{
    struct line_discipline *d   = in->d;
    uint8_t                 key = without_case(d, raw);
    int                     c;

    if (d->literal) {
        d->literal = false;
        keep_byte(in, key, false);
        return;
    }
    if (take_flow(d, key) || take_signal_key(in, key))
        return;
    c = translated(d, key);
    if (c < 0)
        return;
    if (has_local(d, ICANON) && (take_edit(in, (uint8_t)c) || take_line_end(in, (uint8_t)c)))
        return;
    keep_byte(in, (uint8_t)c, key == '\r');
}

/* ---- The calls --------------------------------------------------------------------------------------- */

void line_discipline_start(struct line_discipline *d)
{
    static const struct termios usual = {
        .input = ICRNL | IXON, .output = OPOST | ONLCR, .control = 0xBF,        /* 38400 baud, 8 bits, CREAD, HUPCL */
        .local = ISIG | ICANON | ECHO | ECHOE | ECHOK | ECHOCTL | ECHOKE | IEXTEN,
        .keys = { 3, 28, 127, 21, 4, 0, 1, 0, 17, 19, 26, 0, 18, 15, 23, 22, 0 },
    };

    *d = (struct line_discipline){ .settings = usual };
}

void line_discipline_input(struct line_discipline *d, const struct line_discipline_effects *effects,
                           const uint8_t *bytes, size_t count)
{
    const struct input in = { d, effects };

    for (size_t i = 0; i < count; i++)          /* bound: what a device brings at once, a page at most */
        take_key(&in, bytes[i]);
    if (!has_local(d, ICANON))
        d->whole = d->head;
}

void line_discipline_set(struct line_discipline *d, const struct termios *settings)
{
    bool was = has_local(d, ICANON), is = (settings->local & ICANON) != 0;

    deep_assert(line_discipline_ok(d));
    d->settings = *settings;
    if (!(settings->input & IXON))
        d->stopped = false;
    if (was == is)
        return;
    memset(d->marks, 0, sizeof d->marks);
    if (is && bytes_held(d) > 0)
        mark_byte(d, d->head - 1, true);        /* the bytes held become one line */
    d->whole = d->head;
    d->literal = false;
}

void line_discipline_forget_input(struct line_discipline *d)
{
    d->tail = d->whole = d->head;
    d->literal = false;
}

uint32_t line_discipline_waiting(const struct line_discipline *d)
{
    uint32_t count = 0;

    if (!has_local(d, ICANON))
        return bytes_held(d);
    for (uint32_t at = d->tail; at != d->whole; at++)       /* bound: the ring */
        count += !(is_marked(d, at) && d->ring[slot(at)] == DISABLED);
    return count;
}

bool line_discipline_readable(const struct line_discipline *d)
{
    return has_local(d, ICANON) ? d->tail != d->whole : bytes_held(d) > 0;
}

uint32_t line_discipline_room(const struct line_discipline *d)
{
    uint32_t most = LINE_DISCIPLINE_ROOM - 1;

    return bytes_held(d) < most ? most - bytes_held(d) : 0;
}

static size_t read_line(struct line_discipline *d, uint8_t *to, size_t room, bool *end)
{
    size_t count = 0;

    deep_assert(d->whole - d->tail <= bytes_held(d));
    *end = false;
    while (d->tail != d->whole && !*end) {      /* bound: room, the caller's piece */
        bool    last = is_marked(d, d->tail);
        uint8_t c    = d->ring[slot(d->tail)];

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

size_t line_discipline_read(struct line_discipline *d, uint8_t *to, size_t room, bool *end)
{
    size_t count = 0;

    deep_assert(line_discipline_ok(d));
    if (has_local(d, ICANON))
        return read_line(d, to, room, end);
    while (count < room && d->tail != d->head)  /* bound: room, the caller's piece */
        to[count++] = d->ring[slot(d->tail++)];
    *end = false;
    return count;
}

bool line_discipline_ok(const struct line_discipline *d)
{
    if (bytes_held(d) > LINE_DISCIPLINE_ROOM || d->whole - d->tail > bytes_held(d))
        return false;
    if (!has_local(d, ICANON))
        return true;
    for (uint32_t at = d->whole; at != d->head; at++)
        if (is_marked(d, at))
            return false;
    return d->tail == d->whole || is_marked(d, d->whole - 1);
}
