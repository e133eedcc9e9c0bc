/*
 * channel_link.c - the guest's end of the channel. See channel_link.h.
 */
#include "devices/channel_link.h"

#include "base/check.h"
#include "base/error.h"
#include "base/lock.h"
#include "base/random.h"
#include "base/string.h"
#include "cpu.h"
#include "devices/channel_frames.h"
#include "devices/virtio_console.h"
#include "memory/frames/frame.h"
#include "process/schedule.h"
#include "process/signal.h"

/*
 * The store for input: larger means fewer exchanges for a program that reads much. It grows as reads ask for more, or
 * were given all that there was room for, while this many frames are free.
 */
enum { STORE_FIRST = 4 * PAGE_SIZE, STORE_MOST = CHANNEL_PLACE_MOST * PAGE_SIZE, STORE_PLENTY = 512 };
enum { PATIENCE = 1000000000, ERROR_MOST = 133 };
enum { DRAIN_TURNS = 10000000 };                /* about a second of an emulated processor */
enum { PAGE_CONTENTS = PAGE_SIZE - CHANNEL_HEADER };

static struct lock                    lock = LOCK("channel input", RANK_CHANNEL);
static bool                           there;
static struct channel_reader          reader;           /* the interrupt's */
static struct channel_store           store;            /* [lock] no room until the first read */
static frame_t                        store_frames[CHANNEL_PLACE_MOST]; /* [lock] its memory, page by page */
_Static_assert(sizeof(frame_t) == sizeof(uint32_t) && PAGE_SIZE == CHANNEL_PLACE_PAGE, "the host is sent these");
static const struct channel_listener *listener;

/* What the host has been asked. [lock] */
enum asked { NOTHING_ASKED, ASKED_LOOK, ASKED_NOW, ASKED_WAIT };
static struct {
    enum asked asked;
    bool       taking_back;             /* a WAIT is cancelled, and the host has not confirmed it yet   */
    bool       end;                     /* the answer to the last one was the end; one reader hears it  */
    unsigned   error;                   /* what it was instead of the end; 0: it was the end            */
    bool       readable, hung_up;       /* since the last LOOK                                          */
} request;
static void                         (*on_signal)(unsigned number, bool group);
static uint64_t                       early;            /* [lock] signals for a program that is not there yet */
static struct early_window { bool came; unsigned columns, rows; } early_window;     /* [lock] for no listener yet */
static void                         (*on_change)(void);
static struct wait_queue              changed;          /* input, its end, room for output */
static volatile bool                  closed[CHANNEL_ERRORS + 1];       /* by channel_kind */
static volatile bool                  begun;            /* BEGIN has come */

bool channel_is_there(void) { return there; }

/* ---- Output ------------------------------------------------------------------------------- */

/* Send the kernel's bytes as one frame in one page. They fit. */
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

    may_give_way();
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

/* channel_drain() for a panic, of limited time, so that the last output of programs is not lost. */
static void channel_drain_briefly(void)
{
    console_port_notify();
    for (unsigned turns = 0; turns < DRAIN_TURNS && !console_port_is_empty(); turns++)
        cpu_relax();
}

/* Sleep until a page may be free. Returns 0 or -ERESTARTSYS. */
static int wait_for_page(void)
{
    int err = 0;

    wait_start(&changed);
    if (!console_port_want_room(true))
        err = wait_linked(NEVER, WAIT_SIGNALS);
    wait_end();
    return err == -EINTR ? -ERESTARTSYS : 0;
}

/* Send one page of a program's bytes. Returns how many. */
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

    may_sleep();
    assert(kind == CHANNEL_OUTPUT || kind == CHANNEL_ERRORS);
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
    assert(kind == CHANNEL_OUTPUT || kind == CHANNEL_ERRORS);
    if (closed[kind])
        return POLL_ERR | POLL_OUT | POLL_WRNORM;
    return console_port_want_room(true) ? POLL_OUT | POLL_WRNORM : 0;
}

/* ---- Input ---------------------------------------------------------------------------------- */

/* With the pages that are the place for the answer. Numbers are little-endian on the channel, as they are here. */
static void send_want(uint32_t bytes, enum channel_want how, uint32_t pages)
{
    uint8_t words[CHANNEL_WANT_LENGTH + CHANNEL_PLACE_MOST * sizeof(uint32_t)];

    memcpy(words, &bytes, sizeof bytes);
    words[4] = (uint8_t)how;
    memcpy(words + CHANNEL_WANT_LENGTH, store_frames, pages * sizeof(uint32_t));
    channel_send(CHANNEL_WANT, words, CHANNEL_WANT_LENGTH + pages * sizeof(uint32_t));
}

/* How long the store is to be for a read of so many bytes. */
static uint32_t store_wanted(size_t bytes)
{
    uint32_t wanted = store.filled == store.room ? 2 * store.room : store.room;

    wanted = bytes < STORE_MOST ? (uint32_t)bytes > wanted ? (uint32_t)bytes : wanted : STORE_MOST;
    return wanted < STORE_FIRST ? STORE_FIRST : wanted > STORE_MOST ? STORE_MOST : wanted;
}

/* Have a store: as large as is wanted, or as memory is left for. One reader at a time. Returns 0 or -ENOMEM. */
static int make_store(size_t bytes)
{
    uint32_t wanted = store_wanted(bytes);
    frame_t  frame;

    while (store.room < wanted && (store.room < STORE_FIRST || frames_free() > STORE_PLENTY) &&
           frame_get(OWNER_PROCESS, 0, &frame) == 0) {          /* bound: the pages of STORE_MOST */
        lock_state state = lock_take(&lock);

        store_frames[store.room >> PAGE_SHIFT] = frame;
        store.room += PAGE_SIZE;
        lock_drop(&lock, state);
    }
    return store.room == 0 ? -ENOMEM : 0;
}

/*
 * Ask for what a read wants, or whether there is input, unless as much has been asked already. While a cancelled WAIT
 * is not confirmed, or a NOW not answered, nothing is asked: the answer could be taken for that of the new request.
 */
static void ask_for_input(size_t bytes, enum asked how)
{
    static const enum channel_want words[] = { [ASKED_LOOK] = CHANNEL_WANT_LOOK, [ASKED_NOW] = CHANNEL_WANT_NOW,
                                               [ASKED_WAIT] = CHANNEL_WANT_WAIT };
    lock_state state = lock_take(&lock);
    uint32_t   room  = 0;
    bool       send  = request.asked < how && request.asked != ASKED_NOW && !request.taking_back &&
                       channel_store_holds(&store) == 0;

    if (send) {
        request.asked    = how;
        request.readable = request.hung_up = false;
        if (how != ASKED_LOOK)
            room = channel_store_promise(&store);
    }
    lock_drop(&lock, state);
    if (send)
        send_want(bytes < room ? (uint32_t)bytes : room, words[how], room >> PAGE_SHIFT);
}

/* Cancel the request of a reader that leaves for a signal. Input that is sent already is for the next read. */
static void take_request_back(void)
{
    lock_state state = lock_take(&lock);
    bool       send  = request.asked == ASKED_WAIT && !request.taking_back;

    request.taking_back |= send;
    lock_drop(&lock, state);
    if (send)
        send_want(0, CHANNEL_WANT_NOW, 0);
}

uint32_t channel_waiting(void)
{
    lock_state state = lock_take(&lock);
    uint32_t   holds = channel_store_holds(&store);

    lock_drop(&lock, state);
    return holds;
}

void channel_give_back(void)
{
    uint32_t unread = channel_waiting();

    if (unread > 0)
        channel_send(CHANNEL_UNREAD, &unread, sizeof unread);
}

/* Copy input that has arrived to the reader, without the lock: only readers empty the store, one at a time. */
static long take_input(struct buffer *to)
{
    long done = 0;

    while (to->bytes > 0 && channel_waiting() > 0) {    /* bound: the store's pages, or the caller's room */
        uint32_t   at   = store.emptied, part = PAGE_SIZE - at % PAGE_SIZE, holds = channel_waiting();
        size_t     wish = part < holds ? part : holds, put;
        lock_state state;

        wish  = wish < to->bytes ? wish : to->bytes;
        put   = buffer_put_frame(to, store_frames[at >> PAGE_SHIFT], at % PAGE_SIZE, wish);
        state = lock_take(&lock);
        channel_store_drop(&store, put);
        lock_drop(&lock, state);
        done += (long)put;
        if (put < wish)
            return done > 0 ? done : -EFAULT;
    }
    return done;
}

/* True for one reader after each end. *err: 0, or a negative errno. */
static bool take_end_of_input(int *err)
{
    lock_state state = lock_take(&lock);
    bool       end   = request.end;

    if (end) {
        *err = -(int)request.error;
        request.end   = false;
        request.error = 0;
    }
    lock_drop(&lock, state);
    return end;
}

static bool input_has_come(void) { return channel_waiting() > 0 || request.end; }

/* Sleep until there is input or its end; these count before a signal that came with them. */
static int wait_for_input(void)
{
    int err = 0;

    wait_start(&changed);
    if (!input_has_come())
        err = wait_linked(NEVER, WAIT_SIGNALS);
    wait_end();
    if (err != -EINTR || input_has_come())
        return 0;
    take_request_back();
    return -ERESTARTSYS;
}

/* Sleep until the host has answered; a host that does not answer in time counts as one without input. */
static int wait_for_answer(void)
{
    uint64_t deadline = clock_now() + PATIENCE;
    int      err      = 0;

    while (err == 0 && request.asked == ASKED_NOW && !input_has_come()) {
        wait_start(&changed);
        if (request.asked == ASKED_NOW && !input_has_come())
            err = wait_linked(deadline, 0);
        wait_end();
    }
    return input_has_come() ? 0 : -EAGAIN;
}

long channel_read(struct buffer *to, bool wait)
{
    static struct mutex one_reader = MUTEX("channel input");
    int                 err        = 0;

    may_sleep();
    while (to->bytes > 0 && err == 0) {
        long done = 0;

        mutex_take(&one_reader);
        if (channel_waiting() > 0)
            done = take_input(to);
        else
            err = make_store(to->bytes);
        mutex_drop(&one_reader);
        if (done != 0)
            return done;
        if (take_end_of_input(&err) || err != 0)
            break;
        ask_for_input(to->bytes, wait ? ASKED_WAIT : ASKED_NOW);
        err = wait ? wait_for_input() : wait_for_answer();
    }
    return err;
}

unsigned channel_poll_input(void)
{
    if (channel_waiting() > 0 || request.readable)
        return POLL_IN | POLL_RDNORM;
    if (request.end || request.hung_up)
        return POLL_HUP;
    ask_for_input(0, ASKED_LOOK);
    return 0;
}

/* ---- What the host says: all from the interrupt ------------------------------------------------ */

static void notify_channel(void)
{
    wake_all(&changed);
    if (on_change != NULL)
        on_change();
}

/* Copy what came in a frame, and was accepted last, into the store. The lock is held. */
static void put_in_store(const uint8_t *bytes, uint32_t count)
{
    uint32_t      at   = store.filled - count;
    struct buffer from = { .kernel = true, .memory = (char *)bytes, .bytes = count };

    while (from.bytes > 0) {            /* bound: the pages of `count` bytes */
        uint32_t room = PAGE_SIZE - at % PAGE_SIZE;

        at += (uint32_t)buffer_get_frame(&from, store_frames[at >> PAGE_SHIFT], at % PAGE_SIZE, room);
    }
}

static void input_came(const uint8_t *bytes, size_t count)
{
    lock_state state;

    if (listener != NULL) {
        listener->input(bytes, count);
        return;
    }
    state = lock_take(&lock);
    put_in_store(bytes, channel_store_accept(&store, count));
    lock_drop(&lock, state);
    notify_channel();
}

static void input_ended(void)
{
    if (listener != NULL)
        listener->input_end();
    else
        request.end = true;
}

/* A number that is no errno of Linux's says nothing. */
static void input_failed(unsigned error)
{
    if (error <= ERROR_MOST)
        request.error = error;
}

/* The answer to a WAIT or a NOW has come. One that crossed its cancelling is followed by the host's confirmation. */
static void input_done_came(void)
{
    lock_state state = lock_take(&lock);

    channel_store_settle(&store);
    if (!request.taking_back)
        request.asked = NOTHING_ASKED;
    lock_drop(&lock, state);
    notify_channel();
}

static void input_placed(uint32_t bytes)
{
    lock_state state = lock_take(&lock);

    channel_store_accept(&store, bytes);
    lock_drop(&lock, state);
    input_done_came();
}

/*
 * NOTHING answers a NOW, or confirms that a WAIT is cancelled; the others answer a LOOK, which a read may have
 * replaced.
 */
static void input_state_came(unsigned what)
{
    lock_state state = lock_take(&lock);

    if (what == CHANNEL_INPUT_NOTHING) {
        channel_store_settle(&store);
        request.taking_back = false;
        request.asked = NOTHING_ASKED;
    } else if (request.asked <= ASKED_LOOK) {
        request.asked    = NOTHING_ASKED;
        request.readable = what == CHANNEL_INPUT_READABLE;
        request.hung_up  = what == CHANNEL_INPUT_ENDED;
    }
    lock_drop(&lock, state);
    notify_channel();
}

static void window_changed(unsigned columns, unsigned rows)
{
    lock_state                     state = lock_take(&lock);
    const struct channel_listener *to    = listener;

    if (to == NULL)
        early_window = (struct early_window){ true, columns, rows };
    lock_drop(&lock, state);
    if (to != NULL)
        to->window(columns, rows);
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
        notify_channel();
    } else if (number >= 1 && number <= SIGNALS) {
        pass_signal(number, about == CHANNEL_TO_GROUP);
    }
}

/* Answer a PING: a program is about to run, or none is ready. Without a page for the answer, the probe is set again. */
static void send_pong(void)
{
    struct console_page page;

    if (!console_port_claim(&page)) {
        schedule_probe(PROBE_CHANNEL, send_pong);
        return;
    }
    send_page(&page, CHANNEL_PONG, NULL, 0);
    channel_flush();
}

static void ping_came(void) { schedule_probe(PROBE_CHANNEL, send_pong); }

static void begin_came(const uint8_t *seed)
{
    random_stir(seed, CHANNEL_SEED);
    begun = true;
    notify_channel();
}

static void bytes_received(const uint8_t *bytes, size_t count)
{
    static const struct channel_events events = {
        input_came, input_placed, input_ended, input_done_came, input_state_came, input_failed, window_changed,
        take_signal, ping_came, begin_came };

    channel_take(&reader, &events, bytes, count);
}

static void room_again(void)
{
    notify_channel();
    if (listener != NULL)
        listener->room_again();
}

void channel_listen(const struct channel_listener *who)
{
    lock_state          state  = lock_take(&lock);
    struct early_window window = early_window;

    listener     = who;
    early_window = (struct early_window){ false, 0, 0 };
    lock_drop(&lock, state);
    if (window.came)
        who->window(window.columns, window.rows);
}

void channel_on_change(void (*handler)(void)) { on_change = handler; }

void channel_on_signal(void (*handler)(unsigned number, bool group))
{
    lock_state state = lock_take(&lock);
    uint64_t   waits = early;

    assert(handler != NULL);
    on_signal = handler;
    early     = 0;
    lock_drop(&lock, state);
    for (unsigned number = 1; number <= SIGNALS; number++)      /* bound: SIGNALS */
        if (waits >> (number - 1) & 1)
            handler(number, false);
}

int channel_start(const char *command_line)
{
    int err = console_port_start(command_line, bytes_received, room_again);

    there = err == 0;
    if (there)
        panic_last(channel_drain_briefly);
    return err;
}

void channel_await_begin(void)
{
    static const uint8_t nothing = 0;

    may_sleep();
    channel_send(CHANNEL_READY, &nothing, sizeof nothing);
    while (!begun) {
        wait_start(&changed);
        if (!begun)
            (void)!wait_linked(NEVER, 0);
        wait_end();
    }
}
