/*
 * tasks.h - programs whose results must be the same under Quire and under Linux: tasks, and the lines they tell.
 *
 * A task is a seed and the steps to keep. Each step draws its arguments from the seed and its own number, so leaving
 * others out does not change what it asks for; only what it meets. Its lines begin with its number. What two kernels
 * choose freely (pids, inode numbers, times, addresses) is told as what it is, not by its number.
 */
#ifndef QUIRE_TESTS_CALLS_TASKS_H
#define QUIRE_TESTS_CALLS_TASKS_H

#include "guest.h"

enum { TELLS_TO = 200 };

/* ---- What a program has of its own ---------------------------------------------------------------------- */

/* The task's process: it is in the group and has the descriptors of its program, and may use the folder `root`. */
void do_task(uint64_t seed, const char *list, const char *root) __attribute__((noreturn));
/* In the program itself, before each task. */
void before_task(void);
/* The last word before the task that is none. */
extern const char *task_mode;

/* ---- Arguments by chance -------------------------------------------------------------------------------- */

extern struct chance chance;

static inline uint32_t below(uint32_t limit) { return chance_below(&chance, limit); }
static inline bool     one_in(uint32_t n)    { return chance_one_in(&chance, n); }
#define PICK(...) ((const long[]){ __VA_ARGS__ }[below(sizeof((const long[]){ __VA_ARGS__ }) / sizeof(long))])

/* ---- Telling -------------------------------------------------------------------------------------------- */

void tell(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* Writes the buffered output: before a fork, and before an end. */
void flush(void);
/* Tells a call's result and returns it. */
long answer(long result);
/* For results that are a kernel's own choice: tells errors and `ok`. */
long answer_ok(long result);
void tell_digest(const void *bytes, long size);

/* Whether `number` is in a list as 0-3,7,9-12. */
bool task_keeps(const char *list, unsigned number);

/* ---- Memory that may not be there (probe.c) ------------------------------------------------------------- */

enum { SIGBUS = 7, SA_SIGINFO = 4, SA_RESTORER = 0x04000000, SIGNAL_MASK = 8, CONTEXT_REGISTERS = 5 };

/* What rt_sigaction() takes. A handler gets a signal's number, its siginfo in words, and its context in words. */
struct action {
    void   (*handler)(int, int *, uint32_t *);
    uint32_t flags;
    void   (*restorer)(void);
    uint64_t mask;
} __attribute__((packed));

void restorer(void);
/* Reads a byte, or adds 1 to it, which an emulated processor reads first; returns the byte, or SIGNAL << 8 | si_code as
   a negative number. */
long probe(volatile char *at, int write);
/* The same for a store. */
static inline long probe_store(volatile char *at, uint8_t byte) { return probe(at, 2 | byte << 8); }
/* A handler's turn: whether the fault was a probe's, which then goes on. */
bool probe_failed(int number, int code, uint32_t *registers);

#endif
