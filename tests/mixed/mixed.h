/*
 * mixed.h - the parts of the mixed load: workers of many kinds at once, each of which checks its own results.
 *
 * A worker is a process that does rounds of one kind until it is told to stop. A round takes what it needs, checks
 * contents, counts and statuses with SAME(), and gives everything back. The first check that fails ends its process
 * with a line that names the check, the result and the expected one.
 */
#ifndef QUIRE_TESTS_MIXED_MIXED_H
#define QUIRE_TESTS_MIXED_MIXED_H

#include "../calls/guest.h"

/* Further numbers of calls. Source: Linux, arch/x86/entry/syscalls/syscall_32.tbl. */
enum {
    CALL_LINK = 9, CALL_RENAME = 38, CALL_MUNLOCK = 151, CALL_MREMAP = 163, CALL_RT_SIGTIMEDWAIT = 177,
    CALL_RT_SIGSUSPEND = 179, CALL_PREAD64 = 180, CALL_PWRITE64 = 181, CALL_FUTEX = 240,
    CALL_EPOLL_CTL = 255, CALL_EPOLL_WAIT = 256, CALL_TIMER_SETTIME = 260, CALL_TIMER_DELETE = 263, CALL_EVENTFD2 = 328,
    CALL_EPOLL_CREATE1 = 329, CALL_PIPE2 = 331, CALL_SENDMSG = 370,
    CALL_RECVMSG = 372,
};
enum { ESRCH = 3, ETIMEDOUT = 110, SIGUSR1 = 10, SIGTERM = 15, FIRST_QUEUED = 34, O_EXCL = 0200, MAYMOVE = 1 };
enum { AF_UNIX = 1, SOCK_STREAM = 1 };

struct worker {
    unsigned          number, kind;
    struct chance     chance;
    volatile uint32_t rounds, checks;
    uint32_t          seen, seen_at;        /* the supervisor's: rounds it has seen, and the time of the last */
    long              process;
};
extern struct worker *me;               /* of the process that runs */

/* Checks that a long has the expected value; otherwise this process ends, and the run has failed. */
#define SAME(got, wanted) same(__FILE__, __LINE__, #got, (long)(got), (long)(wanted))
#define GOOD(condition)   same(__FILE__, __LINE__, #condition, (condition) ? 1 : 0, 1)
/* A result that is no error, and is returned. */
#define DONE(call)        not_refused(__FILE__, __LINE__, #call, (call))
void same(const char *file, int line, const char *what, long got, long wanted);
long not_refused(const char *file, int line, const char *what, long got);

/* Bytes that follow from a seed and a position; bytes_hold() gives how many are right from the beginning. */
void   bytes_fill(void *to, size_t length, uint32_t seed, size_t position);
size_t bytes_hold(const void *from, size_t length, uint32_t seed, size_t position);

/* Writes all of it, in as many calls as that takes; returns how much it was, or an error. */
long write_all(long file, const void *from, size_t length);

/* "/tmp/mixed/WORD-WORKER-NUMBER" */
enum { PATH = 80 };
char *path_of(char path[PATH], const char *word, unsigned number);

/* Waits for one child and checks that it ended with this status, as wait4() gives it. */
void child_ended(long child, int status);

/* A function on a stack of its own, in the same memory; when it returns, its thread or process ends. Flags: clone's. */
enum { STACK_BYTES = 16384 };
union stack {
    struct { void (*run)(void *); void *argument; volatile int32_t alive; } begin;
    char bytes[STACK_BYTES];
};
/* A thread whose `alive` is cleared and woken in the end; vfork. */
enum { THREAD_FLAGS = 0x250F00, VFORK_FLAGS = 0x4100 | 17 };
long start_on(union stack *stack, long flags, void (*run)(void *), void *argument);

/* Anonymous pages, MAP_PRIVATE or MAP_SHARED. */
char *map_pages(uint32_t count, long kind);

/* Wait while a word holds a value, no longer than some milliseconds (0: for ever); wake the waiters. */
long futex_wait(volatile int32_t *word, int32_t value, uint32_t limit_ms);
long futex_wake(volatile int32_t *word, int count);

/* Rounds, one for each kind. */
void round_files(void), round_folders(void), round_proc(void);              /* files.c     */
void round_pipes(void), round_sockets(void), round_epoll(void);             /* streams.c   */
void round_processes(void), round_threads(void), round_futexes(void);       /* processes.c */
void round_signals(void), round_timers(void);
void round_memory(void), round_copies(void);                                /* memory.c    */

#endif
