/*
 * sandbox.h - a Linux program in a sandbox of its own: what was asked for, and how it ended.
 *
 * The parts, in the order in which a run meets them:
 *
 *   tree        the files that the guest will have, and where each comes from
 *   elf_file    what an executable says about itself
 *   program     the program, its interpreter and its libraries, put into the tree
 *   pack        the tree as one cpio archive
 *   machine     QEMU started with kernel and archive
 *   channel     the framed stream between the machine and us
 *   session     standard streams, signals and time, until the program has ended
 *
 * Errors   every part that can fail says so itself in one line on standard error, and
 *          returns the exit status below that fits; 0 is good.
 */
#ifndef QUIRE_SANDBOX_H
#define QUIRE_SANDBOX_H

#include <argp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * The exit statuses that are ours, not the program's: those of timeout(1) and env(1),
 * continued downwards. A program killed by signal n gives SANDBOX_SIGNAL + n, as in a shell.
 */
enum {
    SANDBOX_DIED        = 119,     /* the machine ended before the program did: a kernel panic */
    SANDBOX_TOO_LITTLE  = 120,     /* too little memory for kernel, program and files          */
    SANDBOX_NO_KERNEL   = 121,     /* no kernel of that layout is built                        */
    SANDBOX_NO_EMULATOR = 122,     /* no QEMU, or none that starts                             */
    SANDBOX_MISSING     = 123,     /* a library or interpreter that the program needs          */
    SANDBOX_TIMEOUT     = 124,     /* --timeout is over                                        */
    SANDBOX_FAILED      = 125,     /* quire itself failed, or was called wrongly               */
    SANDBOX_CANNOT      = 126,     /* found, but cannot be run: another processor's program    */
    SANDBOX_NOT_FOUND   = 127,     /* there is no such program                                 */
    SANDBOX_SIGNAL      = 128,
};

struct sandbox {
    const char  *layout;
    const char  *root;          /* a folder with an i386 Debian tree; NULL: what set-up fetched */
    uint64_t     memory;        /* bytes; 0: as much as is usual, more for a large archive      */
    char       **files;         /* HOST[:GUEST]                                                 */
    size_t       file_count;
    char       **environment;   /* NAME=VALUE, or NAME alone: its value here                    */
    size_t       environment_count;
    uint64_t     timeout_ms;    /* 0: none                                                      */
    uint64_t     watchdog_ms;   /* 0: none                                                      */
    const char  *directory;     /* where the program begins; NULL: the folder that we are in       */
    bool         report, verbose, terminal, map;     /* map: a snapshot of memory is ordered */
    bool         audit;         /* the kernel is to be the whole one, which can be audited */
    const char  *report_file;   /* where the report goes; NULL: standard error */
    bool         report_json;   /* as a structure (report_json.h)              */
    struct follow *follow;      /* asks for snapshots while the program runs (follow.h), or NULL */
    int          output;        /* the descriptor for the program's standard output             */
    unsigned     closed;        /* bit n: standard descriptor n was closed when we began        */
    unsigned     machine;       /* enum machine_kind; MACHINE_KINDS: the fastest that works     */
    int          argc;          /* the program and its arguments */
    char       **argv;
    int          owner;         /* libquire at the other end, which is told how the run ended (owner.h); or -1 */
    int          debugger;      /* the machine stands still until gdb speaks at the other end of this socket; or -1 */

    /* Called when the machine is started; a descriptor that ends when its debugger does, or -1. NULL: nothing. */
    int        (*on_machine)(struct sandbox *sandbox);

    char        *snapshot;      /* the lines that came, or NULL */
    size_t       snapshot_length;
};

/*
 * The keys of options about the program itself, which `quire image` has as well; and what a parser does with them, and
 * with the program and its arguments. Other keys: ARGP_ERR_UNKNOWN.
 */
enum { OPTION_LAYOUT = 0x200, OPTION_ROOT, OPTION_FILE, OPTION_ENV };
error_t sandbox_parse_program(struct sandbox *sandbox, int key, char *word, struct argp_state *state);

/*
 * The options that run, shell, debug and map share, as the children of a command's own argp: its input is the sandbox,
 * or it has a parser of its own that hands the sandbox on at ARGP_KEY_INIT.
 */
extern const struct argp_child sandbox_options[];

/*
 * Read the words of a command whose argp has sandbox_options; wrong ones end this process with a word about it.
 * `input` is what the argp expects: `sandbox`, unless it has options of its own. sandbox->argc is 0 when no program
 * was named. Free what was read with sandbox_free().
 */
void sandbox_parse(struct sandbox *sandbox, int argc, char **argv, const struct argp *argp, void *input);
void sandbox_free(struct sandbox *sandbox);

/* Their parts, for a command with options of its own: one more --file, one more --env. */
void sandbox_add_file(struct sandbox *sandbox, char *said);
void sandbox_add_variable(struct sandbox *sandbox, char *said);

/* The program is BusyBox's shell, with a prompt. */
void sandbox_use_shell(struct sandbox *sandbox);

/*
 * The boot archive of all that, which is what a machine needs beside a kernel. Returns 0 and *archive, a descriptor
 * that the caller closes, and *size; or an exit status, and has complained.
 */
int sandbox_archive(const struct sandbox *sandbox, int *archive, uint64_t *size);

/* Run it here and now; the exit status of this process. */
int sandbox_run(struct sandbox *sandbox);

/* The name this command was called by ("quire run"), for messages. */
extern const char *sandbox_command;

/* One line "quire run: ..." on standard error; returns `status`. */
int tell(int status, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Text or memory, or the end of this process with SANDBOX_FAILED: a host without memory is no case to handle. */
char *text(const char *format, ...) __attribute__((format(printf, 1, 2), returns_nonnull));
void *grown(void *block, size_t count, size_t size) __attribute__((returns_nonnull));

/*
 * A product of the build: in $QUIRE_BUILD; else in the folder of this executable, the one
 * above it, lib/quire of an installed command, or build/ at Quire's home. The caller frees it; NULL if `below` is not
 * there.
 */
char *build_path(const char *below);

/* One line that says which kernel is missing and what helps; returns SANDBOX_NO_KERNEL. */
int tell_no_kernel(const char *layout);

/* The i386 Debian tree that `make programs` or `quire programs` fetched. The caller frees it; NULL: neither has. */
char *fetched_root(void);

#endif
