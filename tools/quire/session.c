/* session.c - the loop of a run. See session.h. */
#include "session.h"
#include "channel.h"
#include "sandbox.h"
#include "signals.h"
#include "stream.h"
#include "terminal.h"
#include "visible.h"
#include "watchdog.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum {
    INPUT_AT_ONCE = 16384,
    MAP_MOST      = 256 << 20,      /* the most text of a snapshot                   */
    REPORT_MOST   = 4 << 20,        /* the most text of a report */
    UNSENT_MOST   = 65536,          /* waiting for a guest that takes no frames; then signals are dropped */
    REST_MS       = 2000,           /* a guest may go on sending for ever */
    ESCAPE        = 0x1D,           /* Ctrl-], twice: end the machine */
};

/* The descriptors that the loop waits for, by their index in poll(2)'s list. */
enum {
    ON_CHANNEL,
    ON_SIGNAL,
    ON_SERIAL,
    ON_ERRORS,
    ON_INPUT,
    ON_STREAM,
    ON_DEBUGGER,
    ON_OWNER,
    ON_MAP,
    ON_KEYS,
    ON_COUNT
};

struct loop {
    struct session *session;
    struct channel  channel;
    struct stream   output, errors; /* quire's own streams, for the program's output*/
    struct stream   report;         /* for the kernel's report; often standard error too */
    struct stream  *busy;           /* the stream that the first frame waits for */
    size_t          delivered;      /* bytes of that frame              */
    struct signals  signals;
    struct watchdog watchdog;
    uint64_t        credit;         /* bytes of input the guest asks for */
    bool            keys;           /* a terminal asks: bytes it did not get stay asked for */
    bool            look;           /* the guest asks when a read would not wait */
    uint64_t        deadline_ms;    /* on the monotonic clock, or 0     */
    uint64_t        ending_ms;      /* when `ending` ends the machine, or 0 */
    int             ending;
    size_t          reported;       /* bytes of REPORT                  */
    bool            closed[CHANNEL_ERRORS + 1];         /* by channel_kind: the stream has no reader any more */
    bool            no_input;       /* standard input belongs to the debugger */
    bool            timed_out, escape, over;
    size_t          shown_length;   /* bytes of `shown`: the frame that is being delivered, made visible */
};

static char shown[CHANNEL_PAYLOAD * VISIBLE_MOST];

static uint64_t now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static void loop_finish(struct loop *loop, enum session_end end, int32_t number)
{
    loop->over = true;
    loop->session->end = end;
    loop->session->exit_number = number;
}

/* Read the bytes that have come of a kept text. False: the text has ended. */
static bool tail_collect(struct tail *tail, void (*keep)(struct tail *tail, const void *bytes, size_t length), int fd)
{
    char bytes[4096];
    ssize_t got = read(fd, bytes, sizeof(bytes));

    if (got > 0)
        keep(tail, bytes, (size_t)got);
    return got > 0 || (got < 0 && errno == EINTR);
}

/* ---- From the guest ------------------------------------------------------------------- */

/* Write as many bytes as the stream takes. True when all are written, or the stream has no reader. */
static bool deliver(struct loop *loop, struct stream *stream, const void *bytes, size_t length, bool *broken)
{
    while (loop->delivered < length) {
        ssize_t done = stream_write(stream, (const char *)bytes + loop->delivered, length - loop->delivered);

        if (done < 0 && errno == EAGAIN) {
            loop->busy = stream;
            return false;
        }
        if (done < 0 && errno == EPIPE) {
            *broken = true;
            break;
        }
        if (done < 0) {
            tell(SANDBOX_FAILED, "%s: %s", stream->name, strerror(errno));
            loop_finish(loop, SESSION_OUTPUT, 0);
            break;
        }
        loop->delivered += (size_t)done;
    }
    loop->delivered = 0;
    loop->busy = NULL;
    return true;
}

/* Write the program's output, unchanged. When the reader has gone the guest is sent SIGPIPE, once. */
static bool deliver_output(struct loop *loop, struct stream *stream, const struct channel_frame *frame)
{
    const uint8_t gone[2] = { SIGPIPE, (uint8_t)frame->kind };
    bool broken = false;

    if (loop->closed[frame->kind])
        return true;
    if (!deliver(loop, stream, frame->bytes, frame->length, &broken))
        return false;
    if (broken)
        channel_send(&loop->channel, CHANNEL_SIGNAL, gone, sizeof(gone));
    loop->closed[frame->kind] = broken;
    return true;
}

/* Write text of the kernel, which may contain a program's bytes. */
static bool deliver_words(struct loop *loop, struct stream *stream, const struct channel_frame *frame)
{
    bool broken;

    if (loop->shown_length == 0)
        loop->shown_length = visible(frame->bytes, frame->length, shown);
    if (!deliver(loop, stream, shown, loop->shown_length, &broken))
        return false;
    loop->shown_length = 0;
    return true;
}

static bool deliver_report(struct loop *loop, const struct channel_frame *frame)
{
    if (loop->reported > REPORT_MOST)
        return true;
    if (!deliver_words(loop, &loop->report, frame))
        return false;
    loop->reported += frame->length;
    if (loop->reported > REPORT_MOST)
        tell(0, "the machine reports without end; the rest is left out");
    return true;
}

/* With --verbose, write the log to standard error, behind the program's errors. */
static bool deliver_log(struct loop *loop, const struct channel_frame *frame)
{
    if (loop->shown_length == 0)
        tail_keep(&loop->session->log, frame->bytes, frame->length);
    return !loop->session->verbose || deliver_words(loop, &loop->errors, frame);
}

/* Keep the lines of a snapshot. A snapshot that was not ordered, or is too long, breaks the protocol. */
static void take_map(struct loop *loop, const struct channel_frame *frame)
{
    struct collected *map = &loop->session->map;

    if (!loop->session->map_ordered || map->length + frame->length > MAP_MOST) {
        loop->channel.nonsense = true;
        return;
    }
    if (map->length + frame->length > map->room) {
        map->room  = 2 * map->room + frame->length;
        map->bytes = grown(map->bytes, map->room, 1);
    }
    memcpy(map->bytes + map->length, frame->bytes, frame->length);
    map->length += frame->length;
}

static void give_input(struct loop *loop);

static void give_input_state(struct loop *loop, enum channel_input_state state)
{
    const uint8_t byte = (uint8_t)state;

    channel_send(&loop->channel, CHANNEL_INPUT_STATE, &byte, 1);
}

/* Whether a read would not wait now. Without input a read gets the end of file at once. */
static short input_now(const struct loop *loop)
{
    struct pollfd on = { .fd = STDIN_FILENO, .events = POLLIN };

    return loop->no_input ? POLLIN : poll(&on, 1, 0) > 0 ? on.revents : 0;
}

/*
 * Answer at once, also when the guest asked for no bytes. A guest that takes no frames gets no answer.
 */
static void answer_now(struct loop *loop)
{
    if (loop->channel.out_length >= UNSENT_MOST) {
        loop->credit = 0;
        return;
    }
    if (loop->credit > 0 && input_now(loop) != 0)
        give_input(loop);
    else
        give_input_state(loop, CHANNEL_INPUT_NOTHING);
    loop->credit = 0;
}

static void take_want(struct loop *loop, const struct channel_frame *frame)
{
    uint8_t how = frame->length == CHANNEL_WANT_LENGTH ? frame->bytes[4] : UINT8_MAX;

    if (how > CHANNEL_WANT_MORE) {
        loop->channel.nonsense = true;
        return;
    }
    loop->keys   = how == CHANNEL_WANT_MORE;
    loop->look   = how == CHANNEL_WANT_LOOK;
    loop->credit = channel_number(frame->bytes) + (loop->keys ? loop->credit : 0);
    if (how == CHANNEL_WANT_NOW)
        answer_now(loop);
}

/* True for an end that a program can have had, or for a failed start. */
static bool plausible(uint32_t kind, int32_t number)
{
    return kind == CHANNEL_EXITED || (kind == CHANNEL_KILLED && number > 0 && number <= 64) ||
           (kind == CHANNEL_NOT_STARTED && number > 0);
}

/* Take the last frame of a run. */
static void take_exit(struct loop *loop, const struct channel_frame *frame)
{
    uint32_t kind = frame->length == 8 ? channel_number(frame->bytes) : 0;
    int32_t number = frame->length == 8 ? (int32_t)channel_number(frame->bytes + 4) : 0;

    if (frame->length != 8 || !plausible(kind, number)) {
        loop->channel.nonsense = true;
        return;
    }
    loop_finish(loop, loop->timed_out ? SESSION_TIMEOUT : SESSION_EXIT, number);
    loop->session->exit_kind = kind;
    loop->session->obeyed = true;
}

/* Handle one frame. True when it can be dropped. */
static bool take(struct loop *loop, const struct channel_frame *frame)
{
    loop->session->spoke = true;
    switch (frame->kind) {
    case CHANNEL_OUTPUT:
        return deliver_output(loop, &loop->output, frame);
    case CHANNEL_ERRORS:
        return deliver_output(loop, &loop->errors, frame);
    case CHANNEL_REPORT:
        return deliver_report(loop, frame);
    case CHANNEL_LOG:
        return deliver_log(loop, frame);
    case CHANNEL_MAP:
        take_map(loop, frame);
        return true;
    case CHANNEL_WANT:
        take_want(loop, frame);
        return true;
    case CHANNEL_EXIT:
        take_exit(loop, frame);
        return true;
    default:
        return true;
    }
}

static void take_frames(struct loop *loop)
{
    struct channel_frame frame;

    while (!loop->over && channel_next(&loop->channel, &frame)) {
        watchdog_heard(&loop->watchdog, now_ms());
        if (!take(loop, &frame))
            break;
        channel_drop(&loop->channel);
    }
    if (!loop->over && loop->busy == NULL && (loop->channel.nonsense || loop->channel.ended))
        loop_finish(loop, SESSION_MACHINE, 0);
}

/* ---- To the guest --------------------------------------------------------------------- */

/* Look for the escape among the keys. True when it was pressed twice. */
static bool escapes(struct loop *loop, const uint8_t *bytes, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (bytes[i] == ESCAPE && loop->escape)
            return true;
        loop->escape = bytes[i] == ESCAPE;
    }
    return false;
}

/* Read once, at most as many bytes as the guest asked for. */
static void give_input(struct loop *loop)
{
    uint8_t bytes[INPUT_AT_ONCE];
    size_t room = loop->credit < sizeof(bytes) ? (size_t)loop->credit : sizeof(bytes);
    ssize_t got = loop->no_input ? 0 : read(STDIN_FILENO, bytes, room);

    if (got < 0 && (errno == EINTR || errno == EAGAIN))
        return;
    if (got <= 0) {
        loop->credit = 0;
        channel_send(&loop->channel, CHANNEL_INPUT, NULL, 0);
        return;
    }
    if (loop->session->terminal && escapes(loop, bytes, (size_t)got)) {
        loop_finish(loop, SESSION_SIGNAL, SIGINT);
        return;
    }
    loop->credit = loop->keys ? loop->credit - (uint64_t)got : 0;
    channel_send(&loop->channel, CHANNEL_INPUT, bytes, (uint16_t)got);
}

/* Read standard input, which is readable or has ended. */
static void input_is_there(struct loop *loop, short events)
{
    if (loop->credit > 0) {
        give_input(loop);
    } else if (loop->look) {
        loop->look = false;
        give_input_state(loop, (events & POLLIN) != 0 ? CHANNEL_INPUT_READABLE : CHANNEL_INPUT_ENDED);
    }
}

static void give_window(struct loop *loop)
{
    uint16_t columns, rows;

    if (loop->session->terminal && terminal_size(&columns, &rows)) {
        const uint8_t bytes[4] = { (uint8_t)columns, (uint8_t)(columns >> 8), (uint8_t)rows, (uint8_t)(rows >> 8) };

        channel_send(&loop->channel, CHANNEL_WINDOW, bytes, sizeof(bytes));
    }
}

static void give_signal(struct loop *loop, int number, uint8_t whom)
{
    const uint8_t bytes[2] = { (uint8_t)number, whom };

    if (loop->channel.out_length < UNSENT_MOST)
        channel_send(&loop->channel, CHANNEL_SIGNAL, bytes, sizeof(bytes));
}

/* Stop this process and the machine. */
static void stop_ourselves(struct loop *loop)
{
    if (loop->session->terminal)
        terminal_restore();
    kill(loop->session->machine->pid, SIGSTOP);
    raise(SIGSTOP);
    kill(loop->session->machine->pid, SIGCONT);
    if (loop->session->terminal)
        terminal_set_raw();
    give_window(loop);
}

static void take_signal(struct loop *loop)
{
    int number = 0;

    switch (signals_take(&loop->signals, now_ms(), loop->session->debugger >= 0, &number)) {
    case SIGNAL_FOR_PROGRAM:
        give_signal(loop, number, CHANNEL_TO_PROGRAM);
        break;
    case SIGNAL_TWICE:
        loop->ending    = number;
        loop->ending_ms = now_ms() + SIGNALS_GRACE_MS;
        /* fall through */
    case SIGNAL_FOR_GROUP:
        give_signal(loop, number, CHANNEL_TO_GROUP);
        break;
    case SIGNAL_ENDS:
        loop_finish(loop, SESSION_SIGNAL, number);
        break;
    case SIGNAL_STOPS:
        stop_ourselves(loop);
        break;
    case SIGNAL_WINDOW:
        give_window(loop);
        break;
    case SIGNAL_NOTHING:
        break;
    }
}

/* ---- Time ----------------------------------------------------------------------------- */

/* The timeout is over: send SIGTERM, and end the machine after the grace. */
static void time_is_over(struct loop *loop, uint64_t now)
{
    if (loop->timed_out) {
        loop_finish(loop, SESSION_TIMEOUT, 0);
        return;
    }
    loop->timed_out   = true;
    loop->deadline_ms = now + SESSION_GRACE_MS;
    give_signal(loop, SIGTERM, CHANNEL_TO_GROUP);
}

/* While a slow stream keeps quire from taking frames, the guest is not sent a ping. */
static void watch(struct loop *loop, uint64_t now)
{
    if (loop->busy != NULL) {
        watchdog_heard(&loop->watchdog, now);
        return;
    }
    switch (watchdog_look(&loop->watchdog, now)) {
    case WATCHDOG_LIVES:
        break;
    case WATCHDOG_ASK:
        if (loop->channel.out_length < UNSENT_MOST)
            channel_send(&loop->channel, CHANNEL_PING, NULL, 0);
        break;
    case WATCHDOG_DEAD:
        loop_finish(loop, SESSION_DEAD, 0);
        break;
    }
}

static void look_at_the_clock(struct loop *loop)
{
    uint64_t now = now_ms();

    watch(loop, now);
    if (!loop->over && loop->ending_ms != 0 && now >= loop->ending_ms)
        loop_finish(loop, SESSION_SIGNAL, loop->ending);
    if (!loop->over && loop->deadline_ms != 0 && now >= loop->deadline_ms)
        time_is_over(loop, now);
}

static uint64_t lesser_of(uint64_t a, uint64_t b) { return a < b ? a : b; }

static uint64_t until(uint64_t moment, uint64_t now)
{
    return moment == 0 ? UINT64_MAX : moment > now ? moment - now : 0;
}

/* For poll(2): milliseconds, or -1 for ever. */
static int patience(const struct loop *loop)
{
    uint64_t now = now_ms(), next = lesser_of(until(loop->deadline_ms, now), until(loop->ending_ms, now));

    if (loop->busy == NULL)
        next = lesser_of(next, watchdog_patience(&loop->watchdog, now));
    if (loop->session->follow != NULL)
        next = lesser_of(next, follow_patience(loop->session->follow, now));
    return next == UINT64_MAX ? -1 : (int)lesser_of(next, 60000);
}

/* ---- --follow ----------------------------------------------------------------- */

static void keys_are_there(struct follow *follow, struct pollfd *on)
{
    char keys[64];
    ssize_t got = read(on->fd, keys, sizeof(keys));

    if (got > 0)
        follow->typed(follow, keys, (size_t)got);
    else if (got == 0 || errno != EINTR)
        on->fd = -1;
}

static void follow_along(struct loop *loop, struct pollfd *on)
{
    struct follow *follow = loop->session->follow;

    if (follow == NULL)
        return;
    if (on[ON_MAP].revents != 0 && !follow_read(follow, now_ms()))
        on[ON_MAP].fd = -1;
    if (on[ON_KEYS].revents != 0)
        keys_are_there(follow, &on[ON_KEYS]);
    follow_look(follow, now_ms());
}

/* ---- The loop ------------------------------------------------------------------------- */

static void wait_and_act(struct loop *loop, struct pollfd *on)
{
    bool input = (loop->look || loop->credit > 0) && loop->channel.out_length < INPUT_AT_ONCE;

    on[ON_CHANNEL].fd     = loop->busy == NULL || loop->channel.out_length > 0 ? loop->channel.fd : -1;
    on[ON_CHANNEL].events = (loop->busy == NULL ? POLLIN : 0) | (loop->channel.out_length > 0 ? POLLOUT : 0);
    on[ON_INPUT].fd       = input && !loop->no_input ? STDIN_FILENO : -1;
    on[ON_STREAM].fd      = loop->busy != NULL ? loop->busy->fd : -1;
    if (poll(on, ON_COUNT, input && loop->no_input ? 0 : patience(loop)) < 0)
        return;
    if (on[ON_SIGNAL].revents != 0)
        take_signal(loop);
    if (on[ON_DEBUGGER].revents != 0)
        loop_finish(loop, SESSION_DEBUGGER, 0);
    if (on[ON_OWNER].revents != 0)
        loop_finish(loop, SESSION_OWNER, 0);
    if (on[ON_SERIAL].revents != 0 && !tail_collect(&loop->session->serial, tail_keep_words, on[ON_SERIAL].fd))
        on[ON_SERIAL].fd = -1;
    if (on[ON_ERRORS].revents != 0 && !tail_collect(&loop->session->errors, tail_keep, on[ON_ERRORS].fd))
        on[ON_ERRORS].fd = -1;
    if ((on[ON_CHANNEL].revents & POLLOUT) != 0)
        channel_write(&loop->channel);
    if (loop->busy == NULL && (on[ON_CHANNEL].revents & (POLLIN | POLLHUP | POLLERR)) != 0)
        channel_read(&loop->channel);
    if (!loop->over && input && (loop->no_input || on[ON_INPUT].revents != 0))
        input_is_there(loop, loop->no_input ? POLLIN : on[ON_INPUT].revents);
    follow_along(loop, on);
    take_frames(loop);
    if (!loop->over)
        look_at_the_clock(loop);
}

/* The machine's last bytes may still be unread. */
static void collect_rest(struct tail *tail, void (*keep)(struct tail *tail, const void *bytes, size_t length),
                         struct pollfd on)
{
    uint64_t end = now_ms() + REST_MS;

    while (on.fd >= 0 && now_ms() < end && poll(&on, 1, 200) > 0 && tail_collect(tail, keep, on.fd))
        ;
}

void session_run(struct session *session)
{
    uint64_t begin = now_ms();
    struct loop loop = {
        .session = session,
        .no_input = session->debugger >= 0 || (session->follow != NULL && session->follow->keys),
        .deadline_ms = session->timeout_ms != 0 ? begin + session->timeout_ms : 0,
    };
    struct pollfd on[ON_COUNT] = {
        [ON_SIGNAL] = { .events = POLLIN },
        [ON_SERIAL] = { .fd = session->machine->serial, .events = POLLIN },
        [ON_ERRORS] = { .fd = session->machine->errors, .events = POLLIN },
        [ON_INPUT]  = { .events = POLLIN },
        [ON_STREAM] = { .events = POLLOUT },
        [ON_DEBUGGER] = { .fd = session->debugger, .events = POLLIN },
        [ON_OWNER] = { .fd = session->owner, .events = POLLIN },
        [ON_MAP]    = { .fd = session->follow != NULL ? session->machine->map : -1, .events = POLLIN },
        [ON_KEYS]   = { .fd = session->follow != NULL && session->follow->keys ? STDIN_FILENO : -1, .events = POLLIN },
    };

    signals_start(&loop.signals);
    on[ON_SIGNAL].fd = loop.signals.fd;
    watchdog_start(&loop.watchdog, session->machine->pid, session->debugger >= 0 ? 0 : session->watchdog_ms, begin);
    channel_open(&loop.channel, session->machine->channel);
    stream_open(&loop.output, session->output, session->output == STDOUT_FILENO ? "standard output" : "standard error");
    stream_open(&loop.errors, STDERR_FILENO, "standard error");
    stream_open(&loop.report, session->report, "the report");
    if (session->terminal)
        terminal_set_raw();
    if (session->follow != NULL)
        follow_start(session->follow, session->machine->map, begin);
    give_window(&loop);
    while (!loop.over)
        wait_and_act(&loop, on);
    if (session->end == SESSION_DEAD)
        machine_registers(session->machine, session->registers, sizeof(session->registers));
    if (session->end == SESSION_MACHINE) {
        collect_rest(&session->serial, tail_keep_words, on[ON_SERIAL]);
        collect_rest(&session->errors, tail_keep, on[ON_ERRORS]);
    }
    if (session->follow != NULL)
        follow_end(session->follow);
    terminal_restore();
    stream_close(&loop.output);
    stream_close(&loop.errors);
    stream_close(&loop.report);
    signals_end(&loop.signals);
    channel_close(&loop.channel);
}
