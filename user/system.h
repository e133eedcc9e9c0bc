/*
 * system.h - system calls for the programs that are built into the kernel: Linux's numbers, through int 0x80.
 */
#ifndef QUIRE_USER_SYSTEM_H
#define QUIRE_USER_SYSTEM_H

enum { CALL_EXIT = 1, CALL_WRITE = 4, CALL_GETPID = 20, CALL_NANOSLEEP = 162, CALL_RT_SIGACTION = 174 };

static inline long system_call(long number, long a, long b, long c, long d)
{
    long result;

    __asm__ volatile("int $0x80" : "=a"(result) : "a"(number), "b"(a), "c"(b), "d"(c), "S"(d) : "memory");
    return result;
}

static inline void exit_with(int status)
{
    for (;;)
        system_call(CALL_EXIT, status, 0, 0, 0);
}

static inline long process_id(void) { return system_call(CALL_GETPID, 0, 0, 0, 0); }

static inline void sleep_milliseconds(long milliseconds)
{
    long time[2] = { milliseconds / 1000, milliseconds % 1000 * 1000000 };

    system_call(CALL_NANOSLEEP, (long)time, 0, 0, 0);
}

/* A line is written by one call, so that lines of several programs do not mix. */
struct text {
    unsigned used;
    char     bytes[80];
};

static inline void put(struct text *text, const char *word)
{
    while (*word != '\0' && text->used < sizeof text->bytes)
        text->bytes[text->used++] = *word++;
}

static inline void put_number(struct text *text, unsigned long number)
{
    char digits[11], *at = &digits[10];

    *at = '\0';
    do
        *--at = (char)('0' + number % 10);
    while ((number /= 10) != 0);
    put(text, at);
}

static inline void say(struct text *text)
{
    put(text, "\n");
    system_call(CALL_WRITE, 1, (long)text->bytes, (long)text->used, 0);
    text->used = 0;
}

/* "name PID: ", the beginning of all lines. */
static inline void begin(struct text *text, const char *name)
{
    text->used = 0;
    put(text, name);
    put(text, " ");
    put_number(text, (unsigned long)process_id());
    put(text, ": ");
}

#endif
