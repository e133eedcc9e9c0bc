/*
 * sandbox.h - a Linux program in a sandbox: its options, and how it ended.
 *
 * The parts, in the order in which a run meets them:
 *
 *   tree        the files that the guest will have, and where each comes from
 *   elf_file    the headers of executables
 *   program     the program, its interpreter and its libraries, put into the tree
 *   pack        the tree as one cpio archive
 *   machine     QEMU started with kernel and archive
 *   channel     the framed stream between the machine and this process
 *   session     standard streams, signals and time, until the program has ended
 *
 * Errors   every part that fails writes one line to standard error, and returns one of the
 *          exit statuses below; 0: no error.
 */
#ifndef QUIRE_SANDBOX_H
#define QUIRE_SANDBOX_H

#include <argp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * The exit statuses that are quire's, not the program's: those of timeout(1) and env(1),
 * continued downwards. A program killed by signal n gives SANDBOX_SIGNAL + n, as in a shell.
 */
enum {
    SANDBOX_DIED        = 119,     /* the machine ended before the program did: a kernel panic */
    SANDBOX_TOO_LITTLE  = 120,     /* too little memory for kernel, program and files          */
    SANDBOX_NO_KERNEL   = 121,     /* no kernel of that layout is built                        */
    SANDBOX_NO_EMULATOR = 122,     /* no QEMU, or none that starts                             */
    SANDBOX_MISSING     = 123,     /* a library or interpreter that the program needs          */
    SANDBOX_TIMEOUT     = 124,     /* the time of --timeout is over                                        */
    SANDBOX_FAILED      = 125,     /* quire itself failed, or was called wrongly               */
    SANDBOX_CANNOT      = 126,     /* found, but cannot be run: another processor's program    */
    SANDBOX_NOT_FOUND   = 127,     /* there is no such program                                 */
    SANDBOX_SIGNAL      = 128,
};

struct sandbox {
    const char  *layout;
    const char  *root;          /* a folder with an i386 Debian tree; NULL: the fetched one */
    uint64_t     memory;        /* bytes; 0: the default, more for a large archive              */
    char       **files;         /* HOST[:GUEST]                                                 */
    size_t       file_count;
    char       **environment;   /* NAME=VALUE, or NAME alone: its value on the host             */
    size_t       environment_count;
    uint64_t     timeout_ms;    /* 0: none                                                      */
    uint64_t     watchdog_ms;   /* 0: none                                                      */
    const char  *directory;     /* the program's working directory; NULL: the current one          */
    bool         report, verbose, terminal, map;     /* map: a snapshot of memory is ordered */
    bool         audit;         /* use the whole kernel, which can audit */
    const char  *report_file;   /* where the report goes; NULL: standard error */
    bool         report_json;   /* the report is a structure (report_json.h)              */
    struct follow *follow;      /* the reader of snapshots while the program runs (follow.h), or NULL */
    int          output;        /* the descriptor for the program's standard output             */
    unsigned     closed;        /* bit n: standard descriptor n was closed at the start         */
    unsigned     machine;       /* enum machine_kind; MACHINE_KINDS: the fastest that works     */
    int          argc;          /* the program and its arguments */
    char       **argv;
    int          owner;         /* the connection to libquire, for the result of the run (owner.h); or -1 */
    int          debugger;      /* the connection to gdb, which the stopped machine waits for; or -1 */

    /* Called when the machine is started; a descriptor that ends when its debugger does, or -1. NULL: nothing. */
    int        (*on_machine)(struct sandbox *sandbox);

    char        *snapshot;      /* its lines, or NULL */
    size_t       snapshot_length;
};

/*
 * The keys of options about the program, which `quire image` has as well; and their parser, which also takes the
 * program and its arguments. Other keys: ARGP_ERR_UNKNOWN.
 */
enum { OPTION_LAYOUT = 0x200, OPTION_ROOT, OPTION_FILE, OPTION_ENV };
error_t sandbox_parse_program(struct sandbox *sandbox, int key, char *word, struct argp_state *state);

/*
 * The options that run, shell, debug and map share, as the children of a command's own argp: its input is the sandbox,
 * or the command's parser passes the sandbox on at ARGP_KEY_INIT.
 */
extern const struct argp_child sandbox_options[];

/*
 * Read the words of a command whose argp has sandbox_options; wrong words end this process with a message. `input` is
 * the argp's input: `sandbox`, unless the command has options of its own. sandbox->argc is 0 when no program was named.
 * Needs sandbox_free().
 */
void sandbox_parse(struct sandbox *sandbox, int argc, char **argv, const struct argp *argp, void *input);
void sandbox_free(struct sandbox *sandbox);

/* Add a --file, or an --env, for a command with options of its own. */
void sandbox_add_file(struct sandbox *sandbox, char *said);
void sandbox_add_variable(struct sandbox *sandbox, char *said);

/* Set the program to BusyBox's shell, with a prompt. */
void sandbox_use_shell(struct sandbox *sandbox);

/*
 * Make the boot archive. Returns 0 and *archive, a descriptor that the caller closes, and *size; or, after a complaint,
 * an exit status.
 */
int sandbox_archive(const struct sandbox *sandbox, int *archive, uint64_t *size);

/* Run the program. Returns the exit status for this process. */
int sandbox_run(struct sandbox *sandbox);

/* The name this command was called by ("quire run"), for messages. */
extern const char *sandbox_command;

/* One line "quire run: ..." on standard error; returns `status`. */
int tell(int status, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Text or memory; without memory they end this process with SANDBOX_FAILED. */
char *text(const char *format, ...) __attribute__((format(printf, 1, 2), returns_nonnull));
void *grown(void *block, size_t count, size_t size) __attribute__((returns_nonnull));

/*
 * A product of the build: in $QUIRE_BUILD; else in the folder of this executable, the one
 * above it, lib/quire of an installed command, or build/ at Quire's home. The caller frees it; NULL if `below` is not
 * there.
 */
char *build_path(const char *below);

/* Complain that the kernel is missing, and say how to build it; returns SANDBOX_NO_KERNEL. */
int tell_no_kernel(const char *layout);

/* The i386 Debian tree that `make programs` or `quire programs` fetched. The caller frees it; NULL: no tree. */
char *fetched_root(void);

#endif
