/*
 * world.c - what the child that makes a call has, and all that it can see of it.
 */
#include "fail.h"

enum { GET_FLAGS = 1, GET_STATUS = 3, PENDING_BYTES = 0x541B, SEEK_HERE = 1, HERE = -100, NO_FOLLOW = 0x100,
       NONBLOCKING = 04000, ADDRESS = 110, IS_FIFO = 0010644, MOST = 64, TEXT_MOST = 32 * 1024 };
enum { CALL_LSEEK = 19, CALL_LINK_TEXT = 85, CALL_FSTAT64 = 197, CALL_FSTATAT64 = 300, CALL_POLL = 168,
       CALL_GETRLIMIT = 191, CALL_GETCWD = 183, CALL_GETRESUID = 209, CALL_GETRESGID = 211, CALL_GETGROUPS = 205,
       CALL_SIGALTSTACK = 186, CALL_GETITIMER = 105, CALL_PREAD64 = 180, CALL_UNAME = 122, CALL_GETSID = 147,
       CALL_TIMER_GETTIME = 261, CALL_EPOLL_CTL = 255 };

static char text[TEXT_MOST];
static char page[PAGE] __attribute__((aligned(PAGE)));

/* ---- Made ----------------------------------------------------------------------------------------------------- */

static bool moved(long from, long to)
{
    if (from < 0 || KERNEL(CALL_DUP2, from, to) != to)
        return false;
    return KERNEL(CALL_CLOSE, from) == 0;
}

static bool pair_moved(long err, const int32_t *two, long first, long second)
{
    return err == 0 && moved(two[0], first) && moved(two[1], second);
}

static bool make_file(const char *name, long to, unsigned pages)
{
    long file = KERNEL(CALL_OPEN, (long)name, O_CREAT | O_TRUNC | O_RDWR, 0755);

    for (unsigned i = 0; i < pages; i++) {
        memset(page, 'a' + (int)i, sizeof page);
        KERNEL(CALL_WRITE, file, (long)page, sizeof page);
    }
    KERNEL(CALL_LSEEK, file, 0, 0);
    return to != 0 ? moved(file, to) : KERNEL(CALL_CLOSE, file) == 0;
}

static bool make_names(void)
{
    static const char script[] = "#!/proc/self/exe leave\n";
    long              file;

    if (!make_file("file", FILE_, 3) || KERNEL(CALL_MKDIR, (long)"folder", 0755) != 0 ||
        KERNEL(CALL_MKDIR, (long)"empty", 0755) != 0 || !make_file("folder/inner", 0, 1) ||
        KERNEL(CALL_SYMLINK, (long)"file", (long)"link") != 0 ||
        KERNEL(CALL_MKNOD, (long)"fifo", IS_FIFO, 0) != 0)
        return false;
    file = KERNEL(CALL_OPEN, (long)"script", O_CREAT | O_RDWR, 0755);
    KERNEL(CALL_WRITE, file, (long)script, sizeof script - 1);
    KERNEL(CALL_CLOSE, file);
    return moved(KERNEL(CALL_OPEN, (long)"folder", O_DIRECTORY), FOLDER) &&
           moved(KERNEL(CALL_MEMFD_CREATE, (long)"memory", 2), MEMORY_FILE) &&
           moved(KERNEL(CALL_OPEN, (long)"/proc/self/maps", O_RDONLY), TEXT);
}

static bool make_streams(void)
{
    static const struct { uint16_t family; char path[14]; } name = { 1, "socket" };
    static uint32_t rights[4] = { 16, 1, 1, FILE_ }, vector[2] = { (uint32_t)page, 10 };
    static uint32_t message[7] = { 0, 0, (uint32_t)vector, 1, (uint32_t)rights, sizeof rights, 0 };
    int32_t two[2];
    long    connects;

    if (!pair_moved(KERNEL(CALL_PIPE, (long)two), two, PIPE_OUT, PIPE_IN) ||
        !pair_moved(KERNEL(CALL_PIPE, (long)two), two, OTHER_OUT, OTHER_IN) ||
        !pair_moved(KERNEL(CALL_SOCKETPAIR, 1, 1 | NONBLOCKING, 0, (long)two), two, STREAM, STREAM_PEER) ||
        !pair_moved(KERNEL(CALL_SOCKETPAIR, 1, 2 | NONBLOCKING, 0, (long)two), two, PACKETS, PACKETS_PEER) ||
        !moved(KERNEL(CALL_SOCKET, 1, 1 | NONBLOCKING, 0), NEW_SOCKET) ||
        !moved(KERNEL(CALL_SOCKET, 1, 1 | NONBLOCKING, 0), LISTENER) ||
        KERNEL(CALL_BIND, LISTENER, (long)&name, sizeof name) != 0 || KERNEL(CALL_LISTEN, LISTENER, 5) != 0)
        return false;
    connects = KERNEL(CALL_SOCKET, 1, 1 | NONBLOCKING, 0);
    KERNEL(CALL_CONNECT, connects, (long)&name, sizeof name);
    KERNEL(CALL_WRITE, PIPE_IN, (long)page, 3000);
    KERNEL(CALL_WRITE, PIPE_IN, (long)page, 3000);
    KERNEL(CALL_WRITE, STREAM_PEER, (long)page, 3000);
    KERNEL(CALL_WRITE, PACKETS_PEER, (long)page, 2000);
    KERNEL(CALL_WRITE, PACKETS_PEER, (long)page, 2000);
    KERNEL(370, STREAM, (long)message, 0);
    return true;
}

static bool make_events(void)
{
    static uint32_t blocked[2] = { 1u << 9 | 1u << 16, 1u << 7 }, siginfo[32] = { 40, 0, (uint32_t)-1 };
    static uint32_t event[3] = { 1, 5, 0 };
    long            self = KERNEL(CALL_GETPID, 0);

    KERNEL(CALL_RT_SIGPROCMASK, 0, (long)blocked, 0, 8);
    if (!moved(KERNEL(CALL_EVENTFD, 3), EVENT) || !moved(KERNEL(CALL_TIMERFD_CREATE, CLOCK_MONOTONIC, 0), TIMER) ||
        !moved(KERNEL(CALL_SIGNALFD, -1, (long)blocked, 8), SIGNALS) ||
        !moved(KERNEL(CALL_EPOLL_CREATE, 5), EPOLL))
        return false;
    return KERNEL(CALL_EPOLL_CTL, EPOLL, 1, EVENT, (long)event) == 0 &&
           KERNEL(CALL_RT_SIGQUEUEINFO, self, 40, (long)siginfo) == 0;
}

static bool make_mapping(long at, long flags, long file, bool written)
{
    long pages = KERNEL(CALL_MMAP2, at, PAGES * PAGE, PROT_READ | PROT_WRITE, flags | MAP_FIXED, file, 0);

    for (unsigned i = 0; written && pages == at && i < PAGES; i += 2)
        *(volatile uint32_t *)(at + i * PAGE) = i + 1;
    return pages == at;
}

bool world_make(void)
{
    bool made = make_names() && make_streams() && make_events();

    made = made && make_mapping(WRITTEN, MAP_PRIVATE | MAP_ANONYMOUS, -1, true) &&
           make_mapping(COPIED, MAP_PRIVATE, FILE_, false) &&
           make_mapping(SHOWN, MAP_SHARED | MAP_ANONYMOUS, -1, true) &&
           make_mapping(UNTOUCHED, MAP_PRIVATE | MAP_ANONYMOUS, -1, false);
    if (made)
        *(volatile char *)(COPIED + PAGE) = 'x';
    return made;
}

static const char *const names[] = { "file", "link", "fifo", "socket", "script", "gone", "folder/inner", "folder/new",
                                     "folder", "empty", "gone/inner" };

void world_clean(void)
{
    enum { LAZY = 2, REMOVE_FOLDER = 0x200 };

    while (KERNEL(CALL_UMOUNT2, (long)"empty", LAZY) == 0)
        ;
    for (unsigned round = 0; round < 2; round++)
        for (unsigned i = 0; i < COUNT_OF(names); i++)
            if (KERNEL(CALL_UNLINK, (long)names[i]) != 0)
                KERNEL(CALL_RMDIR, (long)names[i]);
}

/* ---- Seen ------------------------------------------------------------------------------------------------------ */

const char *const look_names[LOOKS] = { "maps", "descriptors", "files", "contents", "signals", "the process" };

static uint32_t digest;

static void mix_in(const void *bytes, size_t count)
{
    for (size_t i = 0; i < count; i++)
        digest = (digest ^ ((const uint8_t *)bytes)[i]) * 16777619u;
}

static void mix_number(long number) { mix_in(&number, sizeof number); }

static void mix_text(const char *path)
{
    long length = file_text(path, text, sizeof text);

    mix_number(length);
    if (length > 0)
        mix_in(text, (size_t)length);
}

/* Of a stat64: mode and links; owner; size; inode number. */
static void mix_status(const uint32_t *status)
{
    mix_in(&status[4], 4 * sizeof *status);
    mix_in(&status[11], 2 * sizeof *status);
    mix_in(&status[22], 2 * sizeof *status);
}

static void look_at_descriptors(void)
{
    uint32_t status[32], polled[2];
    int      pending;

    for (long fd = 0; fd < 1024; fd = fd == MOST ? 690 : fd + 1) {
        long flags = fd != ORDER ? KERNEL(CALL_FCNTL64, fd, GET_FLAGS) : 0;

        mix_number(flags);
        if (flags < 0 || fd == ORDER)
            continue;
        mix_number(KERNEL(CALL_FCNTL64, fd, GET_STATUS));
        mix_number(KERNEL(CALL_FCNTL64, fd, 1032));             /* F_GETPIPE_SZ  */
        mix_number(KERNEL(CALL_FCNTL64, fd, 1034));             /* F_GET_SEALS   */
        mix_number(KERNEL(CALL_LSEEK, fd, 0, SEEK_HERE));
        memset(status, 0, sizeof status);
        if (KERNEL(CALL_FSTAT64, fd, (long)status) == 0)
            mix_status(status);
        pending = -1;
        if (KERNEL(CALL_IOCTL, fd, PENDING_BYTES, (long)&pending) == 0)
            mix_number(pending);
        polled[0] = (uint32_t)fd, polled[1] = 0x201F;
        KERNEL(CALL_POLL, (long)polled, 1, 0);
        mix_number((long)polled[1]);
    }
    mix_text("/proc/self/fdinfo/18");                            /* EPOLL */
}

static void look_at_files(void)
{
    uint32_t status[32];

    for (unsigned i = 0; i < COUNT_OF(names); i++) {
        memset(status, 0, sizeof status);
        mix_number(KERNEL(CALL_FSTATAT64, HERE, (long)names[i], (long)status, NO_FOLLOW));
        mix_status(status);
        mix_number(KERNEL(CALL_LINK_TEXT, (long)names[i], (long)text, 200));
    }
    mix_text("/proc/self/mounts");
    mix_text("/proc/locks");
}

static void look_at_contents(void)
{
    static const long ranges[] = { WRITTEN, SHOWN };

    for (unsigned i = 0; i < COUNT_OF(ranges); i++)
        for (unsigned n = 0; n < PAGES; n++)
            mix_in((const void *)(ranges[i] + (long)n * PAGE), 8);
    for (unsigned n = 0; n < 3; n++)
        mix_in((const void *)(COPIED + (long)n * PAGE), 8);
    for (unsigned n = 0; n < 5; n++) {
        memset(text, 0, 16);
        mix_number(KERNEL(CALL_PREAD64, FILE_, (long)text, 16, (long)n * 3000, 0));
        mix_number(KERNEL(CALL_PREAD64, MEMORY_FILE, (long)text + 8, 8, (long)n * 3000, 0));
        mix_in(text, 16);
    }
}

static void look_at_signals(void)
{
    uint32_t set[8];

    for (long number = 1; number < 65; number++) {
        memset(set, 0, sizeof set);
        KERNEL(CALL_RT_SIGACTION, number, 0, (long)set, 8);
        mix_in(set, 20);
    }
    KERNEL(CALL_RT_SIGPROCMASK, 0, 0, (long)set, 8);
    mix_in(set, 8);
    KERNEL(176, (long)set, 8);                                   /* rt_sigpending */
    mix_in(set, 8);
    KERNEL(CALL_SIGALTSTACK, 0, (long)set);
    mix_in(set, 12);
    for (long i = 0; i < 3; i++)
        mix_number(KERNEL(CALL_TIMER_GETTIME, i, (long)set));
    KERNEL(CALL_GETITIMER, 1, (long)set);
    mix_in(set, 8);                                              /* its interval */
}

static void look_at_process(void)
{
    uint32_t words[100];

    for (long i = 0; i < 16; i++) {
        KERNEL(CALL_PRLIMIT64, 0, i, 0, (long)words);
        mix_in(words, 16);
    }
    memset(text, 0, 512);
    mix_number(KERNEL(CALL_GETCWD, (long)text, 512));
    KERNEL(CALL_UNAME, (long)text + 64);
    mix_in(text, 512);
    KERNEL(CALL_GETRESUID, (long)words, (long)&words[1], (long)&words[2]);
    KERNEL(CALL_GETRESGID, (long)&words[3], (long)&words[4], (long)&words[5]);
    mix_in(words, 24);
    mix_number(KERNEL(CALL_GETGROUPS, 100, (long)words));
    mix_number(KERNEL(CALL_BRK, 0));
    mix_number(KERNEL(CALL_GETSID, 0));
    KERNEL(CALL_PRCTL, 16, (long)words);
    mix_in(words, 16);
}

void world_look(struct looks *looks)
{
    static void (*const look_at[LOOKS])(void) = {
        [LOOK_DESCRIPTORS] = look_at_descriptors, [LOOK_FILES] = look_at_files, [LOOK_CONTENTS] = look_at_contents,
        [LOOK_SIGNALS] = look_at_signals, [LOOK_PROCESS] = look_at_process,
    };

    for (unsigned i = 0; i < LOOKS; i++) {
        digest = 2166136261u;
        if (look_at[i] != NULL)
            look_at[i]();
        else
            mix_text("/proc/self/maps");
        looks->of[i] = digest;
    }
}
