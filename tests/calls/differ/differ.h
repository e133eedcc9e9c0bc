/*
 * differ.h - operations whose results must be the same under Quire and under Linux.
 *
 * Each operation tells one line:
 *
 *   NUMBER name arguments = result, what came back, <signals that were handled meanwhile>
 */
#ifndef QUIRE_TESTS_CALLS_DIFFER_H
#define QUIRE_TESTS_CALLS_DIFFER_H

#include "../tasks.h"

enum { OPERATIONS = 48, BUFFER = 16384, MAPS = 201, DESCRIPTORS = 14 };
enum { O_APPEND = 02000, O_EXCL = 0200, O_CLOEXEC = 02000000, AT_FDCWD = -100, EFAULT = 14, S_IFIFO = 010000 };
enum { SIG_BLOCK, SIG_UNBLOCK, SIG_SETMASK };
enum { SIGHUP = 1, SIGINT = 2, SIGUSR1 = 10, SIGUSR2 = 12, SIGPIPE = 13, SIGTERM = 15, SIGCONT = 18,
       SIGURG = 23, SIGVTALRM = 26, SIGWINCH = 28, SIGRT = 34, SIGNALS = 64 };

/* ---- Arguments by chance (differ.c) -------------------------------------------------------------- */

extern char buffer[BUFFER];

/* Mostly one of the first numbers, which the kernel gives out; now and then one that no process has. */
long        any_descriptor(void);
long        any_size(void);
long        any_offset(void);
const char *any_path(void);
/* `size` bytes that depend on nothing but chance. */
const char *any_bytes(long size);

/* Prints a process by its relation to the caller. */
void tell_process(long pid);

/* One more operation of any kind, within the one that asks for it: in its child. */
void operate(uint64_t seed);
extern unsigned depth;          /* of children in which this one happens (processes.c) */

/* ---- Memory that may not be there (memory.c) ------------------------------------------------------------ */

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
