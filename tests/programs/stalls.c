/*
 * stalls.c - what would bring the machine, or a program, to a stop: files of text that are asked for room, threads that
 * end while they are asked about, timers that nobody hears; and what calls without memory leave: a mask of signals,
 * bytes that were spliced, locks.
 */
#include "answers.h"

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/types.h>
#include <time.h>

enum { PAGE = 4096, ROUNDS = 40, HELD = 6 << 20, STACK = 65536, GROUPS = 147 };
enum { PROCESSES = 4, TIMERS = 1500, WORK = 20000000 };

/* ---- Room ------------------------------------------------------------------------------------------ */

/* The text of such a file is made when it is read: there are no contents to be cleared. */
static void room_in_a_file_of_text(void)
{
    static const int modes[] = { 0, FALLOC_FL_KEEP_SIZE, FALLOC_FL_ZERO_RANGE,
                                 FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE };
    int              text = open("/proc/self/comm", O_RDWR);

    for (unsigned i = 0; i < sizeof modes / sizeof modes[0]; i++)
        SAY(fallocate(text, modes[i], 0, PAGE));
    SAY(ftruncate(text, 0));
}

/* ---- A thread that ends while a call about it waits for a page of its caller's ---------------------------- */

static volatile int go, number, over;
static char         stack[STACK] __attribute__((aligned(16)));

/* Keeps the map of the program's memory, for which page faults wait. */
static void *keep_map(void *unused)
{
    char *memory = mmap(NULL, HELD, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);

    while (!over && mprotect(memory, HELD, PROT_READ) == 0 && mprotect(memory, HELD, PROT_READ | PROT_WRITE) == 0)
        ;
    return unused;
}

/* Takes the kernel's memory that a thread has left, with numbers in it that are no addresses. Root's to do. */
static void *take_what_is_left(void *unused)
{
    static unsigned groups[GROUPS];

    for (unsigned i = 0; i < GROUPS; i++)
        groups[i] = 0xF1F1F1F0;
    while (!over) {
        syscall(SYS_setgroups32, GROUPS, groups);
        sched_yield();
    }
    return unused;
}

static int end_when_told(void *unused)
{
    (void)unused;
    number = (int)syscall(SYS_gettid);
    while (!go)
        sched_yield();
    syscall(SYS_exit, 0);
    return 0;
}

static void threads_that_end(void)
{
    enum { FLAGS = CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM };
    char     *pages = mmap(NULL, ROUNDS * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    pthread_t others[3];
    int       wrong = 0;

    pthread_create(&others[0], NULL, keep_map, NULL);
    pthread_create(&others[1], NULL, take_what_is_left, NULL);
    pthread_create(&others[2], NULL, take_what_is_left, NULL);
    for (int i = 0; i < ROUNDS; i++) {
        int thread;

        go     = number = 0;
        thread = clone(end_when_told, stack + sizeof stack, FLAGS, NULL);
        while (number == 0)
            sched_yield();
        go = 1;
        if (i % 2 == 0)                         /* a set without processors, or no thread any more */
            wrong += syscall(SYS_sched_setaffinity, thread, 4, pages + i * PAGE) != -1 ||
                     (errno != EINVAL && errno != ESRCH);
        else
            wrong += syscall(SYS_sched_getparam, thread, pages + i * PAGE) != 0 && errno != ESRCH;
        while (syscall(SYS_tgkill, getpid(), thread, 0) == 0)
            sched_yield();
    }
    over = 1;
    SAY(wrong);
}

/* ---- Timers ---------------------------------------------------------------------------------------- */

/* Far more of them expire than a processor could serve; each signal is ignored, so no turn of any program pays. */
static void set_timers(int count)
{
    struct itimerspec each = { { 0, 1 }, { 0, 1 } };
    timer_t           timer;

    signal(SIGALRM, SIG_IGN);
    for (int i = 0; i < count && timer_create(CLOCK_MONOTONIC, NULL, &timer) == 0; i++)
        timer_settime(timer, 0, &each, NULL);
    for (;;)
        pause();
}

static void timers_that_nobody_hears(void)
{
    struct timespec moment = { 0, 300000000 };
    volatile int    work   = 0;
    pid_t           child[PROCESSES];

    for (int i = 0; i < PROCESSES; i++)
        if ((child[i] = fork()) == 0)
            set_timers(TIMERS);
    SAY(nanosleep(&moment, NULL));
    while (work < WORK)
        work++;
    SAY(work);
    for (int i = 0; i < PROCESSES; i++)
        kill(child[i], SIGKILL);
    for (int i = 0; i < PROCESSES; i++)
        SAY(waitpid(child[i], NULL, 0) == child[i]);
}

/* ---- A mask for one call ---------------------------------------------------------------------------- */

/* There are more files than memory for waiting for them; a kernel may try the call again before it says so. */
static void a_mask_for_a_call_without_memory(void)
{
    enum { FILES = 1 << 20 };
    struct rlimit   files  = { FILES, FILES };
    struct timespec moment = { 0, 1000000 };
    struct pollfd  *none;
    sigset_t        mine, nothing;

    none = mmap(NULL, FILES * sizeof *none, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    sigemptyset(&nothing);
    sigemptyset(&mine);
    sigaddset(&mine, SIGUSR1);
    sigprocmask(SIG_SETMASK, &mine, NULL);
    setrlimit(RLIMIT_NOFILE, &files);
    getrlimit(RLIMIT_NOFILE, &files);
    for (unsigned i = 0; i < FILES; i += 512)
        none[i].fd = -1;                        /* the others are descriptor 0, of which nothing is asked */
    ppoll(none, files.rlim_cur, &moment, &nothing);
    sigemptyset(&mine);
    SAY(sigprocmask(SIG_SETMASK, NULL, &mine));
    SAY(sigismember(&mine, SIGUSR1));
}

/* ---- Bytes that are spliced while memory is short --------------------------------------------------------- */

enum { HOGS = 3, HOGGED = 14 << 20, BYTES = 1 << 20, AT_ONCE = 256 << 10, TIMES = 40, LOCKS = 20000 };

/* Touches more than there is room for, most of it easy to pack. */
static void use_memory(void)
{
    char    *memory = mmap(NULL, HOGGED, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    unsigned number = (unsigned)getpid();

    for (;; number = number * 1664525 + 1013904223)
        for (size_t at = 0; at < HOGGED; at += PAGE)
            for (size_t i = 0; i < 600; i += sizeof number)
                memcpy(memory + at + i, &number, sizeof number);
}

/* Splice a file of ascending numbers through a pipe. Returns how many were not the next one. */
static int splice_numbers(int file, const int ends[2])
{
    static unsigned number[AT_ONCE / sizeof(unsigned)];
    unsigned        next = 0;
    int             wrong = 0;
    ssize_t         moved;

    lseek(file, 0, SEEK_SET);
    while ((moved = splice(file, NULL, ends[1], NULL, sizeof number, 0)) > 0) {
        for (ssize_t got = 0, more; got < moved; got += more)
            if ((more = read(ends[0], (char *)number + got, moved - got)) <= 0)
                return -1;
        for (size_t i = 0; i < moved / sizeof number[0]; i++)
            wrong += number[i] != next++;
    }
    return wrong + (next != BYTES / sizeof next);
}

static void bytes_while_memory_is_short(void)
{
    struct timespec moment = { 0, 300000000 };
    int             file   = memfd_create("numbers", 0), ends[2], wrong = 0;
    pid_t           hog[HOGS];

    for (unsigned i = 0; i < BYTES / sizeof i; i++)
        if (write(file, &i, sizeof i) != sizeof i)
            return;
    if (pipe(ends) != 0 || fcntl(ends[1], F_SETPIPE_SZ, AT_ONCE) < 0)
        return;
    for (int i = 0; i < HOGS; i++)
        if ((hog[i] = fork()) == 0)
            use_memory();
    nanosleep(&moment, NULL);
    for (int i = 0; i < TIMES; i++)
        wrong += splice_numbers(file, ends) != 0;
    SAY(wrong);
    for (int i = 0; i < HOGS; i++)
        kill(hog[i], SIGKILL);
}

/* A lock needs memory that the hogs have: they give it up. */
static void locks_while_memory_is_short(void)
{
    struct timespec moment = { 0, 300000000 };
    int             file = memfd_create("locked", 0), wrong = 0;
    pid_t           hog[HOGS];

    for (int i = 0; i < HOGS; i++)
        if ((hog[i] = fork()) == 0)
            use_memory();
    nanosleep(&moment, NULL);
    for (int i = 0; i < LOCKS; i++) {
        struct flock lock = { .l_type = F_WRLCK, .l_start = 2 * i, .l_len = 1 };

        wrong += fcntl(file, F_SETLK, &lock) != 0;
    }
    SAY(wrong);
    for (int i = 0; i < HOGS; i++)
        kill(hog[i], SIGKILL);
}

int main(int count, char **words)
{
    static const struct part parts[] = {
        { "room in a file of text", room_in_a_file_of_text },
        { "threads that end", threads_that_end },
        { "timers that nobody hears", timers_that_nobody_hears },
        { "a mask for a call without memory", a_mask_for_a_call_without_memory },
        { "bytes while memory is short", bytes_while_memory_is_short },
        { "locks while memory is short", locks_while_memory_is_short },
    };

    answer_parts(parts, sizeof parts / sizeof parts[0], count > 1 ? words[1] : NULL);
    return 0;
}
