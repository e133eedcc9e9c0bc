/*
 * sandbox.h - a Linux program in a sandbox: its description, and how it ended.
 *
 * The parts, in the order in which a run meets them:
 *
 *   tree        the files that the guest will have, and where each comes from
 *   elf_file    the headers of executables
 *   program     the program, its interpreter and its libraries, put into the tree
 *   pack        the tree as one cpio archive
 *   machine     QEMU started with kernel and archive
 *   swap_file   the file that the machine swaps to
 *   frozen      a machine stopped before the program, kept for further runs
 *   channel     the framed stream between the machine and this process
 *   place       input written into a machine's RAM, where there is much of it
 *   session     standard streams and time, until the program has ended
 *   run         one machine after the other, until one starts, and what its end means
 *
 * All of them and libquire.c are the library; the command `quire` is built on it.
 *
 * Errors   every part that fails says so in lines (arena.h), and returns one of the exit statuses below; 0: no error.
 */
#ifndef QUIRE_SANDBOX_H
#define QUIRE_SANDBOX_H

#include "stream.h"

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
    const char  *kernels;       /* the folder with kernels; NULL: found (home.h)                */
    uint64_t     memory;        /* bytes; 0: the default, more for a large archive              */
    uint64_t     swap;          /* bytes that the machine may swap to; 0: none                  */
    char       **files;         /* HOST[:GUEST]                                                 */
    size_t       file_count;
    char       **environment;   /* NAME=VALUE, or NAME alone: its value on the host             */
    size_t       environment_count;
    uint64_t     timeout_ms;    /* 0: none                                                      */
    uint64_t     watchdog_ms;   /* 0: none                                                      */
    const char  *directory;     /* the program's working directory; NULL: the current one          */
    bool         report, verbose, terminal, map;     /* map: a snapshot of memory is ordered */
    bool         frozen;        /* restore the program's frozen machine (frozen.h), or make it */
    bool         audit;         /* use the whole kernel, which can audit */
    bool         keep_report;   /* as a structure (report_json.h), not as lines               */
    struct follow *follow;      /* the reader of snapshots while the program runs (follow.h), or NULL */
    struct input input;
    struct stream_to output, errors, report_to;
    unsigned     closed;        /* bit n: standard descriptor n is closed for the program       */
    unsigned     machine;       /* enum machine_kind; MACHINE_KINDS: the fastest that works     */
    int          argc;          /* the program and its arguments */
    char       **argv;
    int          debugger;      /* the connection to gdb, which the stopped machine waits for; or -1 */

    /* Called when the machine is started; a descriptor that ends when its debugger does, or -1. NULL: nothing. */
    int        (*on_machine)(struct sandbox *sandbox);

    char        *snapshot;      /* its lines, or NULL */
    size_t       snapshot_length;
};

/* The settings of a sandbox about which nothing was said; streams are connected to nothing. */
struct sandbox sandbox_usual(void);

/*
 * Make the boot archive. Returns 0 and *archive, a descriptor that the caller closes, and *size; or, after a complaint,
 * an exit status.
 */
int sandbox_archive(const struct sandbox *sandbox, int *archive, uint64_t *size);

/* Complain that the kernel is missing, and say how to build it; returns SANDBOX_NO_KERNEL. */
int tell_no_kernel(const struct sandbox *sandbox);

#endif
