/*
 * bench.h - what programs that measure operations share: the kernel called by hand, and a clock of instructions.
 *
 * Such a program is static, for i386, without a C library, so that what is counted is the kernel and a few
 * instructions around it. It runs unchanged under Linux (as init) and under Quire: bench/compare.py starts both. Under
 * `qemu -icount shift=0` one instruction takes one nanosecond of the machine's time and the time-stamp counter counts
 * nanoseconds, so a difference of two readings is a number of instructions, the same on every run.
 *
 * Output, one line for each operation:  cost NAME INSTRUCTIONS OPERATIONS
 * and first  boot INSTRUCTIONS, from the machine's reset to this program's first one. With names of operations as
 * arguments, only those; `rounds=N` sets how often each is done. Linux gives its init words of the kernel's
 * command line as arguments, so what is no such name is passed over.
 *
 * A program defines `operations` and `usual_rounds`; bench.c has its start, and leaves with status 0 when all are
 * measured.
 */
#ifndef BENCH_H
#define BENCH_H

typedef unsigned int       word;
typedef unsigned long long count;

enum { PAGE = 4096 };

/* Numbers of Linux's calls for i386. */
enum {
    SYS_EXIT = 1, SYS_FORK = 2, SYS_READ = 3, SYS_WRITE = 4, SYS_OPEN = 5, SYS_CLOSE = 6, SYS_UNLINK = 10,
    SYS_EXECVE = 11, SYS_GETPID = 20, SYS_PIPE = 42, SYS_BRK = 45, SYS_GETPPID = 64, SYS_REBOOT = 88,
    SYS_MUNMAP = 91, SYS_WAIT4 = 114, SYS_MPROTECT = 125, SYS_MMAP2 = 192,
};

enum { PROT_READ = 1, PROT_WRITE = 2, MAP_SHARED = 1, MAP_PRIVATE = 2, MAP_ANONYMOUS = 0x20 };
enum { O_RDWR = 2, O_CREAT = 0100, O_TRUNC = 01000 };

struct operation {
    const char *name;
    count     (*run)(word times);   /* instructions that `times` of it took */
    word        times;              /* in one round: enough that a timer's tick is a small part */
};

extern const struct operation operations[];     /* the last one has no name */
extern const word usual_rounds;                 /* of each, of which the middle one counts */
extern char **arguments, **environment;         /* of this program */
extern volatile count *shared;                  /* a page that a child shares with its parent, for what it measured */

/* mmap2 has a sixth argument, in %ebp, which is ours to save: the offset in the file, always 0 here. */
static inline int call_mmap(word at, word size, word rights, word flags, word fd)
{
    int result;

    __asm__ volatile("push %%ebp; xor %%ebp, %%ebp; int $0x80; pop %%ebp"
                     : "=a"(result) : "0"(SYS_MMAP2), "b"(at), "c"(size), "d"(rights), "S"(flags), "D"(fd) : "memory");
    return result;
}

static inline int call5(int number, word a, word b, word c, word d, word e)
{
    int result;

    __asm__ volatile("int $0x80"
                     : "=a"(result) : "0"(number), "b"(a), "c"(b), "d"(c), "S"(d), "D"(e) : "memory");
    return result;
}

static inline int call(int number, word a, word b, word c, word d)
{
    int result;

    __asm__ volatile("int $0x80" : "=a"(result) : "0"(number), "b"(a), "c"(b), "d"(c), "S"(d) : "memory");
    return result;
}

static inline count now(void)
{
    count ticks;

    __asm__ volatile("rdtsc" : "=A"(ticks) :: "memory");
    return ticks;
}

static inline void write_pages(char *at, word pages)
{
    for (word i = 0; i < pages; i++)
        *(volatile char *)(at + i * PAGE) = 1;
}

static inline void read_pages(const char *at, word pages)
{
    for (word i = 0; i < pages; i++)
        (void)*(const volatile char *)(at + i * PAGE);
}

void say(const char *text);
void say_number(count number);
void must(int good, const char *what);          /* or the program says `failed WHAT` and ends */

char *map(word pages, word flags, int fd);      /* writable without a file, else to be read */
char *map_private(word pages);
void  unmap(char *at, word pages);

/* A child that does `child(with)` and ends with status 0; and its end, which must be that. */
int  fork_and(void (*child)(char *), char *with);
void wait_for(int pid);

#endif
