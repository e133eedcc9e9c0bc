/*
 * vmbench.c - what memory and process operations cost a Linux program, in instructions.
 *
 * A static i386 program without a C library, so that what is counted is the kernel and a
 * few instructions around it. It runs unchanged under Linux (as init) and under Quire:
 * bench/compare.py starts both. Under `qemu -icount shift=0` one instruction takes one
 * nanosecond of the machine's time and the time-stamp counter counts nanoseconds, so a
 * difference of two readings is a number of instructions, the same on every run.
 *
 * Output, one line for each operation:  cost NAME INSTRUCTIONS OPERATIONS
 * and first  boot INSTRUCTIONS, from the machine's reset to this program's first one.
 * With names of operations as arguments, only those. (Linux gives its init words of the
 * kernel's command line as arguments, so what is no such name is passed over.)
 */
typedef unsigned int       word;
typedef unsigned long long count;

enum { PAGE = 4096, ROUNDS = 9 };

enum {
    SYS_EXIT = 1, SYS_FORK = 2, SYS_READ = 3, SYS_WRITE = 4, SYS_OPEN = 5, SYS_CLOSE = 6, SYS_UNLINK = 10,
    SYS_EXECVE = 11, SYS_GETPID = 20, SYS_PIPE = 42, SYS_BRK = 45, SYS_GETPPID = 64, SYS_REBOOT = 88,
    SYS_MUNMAP = 91, SYS_WAIT4 = 114, SYS_MPROTECT = 125, SYS_MMAP2 = 192,
};

enum { PROT_READ = 1, PROT_WRITE = 2, MAP_SHARED = 1, MAP_PRIVATE = 2, MAP_ANONYMOUS = 0x20 };
enum { O_RDWR = 2, O_CREAT = 0100, O_TRUNC = 01000 };

/* ---- The kernel, called by hand --------------------------------------------------------- */

/* mmap2 has a sixth argument, in %ebp, which is ours to save: the offset in the file, always 0 here. */
static inline int call_mmap(word at, word size, word rights, word flags, word fd)
{
    int result;

    __asm__ volatile("push %%ebp; xor %%ebp, %%ebp; int $0x80; pop %%ebp"
                     : "=a"(result) : "0"(SYS_MMAP2), "b"(at), "c"(size), "d"(rights), "S"(flags), "D"(fd) : "memory");
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

static void say(const char *text)
{
    word length = 0;

    while (text[length] != '\0')
        length++;
    call(SYS_WRITE, 1, (word)text, length, 0);
}

static void say_number(count number)
{
    char digits[24], *at = digits + sizeof(digits) - 1;

    *at = '\0';
    do {
        /* 64-bit division by hand: there is no library to do it. */
        word high = (word)(number >> 32), low = (word)number, rest = high % 10, quotient;

        __asm__("divl %4" : "=a"(quotient), "=d"(rest) : "0"(low), "1"(rest), "r"(10));
        number = (count)(high / 10) << 32 | quotient;
        *--at = (char)('0' + rest);
    } while (number != 0);
    say(at);
}

static void leave(int status)
{
    if (call(SYS_GETPID, 0, 0, 0, 0) == 1)          /* init may not end: restart, which ends the emulator */
        call(SYS_REBOOT, 0xfee1dead, 672274793, 0x01234567, 0);
    for (;;)
        call(SYS_EXIT, (word)status, 0, 0, 0);
}

static void must(int good, const char *what)
{
    if (good)
        return;
    say("failed ");
    say(what);
    say("\n");
    leave(1);
}

static char *map(word pages, word flags, int fd)
{
    int at = call_mmap(0, pages * PAGE, PROT_READ | (fd < 0 ? PROT_WRITE : 0), flags, (word)fd);

    must((word)at < -4095u, "mmap");
    return (char *)at;
}

static char *map_private(word pages)
{
    return map(pages, MAP_PRIVATE | MAP_ANONYMOUS, -1);
}

static void unmap(char *at, word pages)
{
    must(call(SYS_MUNMAP, (word)at, pages * PAGE, 0, 0) == 0, "munmap");
}

static void write_pages(char *at, word pages)
{
    for (word i = 0; i < pages; i++)
        *(volatile char *)(at + i * PAGE) = 1;
}

static void read_pages(const char *at, word pages)
{
    for (word i = 0; i < pages; i++)
        (void)*(const volatile char *)(at + i * PAGE);
}

/* A page that a child shares with us, for what it has measured. */
static volatile count *shared;

static int fork_and(void (*child)(char *), char *with)
{
    int pid = call(SYS_FORK, 0, 0, 0, 0);

    must(pid >= 0, "fork");
    if (pid == 0) {
        child(with);
        call(SYS_EXIT, 0, 0, 0, 0);
    }
    return pid;
}

static void wait_for(int pid)
{
    int status = 0;

    must(call(SYS_WAIT4, (word)pid, (word)&status, 0, 0) == pid && status == 0, "wait");
}

/* ---- The operations: each returns the instructions of `times` of them --------------------- */

static char **arguments, **environment;

static count getppid(word times)
{
    count start = now();

    for (word i = 0; i < times; i++)
        call(SYS_GETPPID, 0, 0, 0, 0);
    return now() - start;
}

static count write_fault(word pages)
{
    char *at = map_private(pages);
    count start = now(), cost;

    write_pages(at, pages);
    cost = now() - start;
    unmap(at, pages);
    return cost;
}

static count read_fault(word pages)
{
    char *at = map_private(pages);
    count start = now(), cost;

    read_pages(at, pages);
    cost = now() - start;
    unmap(at, pages);
    return cost;
}

static word pages_of_child;

static void break_copies(char *at)
{
    count start = now();

    write_pages(at, pages_of_child);
    *shared = now() - start;
}

static count copy_on_write(word pages)
{
    char *at = map_private(pages);

    write_pages(at, pages);
    pages_of_child = pages;
    wait_for(fork_and(break_copies, at));
    unmap(at, pages);
    return *shared;
}

static count file_fault(word pages)
{
    static const char path[] = "/vmbench.tmp";
    static char page[PAGE];
    int fd = call(SYS_OPEN, (word)path, O_RDWR | O_CREAT | O_TRUNC, 0600, 0);
    count start, cost;
    char *at;

    must(fd >= 0, "open");
    for (word i = 0; i < pages; i++)
        must(call(SYS_WRITE, (word)fd, (word)page, PAGE, 0) == PAGE, "write");
    at = map(pages, MAP_PRIVATE, fd);
    start = now();
    read_pages(at, pages);
    cost = now() - start;
    unmap(at, pages);
    call(SYS_CLOSE, (word)fd, 0, 0, 0);
    call(SYS_UNLINK, (word)path, 0, 0, 0);
    return cost;
}

static void grow_stack(char *ignored)
{
    char *top = __builtin_frame_address(0);
    count start = now();

    (void)ignored;
    for (word i = 1; i <= pages_of_child; i++)
        *(volatile char *)(top - i * PAGE) = 1;
    *shared = now() - start;
}

/* In a child: a stack stays grown. */
static count stack_growth(word pages)
{
    pages_of_child = pages;
    wait_for(fork_and(grow_stack, 0));
    return *shared;
}

static count map_unmap(word times)
{
    count start = now();

    for (word i = 0; i < times; i++)
        unmap(map_private(1), 1);
    return now() - start;
}

static count map_touch_unmap(word times)
{
    count start = now();

    for (word i = 0; i < times; i++) {
        char *at = map_private(1);

        write_pages(at, 1);
        unmap(at, 1);
    }
    return now() - start;
}

static count protect_pair(word times)
{
    char *at = map_private(16);
    count start, cost;

    write_pages(at, 16);
    start = now();
    for (word i = 0; i < times; i++) {
        call(SYS_MPROTECT, (word)at + 8 * PAGE, PAGE, PROT_READ, 0);
        call(SYS_MPROTECT, (word)at + 8 * PAGE, PAGE, PROT_READ | PROT_WRITE, 0);
    }
    cost = now() - start;
    unmap(at, 16);
    return cost;
}

static count grow_heap(word times)
{
    word end = (word)call(SYS_BRK, 0, 0, 0, 0);
    count start = now();

    for (word i = 0; i < times; i++) {
        must((word)call(SYS_BRK, end + 16 * PAGE, 0, 0, 0) == end + 16 * PAGE, "brk");
        write_pages((char *)((end + PAGE - 1) & -(word)PAGE), 16);
        call(SYS_BRK, end, 0, 0, 0);
    }
    return now() - start;
}

static void do_nothing(char *ignored)
{
    (void)ignored;
}

static count fork_small(word times)
{
    count start = now();

    for (word i = 0; i < times; i++)
        wait_for(fork_and(do_nothing, 0));
    return now() - start;
}

static count fork_large(word times)
{
    char *at = map_private(4096);
    count cost;

    write_pages(at, 4096);
    cost = fork_small(times);
    unmap(at, 4096);
    return cost;
}

/* This program again, which ends at once when told `nothing`. */
static void run_nothing(char *ignored)
{
    static char word_nothing[] = "nothing";
    char *again[] = { arguments[0], word_nothing, 0 };

    (void)ignored;
    call(SYS_EXECVE, (word)arguments[0], (word)again, (word)environment, 0);
    call(SYS_EXIT, 1, 0, 0, 0);
}

static count fork_exec(word times)
{
    count start = now();

    for (word i = 0; i < times; i++)
        wait_for(fork_and(run_nothing, 0));
    return now() - start;
}

static int to_child[2], to_parent[2];
static word round_trips;

static void answer(char *ignored)
{
    char byte;

    (void)ignored;
    for (word i = 0; i < round_trips; i++) {
        call(SYS_READ, (word)to_child[0], (word)&byte, 1, 0);
        call(SYS_WRITE, (word)to_parent[1], (word)&byte, 1, 0);
    }
}

static count pipe_round_trip(word times)
{
    char byte = 'q';
    count start, cost;
    int child;

    must(call(SYS_PIPE, (word)to_child, 0, 0, 0) == 0 && call(SYS_PIPE, (word)to_parent, 0, 0, 0) == 0, "pipe");
    round_trips = times + 1;
    child = fork_and(answer, 0);
    call(SYS_WRITE, (word)to_child[1], (word)&byte, 1, 0);      /* until the child is there */
    call(SYS_READ, (word)to_parent[0], (word)&byte, 1, 0);
    start = now();
    for (word i = 0; i < times; i++) {
        call(SYS_WRITE, (word)to_child[1], (word)&byte, 1, 0);
        call(SYS_READ, (word)to_parent[0], (word)&byte, 1, 0);
    }
    cost = now() - start;
    wait_for(child);
    for (int i = 0; i < 2; i++) {
        call(SYS_CLOSE, (word)to_child[i], 0, 0, 0);
        call(SYS_CLOSE, (word)to_parent[i], 0, 0, 0);
    }
    return cost;
}

static const struct {
    const char *name;
    count     (*run)(word times);
    word        times;              /* in one round: enough that a timer's tick is a small part */
} operations[] = {
    { "getppid", getppid, 10000 },
    { "write-fault", write_fault, 1024 },
    { "read-fault", read_fault, 1024 },
    { "copy-on-write", copy_on_write, 1024 },
    { "file-fault", file_fault, 1024 },
    { "stack-growth", stack_growth, 1024 },
    { "map-unmap", map_unmap, 1000 },
    { "map-touch-unmap", map_touch_unmap, 1000 },
    { "protect-pair", protect_pair, 1000 },
    { "brk-16-pages", grow_heap, 100 },
    { "fork-small", fork_small, 50 },
    { "fork-16M", fork_large, 8 },
    { "fork-exec", fork_exec, 20 },
    { "pipe-round-trip", pipe_round_trip, 1000 },
};

enum { COUNT = sizeof(operations) / sizeof(operations[0]) };

/* ---- Measuring ---------------------------------------------------------------------------- */

/* The middle of several rounds: the first one meets cold caches of the kernel's, others a timer. */
static count measure(count (*run)(word times), word times)
{
    count costs[ROUNDS];

    for (int i = 0; i < ROUNDS; i++) {
        count cost = run(times);
        int at = i;

        for (; at > 0 && costs[at - 1] > cost; at--)
            costs[at] = costs[at - 1];
        costs[at] = cost;
    }
    return costs[ROUNDS / 2];
}

static int same(const char *a, const char *b)
{
    while (*a != '\0' && *a == *b)
        a++, b++;
    return *a == *b;
}

/* True when an argument is this operation's name. */
static int named(const char *name)
{
    for (char **word = arguments + 1; *word != 0; word++)
        if (same(*word, name))
            return 1;
    return 0;
}

__attribute__((used)) static void start_c(char **stack)
{
    count boot = now();
    word argc = (word)(unsigned long)stack[0];
    int some = 0;

    arguments   = stack + 1;
    environment = stack + 1 + argc + 1;
    if (argc == 2 && same(arguments[1], "nothing"))
        call(SYS_EXIT, 0, 0, 0, 0);
    say("boot ");
    say_number(boot);
    say("\n");
    shared = (volatile count *)map(1, MAP_SHARED | MAP_ANONYMOUS, -1);
    for (word i = 0; i < COUNT; i++)
        some |= named(operations[i].name);
    for (word i = 0; i < COUNT; i++) {
        count cost;

        if (some && !named(operations[i].name))
            continue;
        cost = measure(operations[i].run, operations[i].times);
        say("cost ");
        say(operations[i].name);
        say(" ");
        say_number(cost);
        say(" ");
        say_number(operations[i].times);
        say("\n");
    }
    say("done\n");
    leave(0);
}

__asm__(".globl _start; _start: xor %ebp, %ebp; mov %esp, %eax; and $-16, %esp; sub $12, %esp; "
        "push %eax; call start_c");
