/*
 * differ.h - operations whose results must be the same under Quire and under Linux.
 *
 * A task is a seed and the operations to keep. Each operation draws its arguments from the seed and its own number, so
 * leaving others out does not change what it asks for; only what it meets. It tells one line:
 *
 *   NUMBER name arguments = result, what came back, <signals that were handled meanwhile>
 *
 * What two kernels choose freely (pids, inode numbers, times, addresses) is told as what it is, not by its number.
 */
#ifndef QUIRE_TESTS_CALLS_DIFFER_H
#define QUIRE_TESTS_CALLS_DIFFER_H

#include "../guest.h"

enum { OPERATIONS = 48, BUFFER = 16384, TELLS_TO = 200, MAPS = 201, DESCRIPTORS = 14 };
enum { O_APPEND = 02000, O_EXCL = 0200, O_CLOEXEC = 02000000, AT_FDCWD = -100, EFAULT = 14, S_IFIFO = 010000 };
enum { SIG_BLOCK, SIG_UNBLOCK, SIG_SETMASK };
enum { SIGHUP = 1, SIGINT = 2, SIGBUS = 7, SIGUSR1 = 10, SIGUSR2 = 12, SIGPIPE = 13, SIGTERM = 15, SIGCONT = 18,
    SIGURG = 23,
       SIGVTALRM = 26, SIGWINCH = 28, SIGRT = 34, SIGNALS = 64 };

/* ---- Arguments by chance (differ.c) -------------------------------------------------------------- */

extern struct chance chance;
extern char          buffer[BUFFER];

static inline uint32_t below(uint32_t limit) { return chance_below(&chance, limit); }
static inline bool     one_in(uint32_t n)    { return chance_one_in(&chance, n); }
#define PICK(...) ((const long[]){ __VA_ARGS__ }[below(sizeof((const long[]){ __VA_ARGS__ }) / sizeof(long))])

/* Mostly one of the first numbers, which the kernel gives out; now and then one that no process has. */
long        any_descriptor(void);
long        any_size(void);
long        any_offset(void);
const char *any_path(void);
/* `size` bytes that depend on nothing but chance. */
const char *any_bytes(long size);

/* ---- Telling ------------------------------------------------------------------------------------------ */

void tell(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* Writes the buffered output: before a fork, and before an end. */
void flush(void);
/* Tells a call's result and returns it. */
long answer(long result);
/* For results that are a kernel's own choice: tells errors and `ok`. */
long answer_ok(long result);
void tell_digest(const void *bytes, long size);
/* Prints a process by its relation to the caller. */
void tell_process(long pid);

/* One more operation of any kind, within the one that asks for it: in its child. */
void operate(uint64_t seed);
extern unsigned depth;          /* of children in which this one happens (processes.c) */

/* ---- Memory that may not be there (memory.c) ------------------------------------------------------------ */

/* Reads or writes one byte; returns the byte, or SIGNAL << 8 | si_code as a negative number. */
long probe(volatile char *at, int write);
/* A handler's turn: whether the fault was a probe's, which then goes on. */
bool probe_failed(int number, int code, uint32_t *registers);
void make_arena(void);

/* ---- Signals (signals.c) ---------------------------------------------------------------------------------- */

void handle(int number, uint32_t flags, uint64_t mask);
void handle_all(void);
/* Tells the signals that were handled since the last time. */
void tell_handled(void);

/* ---- Operations -------------------------------------------------------------------------------------------- */

typedef void operation(void);
struct family { operation *const *operations; unsigned count; };
extern const struct family files, descriptors, channels, memory, signals, processes;

#endif
