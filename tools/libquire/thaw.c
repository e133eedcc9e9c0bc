/* thaw.c - stopping a machine, and its state. See thaw.h. */
#include "thaw.h"
#include "../../kernel/devices/channel.h"
#include "arena.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { STATE_MOST = 64 << 20, PORTION = 1 << 16 };

static uint64_t now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

/* Wait until there is something to read. False: it is too late. */
static bool wait_for(int fd, uint64_t deadline)
{
    struct pollfd on = { .fd = fd, .events = POLLIN };
    uint64_t now;

    while ((now = now_ms()) < deadline) {
        int count = poll(&on, 1, (int)(deadline - now));

        if (count > 0)
            return true;
        if (count < 0 && errno != EINTR)
            return false;
    }
    return false;
}

/* READY is the first frame, or there is nothing to freeze. The channel stays open. */
static bool wait_until_ready(int fd, uint64_t deadline)
{
    uint8_t frame[CHANNEL_HEADER + 1];
    size_t length = 0;

    while (length < sizeof(frame) && wait_for(fd, deadline)) {
        ssize_t got = recv(fd, frame + length, sizeof(frame) - length, 0);

        if (got <= 0)
            return false;
        length += (size_t)got;
    }
    return length == sizeof(frame) && frame[0] == CHANNEL_READY && frame[1] == 0 && frame[2] == 1 && frame[3] == 0;
}

/* ---- The monitor ------------------------------------------------------------------------- */

static bool tell_monitor(int monitor, const char *line)
{
    size_t length = strlen(line);

    return send(monitor, line, length, MSG_NOSIGNAL) == (ssize_t)length;
}

/* Send a line, and a descriptor with it. */
static bool tell_monitor_with(int monitor, const char *line, int fd)
{
    union {
        struct cmsghdr header;
        char           room[CMSG_SPACE(sizeof(int))];
    } control = { 0 };
    struct iovec bytes = { (char *)line, strlen(line) };
    struct msghdr message = { .msg_iov = &bytes, .msg_iovlen = 1, .msg_control = &control,
                              .msg_controllen = sizeof(control.room) };

    control.header = (struct cmsghdr){ .cmsg_len = CMSG_LEN(sizeof(int)), .cmsg_level = SOL_SOCKET,
                                       .cmsg_type = SCM_RIGHTS };
    memcpy(CMSG_DATA(&control.header), &fd, sizeof(fd));
    return sendmsg(monitor, &message, MSG_NOSIGNAL) == (ssize_t)bytes.iov_len;
}

/* Read what the monitor says until it has said `wanted`. It repeats what it is told, which must not have that in it. */
static bool monitor_says(int monitor, const char *wanted, uint64_t deadline)
{
    char bytes[PORTION];
    size_t length = 0;

    while (wait_for(monitor, deadline)) {
        ssize_t got = recv(monitor, bytes + length, sizeof(bytes) - 1 - length, 0);

        if (got <= 0)
            return false;
        length += (size_t)got;
        bytes[length] = '\0';
        if (strstr(bytes, wanted) != NULL)
            return true;
        if (length > sizeof(bytes) / 2) {       /* the end may be the beginning of `wanted` */
            memmove(bytes, bytes + length - strlen(wanted), strlen(wanted));
            length = strlen(wanted);
        }
    }
    return false;
}

/* ---- Taking --------------------------------------------------------------------------------- */

/* All that comes until the writer closes its end. */
static bool read_state(int fd, struct thawed *state, uint64_t deadline)
{
    ssize_t got = 1;

    while (got > 0 && state->length < STATE_MOST && wait_for(fd, deadline)) {
        state->bytes = grown(state->bytes, state->length + PORTION, 1);
        got = read(fd, state->bytes + state->length, PORTION);
        state->length += got > 0 ? (size_t)got : 0;
    }
    return got == 0 && state->length > 0;
}

/* QEMU stops the machine by itself for the last part of its state: one stopped before would stay so when restored. */
static bool take_state(const struct machine *machine, struct thawed *state, uint64_t deadline)
{
    int ends[2];
    bool good;

    if (pipe2(ends, O_CLOEXEC) != 0)
        return false;
    good = tell_monitor(machine->monitor, "migrate_set_capability x-ignore-shared on\n") &&
           tell_monitor_with(machine->monitor, "getfd state\n", ends[1]) &&
           tell_monitor(machine->monitor, "migrate fd:state\n");
    close(ends[1]);
    good = good && read_state(ends[0], state, deadline) && tell_monitor(machine->monitor, "info migrate\n") &&
           monitor_says(machine->monitor, "status: completed", deadline);
    close(ends[0]);
    return good;
}

/* Of a machine that was not started, nothing. */
static void end_machine(void *what)
{
    struct machine *machine = what;

    if (machine->pid == 0)
        return;
    close(machine->channel);
    machine_end(machine);
}

bool thaw_take(const struct machine_plan *plan, struct thawed *state)
{
    struct machine *machine = grown(NULL, 1, sizeof(*machine));
    uint64_t deadline = now_ms() + THAW_PATIENCE_MS;
    struct held *held;
    bool good;

    *state = (struct thawed){ 0 };
    machine->pid = 0;
    held = hold(end_machine, machine);
    if (machine_start(machine, plan) != 0)
        machine->pid = 0;
    good = machine->pid != 0 && wait_until_ready(machine->channel, deadline) && take_state(machine, state, deadline);
    let_go(held);
    drop(machine);
    return good;
}

/* ---- Giving back -------------------------------------------------------------------------------- */

static bool send_begin(int channel)
{
    uint8_t frame[CHANNEL_HEADER + CHANNEL_SEED] = { CHANNEL_BEGIN, 0, CHANNEL_SEED, 0 };

    return getrandom(frame + CHANNEL_HEADER, CHANNEL_SEED, 0) == CHANNEL_SEED &&
           send(channel, frame, sizeof(frame), MSG_NOSIGNAL) == (ssize_t)sizeof(frame);
}

bool thaw_begin(const struct machine *machine, int state)
{
    char *line = text("migrate_incoming fd:%d\n", state);
    bool good = tell_monitor(machine->monitor, "migrate_set_capability x-ignore-shared on\n") &&
                tell_monitor(machine->monitor, line) && send_begin(machine->channel);

    drop(line);
    return good;
}
