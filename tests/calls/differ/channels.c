/* channels.c - operations on pipes, local sockets, counters, and readiness. No operation here waits. */
#include "differ.h"

/* Source: Linux, arch/x86/entry/syscalls/syscall_32.tbl. */
enum {
    CALL_POLL = 168, CALL_EPOLL_CTL = 255, CALL_EPOLL_WAIT = 256, CALL_EVENTFD2 = 328, CALL_EPOLL_CREATE1 = 329,
    CALL_PIPE2 = 331,
    CALL_GETSOCKOPT = 365, CALL_SETSOCKOPT = 366, CALL_GETSOCKNAME = 367,
    CALL_GETPEERNAME = 368, CALL_SENDTO = 369, CALL_RECVFROM = 371, CALL_SHUTDOWN = 373, CALL_NEWSELECT = 142,
    CALL_SPLICE = 313,
    CALL_TEE = 315, CALL_VMSPLICE = 316, CALL_SIGNALFD4 = 327, CALL_TIMERFD_SETTIME = 325,
    CALL_TIMERFD_GETTIME = 326,
};
enum { AF_UNIX = 1, SOL_SOCKET = 1, MSG_DONTWAIT = 0x40, MSG_NOSIGNAL = 0x4000, ADDRESS = 110 };

struct address { uint16_t family; char path[108]; };

static void op_pipe(void)
{
    int  ends[2] = { -1, -1 };
    long flags   = PICK(0, 0, 0, O_CLOEXEC, 040000, 1) | O_NONBLOCK;

    tell("pipe %x", (unsigned)flags);
    answer(KERNEL(CALL_PIPE2, (long)ends, flags));
    tell(" %d %d", ends[0], ends[1]);
}

static void op_socketpair(void)
{
    int  ends[2] = { -1, -1 };
    long family = PICK(AF_UNIX, AF_UNIX, AF_UNIX, AF_UNIX, 0, 99), type = PICK(1, 2, 5, 1, 3, 77), protocol = PICK(0,
        0, 0, 1, 5);

    tell("socketpair %d %d %d", (int)family, (int)type, (int)protocol);
    if (answer(KERNEL(CALL_SOCKETPAIR, family, type | O_NONBLOCK, protocol, (long)ends)) == 0)
        tell(" %d %d", ends[0], ends[1]);
}

static void op_socket(void)
{
    long type = PICK(1, 2, 5, 1);

    tell("socket %d", (int)type);
    answer(KERNEL(CALL_SOCKET, AF_UNIX, type | O_NONBLOCK, 0));
}

static long any_address(struct address *address)
{
    static const char *const names[] = { "s", "s", "d/s", "a", "none/s", "", "\0abstract" };
    unsigned which = below(COUNT_OF(names));
    long     length = 2 + (which == 6 ? 9 : which == 5 ? 0 : (long)strlen(names[which]) + 1);

    memset(address, 0, sizeof *address);
    address->family = (uint16_t)(one_in(20) ? 2 : AF_UNIX);
    memcpy(address->path, names[which], which == 6 ? 9 : strlen(names[which]));
    tell(" address %u of %d, family %u", which, (int)length, address->family);
    return one_in(20) ? PICK(0, 1, 200) : length;
}

static void op_address(void)
{
    struct address address;
    long           file = any_descriptor(), call = PICK(CALL_BIND, CALL_BIND, CALL_CONNECT, CALL_CONNECT), length;

    tell("%s %d", call == CALL_BIND ? "bind" : "connect", (int)file);
    length = any_address(&address);
    answer(KERNEL(call, file, (long)&address, length));
}

static void op_listen(void)
{
    long file = any_descriptor(), most = PICK(0, 1, 5, -1);

    tell("listen %d %d", (int)file, (int)most);
    answer(KERNEL(CALL_LISTEN, file, most));
}

/* Of names that the kernel chooses (five digits) only the length is printed. */
static void address_out(const char *name, long call, long fourth)
{
    struct address address;
    long           file = any_descriptor();
    int            length = (int)PICK(ADDRESS, ADDRESS, 2, 0, 5, -1);

    memset(&address, 0, sizeof address);
    tell("%s %d %d", name, (int)file, length);
    if (answer(KERNEL(call, file, (long)&address, (long)&length, fourth)) >= 0)
        tell(" length %d family %u %s", length, address.family, address.path);
}

static void op_accept(void) { address_out("accept", CALL_ACCEPT4, O_NONBLOCK); }
static void op_name(void)   { address_out("getsockname", CALL_GETSOCKNAME, 0); }
static void op_peer(void)   { address_out("getpeername", CALL_GETPEERNAME, 0); }

static void op_send(void)
{
    long file = any_descriptor(), size = any_size(), flags = PICK(0, 0, MSG_NOSIGNAL, 1, 0x80) | MSG_DONTWAIT;

    tell("send %d %d %x", (int)file, (int)size, (unsigned)flags);
    answer(KERNEL(CALL_SENDTO, file, (long)any_bytes(size), size, flags, 0, 0));
}

static void op_send_to(void)
{
    struct address address;
    long           file = any_descriptor(), size = PICK(1, 10, 100), length;

    tell("sendto %d %d", (int)file, (int)size);
    length = any_address(&address);
    answer(KERNEL(CALL_SENDTO, file, (long)any_bytes(size), size, MSG_DONTWAIT, (long)&address, length));
}

static void op_receive(void)
{
    long file = any_descriptor(), size = any_size(), flags = PICK(0, 0, 2, 0x20, 0x22, 1, 0x100) | MSG_DONTWAIT;

    tell("recv %d %d %x", (int)file, (int)size, (unsigned)flags);
    long got = answer(KERNEL(CALL_RECVFROM, file, (long)buffer, size, flags, 0, 0));
    if (got > 0)
        tell_digest(buffer, got < size ? got : size);
}

static void op_shutdown(void)
{
    long file = any_descriptor(), how = PICK(0, 1, 2, 3);

    tell("shutdown %d %d", (int)file, (int)how);
    answer(KERNEL(CALL_SHUTDOWN, file, how));
}

static void op_option(void)
{
    long file = any_descriptor(), option = PICK(3, 4, 30, 38, 39, 16, 9, 2, 99);
    int  value = -1, length = 4;

    tell("getsockopt %d %d", (int)file, (int)option);
    answer(KERNEL(CALL_GETSOCKOPT, file, SOL_SOCKET, option, (long)&value, (long)&length));
    tell(" %d of %d", value, length);
}

static void op_set_option(void)
{
    long file = any_descriptor(), option = PICK(16, 9, 2, 3, 99);
    int  value = (int)PICK(0, 1), length = (int)PICK(4, 4, 0, 1);

    tell("setsockopt %d %d %d of %d", (int)file, (int)option, value, length);
    answer(KERNEL(CALL_SETSOCKOPT, file, SOL_SOCKET, option, (long)&value, length));
}

static void op_poll(void)
{
    struct { int file; int16_t asked, got; } wanted[4];
    long count = PICK(1, 2, 3, 4);

    tell("poll");
    for (long i = 0; i < count; i++) {
        wanted[i].file  = (int)any_descriptor();
        wanted[i].asked = (int16_t)PICK(1, 4, 5, 0, 0x2FFF, 2, 0x2000, 0x45);
        wanted[i].got   = -1;
        tell(" %d:%x", wanted[i].file, (unsigned)wanted[i].asked);
    }
    answer(KERNEL(CALL_POLL, (long)wanted, count, 0));
    for (long i = 0; i < count; i++)
        tell(" %x", (unsigned)wanted[i].got);
}

static void op_select(void)
{
    uint32_t sets[3] = { below(64), below(64), below(64) };
    long     time[2] = { 0, 0 }, most = PICK(6, 6, 3, 0, -1);

    tell("select %d %x %x %x", (int)most, sets[0], sets[1], sets[2]);
    answer(KERNEL(CALL_NEWSELECT, most, (long)&sets[0], (long)&sets[1], (long)&sets[2], (long)time));
    tell(" %x %x %x", sets[0], sets[1], sets[2]);
}

static void op_epoll(void)
{
    long flags = PICK(0, O_CLOEXEC, 1);

    tell("epoll_create1 %x", (unsigned)flags);
    answer(KERNEL(CALL_EPOLL_CREATE1, flags));
}

struct event { uint32_t events, data[2]; };

static void op_epoll_ctl(void)
{
    long         file = any_descriptor(), what = PICK(1, 1, 1, 2, 3, 4), of = any_descriptor();
    struct event event = { (uint32_t)PICK(1, 4, 5, 0x80000001, 0x40000005, 0x10000004, 0x2000),
        { (uint32_t)below(1000), 0 } };

    tell("epoll_ctl %d %d %d %x", (int)file, (int)what, (int)of, event.events);
    answer(KERNEL(CALL_EPOLL_CTL, file, what, of, (long)&event));
}

static void op_epoll_wait(void)
{
    struct event events[8];
    long         file = any_descriptor(), most = PICK(8, 8, 1, 0, -1), got;
    uint32_t     sum = 0;

    tell("epoll_wait %d %d", (int)file, (int)most);
    got = answer(KERNEL(CALL_EPOLL_WAIT, file, (long)events, most, 0));
    for (long i = 0; i < got; i++)
        sum += events[i].events * 31 + events[i].data[0];
    tell(" #%x", sum);
}

static void op_eventfd(void)
{
    long value = PICK(0, 1, 5, -1), flags = PICK(0, 1, O_CLOEXEC, 2) | O_NONBLOCK;

    tell("eventfd %d %x", (int)value, (unsigned)flags);
    answer(KERNEL(CALL_EVENTFD2, value, flags));
}

static void op_count(void)
{
    uint64_t value = (uint64_t)PICK(0, 1, 7, -1, -2);
    long     file = any_descriptor(), call = PICK(CALL_READ, CALL_WRITE), size = PICK(8, 8, 4, 16);

    tell("%s count %d %d %d", call == CALL_READ ? "read" : "write", (int)file, (int)value, (int)size);
    answer(KERNEL(call, file, (long)&value, size > 8 ? 8 : size));
    tell(" %llu", (unsigned long long)value);
}

static void op_splice(void)
{
    int64_t at   = (int64_t)PICK(0, 2, 100, -1);
    long    from = any_descriptor(), to = any_descriptor(), size = any_size(), flags = PICK(2, 2, 2, 3, 0x12);
    long    which = PICK(0, 0, 1, 2);           /* the place lies in no file, in the first, or in the second */

    tell("splice %d %d %d flags %x place %d of %d", (int)from, (int)to, (int)size, (int)flags, (int)at, (int)which);
    answer(KERNEL(CALL_SPLICE, from, which == 1 ? (long)&at : 0, to, which == 2 ? (long)&at : 0, size, flags));
    tell(" %d", (int)at);
}

static void op_tee(void)
{
    long from = any_descriptor(), to = any_descriptor(), size = any_size();

    tell("tee %d %d %d", (int)from, (int)to, (int)size);
    answer(KERNEL(CALL_TEE, from, to, size, 2));
}

static void op_vmsplice(void)
{
    static char bytes[64];
    uint32_t    pieces[4] = { (uint32_t)(uintptr_t)bytes, PICK(0, 1, 40), (uint32_t)(uintptr_t)bytes, PICK(0, 3, 64) };
    long        file = any_descriptor(), count = PICK(0, 1, 2, 2000);

    tell("vmsplice %d of %d and %d", (int)file, (int)pieces[1], (int)pieces[3]);
    answer(KERNEL(CALL_VMSPLICE, file, (long)pieces, count, PICK(2, 2, 0x12)));
}

static void op_absent(void)
{
    long call = PICK(332, 425), result;

    tell("descriptor of call %d", (int)call);
    result = KERNEL(call, call == 332 ? O_NONBLOCK : 0, 0);
    if (answer_ok(result) >= 0)
        KERNEL(CALL_CLOSE, result);
}

/* A new descriptor for signals, or other signals for one that there is; pending signals are read, without senders. */
static void op_signalfd(void)
{
    uint32_t mask[2] = { 1u << (PICK(SIGUSR1, SIGUSR2, SIGHUP) - 1), (uint32_t)PICK(0, 2) }, record[32] = { 0 };
    long     call = PICK(CALL_SIGNALFD4, CALL_SIGNALFD4, 321), size = PICK(8, 8, 8, 4),
        flags = O_NONBLOCK | PICK(0, O_CLOEXEC, 1), file = one_in(2) ? -1 : any_descriptor(), got;

    tell("signalfd %d %d %d %x of %x %x", (int)call, (int)file, (int)size, (unsigned)flags, (unsigned)mask[0],
         (unsigned)mask[1]);
    if (call == 321)
        file = file == -1 ? -2 : file;          /* that would make a descriptor whose read waits */
    answer(got = KERNEL(call, file, (long)mask, size, flags));
    if (got >= 0) {
        answer(KERNEL(CALL_READ, got, (long)record, sizeof record));
        tell(" %d %d value %d", (int)record[0], (int)record[2], (int)record[11]);
    }
}

/* A new timer, or another setting for one: due at once, or in an hour. Its old setting is printed. */
static void op_timerfd(void)
{
    enum { hour = 3600 };
    uint32_t setting[4] = { (uint32_t)PICK(0, 0, hour, -1), 0, (uint32_t)PICK(0, hour, 0, hour),
                            (uint32_t)PICK(0, 1, 1, 1000000000) }, told[4] = { 9, 9, 9, 9 };
    uint64_t expiries = 0;
    long     clock = PICK(0, 1, 7, 2, 8), flags = PICK(0, 0, 1, 1, 2, 4), file;

    if (!(flags & 1) && setting[3] == 1)        /* a timer that is due soon might be due or not */
        setting[2] = hour;

    tell("timerfd %d", (int)clock);
    file = one_in(2) ? any_descriptor() :
           answer(KERNEL(CALL_TIMERFD_CREATE, clock, O_NONBLOCK | PICK(0, O_CLOEXEC, 1)));
    tell(" set %d %x to %d %d every %d", (int)file, (unsigned)flags, (int)setting[2], (int)setting[3], (int)setting[0]);
    answer(KERNEL(CALL_TIMERFD_SETTIME, file, flags, (long)setting, 0));
    if (answer(KERNEL(CALL_TIMERFD_GETTIME, file, (long)told)) < 0)
        return;
    if (!(flags & 1))                           /* else it may be due this moment */
        tell(" left %d", told[2] == 0 && told[3] == 0 ? 0 : told[2] < hour - 600 ? 1 : 2);
    tell(" every %d %d", (int)told[0], (int)told[1]);
    if (setting[2] == 0 && setting[3] == 1 && (flags & 1)) {
        KERNEL(CALL_POLL, (long)(int[]){ (int)file, 1 }, 1, 1000);
        answer(KERNEL(CALL_READ, file, (long)&expiries, 8));
        tell(" %d", expiries > 0);
    }
}

static operation *const operations[] = {
    op_pipe, op_pipe, op_socketpair, op_socketpair, op_socketpair, op_socket, op_socket, op_address, op_address,
        op_address, op_listen, op_accept,
    op_name, op_peer, op_send, op_send, op_send, op_send_to, op_receive, op_receive, op_receive, op_shutdown,
        op_option, op_set_option, op_poll, op_poll,
    op_select, op_epoll, op_epoll_ctl, op_epoll_ctl, op_epoll_wait, op_epoll_wait, op_eventfd, op_count, op_count,
        op_splice, op_splice, op_tee, op_vmsplice, op_absent, op_signalfd, op_signalfd, op_timerfd, op_timerfd,
};
const struct family channels = { operations, COUNT_OF(operations) };
