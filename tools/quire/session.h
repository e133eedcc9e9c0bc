/*
 * session.h - one run, from the machine's start to the program's end: standard streams,
 * signals and time, with one call that waits for all.
 *
 * Standard input is read when a program in the guest reads, and only as much as it asks for (channel.h), so that the
 * rest is left for processes that share it. A slow reader of standard output slows only the program. When the reader
 * closes it, the program gets SIGPIPE, as it would without quire.
 *
 * Signals go to the program (signals.h). After the timeout the program is sent SIGTERM, and has SESSION_GRACE_MS to
 * end. On a terminal in guest mode Ctrl-C is a key like others, and Ctrl-] pressed twice ends the machine.
 *
 * The guest is not trusted: the amount of its text that is kept is limited, and all but the program's
 * output is shown through visible.h.
 */
#ifndef QUIRE_SESSION_H
#define QUIRE_SESSION_H

#include "follow.h"
#include "machine.h"
#include "tail.h"

#include <stddef.h>

enum session_end {
    SESSION_EXIT,               /* the guest reported the program's end       */
    SESSION_MACHINE,            /* the machine ended, or broke the protocol   */
    SESSION_TIMEOUT,
    SESSION_SIGNAL,             /* a signal asked for the end                 */
    SESSION_OUTPUT,             /* standard output or error cannot be written */
    SESSION_DEBUGGER,           /* the debugger has gone                      */
    SESSION_OWNER,              /* the owner has gone                         */
    SESSION_DEAD,               /* the kernel neither ran the program nor answered */
};

enum { SESSION_GRACE_MS = 2000 };

/* The lines of a snapshot of memory, unchanged (kernel/init/snapshot.h). The caller frees the bytes. */
struct collected {
    char  *bytes;
    size_t length, room;
};

struct session {
    const struct machine *machine;
    int      output;            /* the descriptor for the program's standard output */
    bool     terminal;          /* use quire's terminal for the program */
    bool     verbose;           /* show the guest's LOG at once  */
    uint64_t timeout_ms;        /* 0: none                       */
    uint64_t watchdog_ms;       /* a kernel that is silent so long is dead; 0: no limit */
    bool     map_ordered;       /* a snapshot may come           */
    struct follow *follow;      /* the reader of the map line, or NULL; with keys, of standard input too */
    int      report;            /* a descriptor for the guest's REPORT */
    int      owner;             /* its end is the owner's; or -1 */
    int      debugger;          /* its end is the debugger's, which has the keyboard until then; or -1 */

    /* The result of a session. */
    enum session_end end;
    uint32_t exit_kind;         /* SESSION_EXIT: CHANNEL_EXITED and its sisters */
    int32_t  exit_number;       /* its number; SESSION_SIGNAL: the signal        */
    bool     spoke;             /* the guest has sent at least one frame on the channel */
    bool     obeyed;            /* SESSION_TIMEOUT: SIGTERM was enough            */
    char     registers[2048];   /* SESSION_DEAD: the processor's registers, as QEMU shows them */
    const char *kernel;         /* its file            */
    struct tail serial;         /* the kernel's log    */
    struct tail errors;         /* QEMU's              */
    struct tail log;            /* the guest's LOG     */
    struct collected map;       /* the guest's MAP     */
};

/* Run the session to its end. Takes the machine's channel and closes it; the caller ends the machine. */
void session_run(struct session *session);

#endif
