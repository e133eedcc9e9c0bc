/*
 * libquire.h - a sealed Linux program from a program of one's own.
 *
 *     struct quire *q = quire_new((const char *const[]){ "busybox", "echo", "hello", NULL });
 *     quire_memory(q, 16 << 20);
 *     quire_stream(q, QUIRE_OUTPUT, STDOUT_FILENO);
 *     if (quire_start(q) != 0 || quire_wait(q, -1) != 1)
 *         fprintf(stderr, "%s\n", quire_error(q));
 *     status = quire_status(q);
 *     quire_free(q);
 *
 * The program runs in a virtual machine of its own, as with `quire run` (docs/run.md has what it finds there). Each
 * machine is held by a `quire` process that is started here and ends with the object, also when this process dies. The
 * library has no global state, starts no thread, installs no handler, blocks no signal and never exits: the process is
 * started by posix_spawn(3), and a caller's wait(2) that takes its status takes nothing from us.
 *
 * Order    what the machine is to be is said before quire_start(); the rest after it.
 * Threads  an object belongs to one thread at a time; several objects to as many threads as there are.
 * Errors   int functions return 0, or -1 and have quire_error() say why. Words in an error that are a guest's are
 *          visible characters only.
 */
#ifndef LIBQUIRE_H
#define LIBQUIRE_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#pragma GCC visibility push(default)

struct quire;

enum quire_stream { QUIRE_INPUT, QUIRE_OUTPUT, QUIRE_ERRORS };

/* The program and its arguments, NULL at the end, which are copied. NULL: no memory. */
struct quire *quire_new(const char *const *argv);

/* Ends the machine if it still runs, and gives everything back. NULL is nothing. */
void quire_free(struct quire *q);

/* What went wrong the last time, in one or more lines; "" if nothing did. Good until the next call. */
const char *quire_error(const struct quire *q);

/* ---- Before the start ------------------------------------------------------------------- */

/*
 * The `quire` to be used. Without it: $QUIRE_COMMAND, the one installed or built beside this library, or that of PATH.
 */
int quire_command(struct quire *q, const char *path);

/* A file or folder of this machine, and where the program sees it: NULL is the same path; as `--file` of quire run. */
int quire_file(struct quire *q, const char *host, const char *guest);

/* "NAME=VALUE", or "NAME": its value here. */
int quire_environment(struct quire *q, const char *variable);

int quire_memory(struct quire *q, uint64_t bytes);              /* all RAM of the machine, kernel included    */
int quire_timeout(struct quire *q, uint64_t milliseconds);      /* then SIGTERM, and two seconds later the end */
int quire_layout(struct quire *q, const char *name);
int quire_root(struct quire *q, const char *folder);            /* an i386 Debian tree                        */

/* Ask for the report that quire_report() returns; it boots the kernel that can audit itself. */
int quire_ask_report(struct quire *q);

/*
 * A standard stream of the program is a descriptor of the caller's, which stays the caller's and may be closed after
 * quire_start(). A stream of which nothing is said is /dev/null.
 */
int quire_stream(struct quire *q, enum quire_stream stream, int fd);

/* What the program writes is given to `take`, from within quire_step() and quire_wait(), in the caller's thread. */
typedef void quire_take(void *context, const void *bytes, size_t length);
int quire_output(struct quire *q, enum quire_stream stream, quire_take *take, void *context);

/* What the program reads, copied; then it finds the end. */
int quire_input(struct quire *q, const void *bytes, size_t length);

/* ---- From the start on ------------------------------------------------------------------ */

int quire_start(struct quire *q);

/* For poll(2): readable when quire_step() has something to do. It belongs to the object. */
int quire_fd(const struct quire *q);

/*
 * Do what can be done without waiting. 1: the program has ended and all it wrote was given; 0: not yet; -1: an error.
 */
int quire_step(struct quire *q);

/* The same until it has ended, or for so many milliseconds; -1 is for ever. Returns as quire_step(). */
int quire_wait(struct quire *q, int milliseconds);

/* A signal for the program: SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2 or SIGCONT; SIGKILL ends the machine. */
int quire_signal(struct quire *q, int number);

/* ---- Behind the end --------------------------------------------------------------------- */

/*
 * As a shell says it: the program's own status, or 128 and the number of the signal that killed it. From 119 to 127 it
 * may be ours (docs/run.md), and then quire_error() has the words. -1: it has not ended.
 */
int quire_status(const struct quire *q);

/* The report as JSON (docs/run.md), ended by a NUL; NULL when there is none. It belongs to the object. */
const char *quire_report(const struct quire *q);

#pragma GCC visibility pop

#ifdef __cplusplus
}
#endif

#endif
