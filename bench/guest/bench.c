/*
 * bench.c - the frame of a program that measures operations: its start, its words, the middle of several rounds.
 */
#include "bench.h"

enum { MOST_ROUNDS = 99 };

char **arguments, **environment;
volatile count *shared;

void say(const char *text)
{
    word length = 0;

    while (text[length] != '\0')
        length++;
    call(SYS_WRITE, 1, (word)text, length, 0);
}

void say_number(count number)
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

void must(int good, const char *what)
{
    if (good)
        return;
    say("failed ");
    say(what);
    say("\n");
    leave(1);
}

char *map(word pages, word flags, int fd)
{
    int at = call_mmap(0, pages * PAGE, PROT_READ | (fd < 0 ? PROT_WRITE : 0), flags, (word)fd);

    must((word)at < -4095u, "mmap");
    return (char *)at;
}

char *map_private(word pages)
{
    return map(pages, MAP_PRIVATE | MAP_ANONYMOUS, -1);
}

void unmap(char *at, word pages)
{
    must(call(SYS_MUNMAP, (word)at, pages * PAGE, 0, 0) == 0, "munmap");
}

int fork_and(void (*child)(char *), char *with)
{
    int pid = call(SYS_FORK, 0, 0, 0, 0);

    must(pid >= 0, "fork");
    if (pid == 0) {
        child(with);
        call(SYS_EXIT, 0, 0, 0, 0);
    }
    return pid;
}

void wait_for(int pid)
{
    int status = 0;

    must(call(SYS_WAIT4, (word)pid, (word)&status, 0, 0) == pid && status == 0, "wait");
}

/* ---- Measuring ---------------------------------------------------------------------------- */

static word rounds;

/* The middle of several rounds: the first one meets cold caches of the kernel's, others a timer. */
static count measure(const struct operation *operation)
{
    count costs[MOST_ROUNDS];

    for (word i = 0; i < rounds; i++) {
        count cost = operation->run(operation->times);
        word at = i;

        for (; at > 0 && costs[at - 1] > cost; at--)
            costs[at] = costs[at - 1];
        costs[at] = cost;
    }
    return costs[rounds / 2];
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

/* `rounds=N` among the arguments. */
static void read_rounds(void)
{
    rounds = usual_rounds;
    for (char **at = arguments + 1; *at != 0; at++) {
        const char *digit = "rounds=", *in = *at;

        while (*digit != '\0' && *in == *digit)
            in++, digit++;
        if (*digit != '\0')
            continue;
        for (rounds = 0; *in >= '0' && *in <= '9' && rounds < MOST_ROUNDS; in++)
            rounds = rounds * 10 + (word)(*in - '0');
        must(rounds >= 1 && rounds <= MOST_ROUNDS, "number of rounds");
    }
}

static void print_cost(const struct operation *operation, count cost)
{
    say("cost ");
    say(operation->name);
    say(" ");
    say_number(cost);
    say(" ");
    say_number(operation->times);
    say("\n");
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
    read_rounds();
    shared = (volatile count *)map(1, MAP_SHARED | MAP_ANONYMOUS, -1);
    for (const struct operation *operation = operations; operation->name != 0; operation++)
        some |= named(operation->name);
    for (const struct operation *operation = operations; operation->name != 0; operation++)
        if (!some || named(operation->name))
            print_cost(operation, measure(operation));
    say("done\n");
    leave(0);
}

__asm__(".globl _start; _start: xor %ebp, %ebp; mov %esp, %eax; and $-16, %esp; sub $12, %esp; "
        "push %eax; call start_c");
