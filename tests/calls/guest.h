/*
 * guest.h - functions for programs without a C library: calls of the kernel, text, random numbers.
 *
 * The fuzzer must survive whatever its calls do to its own memory and signals, and the differential program must do
 * exactly the calls it says. So neither has a library between itself and the kernel, no thread-local storage, no
 * buffers. Both are static programs for i386 that run under Quire and under Linux alike.
 */
#ifndef QUIRE_TESTS_CALLS_GUEST_H
#define QUIRE_TESTS_CALLS_GUEST_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

enum { PAGE = 4096 };

/* Numbers of calls that the programs use for themselves. Source: Linux, arch/x86/entry/syscalls/syscall_32.tbl. */
enum {
    CALL_EXIT = 1, CALL_FORK = 2, CALL_READ = 3, CALL_WRITE = 4, CALL_OPEN = 5, CALL_CLOSE = 6, CALL_UNLINK = 10,
    CALL_EXECVE = 11, CALL_CHDIR = 12, CALL_MKNOD = 14, CALL_GETPID = 20, CALL_MOUNT = 21, CALL_KILL = 37,
    CALL_MKDIR = 39, CALL_RMDIR = 40, CALL_DUP = 41, CALL_PIPE = 42, CALL_BRK = 45, CALL_UMOUNT2 = 52, CALL_IOCTL = 54,
    CALL_FCNTL = 55, CALL_SETPGID = 57, CALL_UMASK = 60, CALL_CHROOT = 61, CALL_DUP2 = 63, CALL_GETPPID = 64,
    CALL_SETSID = 66, CALL_SYMLINK = 83, CALL_REBOOT = 88, CALL_MUNMAP = 91, CALL_FTRUNCATE = 93, CALL_FCHMOD = 94,
    CALL_SOCKETCALL = 102, CALL_SETITIMER = 104, CALL_WAIT4 = 114, CALL_IPC = 117, CALL_SIGRETURN = 119,
    CALL_CLONE = 120, CALL_MPROTECT = 125, CALL_MLOCK = 150, CALL_SCHED_YIELD = 158, CALL_NANOSLEEP = 162,
    CALL_PRCTL = 172, CALL_RT_SIGRETURN = 173,
    CALL_RT_SIGACTION = 174, CALL_RT_SIGPROCMASK = 175, CALL_RT_SIGQUEUEINFO = 178, CALL_SENDFILE = 187,
    CALL_VFORK = 190, CALL_MMAP2 = 192, CALL_MADVISE = 219, CALL_GETDENTS64 = 220, CALL_FCNTL64 = 221,
    CALL_GETTID = 224, CALL_TKILL = 238, CALL_STATFS64 = 268,
    CALL_EXIT_GROUP = 252, CALL_EPOLL_CREATE = 254, CALL_TIMER_CREATE = 259, CALL_CLOCK_GETTIME = 265,
    CALL_TGKILL = 270, CALL_OPENAT = 295, CALL_UNLINKAT = 301, CALL_SIGNALFD = 321, CALL_TIMERFD_CREATE = 322,
    CALL_EVENTFD = 323, CALL_RT_TGSIGQUEUEINFO = 335, CALL_PRLIMIT64 = 340, CALL_MEMFD_CREATE = 356,
    CALL_SOCKETPAIR = 360, CALL_SOCKET = 359, CALL_BIND = 361, CALL_CONNECT = 362, CALL_LISTEN = 363,
    CALL_ACCEPT4 = 364, CALL_PIDFD_SEND_SIGNAL = 424, CALL_CLONE3 = 435,
};
enum { ENOENT = 2, EINTR = 4, EBADF = 9, ECHILD = 10, EAGAIN = 11, EEXIST = 17, ENOTDIR = 20, EISDIR = 21, EINVAL = 22,
       ENOSYS = 38, ENOTEMPTY = 39 };
enum { SIGILL = 4, SIGKILL = 9, SIGSEGV = 11, SIGALRM = 14, SIGCHLD = 17 };
enum { O_RDONLY = 0, O_WRONLY = 1, O_RDWR = 2, O_CREAT = 0100, O_TRUNC = 01000, O_NONBLOCK = 04000,
       O_DIRECTORY = 0200000 };
enum { PROT_NONE = 0, PROT_READ = 1, PROT_WRITE = 2, PROT_EXEC = 4 };
enum { MAP_SHARED = 1, MAP_PRIVATE = 2, MAP_FIXED = 0x10, MAP_ANONYMOUS = 0x20,
       MAP_POPULATE = 0x8000 };
enum { WNOHANG = 1, WAIT_ALL = 0x40000000, CLOCK_MONOTONIC = 1 };

/* ---- The kernel (guest.c) --------------------------------------------------------------------- */

/* A call's number and its six arguments. */
struct call { long number, argument[6]; };

long kernel_call(const struct call *call);
/* A call that may return twice: the process that gets 0 goes to child_main() on the stack that ends at `stack`. */
long kernel_call_twice(const struct call *call, void *stack);
void child_main(void) __attribute__((noreturn));
/* sigreturn (119) or rt_sigreturn (173) with the stack pointer at `frame`; it comes back only if the frame says so. */
void kernel_return(long number, const void *frame) __attribute__((noreturn));

#define KERNEL(number, ...) kernel_call(&(struct call){ (number), { __VA_ARGS__ } })

void leave(int status) __attribute__((noreturn));
/* Fork; the child returns from here too. */
long split(void);

/* ---- Text and numbers ---------------------------------------------------------------------------- */

void *memset(void *to, int byte, size_t length);
void *memcpy(void *restrict to, const void *restrict from, size_t length);
int   memcmp(const void *a, const void *b, size_t length);
size_t strlen(const char *text);
bool  text_same(const char *a, const char *b);
/* A decimal or 0x number. */
uint64_t number_of(const char *text);
uint32_t divide(uint64_t *number, uint32_t by);         /* returns the remainder */

/* A line that is put together; text that does not fit is left out. */
enum { LINE = 2048 };
struct line { char text[LINE]; size_t length; };
/* printf's small relative: %s %d %u %x %llu, %c. */
void line_put(struct line *line, const char *format, ...) __attribute__((format(printf, 2, 3)));
void line_put_values(struct line *line, const char *format, va_list values);
/* line_put() and one write to say_to. */
void say(const char *format, ...) __attribute__((format(printf, 1, 2)));
extern int say_to;                                      /* the descriptor that say() writes to */

/* Numbers by chance, repeatable: splitmix64. */
struct chance { uint64_t state; };
uint32_t chance_word(struct chance *chance);
/* 0 to limit - 1 */
uint32_t chance_below(struct chance *chance, uint32_t limit);
static inline bool chance_one_in(struct chance *chance, uint32_t n) { return chance_below(chance, n) == 0; }
#define CHANCE_OF(chance, array) ((array)[chance_below((chance), COUNT_OF(array))])
uint64_t mix(uint64_t a, uint64_t b);

/* Seconds since some moment, in thousandths. */
uint32_t milliseconds(void);
void     sleep_ms(uint32_t duration);

/* Reads a small file of the kernel's; returns its length, at most size - 1, with a NUL behind, or a negative errno. */
long file_text(const char *path, char *text, size_t size);
/* The number behind `word` at the beginning of a line, or -1. */
long number_behind(const char *text, const char *word);
/* Pages of files and of shared memory that have left memory; `frames` is the text of /proc/quire/frames. */
long pages_out(const char *frames);

#endif
