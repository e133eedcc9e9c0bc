/*
 * findings.c - the findings of the fuzzer, each as the shortest program that shows it.
 *
 *   findings            one line for each: its subject, and the result
 *
 * It prints under Quire what it prints under Linux (tests/calls/findings.expected).
 */
#include "guest.h"

enum { PARENT = 0x8000, VFORK = 0x4000, VM = 0x100, KILLED_MS = 20, PATIENCE_MS = 5000 };

/* The end of a child that may have to be killed: its wait status, or -1 when it did not end in time. */
static int end_of(long child)
{
    int status = -1;

    for (uint32_t begin = milliseconds(); milliseconds() - begin < PATIENCE_MS; sleep_ms(1))
        if (KERNEL(CALL_WAIT4, child, (long)&status, WNOHANG | WAIT_ALL, 0) > 0)
            return status;
    return -1;
}

static char stack[8192] __attribute__((aligned(16)));
static void (*child_does)(void);

void child_main(void)
{
    child_does();
    leave(0);
}

static long clone_to(void (*function)(void), long flags)
{
    child_does = function;
    return kernel_call_twice(&(struct call){ CALL_CLONE, { flags, 0, 0, 0, 0, 0 } }, stack + sizeof stack - 16);
}

static void end_at_once(void)      { leave(7); }
static void wait_for_ever(void)    { for (;;) sleep_ms(1000); }

/* The vfork caller is not the child's parent, so the parent's wait must not be the one that ends. */
static int vfork_of_a_brother(void)
{
    long child = split();

    if (child == 0) {
        clone_to(end_at_once, VFORK | PARENT | 17);
        leave(3);
    }
    return end_of(child);
}

static int vfork_is_killed(void)
{
    long child = split();
    int  status;

    if (child == 0) {
        KERNEL(CALL_SETPGID, 0, 0);
        clone_to(wait_for_ever, VFORK | 17);
        leave(3);
    }
    sleep_ms(KILLED_MS);
    KERNEL(CALL_KILL, child, SIGKILL);
    status = end_of(child);
    KERNEL(CALL_KILL, -child, SIGKILL);
    return status;
}

/* The brother asks for signal 26 at its end; its parent gets SIGCHLD, which does nothing, and lives. */
static int signal_of_a_brother(void)
{
    long child = split();

    if (child == 0) {
        long middle = split();

        if (middle == 0) {
            clone_to(end_at_once, PARENT | 26);
            leave(0);
        }
        leave(end_of(middle) == 0 && end_of(-1) == 7 << 8 ? 5 : 6);
    }
    return end_of(child);
}

static int signal_that_is_none(void)
{
    long child = split(), grandchild;

    if (child == 0) {
        grandchild = clone_to(end_at_once, 200);
        leave(end_of(grandchild) == 7 << 8 ? 5 : 6);
    }
    return end_of(child);
}

/* Two gigabytes from one device to another: the call ends when its process is killed, and the parent gets a turn. */
static int copy_without_end(void)
{
    long child = split();

    if (child == 0) {
        long from = KERNEL(CALL_OPEN, (long)"/dev/urandom", O_RDONLY),
             to = KERNEL(CALL_OPEN, (long)"/dev/null", O_WRONLY);

        KERNEL(CALL_SENDFILE, to, from, 0, 0x7FFFFFFF);
        leave(0);
    }
    sleep_ms(KILLED_MS);
    KERNEL(CALL_KILL, child, SIGKILL);
    return end_of(child);
}

/*
 * IRET with VM in the flags: on a PC the bit stays clear, and the program goes on at `ended` or faults; QEMU enters the
 * 8086 mode, where no kernel expects a program. The program must end; how it ends depends on the processor.
 */
static int into_8086_mode(void)
{
    long child = split();

    if (child == 0)
        __asm__ volatile("pushl $0; pushl $0; pushl $0; pushl $0; pushl $0; pushl $0x1000; pushl $0x23202; "
                         "pushl $0x32; pushl $0x100\n"
                         "iret");
    return end_of(child) != -1;
}

static int timer_for_a_stranger(void)
{
    uint32_t event[16] = { 0, 10, 4, (uint32_t)KERNEL(CALL_GETPPID, 0) }, timer = 0;

    return (int)KERNEL(CALL_TIMER_CREATE, 1, (long)event, (long)&timer);
}

/* The second call's pages join the locked ones behind them. */
static int lock_before_locked(void)
{
    long pages = KERNEL(CALL_MMAP2, 0, 4 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), result;

    result = KERNEL(CALL_MLOCK, pages + 2 * PAGE, 2 * PAGE) | KERNEL(CALL_MLOCK, pages, 2 * PAGE);
    KERNEL(CALL_MUNMAP, pages, 4 * PAGE);
    return (int)result;
}

/* ---- Found by comparing with Linux (tests/calls/differ.py) ------------------------------------------- */

enum { CALL_ALARM = 27, CALL_FLOCK = 143, CALL_POLL = 168, CALL_UTIMENSAT = 320, CALL_FALLOCATE = 324,
       CALL_RECVFROM = 371, CALL_SHUTDOWN = 373 };
enum { SET_NAME = 15, GET_NAME = 16 };

/* More seconds than a signed word holds: the time left is no error. */
static int alarm_for_ever(void)
{
    KERNEL(CALL_ALARM, -1);
    return KERNEL(CALL_ALARM, 0) >= 0x7FFFFFF0;
}

static int name_with_a_tail(void)
{
    static const char name[16] = "ab\0secret";
    char now[16];

    KERNEL(CALL_PRCTL, SET_NAME, (long)name);
    KERNEL(CALL_PRCTL, GET_NAME, (long)now);
    return now[0] == 'a' && memcmp(now + 2, "\0\0\0\0\0\0\0", 7) == 0;
}

static int lock_of_no_kind(void)    { return (int)KERNEL(CALL_FLOCK, 1000, 3); }
static int wait_of_no_kind(void)    { return (int)KERNEL(CALL_WAIT4, -2147483647 - 1, 0, 99); }
static int group_of_nobody(void)    { return (int)KERNEL(CALL_SETPGID, -1, 0); }
static int allocate_in_nothing(void) { return (int)KERNEL(CALL_FALLOCATE, 1000, 0, 0, 0, 0, 0); }

static int allocate_in_a_socket(void)
{
    long socket = KERNEL(CALL_SOCKET, 1, 1, 0), result = KERNEL(CALL_FALLOCATE, socket, 0, 0, 0, 1, 0);

    KERNEL(CALL_CLOSE, socket);
    return (int)result;
}

static int stream_without_a_peer(void)
{
    char byte;
    long socket = KERNEL(CALL_SOCKET, 1, 1 | O_NONBLOCK, 0);
    long result = KERNEL(CALL_RECVFROM, socket, (long)&byte, 1, 0, 0, 0);

    KERNEL(CALL_CLOSE, socket);
    return (int)result;
}

static int no_bytes_without_a_peer(void)
{
    char byte;
    long socket = KERNEL(CALL_SOCKET, 1, 1 | O_NONBLOCK, 0);
    long shut = KERNEL(CALL_SHUTDOWN, socket, 2), got = KERNEL(CALL_RECVFROM, socket, (long)&byte, 0, 0, 0, 0);

    KERNEL(CALL_CLOSE, socket);
    return (int)(shut << 16 | (got & 0xFFFF));
}

static int datagrams_that_are_shut(void)
{
    char byte;
    long socket = KERNEL(CALL_SOCKET, 1, 2 | O_NONBLOCK, 0), result;

    KERNEL(CALL_SHUTDOWN, socket, 0);
    result = KERNEL(CALL_RECVFROM, socket, (long)&byte, 1, 0, 0, 0);
    KERNEL(CALL_CLOSE, socket);
    return (int)result;
}

/* The writer of packets without a reader gets EPIPE, and lives; the writer of a stream is killed. */
static int packets_to_nobody(long type)
{
    long child = split();
    int  ends[2];

    if (child == 0) {
        KERNEL(CALL_SOCKETPAIR, 1, type, 0, (long)ends);
        KERNEL(CALL_CLOSE, ends[1]);
        leave((int)-KERNEL(CALL_WRITE, ends[0], (long)"x", 1));
    }
    return end_of(child);
}

static int writers_to_nobody(void) { return packets_to_nobody(5) << 16 | packets_to_nobody(1); }

/* A missing file is reported before an invalid time. */
static int time_that_is_none(void)
{
    const int32_t times[4] = { 0, -1, 0, 1000000000 };

    return (int)KERNEL(CALL_UTIMENSAT, -100, (long)"/none", (long)times, 0) << 16 |
           (KERNEL(CALL_UTIMENSAT, -100, (long)"/", (long)times, 0) & 0xFFFF);
}

static int timer_that_never_begins(void)
{
    int32_t value[4] = { 5, 0, 0, 0 };

    KERNEL(CALL_SETITIMER, 0, (long)value, 0);
    KERNEL(CALL_SETITIMER, 0, 0, (long)value);
    return value[0];
}

/* All events of poll(), for a counter that is 1 and for one end of a pair. */
static int what_polls_tell(void)
{
    struct { int file; int16_t asked, got; } wanted[2] = { { (int)KERNEL(CALL_EVENTFD, 1), 0x2FFF, 0 },
                                                           { 0, 0x2FFF, 0 } };
    int ends[2];

    KERNEL(CALL_SOCKETPAIR, 1, 1, 0, (long)ends);
    wanted[1].file = ends[0];
    KERNEL(CALL_POLL, (long)wanted, 2, 0);
    KERNEL(CALL_CLOSE, wanted[0].file);
    KERNEL(CALL_CLOSE, ends[0]);
    KERNEL(CALL_CLOSE, ends[1]);
    return wanted[0].got << 16 | wanted[1].got;
}

/* Blocks that the kernel's heap has more when this has been done 16 times than when it had been done once. */
static int blocks_left_by(void (*act)(void))
{
    static char text[512];
    long before = 0, after = 0;

    for (unsigned round = 0; round < 16; round++) {
        act();
        after = file_text("/proc/quire/heap", text, sizeof text) > 0 ? number_behind(text, "blocks ") : 0;
        if (round == 0)
            before = after;
    }
    return (int)(after - before);
}

/* With flags it reads with a copy of the open file, where /proc kept its text for good. */
static void read_proc_with_flags(void)
{
    enum { CALL_PREADV2 = 378 };
    static char byte;
    long vector[2] = { (long)&byte, 1 }, file = KERNEL(CALL_OPEN, (long)"/proc/self/stat", O_RDONLY);

    KERNEL(CALL_PREADV2, file, (long)vector, 1, 0, 0, 1);
    KERNEL(CALL_CLOSE, file);
}

static void name_a_file_too_long(void)
{
    static char name[300];

    KERNEL(CALL_MEMFD_CREATE, (long)memset(name, 'n', sizeof name - 1), 0);
}

/* Two mounts, one over the other, each with a file open when it is unmounted. */
static void mount_twice(void)
{
    long file[2];

    KERNEL(CALL_MKDIR, (long)"/twice", 0700);
    for (unsigned i = 0; i < 2; i++) {
        KERNEL(CALL_MOUNT, (long)"proc", (long)"/twice", (long)"proc", 0, 0);
        file[i] = KERNEL(CALL_OPEN, (long)"/twice/self/maps", O_RDONLY);
    }
    for (unsigned i = 0; i < 2; i++)
        KERNEL(CALL_UMOUNT2, (long)"/twice", 2);
    for (unsigned i = 0; i < 2; i++)
        KERNEL(CALL_CLOSE, file[i]);
    KERNEL(CALL_RMDIR, (long)"/twice");
}

/*
 * What is wrong with a second path is told before a last part of the first that is too long; after a part on the way to
 * it that is.
 */
static int rename_of_a_long_name(void)
{
    enum { CALL_RENAME = 38 };
    static char name[300];
    long last, way;

    memset(name, 'n', sizeof name - 1);
    last = KERNEL(CALL_RENAME, (long)name, (long)"");
    name[260] = '/';
    way = KERNEL(CALL_RENAME, (long)name, (long)"");
    return (int)(-last << 16 | -way);
}

/* A folder can be read from anywhere on: behind its last entry there are no more. */
static int folders_far_away(void)
{
    enum { CALL_LLSEEK = 140 };
    static const char *const folders[] = { "/proc", "/proc/self/task", "/proc/self/fd", "/proc/self/fdinfo", "/tmp",
                                           "/dev" };
    static char text[512];
    int         found = 0;
    int64_t     at;

    for (unsigned i = 0; i < COUNT_OF(folders); i++) {
        long file = KERNEL(CALL_OPEN, (long)folders[i], O_RDONLY);

        for (unsigned bit = 31; bit < 43; bit++)
            for (long low = -1; low <= 300; low += 7) {
                at = (1ll << bit) + low;
                if (KERNEL(CALL_LLSEEK, file, (long)(at >> 32), (long)at, (long)&at, 0) == 0)
                    found |= KERNEL(CALL_GETDENTS64, file, (long)text, sizeof text) != 0;
            }
        KERNEL(CALL_CLOSE, file);
    }
    return found;
}

/* An epoll file has no position, so no offset from 4 GiB on: that is told before a flag that nobody knows. */
static int map_far_in_no_file(void)
{
    enum { VALIDATED = 3, UNKNOWN = 0x200000 };
    long file = KERNEL(CALL_EPOLL_CREATE, 1);
    long far = KERNEL(CALL_MMAP2, 0, 4 * PAGE, PROT_READ, VALIDATED | UNKNOWN, file, 0xFFFFF);
    long near = KERNEL(CALL_MMAP2, 0, 4 * PAGE, PROT_READ, VALIDATED | UNKNOWN, file, 0xFFFF0);

    KERNEL(CALL_CLOSE, file);
    return (int)(-far << 16 | -near);
}

/* The user of a file without a name is who made it. */
static int user_of_a_memfd(void)
{
    enum { CALL_FSTAT64 = 197, CALL_SETRESUID32 = 208, USER = 6 };
    long child = split();

    if (child == 0) {
        uint32_t status[24] = { 0 };

        KERNEL(CALL_SETRESUID32, 77, 78, 79);
        KERNEL(CALL_FSTAT64, KERNEL(CALL_MEMFD_CREATE, (long)"of", 0), (long)status);
        leave((int)status[USER]);
    }
    return end_of(child);
}

static int blocks_after_mounts(void)      { return blocks_left_by(mount_twice); }
static int blocks_after_preadv2(void)     { return blocks_left_by(read_proc_with_flags); }
static int blocks_after_long_names(void)  { return blocks_left_by(name_a_file_too_long); }

/*
 * Access mode 3 is for ioctl(): a descriptor that cannot write cannot truncate, least of all the running program.
 */
static int cut_with_mode_3(void)
{
    long file = KERNEL(CALL_OPEN, (long)"/proc/self/exe", 3), result = KERNEL(CALL_FTRUNCATE, file, 16);

    KERNEL(CALL_CLOSE, file);
    return file >= 0 ? (int)result : 1;
}

static int lock_with_mode_3(void)
{
    static uint16_t shared[8], exclusive[8] = { 1 };
    long file = KERNEL(CALL_OPEN, (long)"/proc/self/exe", 3);
    long first = KERNEL(CALL_FCNTL, file, 6, (long)shared), second = KERNEL(CALL_FCNTL, file, 6, (long)exclusive);
    long map = KERNEL(CALL_MMAP2, 0, PAGE, PROT_READ, MAP_PRIVATE, file, 0);

    KERNEL(CALL_CLOSE, file);
    return first == -EBADF && second == -EBADF ? (int)map : 1;
}

static int fifo_with_mode_3(void)
{
    long result;

    KERNEL(CALL_MKNOD, (long)"/fifo-of-mode-3", 010600, 0);
    result = KERNEL(CALL_OPEN, (long)"/fifo-of-mode-3", 3 | O_NONBLOCK);
    KERNEL(CALL_UNLINK, (long)"/fifo-of-mode-3");
    return (int)result;
}

/*
 * Letting go of much memory takes turns with others, who may look at the process meanwhile. When its turn is over is
 * chance, so several are looked at.
 */
enum { MUCH = 64 * 1024 * 1024, POPULATE = 0x8000, CALL_PREAD = 180, ENDINGS = 10 };

static void look_at_one_ending(void)
{
    char path[40] = "/proc/", part[64], *at = path + 6;
    long child = split(), memory, status;

    if (child == 0) {
        KERNEL(CALL_MMAP2, 0, MUCH, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | POPULATE, -1, 0);
        for (;;)
            ;
    }
    sleep_ms(KILLED_MS);
    for (long unit = 10000; unit > 0; unit /= 10)
        if (child >= unit)
            *at++ = (char)('0' + child / unit % 10);
    memcpy(at, "/mem", 5);
    memory = KERNEL(CALL_OPEN, (long)path, O_RDONLY);
    memcpy(at, "/status", 8);
    KERNEL(CALL_KILL, child, SIGKILL);
    while (KERNEL(CALL_WAIT4, child, 0, WNOHANG, 0) == 0) {
        KERNEL(CALL_PREAD, memory, (long)part, sizeof part, 0x1000, 0);
        if ((status = KERNEL(CALL_OPEN, (long)path, O_RDONLY)) >= 0) {
            KERNEL(CALL_READ, status, (long)part, sizeof part);
            KERNEL(CALL_CLOSE, status);
        }
    }
    KERNEL(CALL_CLOSE, memory);
}

static int look_at_endings(void)
{
    for (unsigned i = 0; i < ENDINGS; i++)
        look_at_one_ending();
    return 0;
}

/*
 * A parent that only forks takes the locks that its children need to end, over and over; they get them all the same.
 * Under movos 256 processes are all that the window has room for: forks beyond that fail until children have ended.
 */
static int children_of_a_forker(void)
{
    enum { CHILDREN = 1500, TURNS = 30, MOST_LEFT = 150 };
    int ended = 0, made = 0;

    for (unsigned i = 0; i < CHILDREN; i++) {
        long child = split();

        if (child == 0)
            leave(0);
        made += child > 0;
    }
    for (unsigned i = 0; i < TURNS; i++)
        KERNEL(CALL_SCHED_YIELD, 0);
    while (KERNEL(CALL_WAIT4, -1, 0, WNOHANG, 0) > 0)
        ended++;
    while (KERNEL(CALL_WAIT4, -1, 0, 0, 0) > 0)
        ;
    return ended < made - MOST_LEFT || made <= MOST_LEFT ? ended + 1 : 0;
}

/* ---- Found by traces of memory operations (tests/calls/traces.py) ------------------------------------- */

/* A file that is made as long as it is: what was written to memory behind its end is gone, as with one made shorter. */
static int cut_where_it_ends(void)
{
    long           file = KERNEL(CALL_MEMFD_CREATE, (long)"of", 0);
    volatile char *at;

    KERNEL(CALL_FTRUNCATE, file, 100);
    at = (volatile char *)KERNEL(CALL_MMAP2, 0, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    at[99] = at[100] = at[PAGE - 1] = 7;
    KERNEL(CALL_FTRUNCATE, file, 100);
    return at[99] << 8 | at[100] << 4 | at[PAGE - 1];
}

/* A locked stack grows as far as memory may be locked: six pages of eight here. */
static int grow_locked(void)
{
    enum { MEMLOCK = 8, CALL_MLOCKALL = 152, CALL_SETRESUID32 = 208, FUTURE = 2, GROWS = 0x100, LIMIT = 8 * PAGE };
    const uint64_t most[2] = { LIMIT, LIMIT };
    volatile char *at;
    long           child = split();

    if (child > 0)
        return end_of(child) & 0x7F;
    KERNEL(CALL_PRLIMIT64, 0, MEMLOCK, (long)most, 0);
    KERNEL(CALL_SETRESUID32, 77, 78, 79);
    KERNEL(CALL_MLOCKALL, FUTURE);
    at = (volatile char *)KERNEL(CALL_MMAP2, 0x20000000, 2 * PAGE, PROT_READ | PROT_WRITE,
                                 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED | GROWS, -1, 0);
    if (at[-6 * PAGE] == 0)
        at[-7 * PAGE] = 1;
    leave(1);
}

static const struct { const char *name; int (*run)(void); } findings[] = {
    { "vfork with CLONE_PARENT comes back", vfork_of_a_brother },
    { "a parent in vfork can be killed", vfork_is_killed },
    { "CLONE_PARENT keeps the caller's exit signal", signal_of_a_brother },
    { "an exit signal that is none", signal_that_is_none },
    { "a copy of gigabytes can be killed", copy_without_end },
    { "a timer's signal is for one's own threads", timer_for_a_stranger },
    { "mlock of what lies below locked memory", lock_before_locked },
    { "preadv2 with flags leaves no block behind", blocks_after_preadv2 },
    { "proc mounted over proc leaves no block behind", blocks_after_mounts },
    { "a memfd's name that is too long leaves no block behind", blocks_after_long_names },
    { "rename of a name that is too long to nothing", rename_of_a_long_name },
    { "folders are read from far behind their ends", folders_far_away },
    { "mmap of what has no positions, far away", map_far_in_no_file },
    { "a memfd belongs to who made it", user_of_a_memfd },
    { "access mode 3 does not cut off a program", cut_with_mode_3 },
    { "access mode 3 neither locks nor maps", lock_with_mode_3 },
    { "access mode 3 does not open a fifo", fifo_with_mode_3 },
    { "the 8086 mode ends a program", into_8086_mode },
    { "an alarm of more seconds than a word holds", alarm_for_ever },
    { "a thread's name ends at its NUL", name_with_a_tail },
    { "flock of no kind, of no file", lock_of_no_kind },
    { "wait4 of no kind, for nobody", wait_of_no_kind },
    { "setpgid of a negative process into its own group", group_of_nobody },
    { "fallocate of nothing, in no file", allocate_in_nothing },
    { "fallocate in a socket", allocate_in_a_socket },
    { "a stream that was never connected has nothing to read", stream_without_a_peer },
    { "a stream that was never connected is shut, and read for no bytes", no_bytes_without_a_peer },
    { "a datagram socket that is shut makes nobody wait", datagrams_that_are_shut },
    { "writers of packets and of streams to nobody", writers_to_nobody },
    { "a time that is none, of no file and of a folder", time_that_is_none },
    { "a timer that never begins has no interval", timer_that_never_begins },
    { "what a counter and a socket tell poll", what_polls_tell },
    { "a process that is ending can be looked at", look_at_endings },
    { "children of a parent that only forks come to their end", children_of_a_forker },
    { "a file cut where it ends keeps nothing behind its end", cut_where_it_ends },
    { "a locked stack grows as far as memory may be locked", grow_locked },
};

int program(int argc, char **argv)
{
    (void)argc, (void)argv;
    for (unsigned i = 0; i < COUNT_OF(findings); i++)
        say("%s: %x\n", findings[i].name, (unsigned)findings[i].run());
    return 0;
}
