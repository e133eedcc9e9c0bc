/* session.c - frames, streams and time of one machine. See session.h. */
#include "session.h"
#include "arena.h"
#include "sandbox.h"
#include "session_input.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum {
    MAP_MOST      = 256 << 20,      /* the most text of a snapshot                   */
    REPORT_MOST   = 4 << 20,        /* the most text of a report */
    REST_MOST     = 1 << 20,        /* the most last words that are read */
};

static uint64_t now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static void finish(struct session *session, enum session_end end, int32_t number)
{
    session->over = true;
    session->end = end;
    session->exit_number = number;
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
static bool deliver(struct session *session, struct stream *stream, const void *bytes, size_t length, bool *broken)
{
    while (session->delivered < length) {
        ssize_t done = stream_write(stream, (const char *)bytes + session->delivered, length - session->delivered);

        if (done < 0 && errno == EAGAIN) {
            session->busy = stream;
            return false;
        }
        if (done < 0 && errno == EPIPE) {
            *broken = true;
            break;
        }
        if (done < 0) {
            tell(SANDBOX_FAILED, "%s: %s", stream->name, strerror(errno));
            finish(session, SESSION_OUTPUT, 0);
            break;
        }
        session->delivered += (size_t)done;
    }
    session->delivered = 0;
    session->busy = NULL;
    return true;
}

/* Write the program's output, unchanged. When the reader has gone the guest is sent SIGPIPE, once. */
static bool deliver_output(struct session *session, struct stream *stream, const struct channel_frame *frame)
{
    const uint8_t gone[2] = { SIGPIPE, (uint8_t)frame->kind };
    bool broken = false;

    if (session->closed[frame->kind])
        return true;
    if (!deliver(session, stream, frame->bytes, frame->length, &broken))
        return false;
    if (broken)
        channel_send(&session->channel, CHANNEL_SIGNAL, gone, sizeof(gone));
    session->closed[frame->kind] = broken;
    return true;
}

/* Write text of the kernel, which may contain a program's bytes. */
static bool deliver_words(struct session *session, struct stream *stream, const struct channel_frame *frame)
{
    bool broken;

    if (session->shown_length == 0)
        session->shown_length = visible(frame->bytes, frame->length, session->shown);
    if (!deliver(session, stream, session->shown, session->shown_length, &broken))
        return false;
    session->shown_length = 0;
    return true;
}

static void collect(struct collected *kept, const struct channel_frame *frame)
{
    if (kept->length + frame->length > kept->room) {
        kept->room  = 2 * kept->room + frame->length;
        kept->bytes = grown(kept->bytes, kept->room, 1);
    }
    memcpy(kept->bytes + kept->length, frame->bytes, frame->length);
    kept->length += frame->length;
}

static bool deliver_report(struct session *session, const struct channel_frame *frame)
{
    if (session->report_length > REPORT_MOST)
        return true;
    if (session->keep_report)
        collect(&session->reported, frame);
    else if (!deliver_words(session, &session->to_report, frame))
        return false;
    session->report_length += frame->length;
    if (session->report_length > REPORT_MOST)
        tell(0, "the machine reports without end; the rest is left out");
    return true;
}

/* With --verbose, write the log to standard error, behind the program's errors. */
static bool deliver_log(struct session *session, const struct channel_frame *frame)
{
    if (session->shown_length == 0)
        tail_keep(&session->log, frame->bytes, frame->length);
    return !session->verbose || deliver_words(session, &session->to_errors, frame);
}

/* Keep the lines of a snapshot. A snapshot that was not ordered, or is too long, breaks the protocol. */
static void take_map(struct session *session, const struct channel_frame *frame)
{
    if (session->map_ordered && session->map.length + frame->length <= MAP_MOST)
        collect(&session->map, frame);
    else
        session->channel.nonsense = true;
}

/* True for an end that a program can have had, or for a failed start. */
static bool plausible(uint32_t kind, int32_t number)
{
    return kind == CHANNEL_EXITED || (kind == CHANNEL_KILLED && number > 0 && number <= 64) ||
           (kind == CHANNEL_NOT_STARTED && number > 0);
}

/* Take the last frame of a run. */
static void take_exit(struct session *session, const struct channel_frame *frame)
{
    uint32_t kind = frame->length == 8 ? channel_number(frame->bytes) : 0;
    int32_t number = frame->length == 8 ? (int32_t)channel_number(frame->bytes + 4) : 0;

    if (frame->length != 8 || !plausible(kind, number)) {
        session->channel.nonsense = true;
        return;
    }
    input_all_read(session);
    finish(session, session->timed_out ? SESSION_TIMEOUT : SESSION_EXIT, number);
    session->exit_kind = kind;
    session->obeyed = true;
}

/* Handle one frame. True when it can be dropped. */
static bool take(struct session *session, const struct channel_frame *frame)
{
    session->spoke = true;
    switch (frame->kind) {
    case CHANNEL_OUTPUT:
        return deliver_output(session, &session->to_output, frame);
    case CHANNEL_ERRORS:
        return deliver_output(session, &session->to_errors, frame);
    case CHANNEL_REPORT:
        return deliver_report(session, frame);
    case CHANNEL_LOG:
        return deliver_log(session, frame);
    case CHANNEL_MAP:
        take_map(session, frame);
        return true;
    case CHANNEL_WANT:
        session->channel.nonsense |= !input_wanted(session, frame);
        return true;
    case CHANNEL_UNREAD:
        input_unread(session, frame);
        return true;
    case CHANNEL_EXIT:
        take_exit(session, frame);
        return true;
    default:
        return true;
    }
}

static void take_frames(struct session *session)
{
    struct channel_frame frame;

    while (!session->over && channel_next(&session->channel, &frame)) {
        watchdog_heard(&session->watchdog, now_ms());
        if (!take(session, &frame))
            break;
        channel_drop(&session->channel);
    }
    if (!session->over && session->busy == NULL && (session->channel.nonsense || session->channel.ended))
        finish(session, SESSION_MACHINE, 0);
}

/* ---- To the guest --------------------------------------------------------------------- */

void session_window(struct session *session, uint16_t columns, uint16_t rows)
{
    const uint8_t bytes[4] = { (uint8_t)columns, (uint8_t)(columns >> 8), (uint8_t)rows, (uint8_t)(rows >> 8) };

    channel_send(&session->channel, CHANNEL_WINDOW, bytes, sizeof(bytes));
}

void session_signal(struct session *session, int number, uint8_t whom)
{
    const uint8_t bytes[2] = { (uint8_t)number, whom };

    if (session->channel.out_length < UNSENT_MOST)
        channel_send(&session->channel, CHANNEL_SIGNAL, bytes, sizeof(bytes));
}

/* ---- Time ----------------------------------------------------------------------------- */

/* The timeout is over: send SIGTERM, and end the machine after the grace. */
static void time_is_over(struct session *session, uint64_t now)
{
    if (session->timed_out) {
        finish(session, SESSION_TIMEOUT, 0);
        return;
    }
    session->timed_out   = true;
    session->deadline_ms = now + SESSION_GRACE_MS;
    session_signal(session, SIGTERM, CHANNEL_TO_GROUP);
}

/* While a slow stream keeps quire from taking frames, the guest is not sent a ping. */
static void watch(struct session *session, uint64_t now)
{
    if (session->busy != NULL) {
        watchdog_heard(&session->watchdog, now);
        return;
    }
    switch (watchdog_look(&session->watchdog, now)) {
    case WATCHDOG_LIVES:
        break;
    case WATCHDOG_ASK:
        if (session->channel.out_length < UNSENT_MOST)
            channel_send(&session->channel, CHANNEL_PING, NULL, 0);
        break;
    case WATCHDOG_DEAD:
        finish(session, SESSION_DEAD, 0);
        break;
    }
}

static void look_at_the_clock(struct session *session)
{
    uint64_t now = now_ms();

    watch(session, now);
    if (!session->over && session->deadline_ms != 0 && now >= session->deadline_ms)
        time_is_over(session, now);
}

static uint64_t lesser_of(uint64_t a, uint64_t b) { return a < b ? a : b; }

static uint64_t until(uint64_t moment, uint64_t now)
{
    return moment == 0 ? UINT64_MAX : moment > now ? moment - now : 0;
}

/* For poll(2): milliseconds, or -1 for ever. */
static int patience(const struct session *session)
{
    uint64_t now = now_ms(), next = until(session->deadline_ms, now);

    if (session->busy == NULL)
        next = lesser_of(next, watchdog_patience(&session->watchdog, now));
    if (session->follow != NULL)
        next = lesser_of(next, follow_patience(session->follow, now));
    return next == UINT64_MAX ? -1 : (int)lesser_of(next, 60000);
}

/* ---- --follow ----------------------------------------------------------------- */

static void keys_are_there(struct session *session)
{
    char keys[64];
    ssize_t got = read(session->input->fd, keys, sizeof(keys));

    if (got > 0)
        session->follow->typed(session->follow, keys, (size_t)got);
    else if (got == 0 || errno != EINTR)
        session->ended[ON_KEYS] = true;
}

static void follow_along(struct session *session, const struct pollfd *on)
{
    struct follow *follow = session->follow;

    if (follow == NULL)
        return;
    if (on[ON_MAP].revents != 0 && !follow_read(follow, now_ms()))
        session->ended[ON_MAP] = true;
    if (on[ON_KEYS].revents != 0)
        keys_are_there(session);
    follow_look(follow, now_ms());
}

/* ---- What is waited for, and what is done ------------------------------------------------ */

int session_fill(struct session *session, struct pollfd *on)
{
    const struct machine *machine = session->machine;
    const struct channel *channel = &session->channel;
    bool input = input_is_wanted(session), free = session->busy == NULL;
    bool keys = session->follow != NULL && session->follow->keys;

    on[ON_CHANNEL]  = (struct pollfd){ free || channel->out_length > 0 ? channel->fd : -1,
                                       (free ? POLLIN : 0) | (channel->out_length > 0 ? POLLOUT : 0), 0 };
    on[ON_SERIAL]   = (struct pollfd){ machine->serial, POLLIN, 0 };
    on[ON_ERRORS]   = (struct pollfd){ machine->errors, POLLIN, 0 };
    on[ON_INPUT]    = (struct pollfd){ input && input_waits(session) ? session->input->fd : -1, POLLIN, 0 };
    on[ON_STREAM]   = (struct pollfd){ free ? -1 : session->busy->fd, POLLOUT, 0 };
    on[ON_DEBUGGER] = (struct pollfd){ session->debugger, POLLIN, 0 };
    on[ON_MAP]      = (struct pollfd){ session->follow != NULL ? machine->map : -1, POLLIN, 0 };
    on[ON_KEYS]     = (struct pollfd){ keys ? session->input->fd : -1, POLLIN, 0 };
    for (int slot = 0; slot < ON_COUNT; slot++)
        if (session->ended[slot])
            on[slot].fd = -1;
    return input && !input_waits(session) ? 0 : patience(session);
}

/* QEMU has said more than warnings. */
static bool complains(const struct tail *errors)
{
    const char *line = errors->bytes, *end;

    while ((end = strchr(line, '\n')) != NULL) {
        size_t length = (size_t)(end - line);

        if (memmem(line, length, ": warning: ", 11) == NULL && memmem(line, length, ": info: ", 8) == NULL)
            return true;
        line = end + 1;
    }
    return false;
}

/*
 * A machine that cannot be restored is ended: since QEMU 10 it would stay, stopped, and be taken for dead much later.
 * One that has spoken is restored, whatever QEMU says.
 */
static void end_unrestored(const struct session *session)
{
    if (session->restored && !session->spoke && complains(&session->machine_errors))
        machine_signal(session->machine, SIGKILL);
}

static void collect_tails(struct session *session, const struct pollfd *on)
{
    if (on[ON_SERIAL].revents != 0 && !tail_collect(&session->serial, tail_keep_words, on[ON_SERIAL].fd))
        session->ended[ON_SERIAL] = true;
    if (on[ON_ERRORS].revents != 0 && !tail_collect(&session->machine_errors, tail_keep, on[ON_ERRORS].fd))
        session->ended[ON_ERRORS] = true;
    if (on[ON_ERRORS].revents != 0)
        end_unrestored(session);
}

void session_act(struct session *session, const struct pollfd *on)
{
    if (on[ON_DEBUGGER].revents != 0)
        finish(session, SESSION_DEBUGGER, 0);
    collect_tails(session, on);
    if ((on[ON_CHANNEL].revents & POLLOUT) != 0)
        channel_write(&session->channel);
    if (session->busy == NULL && (on[ON_CHANNEL].revents & (POLLIN | POLLHUP | POLLERR)) != 0)
        channel_read(&session->channel);
    if (!session->over && input_is_wanted(session) && (!input_waits(session) || on[ON_INPUT].revents != 0))
        input_is_there(session, input_waits(session) ? on[ON_INPUT].revents : POLLIN);
    follow_along(session, on);
    take_frames(session);
    if (!session->over && session->escaped)
        finish(session, SESSION_ESCAPE, 0);
    if (!session->over)
        look_at_the_clock(session);
}

void session_start(struct session *session)
{
    const struct machine *machine = session->machine;
    uint64_t begin = now_ms();

    session->no_input = session->debugger >= 0 || (session->follow != NULL && session->follow->keys);
    session->deadline_ms = session->timeout_ms != 0 ? begin + session->timeout_ms : 0;
    watchdog_start(&session->watchdog, machine->pid, session->debugger >= 0 ? 0 : session->watchdog_ms, begin);
    channel_open(&session->channel, machine->channel);
    input_start(session);
    stream_open(&session->to_output, session->output, "standard output");
    stream_open(&session->to_errors, session->errors, "standard error");
    stream_open(&session->to_report, session->report, "the report");
    if (session->follow != NULL)
        follow_start(session->follow, machine->map, begin);
}

/* The bytes that are left of an ended machine; a process of its own that has such a descriptor could go on writing. */
static void collect_rest(struct tail *tail, void (*keep)(struct tail *tail, const void *bytes, size_t length), int fd)
{
    struct pollfd on = { .fd = fd, .events = POLLIN };

    for (int portions = 0; portions < REST_MOST / 4096 && poll(&on, 1, 0) > 0 && tail_collect(tail, keep, fd);)
        portions++;
}

void session_rest(struct session *session)
{
    if (!session->ended[ON_SERIAL])
        collect_rest(&session->serial, tail_keep_words, session->machine->serial);
    if (!session->ended[ON_ERRORS])
        collect_rest(&session->machine_errors, tail_keep, session->machine->errors);
}

void session_close(struct session *session)
{
    if (session->follow != NULL)
        follow_end(session->follow);
    input_end(session);
    stream_close(&session->to_output);
    stream_close(&session->to_errors);
    stream_close(&session->to_report);
    channel_close(&session->channel);
}
