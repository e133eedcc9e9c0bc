/*
 * channel_link.c - our end of the channel. See channel_link.h.
 */
#include "devices/channel_link.h"

#include "base/check.h"
#include "base/error.h"
#include "base/lock.h"
#include "cpu.h"
#include "devices/channel_frames.h"
#include "devices/virtio_console.h"
#include "memory/heap/heap.h"
#include "panic.h"
#include "process/schedule.h"
#include "process/signal.h"

/*
 * The store for input: larger means fewer exchanges for a program that reads much, and more memory for each that
 * reads at all. Credit is renewed when half of it is free.
 */
enum { STORE_BYTES = 16384, WORTH_A_FRAME = STORE_BYTES / 2 };
enum { DRAIN_TURNS = 10000000 };                /* about a second of an emulated processor */
enum { PAGE_CONTENTS = PAGE_SIZE - CHANNEL_HEADER };

static struct lock                    lock = LOCK("channel input", RANK_CHANNEL);
static bool                           there;
static struct channel_reader          reader;           /* the interrupt's */
static struct channel_store           store;            /* [lock] ring NULL until somebody reads */
static const struct channel_listener *listener;
static void                         (*on_signal)(unsigned number, bool group);
static uint64_t                       early;            /* [lock] signals for a program that is not there yet */
static void                         (*on_news)(void);
static struct wait_queue              news;             /* input, its end, room for output */
static volatile bool                  closed[CHANNEL_ERRORS + 1];       /* by channel_kind */

bool channel_is_there(void) { return there; }

/* ---- Output ------------------------------------------------------------------------------- */

/* Bytes of the kernel's as one frame in one page. They fit. */
static void send_page(const struct console_page *page, enum channel_kind kind, const void *bytes, size_t count)
{
    struct buffer from = { .kernel = true, .memory = (char *)bytes, .bytes = count };
    uint8_t       head[CHANNEL_HEADER];
    struct buffer head_from = { .kernel = true, .memory = (char *)head, .bytes = sizeof head };

    channel_head(head, kind, count);
    buffer_get_frame(&head_from, page->frame, 0, sizeof head);
    buffer_get_frame(&from, page->frame, sizeof head, count);
    console_port_send(page, (uint32_t)(sizeof head + count));
}

size_t channel_try(enum channel_kind kind, const void *bytes, size_t count)
{
    struct console_page page;
    size_t              done = 0;

    while (done < count) {
        size_t part = count - done < PAGE_CONTENTS ? count - done : PAGE_CONTENTS;

        if (console_port_claim(&page)) {
            send_page(&page, kind, (const char *)bytes + done, part);
            done += part;
        } else if (!console_port_want_room(true)) {
            break;
        }
    }
    return done;
}

void channel_flush(void) { console_port_notify(); }

void channel_send(enum channel_kind kind, const void *bytes, size_t count)
{
    size_t done = 0;

    while (done < count) {
        size_t part = channel_try(kind, (const char *)bytes + done, count - done);

        done += part;
        if (part > 0)
            channel_flush();
        else
            schedule();
    }
}

void channel_drain(void)
{
    while (!console_port_is_empty())
        cpu_relax();
}

void channel_drain_briefly(void)
{
    console_port_notify();
    for (unsigned turns = 0; turns < DRAIN_TURNS && !console_port_is_empty(); turns++)
        cpu_relax();
}

/* Sleep until a page may be had. Returns 0 or -ERESTARTSYS. */
static int wait_for_page(void)
{
    int err = 0;

    wait_start(&news);
    if (!console_port_want_room(true))
        err = wait_linked(NEVER, WAIT_SIGNALS);
    wait_end();
    return err == -EINTR ? -ERESTARTSYS : 0;
}

/* One page of a program's bytes. Returns how many. */
static size_t fill_page(const struct console_page *page, enum channel_kind kind, struct buffer *from)
{
    size_t        part = from->bytes < PAGE_CONTENTS ? from->bytes : PAGE_CONTENTS;
    uint8_t       head[CHANNEL_HEADER];
    struct buffer head_from = { .kernel = true, .memory = (char *)head, .bytes = sizeof head };

    part = buffer_get_frame(from, page->frame, sizeof head, part);
    if (part == 0) {
        console_port_unclaim(page);
        return 0;
    }
    channel_head(head, kind, part);
    buffer_get_frame(&head_from, page->frame, 0, sizeof head);
    console_port_send(page, (uint32_t)(sizeof head + part));
    return part;
}

long channel_write(enum channel_kind kind, struct buffer *from, bool wait)
{
    bool unsaid = false;
    long done   = 0;
    int  err    = 0;

    while (from->bytes > 0 && err == 0) {
        struct console_page page;

        if (closed[kind]) {
            err = -EPIPE;
        } else if (console_port_claim(&page)) {
            size_t part = fill_page(&page, kind, from);

            done += (long)part;
            unsaid = unsaid || part > 0;
            err = part == 0 ? -EFAULT : 0;
        } else {
            if (unsaid)
                console_port_notify();
            else
                err = wait ? wait_for_page() : -EAGAIN;
            unsaid = false;
        }
    }
    if (unsaid)
        console_port_notify();
    return done > 0 ? done : err;
}

unsigned channel_poll_output(enum channel_kind kind)
{
    if (closed[kind])
        return POLL_ERR | POLL_OUT | POLL_WRNORM;
    return console_port_want_room(true) ? POLL_OUT | POLL_WRNORM : 0;
}

/* ---- Input ---------------------------------------------------------------------------------- */

static void want(uint32_t bytes)
{
    const uint8_t number[4] = { (uint8_t)bytes, (uint8_t)(bytes >> 8), (uint8_t)(bytes >> 16), (uint8_t)(bytes >> 24) };

    if (bytes > 0)
        channel_send(CHANNEL_WANT, number, sizeof number);
}

/* Let the host send, if there is room for enough. Returns 0 or -ENOMEM. */
static int ask(uint32_t least)
{
    uint8_t   *ring = NULL;
    uint32_t   more;
    lock_state state;

    if (store.ring == NULL && (ring = heap_alloc(STORE_BYTES, 0)) == NULL)
        return -ENOMEM;
    state = lock_take(&lock);
    if (store.ring == NULL) {
        store.ring = ring;
        store.room = STORE_BYTES;
        ring = NULL;
    }
    more = channel_store_promise(&store, least);
    lock_drop(&lock, state);
    heap_free(ring);
    want(more);
    return 0;
}

uint32_t channel_waiting(void)
{
    lock_state state = lock_take(&lock);
    uint32_t   holds = channel_store_holds(&store);

    lock_drop(&lock, state);
    return holds;
}

/* What has arrived, to the reader. The copy is made without the lock: only readers empty the ring, one at a time. */
static long take_input(struct buffer *to)
{
    long done = 0;

    while (to->bytes > 0 && channel_waiting() > 0) {
        size_t         part, put;
        const uint8_t *bytes = channel_store_look(&store, to->bytes, &part);
        lock_state     state;

        put = buffer_put(to, bytes, part);
        state = lock_take(&lock);
        channel_store_drop(&store, put);
        lock_drop(&lock, state);
        done += (long)put;
        if (put < part)
            return done > 0 ? done : -EFAULT;
    }
    return done;
}

static int wait_for_input(void)
{
    int err = 0;

    wait_start(&news);
    if (channel_waiting() == 0 && !store.ended)
        err = wait_linked(NEVER, WAIT_SIGNALS);
    wait_end();
    return err == -EINTR ? -ERESTARTSYS : 0;
}

long channel_read(struct buffer *to, bool wait)
{
    static struct mutex one_reader = MUTEX("channel input");

    while (to->bytes > 0) {
        bool ended = store.ended;       /* before the look: nothing comes after the end */
        long done  = 0;
        int  err;

        mutex_take(&one_reader);
        if (channel_waiting() > 0)
            done = take_input(to);
        mutex_drop(&one_reader);
        err = ended ? 0 : ask(done > 0 ? WORTH_A_FRAME : 1);
        if (done != 0 || ended)
            return done;
        if (err == 0)
            err = wait ? wait_for_input() : -EAGAIN;
        if (err != 0)
            return err;
    }
    return 0;
}

unsigned channel_poll_input(void)
{
    if (channel_waiting() > 0)
        return POLL_IN | POLL_RDNORM;
    if (store.ended)
        return POLL_HUP;
    (void)!ask(1);
    return 0;
}

/* ---- What the host says: all from the interrupt ------------------------------------------------ */

static void tell_news(void)
{
    wake_all(&news);
    if (on_news != NULL)
        on_news();
}

static void input(const uint8_t *bytes, size_t count)
{
    lock_state state;

    if (listener != NULL) {
        listener->input(bytes, count);
        return;
    }
    state = lock_take(&lock);
    if (store.ring != NULL)
        channel_store_put(&store, bytes, count);
    lock_drop(&lock, state);
    tell_news();
}

static void input_end(void)
{
    store.ended = true;
    if (listener != NULL)
        listener->input_end();
    tell_news();
}

static void window(unsigned columns, unsigned rows)
{
    if (listener != NULL)
        listener->window(columns, rows);
}

static void pass_signal(unsigned number, bool group)
{
    lock_state state = lock_take(&lock);
    bool       ready = on_signal != NULL;

    if (!ready)
        early |= 1ull << (number - 1);
    lock_drop(&lock, state);
    if (ready)
        on_signal(number, group);
}

static void take_signal(unsigned number, unsigned about)
{
    if (number == SIGPIPE && (about == CHANNEL_OUTPUT || about == CHANNEL_ERRORS)) {
        closed[about] = true;
        tell_news();
    } else if (number >= 1 && number <= SIGNALS) {
        pass_signal(number, about == CHANNEL_TO_GROUP);
    }
}

/* Somebody ran, or nobody wanted to. Without a page for the answer, it is asked again. */
static void tell_alive(void)
{
    struct console_page page;

    if (!console_port_claim(&page)) {
        schedule_probe(tell_alive);
        return;
    }
    send_page(&page, CHANNEL_PONG, NULL, 0);
    channel_flush();
}

static void ping(void) { schedule_probe(tell_alive); }

static void received(const uint8_t *bytes, size_t count)
{
    static const struct channel_events events = { input, input_end, window, take_signal, ping };

    channel_take(&reader, &events, bytes, count);
}

static void room(void)
{
    tell_news();
    if (listener != NULL)
        listener->room_again();
}

void channel_listen(const struct channel_listener *who)  { listener = who; }
void channel_on_news(void (*handler)(void))              { on_news = handler; }

void channel_on_signal(void (*handler)(unsigned number, bool group))
{
    lock_state state = lock_take(&lock);
    uint64_t   waits = early;

    on_signal = handler;
    early     = 0;
    lock_drop(&lock, state);
    for (unsigned number = 1; number <= SIGNALS; number++)
        if (waits >> (number - 1) & 1)
            handler(number, false);
}

int channel_start(const char *command_line)
{
    int err = console_port_start(command_line, received, room);

    there = err == 0;
    if (there)
        panic_last(channel_drain_briefly);
    return err;
}
