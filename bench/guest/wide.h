/*
 * wide.h - the wide table's operations, by the files that have them, and calls beside bench.h's, for growth.c as well.
 *
 * Each returns the instructions that `times` of it took, what it needs before and after left out.
 */
#ifndef WIDE_H
#define WIDE_H

#include "bench.h"

enum {
    SYS_LSEEK = 19, SYS_MOUNT = 21, SYS_ACCESS = 33, SYS_KILL = 37, SYS_RENAME = 38, SYS_MKDIR = 39, SYS_RMDIR = 40,
    SYS_DUP = 41, SYS_FCNTL = 55, SYS_UMASK = 60, SYS_SETRLIMIT = 75, SYS_SYMLINK = 83, SYS_READLINK = 85,
    SYS_SETITIMER = 104, SYS_CLONE = 120, SYS_UNAME = 122, SYS_SELECT = 142, SYS_SCHED_YIELD = 158,
    SYS_NANOSLEEP = 162, SYS_MREMAP = 163, SYS_POLL = 168, SYS_SIGACTION = 174, SYS_SIGPROCMASK = 175,
    SYS_PREAD = 180, SYS_GETCWD = 183, SYS_VFORK = 190, SYS_FTRUNCATE = 194, SYS_STAT = 195, SYS_FSTAT = 197,
    SYS_MINCORE = 218, SYS_MADVISE = 219, SYS_GETDENTS = 220, SYS_FCNTL64 = 221, SYS_GETTID = 224, SYS_FUTEX = 240,
    SYS_EPOLL_CTL = 255, SYS_EPOLL_WAIT = 256, SYS_TIMER_CREATE = 259, SYS_TIMER_SETTIME = 260,
    SYS_TIMER_DELETE = 263, SYS_CLOCK_GETTIME = 265, SYS_EVENTFD = 323, SYS_EPOLL_CREATE = 329,
    SYS_SOCKETPAIR = 360, SYS_GETRUSAGE = 77,
};

/* A call that must succeed; its result. */
static inline int good(int result, const char *what)
{
    must((word)result < -4095u, what);
    return result;
}

/* wide_calls.c */
int  open_file(const char *path, word flags);           /* made, if flags have O_CREAT */
void close_file(int fd);
void thread_begin(char *stack_top, void (*body)(void)); /* it ends when body returns; nobody waits for it */
void thread_end_wait(void);                             /* until the last one begun has ended */

/* wide_memory.c */
count protect_64(word times), protect_256(word times), protect_rewritten(word times), remap_256(word times);
count dontneed_16(word times), mincore_256(word times), shared_fault(word pages), unmap_1024(word times);
count map_fixed_over(word times), map_file_pair(word times);

/* wide_files.c */
count open_close(word times), open_close_crowded(word times), read_byte(word times), read_64k(word times);
count write_64k(word times), copy_20m(word times), read_page_at(word times), seek(word times), stat_short(word times);
count stat_deep(word times), stat_descriptor(word times), create_unlink(word times), make_folder(word times);
count rename_pair(word times), symlink_cycle(word times), list_100(word times), dup_close(word times);
count lock_cycle(word times), truncate_pair(word times), access_absent(word times), append_byte(word times);
count proc_maps(word times), proc_stat(word times), proc_status(word times), proc_meminfo(word times);

/* wide_streams.c */
count pipe_64k(word times), pipe_here(word times), pipe_cycle(word times), socket_round_trip(word times);
count socket_64k(word times), socket_cycle(word times), event_cycle(word times), poll_1(word times);
count poll_1000(word times), select_64(word times), epoll_1000(word times), epoll_ready(word times);
count epoll_change(word times);

/* wide_processes.c */
count signal_mask(word times), signal_action(word times), signal_self(word times), segv_handled(word times);
count kill_nothing(word times), timer_cycle(word times), timer_set(word times), interval_set(word times);
count clock_read(word times), clock_read_itself(word times);
count sleep_short(word times), yield_alone(word times), futex_wake_none(word times);
count futex_round_trip(word times), thread_cycle(word times), vfork_cycle(word times), wait_none(word times);
count usage_read(word times), name_read(word times);

#endif
