/*
 * wide.c - what some sixty further operations cost a Linux program, in instructions: files, signals, timers, pipes,
 * sockets, futexes, threads, polls, /proc.
 */
#include "wide.h"

int open_file(const char *path, word flags)
{
    return good(call(SYS_OPEN, (word)path, flags, 0600, 0), path);
}

void close_file(int fd)
{
    good(call(SYS_CLOSE, (word)fd, 0, 0, 0), "close");
}

/* ---- Threads ----------------------------------------------------------------------------- */

/* Memory, working folder, files, handlers, one process; the kernel clears and wakes `running` at its end. */
enum { THREAD = 0x100 | 0x200 | 0x400 | 0x800 | 0x10000 | 0x40000 | 0x200000, FUTEX_WAIT = 0 };

static volatile word running;

void thread_begin(char *stack_top, void (*body)(void))
{
    void (**top)(void) = (void (**)(void))stack_top - 4;
    int result;

    running = 1;
    *top    = body;
    __asm__ volatile("int $0x80; test %%eax, %%eax; jnz 1f; xor %%ebp, %%ebp; call *(%%esp); mov $1, %%eax; "
                     "xor %%ebx, %%ebx; int $0x80; 1:"
                     : "=a"(result) : "0"(SYS_CLONE), "b"(THREAD), "c"(top), "d"(0), "S"(0), "D"(&running) : "memory");
    good(result, "clone");
}

void thread_end_wait(void)
{
    while (running != 0)
        call(SYS_FUTEX, (word)&running, FUTEX_WAIT, 1, 0);
}

/* ---- The table --------------------------------------------------------------------------- */

const struct operation operations[] = {
    { "protect-64", protect_64, 100 },
    { "protect-256", protect_256, 50 },
    { "protect-rewritten", protect_rewritten, 100 },
    { "remap-256", remap_256, 100 },
    { "dontneed-16", dontneed_16, 100 },
    { "mincore-256", mincore_256, 200 },
    { "shared-fault", shared_fault, 512 },
    { "unmap-1024", unmap_1024, 4 },
    { "map-fixed-over", map_fixed_over, 500 },
    { "map-file", map_file_pair, 500 },
    { "open-close", open_close, 1000 },
    { "open-close-10000", open_close_crowded, 500 },
    { "read-byte", read_byte, 2000 },
    { "read-64K", read_64k, 100 },
    { "write-64K", write_64k, 100 },
    { "pread-page", read_page_at, 1000 },
    { "append-byte", append_byte, 2000 },
    { "lseek", seek, 5000 },
    { "stat", stat_short, 2000 },
    { "stat-deep", stat_deep, 1000 },
    { "fstat", stat_descriptor, 2000 },
    { "access-absent", access_absent, 2000 },
    { "create-unlink", create_unlink, 300 },
    { "mkdir-rmdir", make_folder, 300 },
    { "rename-pair", rename_pair, 300 },
    { "symlink-cycle", symlink_cycle, 300 },
    { "list-100", list_100, 50 },
    { "dup-close", dup_close, 2000 },
    { "lock-unlock", lock_cycle, 500 },
    { "truncate-pair", truncate_pair, 200 },
    { "pipe-64K", pipe_64k, 64 },
    { "pipe-byte-here", pipe_here, 2000 },
    { "pipe-close", pipe_cycle, 300 },
    { "socket-round-trip", socket_round_trip, 500 },
    { "socket-64K", socket_64k, 64 },
    { "socket-close", socket_cycle, 300 },
    { "eventfd", event_cycle, 2000 },
    { "poll-1", poll_1, 2000 },
    { "poll-1000", poll_1000, 20 },
    { "select-64", select_64, 200 },
    { "epoll-1000", epoll_1000, 2000 },
    { "epoll-ready", epoll_ready, 2000 },
    { "epoll-ctl-pair", epoll_change, 500 },
    { "sigprocmask", signal_mask, 2000 },
    { "sigaction", signal_action, 2000 },
    { "signal-self", signal_self, 1000 },
    { "segv-handled", segv_handled, 1000 },
    { "kill-0", kill_nothing, 2000 },
    { "timer-cycle", timer_cycle, 300 },
    { "timer-set-pair", timer_set, 500 },
    { "setitimer-pair", interval_set, 500 },
    { "clock-gettime", clock_read, 5000 },
    { "sleep-1us", sleep_short, 100 },
    { "sched-yield", yield_alone, 2000 },
    { "futex-wake-none", futex_wake_none, 2000 },
    { "futex-round-trip", futex_round_trip, 500 },
    { "thread-cycle", thread_cycle, 100 },
    { "vfork-cycle", vfork_cycle, 100 },
    { "wait-none", wait_none, 2000 },
    { "getrusage", usage_read, 2000 },
    { "uname", name_read, 2000 },
    { "proc-self-maps", proc_maps, 20 },
    { "proc-self-stat", proc_stat, 100 },
    { "proc-self-status", proc_status, 100 },
    { "proc-meminfo", proc_meminfo, 50 },
    { 0, 0, 0 },
};
