/*
 * bombs.c - programs that take all of one resource, each in a machine of 32 MiB.
 *
 *   bombs                       the names of all
 *   bombs NAME ...              each in turn; for each a line
 *
 *     bomb NAME: made N, ENDED; peak OWNER FRAMES frames; user 0, stacks 0, ...; blocks N; audit clean; N s
 *
 * A bomb runs in a process group of its own until it is refused (ENDED is the errno's number), is killed, or has had
 * its time. Then everybody else is killed, its files are removed, and what each owner of frames has is compared with
 * before. The figures come from /proc/quire; the bomb counts its objects in memory that it shares with the
 * supervisor.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/futex.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { PAGE = 4096, STACK = 16 * 1024, TIME_MS = 8000, PATIENCE_MS = 20000, MANY = 1 << 20 };

/* How many objects a bomb has made, and why it stopped; shared with the supervisor. */
static struct { volatile unsigned made; volatile int refused; volatile bool ready, go; } *told;

static uint32_t now_ms(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint32_t)(t.tv_sec * 1000 + t.tv_nsec / 1000000);
}

/* Count one more object if `good`; otherwise the bomb has reached its limit, and holds all until it is killed. */
static void count_or_hold(bool good)
{
    if (good) {
        told->made++;
        return;
    }
    told->refused = errno;
    told->ready   = true;
    for (;;)
        pause();
}
#define UNTIL_REFUSED(action) for (;;) count_or_hold(action)

static void many_descriptors(void)
{
    struct rlimit limit = { MANY, MANY };

    setrlimit(RLIMIT_NOFILE, &limit);
}

static void wait_for_ever(void)
{
    for (;;)
        pause();
}

/* ---- Processes and threads --------------------------------------------------------------------- */

static bool child_that(void (*does)(void))
{
    pid_t child = fork();

    if (child == 0) {
        does();
        _exit(0);
    }
    return child > 0;
}

static void leave_now(void)      { _exit(0); }
static void processes(void)      { UNTIL_REFUSED(child_that(wait_for_ever)); }
static void zombies(void)        { UNTIL_REFUSED(child_that(leave_now)); }

/* Each child has the next one. */
static void chain(void)
{
    for (;;) {
        pid_t child = fork();

        if (child > 0)
            wait_for_ever();
        count_or_hold(child == 0);
    }
}

static int thread_sleeps(void *unused)
{
    (void)unused;
    for (;;)
        syscall(SYS_pause);
}

static bool start_thread(int (*function)(void *))
{
    char *stack = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    return stack != MAP_FAILED &&
        clone(function, stack + PAGE, CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD |
                                        CLONE_SYSVSEM, NULL) > 0;
}

static void threads(void) { UNTIL_REFUSED(start_thread(thread_sleeps)); }

static int word_to_wait_for;
static int thread_waits(void *unused)
{
    (void)unused;
    for (;;)
        syscall(SYS_futex, &word_to_wait_for, FUTEX_WAIT, 0, NULL, NULL, 0);
}

static void futex_waiters(void) { UNTIL_REFUSED(start_thread(thread_waits)); }

/* A fork bomb: every process forks. */
static void doubling(void)
{
    for (;;) {
        pid_t child = fork();

        if (child >= 0)
            __sync_fetch_and_add(&told->made, 1);
        else
            told->refused = errno, sched_yield();
    }
}

/* Each child of vfork does the same, in the same memory. */
static void vfork_chain(void)
{
    for (;;) {
        pid_t child = (pid_t)syscall(SYS_clone, CLONE_VM | CLONE_VFORK | SIGCHLD, NULL, NULL, NULL, NULL);

        if (child > 0)
            wait_for_ever();
        count_or_hold(child == 0);
    }
}

/* ---- Memory ------------------------------------------------------------------------------------------ */

static char *pages(size_t bytes)
{
    return mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

static void touched(void)
{
    for (;;) {
        char *page = pages(PAGE);

        count_or_hold(page != MAP_FAILED);
        *page = 1;
    }
}

/* Every second page has other rights, so each is a mapping. */
static void mappings(void)
{
    int rights = 0;

    UNTIL_REFUSED(mmap(NULL, PAGE, (rights ^= 1) ? PROT_READ : PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) !=
                  MAP_FAILED);
}

/* A page in each 4 MiB has a page table to itself; so does each process. */
static void page_tables(void)
{
    for (;;) {
        for (uintptr_t at = 0x10000000; at < 0x90000000; at += 0x400000)
            if (mmap((void *)at, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0) ==
                (void *)at)
                *(volatile char *)at;
        pid_t child = fork();

        if (child == 0)
            wait_for_ever();
        count_or_hold(child > 0);
    }
}

static void copy_on_write(void)
{
    enum { BYTES = 4 * 1024 * 1024 };
    char *memory = pages(BYTES);

    memset(memory, 1, BYTES);
    for (;;) {
        pid_t child = fork();

        if (child == 0) {
            for (unsigned at = 0; at < BYTES; at += PAGE)
                memory[at] = 2;
            wait_for_ever();
        }
        count_or_hold(child > 0);
    }
}

static void growth(void)
{
    size_t size   = PAGE;
    char  *memory = pages(size);

    for (;;) {
        char *larger = mremap(memory, size, 2 * size, MREMAP_MAYMOVE);

        count_or_hold(larger != MAP_FAILED);
        memory = larger;
        memset(memory + size, 1, size);
        size *= 2;
    }
}

static void break_grows(void)
{
    UNTIL_REFUSED(sbrk(64 * 1024) != (void *)-1 && memset((char *)sbrk(0) - 64 * 1024, 1, 64 * 1024));
}

static int __attribute__((noinline)) deeper(int level)
{
    volatile char room[2000];

    memset((char *)room, level, sizeof room);
    told->made++;
    return deeper(level + 1) + room[level % 7];
}

static void recursion(void)
{
    struct rlimit limit = { RLIM_INFINITY, RLIM_INFINITY };

    setrlimit(RLIMIT_STACK, &limit);
    deeper(0);
}

static void locked(void)
{
    struct rlimit limit = { RLIM_INFINITY, RLIM_INFINITY };

    setrlimit(RLIMIT_MEMLOCK, &limit);
    for (;;) {
        char *memory = pages(64 * PAGE);

        count_or_hold(memory != MAP_FAILED && mlock(memory, 64 * PAGE) == 0);
    }
}

static void shared_memory(void)
{
    for (;;) {
        char *memory = mmap(NULL, 16 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

        count_or_hold(memory != MAP_FAILED);
        memset(memory, 1, 16 * PAGE);
    }
}

/* ---- Files ----------------------------------------------------------------------------------------------- */

static char block[64 * 1024];

static void file_size(void)
{
    int file = open("large", O_RDWR | O_CREAT, 0600);

    UNTIL_REFUSED(write(file, block, sizeof block) == sizeof block);
}

static bool make_file(const char *format, unsigned n, size_t bytes)
{
    char name[300];
    int  file;

    snprintf(name, sizeof name, format, n);
    file = open(name, O_WRONLY | O_CREAT | O_EXCL, 0600);
    if (file < 0)
        return false;
    bool good = bytes == 0 || write(file, block, bytes) == (ssize_t)bytes;
    close(file);
    return good;
}

static void files_many(void)   { UNTIL_REFUSED(make_file("%u", told->made, 1)); }
static void names_long(void)   { UNTIL_REFUSED(make_file("%0250u", told->made, 0)); }
static void folders_deep(void) { UNTIL_REFUSED(mkdir("d", 0700) == 0 && chdir("d") == 0); }

static void links(void)
{
    char name[20];

    close(open("one", O_CREAT | O_WRONLY, 0600));
    for (;;) {
        snprintf(name, sizeof name, "%u", told->made);
        count_or_hold(link("one", name) == 0);
    }
}

static void symbolic(void)
{
    char name[20], to[4000];

    memset(to, 'x', sizeof to);
    to[sizeof to - 1] = '\0';
    for (;;) {
        snprintf(name, sizeof name, "%u", told->made);
        count_or_hold(symlink(to, name) == 0);
    }
}

static void fifos(void)
{
    char name[20];

    many_descriptors();
    for (;;) {
        snprintf(name, sizeof name, "%u", told->made);
        count_or_hold(mkfifo(name, 0600) == 0 && open(name, O_RDWR) >= 0);
    }
}

static void memory_files(void)
{
    many_descriptors();
    for (;;) {
        int file = memfd_create("bomb", 0);

        count_or_hold(file >= 0 && write(file, block, PAGE) == PAGE);
    }
}

static void removed_files(void)
{
    many_descriptors();
    for (;;) {
        int file = open("removed", O_RDWR | O_CREAT | O_EXCL, 0600);

        count_or_hold(file >= 0 && unlink("removed") == 0 && write(file, block, PAGE) == PAGE);
    }
}

static void descriptors(void)
{
    many_descriptors();
    UNTIL_REFUSED(dup(0) >= 0);
}

static void record_locks(void)
{
    int file = open("locked", O_RDWR | O_CREAT, 0600);

    for (;;) {
        struct flock one = { .l_type = F_WRLCK, .l_start = 2 * (off_t)told->made, .l_len = 1 };

        count_or_hold(fcntl(file, F_SETLK, &one) == 0);
    }
}

static void flocks(void)
{
    many_descriptors();
    for (;;) {
        int file = open("locked", O_RDWR | O_CREAT, 0600);

        count_or_hold(file >= 0 && flock(file, LOCK_SH) == 0);
    }
}

static void readers_of_proc(void)
{
    many_descriptors();
    for (;;) {
        int  file = open("/proc/self/smaps", O_RDONLY);
        char byte;

        count_or_hold(file >= 0 && read(file, &byte, 1) == 1);
    }
}

/* ---- Pipes, sockets and what waits for them ----------------------------------------------------------------- */

static void pipes(void)
{
    int ends[2];

    many_descriptors();
    UNTIL_REFUSED(pipe(ends) == 0);
}

static void pipes_full(void)
{
    int ends[2];

    many_descriptors();
    for (;;) {
        count_or_hold(pipe2(ends, O_NONBLOCK) == 0);
        while (write(ends[1], block, sizeof block) > 0)
            ;
    }
}

static void pipes_wide(void)
{
    int ends[2];

    many_descriptors();
    for (;;) {
        count_or_hold(pipe2(ends, O_NONBLOCK) == 0);
        fcntl(ends[1], F_SETPIPE_SZ, 1024 * 1024);
        while (write(ends[1], block, sizeof block) > 0)
            ;
    }
}

static void sockets(void)
{
    many_descriptors();
    UNTIL_REFUSED(socket(AF_UNIX, SOCK_STREAM, 0) >= 0);
}

static void sockets_full(void)
{
    int ends[2];

    many_descriptors();
    for (;;) {
        count_or_hold(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends) == 0);
        while (write(ends[0], block, 4096) > 0)
            ;
    }
}

static void datagrams(void)
{
    int ends[2];

    many_descriptors();
    for (;;) {
        count_or_hold(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0, ends) == 0);
        while (write(ends[0], block, 1) > 0)
            ;
    }
}

static void unaccepted(void)
{
    struct sockaddr_un at = { AF_UNIX, "server" };
    int server = socket(AF_UNIX, SOCK_STREAM, 0);

    many_descriptors();
    unlink(at.sun_path);
    bind(server, (struct sockaddr *)&at, sizeof at);
    listen(server, INT_MAX);
    for (;;) {
        int client = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);

        count_or_hold(client >= 0 && connect(client, (struct sockaddr *)&at, sizeof at) == 0);
    }
}

static bool send_descriptor(int to, int file)
{
    union { struct cmsghdr head; char room[CMSG_SPACE(sizeof(int))]; } control = { .head = { CMSG_LEN(sizeof(int)),
                                                                                             SOL_SOCKET, SCM_RIGHTS } };
    struct iovec  data    = { block, 1 };
    struct msghdr message = { .msg_iov = &data, .msg_iovlen = 1, .msg_control = &control,
                              .msg_controllen = sizeof control };

    memcpy(CMSG_DATA(&control.head), &file, sizeof file);
    return sendmsg(to, &message, MSG_DONTWAIT) == 1;
}

/* Sockets that travel through each other, and hold the only references to each other. */
static void in_flight(void)
{
    for (;;) {
        int ends[2];

        count_or_hold(socketpair(AF_UNIX, SOCK_DGRAM, 0, ends) == 0);
        count_or_hold(send_descriptor(ends[0], ends[1]) && send_descriptor(ends[1], ends[0]));
        close(ends[0]);
        close(ends[1]);
    }
}

static void epolls(void)
{
    many_descriptors();
    UNTIL_REFUSED(epoll_create1(0) >= 0);
}

static void epoll_entries(void)
{
    int epoll = epoll_create1(0);

    many_descriptors();
    for (;;) {
        struct epoll_event event = { .events = EPOLLIN };
        int file = eventfd(0, 0);

        count_or_hold(file >= 0 && epoll_ctl(epoll, EPOLL_CTL_ADD, file, &event) == 0);
    }
}

static void epoll_nest(void)
{
    int outer = epoll_create1(0);

    many_descriptors();
    for (;;) {
        struct epoll_event event = { .events = EPOLLIN };
        int inner = epoll_create1(0);

        count_or_hold(inner >= 0 && epoll_ctl(inner, EPOLL_CTL_ADD, outer, &event) == 0);
        outer = inner;
    }
}

static void eventfds(void)
{
    many_descriptors();
    UNTIL_REFUSED(eventfd(0, 0) >= 0);
}

static void terminals(void)
{
    many_descriptors();
    UNTIL_REFUSED(open("/dev/ptmx", O_RDWR | O_NOCTTY) >= 0);
}

/* ---- Signals and timers ------------------------------------------------------------------------------------- */

static void timers(void)
{
    struct sigevent event = { .sigev_notify = SIGEV_NONE };
    timer_t timer;

    UNTIL_REFUSED(syscall(SYS_timer_create, CLOCK_MONOTONIC, &event, &timer) == 0);
}

static void timers_fast(void)
{
    struct itimerspec often = { { 0, 1 }, { 0, 1 } };
    struct sigevent   event = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGRTMIN + 1 };
    int timer;

    signal(SIGRTMIN + 1, SIG_IGN);
    for (;;)
        count_or_hold(syscall(SYS_timer_create, CLOCK_MONOTONIC, &event, &timer) == 0 &&
                      syscall(SYS_timer_settime, timer, 0, &often, NULL) == 0);
}

static void signals_queued(void)
{
    struct rlimit limit = { RLIM_INFINITY, RLIM_INFINITY };
    sigset_t all;

    setrlimit(RLIMIT_SIGPENDING, &limit);
    sigfillset(&all);
    sigprocmask(SIG_BLOCK, &all, NULL);
    UNTIL_REFUSED(sigqueue(getpid(), SIGRTMIN + 2, (union sigval){ 0 }) == 0);
}

/* ---- Arguments ------------------------------------------------------------------------------------------------ */

enum { WORDS = 4096 };
static char *words[WORDS + 1];

static void execute(size_t length, bool as_environment)
{
    char *word = malloc(length + 1), *none[] = { NULL };

    memset(word, 'w', length);
    word[length] = '\0';
    for (unsigned i = 0; i < WORDS; i++)
        words[i] = word;
    for (;;) {
        pid_t child = fork();

        if (child == 0) {
            execve("/proc/self/exe", as_environment ? none : words, as_environment ? words : none);
            told->refused = errno;
            _exit(0);
        }
        count_or_hold(child > 0);
        waitpid(child, NULL, 0);
    }
}

static void arguments(void)   { execute(2000, false); }
static void environment(void) { execute(2000, true); }

/* ---- All of them ------------------------------------------------------------------------------------------------ */

static const struct { const char *name; void (*explode)(void); } bombs[] = {
    { "processes", processes }, { "zombies", zombies }, { "chain", chain }, { "threads", threads },
    { "futex-waiters", futex_waiters }, { "doubling", doubling }, { "vfork-chain", vfork_chain },
    { "touched", touched }, { "mappings", mappings }, { "page-tables", page_tables },
    { "copy-on-write", copy_on_write }, { "mremap-growth", growth }, { "break", break_grows },
    { "recursion", recursion }, { "mlock", locked }, { "shared-memory", shared_memory }, { "file-size", file_size },
    { "files", files_many }, { "names", names_long }, { "deep-folders", folders_deep }, { "links", links },
    { "symbolic-links", symbolic }, { "fifos", fifos }, { "memfds", memory_files }, { "removed-files", removed_files },
    { "descriptors", descriptors }, { "record-locks", record_locks }, { "flocks", flocks },
    { "proc-readers", readers_of_proc }, { "pipes", pipes }, { "pipe-contents", pipes_full },
    { "wide-pipes", pipes_wide }, { "sockets", sockets }, { "socket-buffers", sockets_full },
    { "datagrams", datagrams }, { "unaccepted", unaccepted }, { "in-flight", in_flight }, { "epolls", epolls },
    { "epoll-entries", epoll_entries }, { "epoll-nest", epoll_nest }, { "eventfds", eventfds },
    { "terminals", terminals }, { "timers", timers }, { "fast-timers", timers_fast },
    { "queued-signals", signals_queued }, { "arguments", arguments }, { "environment", environment },
};
enum { BOMBS = sizeof bombs / sizeof bombs[0] };

/* ---- The supervisor ---------------------------------------------------------------------------------------------- */

enum { OWNERS = 24 };
struct memory { unsigned count; struct { char name[16]; long frames; } of[OWNERS]; long blocks; };

static char text[16 * 1024];

static long read_text(const char *path)
{
    int  file   = open(path, O_RDONLY);
    long length = file < 0 ? -1 : read(file, text, sizeof text - 1);

    if (file >= 0)
        close(file);
    text[length > 0 ? length : 0] = '\0';
    return length;
}

static void drop(void)
{
    int file = open("/proc/sys/vm/drop_caches", O_WRONLY);

    if (file >= 0 && write(file, "3", 1) == 1)
        close(file);
}

static bool look(struct memory *memory)
{
    memory->count = 0;
    if (read_text("/proc/quire/frames") <= 0)
        return false;
    for (char *line = strtok(text, "\n"); line != NULL && memory->count < OWNERS; line = strtok(NULL, "\n"))
        if (sscanf(line, "%15s %ld", memory->of[memory->count].name, &memory->of[memory->count].frames) == 2)
            memory->count++;
    memory->blocks = read_text("/proc/quire/heap") > 0 ? strtol(text + strcspn(text, " "), NULL, 10) : -1;
    return true;
}

/* The owner with most of the frames taken since the start. */
static void note_peak(const struct memory *before, char *owner, long *frames)
{
    struct memory now;

    if (!look(&now))
        return;
    for (unsigned i = 0; i < now.count; i++) {
        long more = now.of[i].frames - before->of[i].frames;

        if (strcmp(now.of[i].name, "free") != 0 && strcmp(now.of[i].name, "all") != 0 && more > *frames) {
            *frames = more;
            strcpy(owner, now.of[i].name);
        }
    }
}

static bool end_all(void)
{
    for (uint32_t begin = now_ms(); now_ms() - begin < PATIENCE_MS; sched_yield()) {
        int left = kill(-1, SIGKILL);

        while (waitpid(-1, NULL, WNOHANG | __WALL) > 0)
            ;
        if (left < 0)
            return true;
    }
    return false;
}

/* A folder that is very deep is removed from below; names are read again after each. */
static void remove_all(void)
{
    unsigned depth = 0;

    if (chdir("/tmp/bomb") != 0)
        return;
    while (chdir("d") == 0)
        depth++;
    for (; depth > 0; depth--)
        if (chdir("..") != 0 || rmdir("d") != 0)
            break;
    for (bool removed = true; removed; ) {
        struct { uint64_t inode, offset; uint16_t length; uint8_t type; char name[]; } __attribute__((packed)) *entry;
        static char part[8192] __attribute__((aligned(8)));
        int  folder = open(".", O_RDONLY | O_DIRECTORY);
        long length;

        removed = false;
        while ((length = syscall(SYS_getdents64, folder, part, sizeof part)) > 0)
            for (long at = 0; at < length; at += entry->length) {
                entry = (void *)(part + at);
                removed |= unlink(entry->name) == 0;
            }
        close(folder);
    }
}

/*
 * The supervisor's pages become its own again after a fork, and stay: it must not be the one that needs a frame when a
 * bomb has taken the last.
 */
static void keep_own_pages(void)
{
    volatile char stack[64 * 1024];

    for (size_t at = 0; at < sizeof stack; at += PAGE)
        stack[at] = 1;
    mlockall(MCL_CURRENT);
}

/* Set which process ends when memory runs out: not the supervisor, which counts. */
static void adjust(const char *by)
{
    int fd = open("/proc/self/oom_score_adj", O_WRONLY);

    if (fd < 0 || write(fd, by, strlen(by)) < 0)
        printf("oom_score_adj cannot be set\n");
    close(fd);
}

static void run(unsigned n)
{
    struct memory before, after;
    char     owner[16] = "nobody";
    long     frames = 0;
    int      status = 0;
    bool     ended, killed = false;
    uint32_t begin = now_ms();
    pid_t    child;

    memset((void *)told, 0, sizeof *told);
    keep_own_pages();                           /* the zeroed frames, too, so that they count alike before and after */
    munlockall();
    drop();
    look(&before);
    child = fork();
    if (child == 0) {
        setsid();
        adjust("0");
        while (!told->go)
            usleep(1000);
        if (chdir("/tmp/bomb") == 0)
            bombs[n].explode();
        _exit(1);
    }
    keep_own_pages();
    told->go = 1;
    while (!told->ready && now_ms() - begin < TIME_MS) {
        if (waitpid(child, &status, WNOHANG) == child) {
            killed = true;
            break;
        }
        note_peak(&before, owner, &frames);
        usleep(20000);
    }
    note_peak(&before, owner, &frames);
    ended = end_all();
    munlockall();
    remove_all();
    drop();
    look(&after);
    printf("bomb %s: made %u, ", bombs[n].name, told->made);
    if (killed)
        printf("killed by %d", status & 127);
    else
        printf("%s %d", told->ready || told->refused ? "refused" : "stopped", told->refused);
    printf("; peak %s %ld frames;", owner, frames);
    for (unsigned i = 0; i < before.count; i++)
        if (before.of[i].frames != after.of[i].frames)
            printf(" %s %+ld", before.of[i].name, after.of[i].frames - before.of[i].frames);
    printf("; blocks %+ld; ", after.blocks - before.blocks);
    read_text("/proc/quire/audit");
    printf("audit %.5s; all ended %s; %u ms\n", text, ended ? "yes" : "NO", now_ms() - begin);
    fflush(stdout);
}

int main(int argc, char **argv)
{
    told = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    mkdir("/tmp/bomb", 0700);
    setpgid(0, 0);
    adjust("-1000");
    if (argc == 1)
        for (unsigned n = 0; n < BOMBS; n++)
            printf("%s\n", bombs[n].name);
    for (int i = 1; i < argc; i++)
        for (unsigned n = 0; n < BOMBS; n++)
            if (strcmp(argv[i], bombs[n].name) == 0)
                run(n);
    return 0;
}
