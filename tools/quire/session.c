/* session.c - the loop that everything of a run goes through. See session.h. */
#include "session.h"
#include "channel.h"
#include "seal.h"
#include "stream.h"
#include "terminal.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

enum {
    INPUT_AT_ONCE = 16384,
    MAP_MOST      = 256 << 20,      /* no machine has that much to say of its memory */
    ESCAPE        = 0x1D,           /* Ctrl-], twice: end the machine */
};

/* What is waited for, by its place in poll(2)'s list. */
enum { ON_CHANNEL, ON_SIGNAL, ON_SERIAL, ON_ERRORS, ON_INPUT, ON_STREAM, ON_DEBUGGER, ON_COUNT };

struct loop {
    struct session *session;
    struct channel  channel;
    struct stream   output, errors; /* ours, for the program's          */
    struct stream   report;         /* for the kernel's words of it; often standard error too */
    struct stream  *busy;           /* the one that the first frame waits for */
    size_t          delivered;      /* bytes of that frame              */
    int             signals;        /* signalfd                         */
    uint64_t        credit;         /* bytes of input the guest can take */
    uint64_t        deadline_ms;    /* on the monotonic clock, or 0     */
    bool            input_ended, interrupted, escape, over;
};

static sigset_t our_signals(void)
{
    static const int signals[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGWINCH, SIGTSTP };
    sigset_t set;

    sigemptyset(&set);
    for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
        sigaddset(&set, signals[i]);
    return set;
}

void session_prepare(void)
{
    sigset_t set = our_signals();

    signal(SIGPIPE, SIG_IGN);
    signal(SIGTTOU, SIG_IGN);
    sigprocmask(SIG_BLOCK, &set, NULL);
}

static uint64_t now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static void finish(struct loop *loop, enum session_end end, int32_t number)
{
    loop->over = true;
    loop->session->end = end;
    loop->session->exit_number = number;
}

/* Keep the end of a text; the older half goes when there is no room. */
static void keep(struct tail *tail, const void *bytes, size_t length)
{
    const size_t room = sizeof(tail->bytes) - 1;

    if (length > room / 2) {
        bytes = (const char *)bytes + (length - room / 2);
        length = room / 2;
    }
    if (tail->length + length > room) {
        memmove(tail->bytes, tail->bytes + tail->length - room / 2, room / 2);
        tail->length = room / 2;
    }
    memcpy(tail->bytes + tail->length, bytes, length);
    tail->length += length;
    tail->bytes[tail->length] = '\0';
}

/* Read what there is of a text that is kept. False: there will be no more. */
static bool collect(struct tail *tail, int fd)
{
    char bytes[4096];
    ssize_t got = read(fd, bytes, sizeof(bytes));

    if (got > 0)
        keep(tail, bytes, (size_t)got);
    return got > 0 || (got < 0 && errno == EINTR);
}

/* ---- From the guest ------------------------------------------------------------------- */

/* The program's bytes to our stream, as far as it takes them. True when all are gone. */
static bool deliver(struct loop *loop, struct stream *stream, const struct channel_frame *frame)
{
    const uint8_t pipe_signal = SIGPIPE;

    while (loop->delivered < frame->length) {
        ssize_t done = stream_write(stream, frame->bytes + loop->delivered, frame->length - loop->delivered);

        if (done < 0 && errno == EAGAIN) {
            loop->busy = stream;
            return false;
        }
        if (done < 0 && errno == EPIPE) {
            channel_send(&loop->channel, CHANNEL_SIGNAL, &pipe_signal, 1);
            break;
        }
        if (done < 0) {
            tell(SEAL_FAILED, "%s: %s", stream->name, strerror(errno));
            finish(loop, SESSION_OUTPUT, 0);
            break;
        }
        loop->delivered += (size_t)done;
    }
    loop->delivered = 0;
    loop->busy = NULL;
    return true;
}

/* The log goes to standard error, after what the program wrote there, if anybody wants to see it. */
static bool deliver_log(struct loop *loop, const struct channel_frame *frame)
{
    if (loop->delivered == 0)
        keep(&loop->session->log, frame->bytes, frame->length);
    return !loop->session->verbose || deliver(loop, &loop->errors, frame);
}

/* The lines of a snapshot; more than there can be are nonsense. */
static void take_map(struct loop *loop, const struct channel_frame *frame)
{
    struct collected *map = &loop->session->map;

    if (map->length + frame->length > MAP_MOST) {
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

/* One frame. True when it is done with. */
static bool take(struct loop *loop, const struct channel_frame *frame)
{
    loop->session->spoke = true;
    switch (frame->kind) {
    case CHANNEL_OUTPUT:
        return deliver(loop, &loop->output, frame);
    case CHANNEL_ERRORS:
        return deliver(loop, &loop->errors, frame);
    case CHANNEL_REPORT:
        return deliver(loop, &loop->report, frame);
    case CHANNEL_LOG:
        return deliver_log(loop, frame);
    case CHANNEL_MAP:
        take_map(loop, frame);
        return true;
    case CHANNEL_WANT:
        if (frame->length == 4)
            loop->credit += channel_number(frame->bytes);
        else
            loop->channel.nonsense = true;
        return true;
    case CHANNEL_EXIT:
        if (frame->length == 8) {
            finish(loop, SESSION_EXIT, (int32_t)channel_number(frame->bytes + 4));
            loop->session->exit_kind = channel_number(frame->bytes);
        } else {
            loop->channel.nonsense = true;
        }
        return true;
    default:
        return true;
    }
}

static void take_frames(struct loop *loop)
{
    struct channel_frame frame;

    while (!loop->over && channel_next(&loop->channel, &frame) && take(loop, &frame))
        channel_drop(&loop->channel);
    if (!loop->over && loop->busy == NULL && (loop->channel.nonsense || loop->channel.ended))
        finish(loop, SESSION_MACHINE, 0);
}

/* ---- To the guest --------------------------------------------------------------------- */

/* Look for the escape among the keys. True when it is time to go. */
static bool escapes(struct loop *loop, const uint8_t *bytes, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (bytes[i] == ESCAPE && loop->escape)
            return true;
        loop->escape = bytes[i] == ESCAPE;
    }
    return false;
}

static void give_input(struct loop *loop)
{
    uint8_t bytes[INPUT_AT_ONCE];
    size_t room = loop->credit < sizeof(bytes) ? (size_t)loop->credit : sizeof(bytes);
    ssize_t got = read(STDIN_FILENO, bytes, room);

    if (got < 0 && (errno == EINTR || errno == EAGAIN))
        return;
    if (got <= 0) {
        loop->input_ended = true;
        channel_send(&loop->channel, CHANNEL_INPUT, NULL, 0);
        return;
    }
    if (loop->session->terminal && escapes(loop, bytes, (size_t)got)) {
        finish(loop, SESSION_SIGNAL, SIGINT);
        return;
    }
    loop->credit -= (uint64_t)got;
    channel_send(&loop->channel, CHANNEL_INPUT, bytes, (uint16_t)got);
}

static void give_window(struct loop *loop)
{
    uint16_t columns, rows;

    if (loop->session->terminal && terminal_size(&columns, &rows)) {
        const uint8_t bytes[4] = { (uint8_t)columns, (uint8_t)(columns >> 8), (uint8_t)rows, (uint8_t)(rows >> 8) };

        channel_send(&loop->channel, CHANNEL_WINDOW, bytes, sizeof(bytes));
    }
}

static void give_signal(struct loop *loop, int number)
{
    const uint8_t byte = (uint8_t)number;

    channel_send(&loop->channel, CHANNEL_SIGNAL, &byte, 1);
}

/* Stop as any program does; the guest's machine goes on, and waits when its output is full. */
static void stop_ourselves(struct loop *loop)
{
    if (loop->session->terminal)
        terminal_give_back();
    raise(SIGSTOP);
    if (loop->session->terminal)
        terminal_lend();
    give_window(loop);
}

static void take_signal(struct loop *loop)
{
    struct signalfd_siginfo signal;

    if (read(loop->signals, &signal, sizeof(signal)) != sizeof(signal))
        return;
    switch (signal.ssi_signo) {
    case SIGWINCH:
        give_window(loop);
        break;
    case SIGTSTP:
        stop_ourselves(loop);
        break;
    case SIGQUIT:
        give_signal(loop, SIGQUIT);
        break;
    case SIGINT:
        if (loop->session->debugger >= 0)       /* it is meant for the debugger */
            break;
        if (!loop->interrupted) {
            loop->interrupted = true;
            give_signal(loop, SIGINT);
            break;
        }
        /* fall through */
    default:
        finish(loop, SESSION_SIGNAL, (int32_t)signal.ssi_signo);
        break;
    }
}

/* ---- The loop ------------------------------------------------------------------------- */

static int patience(const struct loop *loop)
{
    uint64_t now;

    if (loop->deadline_ms == 0)
        return -1;
    now = now_ms();
    return now >= loop->deadline_ms ? 0 : (int)(loop->deadline_ms - now < 60000 ? loop->deadline_ms - now : 60000);
}

static void wait_and_act(struct loop *loop, struct pollfd *on)
{
    bool input = !loop->input_ended && loop->credit > 0 && loop->channel.out_length < INPUT_AT_ONCE;

    on[ON_CHANNEL].fd     = loop->busy == NULL || loop->channel.out_length > 0 ? loop->channel.fd : -1;
    on[ON_CHANNEL].events = (loop->busy == NULL ? POLLIN : 0) | (loop->channel.out_length > 0 ? POLLOUT : 0);
    on[ON_INPUT].fd       = input ? STDIN_FILENO : -1;
    on[ON_STREAM].fd      = loop->busy != NULL ? loop->busy->fd : -1;
    if (poll(on, ON_COUNT, patience(loop)) < 0)
        return;
    if (on[ON_SIGNAL].revents != 0)
        take_signal(loop);
    if (on[ON_DEBUGGER].revents != 0)
        finish(loop, SESSION_DEBUGGER, 0);
    if (on[ON_SERIAL].revents != 0 && !collect(&loop->session->serial, on[ON_SERIAL].fd))
        on[ON_SERIAL].fd = -1;
    if (on[ON_ERRORS].revents != 0 && !collect(&loop->session->errors, on[ON_ERRORS].fd))
        on[ON_ERRORS].fd = -1;
    if ((on[ON_CHANNEL].revents & POLLOUT) != 0)
        channel_write(&loop->channel);
    if (loop->busy == NULL && (on[ON_CHANNEL].revents & (POLLIN | POLLHUP | POLLERR)) != 0)
        channel_read(&loop->channel);
    if (!loop->over && on[ON_INPUT].revents != 0)
        give_input(loop);
    take_frames(loop);
    if (!loop->over && loop->deadline_ms != 0 && now_ms() >= loop->deadline_ms)
        finish(loop, SESSION_TIMEOUT, 0);
}

/* The machine's last words may still be under way. */
static void collect_rest(struct tail *tail, struct pollfd on)
{
    while (on.fd >= 0 && poll(&on, 1, 200) > 0 && collect(tail, on.fd))
        ;
}

void session_run(struct session *session)
{
    sigset_t set = our_signals();
    struct loop loop = {
        .session = session,
        .signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK),
        .input_ended = session->debugger >= 0,
        .deadline_ms = session->timeout_ms != 0 ? now_ms() + session->timeout_ms : 0,
    };
    struct pollfd on[ON_COUNT] = {
        [ON_SIGNAL] = { .fd = loop.signals, .events = POLLIN },
        [ON_SERIAL] = { .fd = session->machine->serial, .events = POLLIN },
        [ON_ERRORS] = { .fd = session->machine->errors, .events = POLLIN },
        [ON_INPUT]  = { .events = POLLIN },
        [ON_STREAM] = { .events = POLLOUT },
        [ON_DEBUGGER] = { .fd = session->debugger, .events = POLLIN },
    };

    channel_open(&loop.channel, session->machine->channel);
    stream_open(&loop.output, session->output, session->output == STDOUT_FILENO ? "standard output" : "standard error");
    stream_open(&loop.errors, STDERR_FILENO, "standard error");
    stream_open(&loop.report, session->report, "the report");
    if (session->terminal)
        terminal_lend();
    give_window(&loop);
    while (!loop.over)
        wait_and_act(&loop, on);
    if (session->end == SESSION_MACHINE) {
        collect_rest(&session->serial, on[ON_SERIAL]);
        collect_rest(&session->errors, on[ON_ERRORS]);
    }
    terminal_give_back();
    stream_close(&loop.output);
    stream_close(&loop.errors);
    stream_close(&loop.report);
    close(loop.signals);
    channel_close(&loop.channel);
}
