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
 * The program runs in a virtual machine of its own, as with `quire run` (docs/run.md describes what it finds there):
 * that command is a small program around these functions.
 *
 * The library has no state beside the objects, starts no thread, installs no handler, blocks no signal while it waits,
 * writes to no stream that it was not given, and never exits. QEMU is a child of the caller, and works even if the
 * caller's wait(2) takes its status; it ends when quire_step() has seen the program's end, and dies with this process,
 * however that ends. (A process that the caller forks, and that calls no exec, keeps a copy of the machine's
 * descriptors: the machine then dies with the last of them.)
 *
 * Order    functions that describe the machine are called before quire_start(); the others after it.
 * Threads  an object may be used by one thread at a time; several threads may use several objects. The functions that
 *          are called with a program's output may use any object, but may not free their own.
 * Errors   int functions return 0, or -1 and quire_error() has the reason; a text that is NULL or empty is such a
 *          reason, unless the function says otherwise. A run that fails ends: it has a status from
 *          119 to 127 (docs/run.md), and the reason is in quire_error() as well. Text of a guest in it, and names of
 *          files, have visible characters only.
 * Cost     quire_start() reads all files that the program needs; an object has five descriptors while its machine runs,
 *          and its streams' copies.
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

/*
 * The last error, in one or more lines; "" if there was none. Valid until the next call. Of NULL, which quire_new()
 * returns without memory, it says that.
 */
const char *quire_error(const struct quire *q);

/* ---- Before the start ------------------------------------------------------------------- */

/* The folder that has a folder of kernels for each layout; else $QUIRE_BUILD, or what lies beside this library. */
int quire_kernels(struct quire *q, const char *folder);

/* Add a file or folder of the host, and its path in the guest (NULL: the same path); as `--file` of quire run. */
int quire_file(struct quire *q, const char *host, const char *guest);

/* Set a variable: "NAME=VALUE", or "NAME" for the host's value. */
int quire_environment(struct quire *q, const char *variable);

int quire_memory(struct quire *q, uint64_t bytes);              /* all RAM of the machine, kernel included    */
int quire_swap(struct quire *q, uint64_t bytes);    /* of a file without a name in $TMPDIR: 64 KiB to 512 MiB    */
int quire_timeout(struct quire *q, uint64_t milliseconds);      /* then SIGTERM, and two seconds later the end */
int quire_layout(struct quire *q, const char *name);
int quire_root(struct quire *q, const char *folder);            /* an i386 Debian tree                        */
int quire_directory(struct quire *q, const char *folder);       /* where the program begins; else as this process */
int quire_machine(struct quire *q, const char *kind);           /* "microvm" or "pc"; else the first that works */
int quire_watchdog(struct quire *q, uint64_t milliseconds);     /* a kernel silent so long is dead; 0: no limit */
int quire_audit(struct quire *q);                               /* the kernel that has /proc/quire/audit      */

/*
 * Begin with a machine that was frozen just before this program, as `--snapshot` of quire run does; the first run of a
 * program makes it, and quire_start() waits for that: as long as a start takes, at most 20 s.
 */
int quire_frozen(struct quire *q);

/* Ask for the report that quire_report() returns; it boots the kernel that can audit itself. */
int quire_ask_report(struct quire *q);

/*
 * The kernel's lines about the run as it writes them, to a descriptor that the caller keeps open: why a fault killed
 * the program, and (if `whole`) the report, which quire_report() then lacks. Without this, the lines are words of the
 * run.
 */
int quire_report_to(struct quire *q, int fd, int whole);

/*
 * Have each line that quire has to say given to `say` when there is one, instead of kept for quire_error(); a line that
 * begins with a blank is a detail of the one before. quire_verbose() has it say how QEMU is started, and more.
 */
typedef void quire_say(void *context, const char *line);
int quire_words(struct quire *q, quire_say *say, void *context);
int quire_verbose(struct quire *q);

/*
 * Connect a standard stream of the program to a descriptor, which the caller keeps and may close at once: it is copied.
 * A stream that is not connected is /dev/null.
 */
int quire_stream(struct quire *q, enum quire_stream stream, int fd);

/* Give the program's output to `take`, which quire_step() and quire_wait() call in the caller's thread. */
typedef void quire_take(void *context, const void *bytes, size_t length);
int quire_output(struct quire *q, enum quire_stream stream, quire_take *take, void *context);

/* Set the program's input, which is copied. */
int quire_input(struct quire *q, const void *bytes, size_t length);

/* The stream is closed when the program begins. */
int quire_closed(struct quire *q, enum quire_stream stream);

/*
 * The streams are a terminal, which the caller has set to raw mode and whose size it tells (quire_window()). Ctrl-]
 * pressed twice ends the machine (quire_escaped()).
 */
int quire_terminal(struct quire *q);

/* ---- From the start on ------------------------------------------------------------------ */

/*
 * Read the files, which quire_start() does otherwise. It may take a while; what was changed since then is not seen. An
 * error of these files ends the run: quire_status() has it, and quire_start() changes nothing.
 */
int quire_prepare(struct quire *q);

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
 * machine. The other function sends it to the program's group, on a terminal to the group in its foreground.
 */
int quire_signal(struct quire *q, int number);
int quire_signal_group(struct quire *q, int number);

int quire_window(struct quire *q, uint16_t columns, uint16_t rows);      /* the terminal's size             */
int quire_pause(struct quire *q, int pause);                             /* the machine stands still, or goes on */

/* ---- Behind the end --------------------------------------------------------------------- */

/*
 * The status as in a shell: the program's own, or 128 and the number of the signal that killed it. From 119 to 127 it
 * may be quire's (docs/run.md); then quire_error() has the reason. -1: the program has not ended.
 */
int quire_status(const struct quire *q);

/* Whether Ctrl-] pressed twice ended the machine. */
int quire_escaped(const struct quire *q);

/*
 * The report as a structure; NULL when there is none. It belongs to the object, and is there until quire_free(). Lists
 * may be empty, and then be NULL. Text is UTF-8 without controls, whatever a guest wrote. The other function has the
 * same as JSON (docs/run.md), ended by a NUL.
 */
struct quire_owner   { const char *name, *purpose; uint64_t peak, end; };   /* frames of 4 KiB, at the peak and end */
struct quire_count   { const char *name; uint64_t number, times; };         /* the number is a system call's, or 0  */
struct quire_failure { const char *invariant, *what; };

struct quire_report {
    int                         status;             /* quire_status()                                 */
    int                         audited, clean;     /* whether there was an audit; nothing was wrong  */
    uint64_t                    checks;             /* of the audit                                   */
    const struct quire_owner   *owners;             /* of frames; the last one, "sum", is all RAM     */
    const struct quire_count   *faults;             /* actions that page faults led to                */
    const struct quire_count   *calls;              /* system calls that are not implemented          */
    const struct quire_count   *paths;              /* paths that were looked for and not found       */
    const struct quire_failure *failures;           /* of the audit                                   */
    const char *const          *words;              /* all other lines, such as why the program died  */
    size_t   owner_count, fault_count, call_count, path_count, failure_count, word_count;
    uint64_t more_paths;                            /* that are not listed                            */
};
const struct quire_report *quire_report(const struct quire *q);
const char *quire_report_json(const struct quire *q);

#pragma GCC visibility pop

#ifdef __cplusplus
}
#endif

#endif
