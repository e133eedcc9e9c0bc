/*
 * calls.h - every function of the Linux interface by name; the families define them.
 *
 * SYSTEM_CALL(name, type, argument, ...) is the head of one: its arguments by type and name, in the interface's
 * order. The body returns a value or a negative errno, and may have no more arguments than CALL_WORDS words:
 *
 *     SYSTEM_CALL(read, int, descriptor, user_t, to, size_t, count) { ... }
 *
 *   int, int32_t, unsigned, uint32_t   a number of 32 bits; the rest of the word is ignored
 *   uintptr_t, long, size_t            a whole word
 *   user_t                             an address in the program, not checked yet
 *   int64_t, uint64_t                  64 bits: on an interface of 32 bits two words (call_arguments.h)
 *
 * The words are converted here only. sys_NAME() is the table's entry, call_NAME() the body, for other functions of its
 * file.
 */
#ifndef QUIRE_LINUX_CALLS_H
#define QUIRE_LINUX_CALLS_H

#include "linux/call.h"

#define SYSTEM_CALL(name, ...) \
    static inline long __attribute__((always_inline)) call_##name(CALL_PARAMETERS(__VA_ARGS__)); \
    long sys_##name(const struct call_arguments *given) \
    { \
        const uintptr_t *next_word __attribute__((unused)) = given->word; \
        CALL_TAKE(__VA_ARGS__) \
        return call_##name(CALL_NAMES(__VA_ARGS__)); \
    } \
    static inline long call_##name(CALL_PARAMETERS(__VA_ARGS__))

#define CALL_PARAMETER(type, name) type name __attribute__((unused))
#define CALL_PARAMETER_NONE        void
#define CALL_NAME(type, name)      name
#define CALL_NAME_NONE
#define CALL_TAKE_ONE(type, name) \
    type name = (type)(sizeof(type) > sizeof(uintptr_t) ? call_wide(&next_word) : *next_word++);

/* Pairs of a list, one after the other: with commas between them, or with nothing. */
#define CALL_COUNT(...) CALL_COUNT_(_, ##__VA_ARGS__, 6, x, 5, x, 4, x, 3, x, 2, x, 1, x, 0)
#define CALL_COUNT_(none, a1, n1, a2, n2, a3, n3, a4, n4, a5, n5, a6, n6, count, ...) count
#define CALL_JOIN(a, b)  CALL_JOIN_(a, b)
#define CALL_JOIN_(a, b) a##b
#define CALL_LIST_0(M, ...)       M##_NONE
#define CALL_LIST_1(M, t, n)      M(t, n)
#define CALL_LIST_2(M, t, n, ...) M(t, n), CALL_LIST_1(M, __VA_ARGS__)
#define CALL_LIST_3(M, t, n, ...) M(t, n), CALL_LIST_2(M, __VA_ARGS__)
#define CALL_LIST_4(M, t, n, ...) M(t, n), CALL_LIST_3(M, __VA_ARGS__)
#define CALL_LIST_5(M, t, n, ...) M(t, n), CALL_LIST_4(M, __VA_ARGS__)
#define CALL_LIST_6(M, t, n, ...) M(t, n), CALL_LIST_5(M, __VA_ARGS__)
#define CALL_EACH_0(M, ...)
#define CALL_EACH_1(M, t, n)      M(t, n)
#define CALL_EACH_2(M, t, n, ...) M(t, n) CALL_EACH_1(M, __VA_ARGS__)
#define CALL_EACH_3(M, t, n, ...) M(t, n) CALL_EACH_2(M, __VA_ARGS__)
#define CALL_EACH_4(M, t, n, ...) M(t, n) CALL_EACH_3(M, __VA_ARGS__)
#define CALL_EACH_5(M, t, n, ...) M(t, n) CALL_EACH_4(M, __VA_ARGS__)
#define CALL_EACH_6(M, t, n, ...) M(t, n) CALL_EACH_5(M, __VA_ARGS__)

#define CALL_PARAMETERS(...) CALL_JOIN(CALL_LIST_, CALL_COUNT(__VA_ARGS__))(CALL_PARAMETER, ##__VA_ARGS__)
#define CALL_NAMES(...)      CALL_JOIN(CALL_LIST_, CALL_COUNT(__VA_ARGS__))(CALL_NAME, ##__VA_ARGS__)
#define CALL_TAKE(...)       CALL_JOIN(CALL_EACH_, CALL_COUNT(__VA_ARGS__))(CALL_TAKE_ONE, ##__VA_ARGS__)

#define LINUX_CALLS(CALL) \
    CALL(_llseek) CALL(_newselect) CALL(accept4) CALL(access) CALL(alarm) CALL(bind) CALL(brk) CALL(capget) \
    CALL(capset) CALL(chdir) CALL(chmod) CALL(chown16) CALL(chown32) CALL(chroot) CALL(clock_getres) \
    CALL(clock_getres_time64) CALL(clock_gettime) CALL(clock_gettime64) CALL(clock_nanosleep) \
    CALL(clock_nanosleep_time64) CALL(clone) CALL(clone3) CALL(close) CALL(close_range) CALL(connect) \
    CALL(copy_file_range) CALL(creat) CALL(dup) CALL(dup2) CALL(dup3) CALL(epoll_create) CALL(epoll_create1) \
    CALL(epoll_ctl) CALL(epoll_pwait) CALL(epoll_pwait2) CALL(epoll_wait) CALL(eventfd) CALL(eventfd2) CALL(execve) \
    CALL(execveat) CALL(exit) CALL(exit_group) CALL(faccessat) CALL(faccessat2) CALL(fadvise64) CALL(fadvise64_64) \
    CALL(fallocate) CALL(fchdir) CALL(fchmod) CALL(fchmodat) CALL(fchown16) CALL(fchown32) CALL(fchownat) CALL(fcntl) \
    CALL(fcntl64) CALL(fdatasync) CALL(fgetxattr) CALL(flistxattr) CALL(flock) CALL(fork) CALL(fremovexattr) \
    CALL(fsetxattr) CALL(fstat) CALL(fstat64) CALL(fstatat64) CALL(fstatfs) CALL(fstatfs64) CALL(fsync) \
    CALL(ftruncate) CALL(ftruncate64) CALL(futex) CALL(futex_time64) CALL(futimesat) CALL(get_robust_list) \
    CALL(get_thread_area) CALL(getcpu) CALL(getcwd) CALL(getdents) CALL(getdents64) CALL(getegid16) CALL(getegid32) \
    CALL(geteuid16) CALL(geteuid32) CALL(getgid16) CALL(getgid32) CALL(getgroups16) CALL(getgroups32) CALL(getitimer) \
    CALL(getpeername) CALL(getpgid) CALL(getpgrp) CALL(getpid) CALL(getppid) CALL(getpriority) CALL(getrandom) \
    CALL(getresgid16) CALL(getresgid32) CALL(getresuid16) CALL(getresuid32) CALL(getrlimit) CALL(getrusage) \
    CALL(getsid) CALL(getsockname) CALL(getsockopt) CALL(gettid) CALL(gettimeofday) CALL(getuid16) CALL(getuid32) \
    CALL(getxattr) CALL(ioctl) CALL(ioprio_get) CALL(ioprio_set) \
    CALL(kill) CALL(lchown16) CALL(lchown32) CALL(lgetxattr) CALL(link) CALL(linkat) \
    CALL(listen) CALL(listxattr) CALL(llistxattr) CALL(lremovexattr) CALL(lseek) CALL(lsetxattr) CALL(lstat) \
    CALL(lstat64) CALL(madvise) CALL(membarrier) CALL(memfd_create) CALL(mincore) CALL(mkdir) CALL(mkdirat) \
    CALL(mknod) CALL(mknodat) CALL(mlock) CALL(mlock2) CALL(mlockall) CALL(mmap) CALL(mmap2) CALL(mount) \
    CALL(mprotect) CALL(mremap) CALL(msync) CALL(munlock) CALL(munlockall) CALL(munmap) CALL(nanosleep) CALL(nice) \
    CALL(old_getrlimit) CALL(open) CALL(openat) CALL(openat2) CALL(pause) CALL(personality) CALL(pipe) CALL(pipe2) \
    CALL(poll) CALL(ppoll) CALL(ppoll_time64) CALL(prctl) CALL(pread64) CALL(preadv) CALL(preadv2) CALL(prlimit64) \
    CALL(process_vm_readv) CALL(process_vm_writev) CALL(pselect6) CALL(pselect6_time64) CALL(pwrite64) CALL(pwritev) \
    CALL(pwritev2) CALL(read) CALL(readahead) CALL(readlink) CALL(readlinkat) CALL(readv) CALL(recvfrom) \
    CALL(recvmsg) CALL(remap_file_pages) CALL(removexattr) CALL(rename) CALL(renameat) CALL(renameat2) \
    CALL(restart_syscall) CALL(rmdir) CALL(rt_sigaction) CALL(rt_sigpending) CALL(rt_sigprocmask) \
    CALL(rt_sigqueueinfo) CALL(rt_sigreturn) CALL(rt_sigsuspend) CALL(rt_sigtimedwait) CALL(rt_sigtimedwait_time64) \
    CALL(rt_tgsigqueueinfo) CALL(sched_get_priority_max) CALL(sched_get_priority_min) CALL(sched_getaffinity) \
    CALL(sched_getparam) CALL(sched_getscheduler) CALL(sched_rr_get_interval) CALL(sched_rr_get_interval_time64) \
    CALL(sched_setaffinity) CALL(sched_setparam) CALL(sched_setscheduler) CALL(sched_yield) CALL(sendfile) \
    CALL(sendfile64) CALL(sendmsg) CALL(sendto) CALL(set_robust_list) CALL(set_thread_area) CALL(set_tid_address) \
    CALL(setdomainname) CALL(setfsgid16) CALL(setfsgid32) CALL(setfsuid16) CALL(setfsuid32) CALL(setgid16) \
    CALL(setgid32) \
    CALL(setgroups16) CALL(setgroups32) CALL(sethostname) CALL(setitimer) CALL(setpgid) CALL(setpriority) \
    CALL(setregid16) \
    CALL(setregid32) CALL(setresgid16) CALL(setresgid32) CALL(setresuid16) CALL(setresuid32) CALL(setreuid16) \
    CALL(setreuid32) CALL(setrlimit) CALL(setsid) CALL(setsockopt) CALL(settimeofday) CALL(setuid16) CALL(setuid32) \
    CALL(setxattr) CALL(sgetmask) CALL(shutdown) CALL(sigaction) CALL(sigaltstack) CALL(signal) CALL(signalfd) \
    CALL(signalfd4) CALL(sigpending) CALL(sigprocmask) CALL(sigreturn) CALL(sigsuspend) CALL(socket) CALL(socketcall) \
    CALL(socketpair) CALL(splice) CALL(ssetmask) CALL(stat) CALL(stat64) CALL(statfs) CALL(statfs64) CALL(statx) \
    CALL(stime) CALL(symlink) CALL(symlinkat) CALL(swapoff) CALL(swapon) CALL(sync) CALL(syncfs) CALL(sysinfo) \
    CALL(syslog) CALL(tee) CALL(tgkill) CALL(time) \
    CALL(timer_create) CALL(timer_delete) CALL(timer_getoverrun) CALL(timer_gettime) CALL(timer_gettime64) \
    CALL(timer_settime) CALL(timer_settime64) CALL(timerfd_create) CALL(timerfd_gettime) CALL(timerfd_gettime64) \
    CALL(timerfd_settime) CALL(timerfd_settime64) CALL(times) CALL(tkill) CALL(truncate) CALL(truncate64) CALL(umask) \
    CALL(umount) CALL(umount2) CALL(uname) CALL(unlink) CALL(unlinkat) CALL(utime) CALL(utimensat) \
    CALL(utimensat_time64) CALL(utimes) CALL(vfork) CALL(vmsplice) CALL(wait4) CALL(waitid) CALL(waitpid) CALL(write) \
    CALL(writev)

#define DECLARE(name) long sys_##name(const struct call_arguments *given);
LINUX_CALLS(DECLARE)
#undef DECLARE

/* The smaller of a program's count and what one call may move (Linux: MAX_RW_COUNT). */
enum { BYTES_A_CALL = 0x7FFFF000 };

#endif
