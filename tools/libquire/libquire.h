/*
 * libquire.h - running a Linux program in a sandbox, from a C program.
 *
 *     struct quire *q = quire_new((const char *const[]){ "busybox", "echo", "hello", NULL });
 *     quire_memory(q, 16 << 20);
 *     quire_stream(q, QUIRE_OUTPUT, STDOUT_FILENO);
 *     if (quire_start(q) != 0 || quire_wait(q, -1) != 1)
 *         fprintf(stderr, "%s\n", quire_error(q));
 *     status = quire_status(q);
 *     quire_free(q);
 *
 * The program runs in a virtual machine of its own, as with `quire run` (docs/run.md describes what it finds there).
 * Each machine is held by a `quire` process that is started here and ends with the object, also when this process dies.
 * The library has no global state, starts no thread, installs no handler, blocks no signal and never exits: the process
 * is started by posix_spawn(3), and the library works even if the caller's wait(2) takes its status.
 *
 * Order    functions that describe the machine are called before quire_start(); the others after it.
 * Threads  an object may be used by one thread at a time; several threads may use several objects.
 * Errors   int functions return 0, or -1 and quire_error() has the reason. Text of a guest in it has visible characters
 *          only.
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

/* Make an object. The program and its arguments, with NULL at the end, are copied. NULL: no memory. */
struct quire *quire_new(const char *const *argv);

/* End the machine if it still runs, and free the object; it may be NULL. */
void quire_free(struct quire *q);

/* The last error, in one or more lines; "" if there was none. Valid until the next call. */
const char *quire_error(const struct quire *q);

/* ---- Before the start ------------------------------------------------------------------- */

/*
 * The `quire` to be used. Without it: $QUIRE_COMMAND, the one installed or built beside this library, or that of PATH.
 */
int quire_command(struct quire *q, const char *path);

/* Add a file or folder of the host, and its path in the guest (NULL: the same path); as `--file` of quire run. */
int quire_file(struct quire *q, const char *host, const char *guest);

/* Set a variable: "NAME=VALUE", or "NAME" for the host's value. */
int quire_environment(struct quire *q, const char *variable);

int quire_memory(struct quire *q, uint64_t bytes);              /* all RAM of the machine, kernel included    */
int quire_timeout(struct quire *q, uint64_t milliseconds);      /* then SIGTERM, and two seconds later the end */
int quire_layout(struct quire *q, const char *name);
int quire_root(struct quire *q, const char *folder);            /* an i386 Debian tree                        */

/* Ask for the report that quire_report() returns; it boots the kernel that can audit itself. */
int quire_ask_report(struct quire *q);

/*
 * Connect a standard stream of the program to a descriptor, which the caller keeps and may close after quire_start().
 * A stream that is not connected is /dev/null.
 */
int quire_stream(struct quire *q, enum quire_stream stream, int fd);

/* Give the program's output to `take`, which quire_step() and quire_wait() call in the caller's thread. */
typedef void quire_take(void *context, const void *bytes, size_t length);
int quire_output(struct quire *q, enum quire_stream stream, quire_take *take, void *context);

/* Set the program's input, which is copied. */
int quire_input(struct quire *q, const void *bytes, size_t length);

/* ---- From the start on ------------------------------------------------------------------ */

int quire_start(struct quire *q);

/* A descriptor for poll(2): readable when quire_step() has work. It belongs to the object. */
int quire_fd(const struct quire *q);

/*
 * Do the work that needs no waiting. 1: the program has ended and all its output was given; 0: not yet; -1: an error.
 */
int quire_step(struct quire *q);

/* The same until the program has ended, or for so many milliseconds (-1: no limit). Returns as quire_step(). */
int quire_wait(struct quire *q, int milliseconds);

/*
 * Send a signal to the program: SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2 or SIGCONT; SIGKILL ends the
 * machine.
 */
int quire_signal(struct quire *q, int number);

/* ---- Behind the end --------------------------------------------------------------------- */

/*
 * The status as in a shell: the program's own, or 128 and the number of the signal that killed it. From 119 to 127 it
 * may be quire's (docs/run.md); then quire_error() has the reason. -1: the program has not ended.
 */
int quire_status(const struct quire *q);

/* The report as JSON (docs/run.md), ended by a NUL; NULL when there is none. It belongs to the object. */
const char *quire_report(const struct quire *q);

#pragma GCC visibility pop

#ifdef __cplusplus
}
#endif

#endif
