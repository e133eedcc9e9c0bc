/*
 * terminal.c - input from keys, and programs' reads and writes. See terminal.h.
 */
#include "files/terminal/terminal.h"

#include "base/check.h"
#include "base/error.h"
#include "base/string.h"
#include "process/process.h"

enum { PIECE = 128, LEAST_CREDIT = 64, TOP_UP_BELOW = LINE_DISCIPLINE_ROOM / 4 };
#define TENTH_OF_A_SECOND 100000000u

/* ---- Keys ------------------------------------------------------------------------------------ */

static void send_echo(struct terminal *t)
{
    deep_assert(lock_held(&t->lock) && t->echoed <= TERMINAL_ECHO);
    if (t->echoed == 0)
        return;
    t->device->put(t->echo, t->echoed);         /* what there is no room for is not seen: no thread waits for it */
    t->device->flush();
    t->echoed = 0;
}

static void show_echo(void *context, const char *bytes, size_t count)
{
    struct terminal *t = context;

    assert(count <= TERMINAL_ECHO);
    if (t->echoed + count > TERMINAL_ECHO)
        send_echo(t);
    memcpy(t->echo + t->echoed, bytes, count);
    t->echoed += count;
}

static void signal_foreground(void *context, int number)
{
    struct terminal *t = context;

    deep_assert(lock_held(&t->lock));
    if (t->foreground != 0)
        (void)!signal_group(t->foreground, number);
}

/* Written output has gone to the device at once: there is none to be dropped. */
static void forget_output(void *context) { (void)context; }

/*
 * Let more come. While a line is being typed, some bytes always may: else a line that fills the ring could neither be
 * finished nor erased. The lock is held.
 */
static void top_up(struct terminal *t)
{
    uint32_t room = line_discipline_room(&t->line_discipline);

    deep_assert(t->device != NULL);
    if (t->device->want == NULL || t->ended)
        return;
    if (room < LEAST_CREDIT && !line_discipline_readable(&t->line_discipline))
        room = LEAST_CREDIT;
    if (t->promised < room && t->promised < TOP_UP_BELOW && t->device->want(room - t->promised))
        t->promised = room;
}

void terminal_start(struct terminal *t, const struct terminal_device *device)
{
    assert(device != NULL && device->put != NULL && device->flush != NULL);
    *t = (struct terminal){ .lock = LOCK("terminal", RANK_TERMINAL), .device = device };
    line_discipline_start(&t->line_discipline);
    top_up(t);
}

void terminal_input(struct terminal *t, const uint8_t *bytes, size_t count)
{
    const struct line_discipline_effects effects = { show_echo, signal_foreground, forget_output, t };
    lock_state state = lock_take(&t->lock);

    line_discipline_input(&t->line_discipline, &effects, bytes, count);
    t->promised -= count < t->promised ? (uint32_t)count : t->promised;
    send_echo(t);
    top_up(t);
    lock_drop(&t->lock, state);
    wake_all(&t->ready);
}

void terminal_input_end(struct terminal *t)
{
    lock_state state = lock_take(&t->lock);

    t->ended = true;
    lock_drop(&t->lock, state);
    wake_all(&t->ready);
}

void terminal_room(struct terminal *t)
{
    lock_state state = lock_take(&t->lock);

    top_up(t);
    lock_drop(&t->lock, state);
    wake_all(&t->ready);
}

void terminal_signal(struct terminal *t, int number)
{
    lock_state state = lock_take(&t->lock);

    signal_foreground(t, number);
    lock_drop(&t->lock, state);
}

void terminal_resize(struct terminal *t, const struct window *window)
{
    lock_state state   = lock_take(&t->lock);
    bool       changed = memcmp(&t->window, window, sizeof *window) != 0;

    t->window = *window;
    if (changed)
        signal_foreground(t, SIGWINCH);
    lock_drop(&t->lock, state);
}

/* ---- Reading ------------------------------------------------------------------------------------ */

/* What a read waits for: settings as they are when it looks. */
struct patience {
    size_t   least;                     /* bytes, before it returns      */
    uint64_t before_first, between;     /* deadlines, relative; NEVER    */
};

static struct patience patience_of(const struct terminal *t, size_t wanted)
{
    const struct termios *s    = &t->line_discipline.settings;
    uint64_t              time = (uint64_t)s->keys[KEY_TIME] * TENTH_OF_A_SECOND;
    struct patience       p    = { .least = s->keys[KEY_LEAST], .before_first = NEVER, .between = NEVER };

    if (s->local & ICANON) {
        p.least = 1;
        return p;
    }
    if (p.least == 0)
        p.before_first = time;
    else if (time > 0)
        p.between = time;
    if (p.least > wanted)
        p.least = wanted;
    return p;
}

/* Sleep until there is something to read. 0, -ETIMEDOUT or -ERESTARTSYS. */
static int wait_for_keys(struct terminal *t, uint64_t patience)
{
    uint64_t deadline = patience == NEVER ? NEVER : clock_now() + patience;
    int      err      = 0;

    wait_start(&t->ready);
    if (!line_discipline_readable(&t->line_discipline) && !t->ended)
        err = wait_linked(deadline, WAIT_SIGNALS);
    wait_end();
    return err == -EINTR ? -ERESTARTSYS : err;
}

/* Read a piece of the bytes there are. Returns bytes read, or -EFAULT; *end: a line was finished. */
static long read_piece(struct terminal *t, struct buffer *to, bool *end)
{
    uint8_t    piece[PIECE];
    lock_state state = lock_take(&t->lock);
    size_t     got   = line_discipline_read(&t->line_discipline, piece, to->bytes < PIECE ? to->bytes : PIECE, end);

    top_up(t);
    lock_drop(&t->lock, state);
    return buffer_put(to, piece, got) == got ? (long)got : -EFAULT;
}

/* Read all bytes there are, or a line. Returns bytes; *end as above. */
static long read_ready(struct terminal *t, struct buffer *to, bool *end)
{
    long done = 0;

    *end = false;
    while (to->bytes > 0 && !*end && line_discipline_readable(&t->line_discipline)) {
        long got = read_piece(t, to, end);

        if (got < 0)
            return done > 0 ? done : got;
        done += got;
    }
    return done;
}

long terminal_read(struct terminal *t, struct buffer *to, uint32_t flags)
{
    size_t wanted = to->bytes;
    long   done   = 0;

    may_sleep();
    while (to->bytes > 0) {
        bool            end;
        int             err = terminal_check(t, SIGTTIN);
        long            got = err == 0 ? read_ready(t, to, &end) : err;
        struct patience p   = patience_of(t, wanted);
        uint64_t        rest;

        if (got < 0)
            return done > 0 ? done : got;
        done += got;
        if (end || (size_t)done >= p.least || t->ended) {
            if (done > 0 || end || t->ended || p.before_first == 0)
                break;
        }
        rest = done == 0 ? p.before_first : p.between;
        err  = flags & O_NONBLOCK ? -EAGAIN : wait_for_keys(t, rest);
        if (err == -ETIMEDOUT)
            break;
        if (err != 0)
            return done > 0 ? done : err;
    }
    return done;
}

/* ---- Writing -------------------------------------------------------------------------------------- */

static bool can_put(const struct terminal *t) { return !t->line_discipline.stopped; }

/* Give the bytes in `out` to the device. Returns true when it has taken all. */
static bool put_out(struct terminal *t)
{
    lock_state state = lock_take(&t->lock);
    size_t     gone  = can_put(t) ? t->device->put(t->out, t->out_used) : 0;

    deep_assert(t->writing && t->out_used <= TERMINAL_OUT);
    if (gone > 0)
        t->device->flush();
    t->out_used -= gone;
    memmove(t->out, t->out + gone, t->out_used);
    lock_drop(&t->lock, state);
    return t->out_used == 0;
}

/* Try a step, and again whenever the queue is woken, until it returns true. Returns 0, -EAGAIN or -ERESTARTSYS. */
static int keep_trying(struct terminal *t, bool (*step)(struct terminal *), struct wait_queue *queue, uint32_t flags)
{
    int err = 0;

    while (err == 0) {
        wait_start(queue);
        if (step(t))
            err = 1;
        else
            err = flags & O_NONBLOCK ? -EAGAIN : wait_linked(NEVER, WAIT_SIGNALS);
        wait_end();
    }
    return err == 1 ? 0 : err == -EINTR ? -ERESTARTSYS : err;
}

static int put_out_all(struct terminal *t, uint32_t flags) { return keep_trying(t, put_out, &t->ready, flags); }

/* A write begins: true unless another one is at it, which may be stopped by a key for as long as somebody likes. */
static bool begin_write(struct terminal *t)
{
    lock_state state = lock_take(&t->lock);
    bool       begun = !t->writing;

    t->writing = true;
    lock_drop(&t->lock, state);
    return begun;
}

static void end_write(struct terminal *t)
{
    lock_state state = lock_take(&t->lock);

    assert(t->writing);
    t->writing = false;
    lock_drop(&t->lock, state);
    wake_all(&t->writers);
}

/* A piece of a program's bytes, processed into `out`, which is empty enough. Returns how many. */
static size_t process_piece(struct terminal *t, const uint8_t *piece, size_t count)
{
    lock_state state = lock_take(&t->lock);
    size_t     used;

    deep_assert(t->writing);
    t->out_used += line_discipline_output(&t->line_discipline, piece, count, &used, t->out + t->out_used,
                                          TERMINAL_OUT - t->out_used);
    lock_drop(&t->lock, state);
    return used;
}

static long write_all(struct terminal *t, struct buffer *from, uint32_t flags)
{
    long done = 0;
    int  err  = put_out_all(t, flags);          /* what an interrupted write has left */

    deep_assert(t->writing);
    while (from->bytes > 0 && err == 0) {
        uint8_t piece[PIECE];
        size_t  got = buffer_get(from, piece, from->bytes < PIECE ? from->bytes : PIECE);

        for (size_t at = 0; at < got && err == 0; ) {
            size_t used = process_piece(t, piece + at, got - at);

            done += (long)used;
            at   += used;
            if (at < got)
                err = put_out_all(t, flags);
        }
        if (got == 0)
            err = -EFAULT;
    }
    if (t->out_used > 0 && err == 0)
        err = put_out_all(t, flags);
    return done > 0 ? done : err;
}

long terminal_write(struct terminal *t, struct buffer *from, uint32_t flags)
{
    long done;
    int  err;

    may_sleep();
    err = t->line_discipline.settings.local & TOSTOP ? terminal_check(t, SIGTTOU) : 0;
    if (err == 0 && !begin_write(t))
        err = keep_trying(t, begin_write, &t->writers, flags);
    if (err != 0)
        return err;
    done = write_all(t, from, flags);
    end_write(t);
    return done;
}

unsigned terminal_poll(struct terminal *t, struct wait_queue **queue)
{
    const struct termios *s     = &t->line_discipline.settings;
    lock_state            state = lock_take(&t->lock);
    uint32_t              least = (s->local & ICANON) || s->keys[KEY_TIME] != 0 ? 1 : s->keys[KEY_LEAST];
    unsigned              bits  = 0;

    *queue = &t->ready;
    if (s->local & ICANON ? line_discipline_readable(&t->line_discipline)
        : line_discipline_waiting(&t->line_discipline) >= (least > 0 ? least : 1))
        bits |= POLL_IN | POLL_RDNORM;
    if (t->ended)
        bits |= POLL_IN | POLL_RDNORM | POLL_HUP;
    if (can_put(t))
        bits |= POLL_OUT | POLL_WRNORM;
    lock_drop(&t->lock, state);
    return bits;
}
