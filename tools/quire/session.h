/*
 * session.h - one run, from the machine's start to the program's end: standard streams,
 * signals and time, all waited for in one place.
 *
 * Standard input is read when a program in the guest reads, and no further than that reads (channel.h), so that what is
 * left is there for whoever shares it with us. Standard output is awaited without stopping anything else, so a slow
 * reader slows the program and nothing more. A reader that goes away is SIGPIPE for the program, as it would be here.
 *
 * Signals go to the program (signals.h). When the time is over it is sent SIGTERM, and has SESSION_GRACE_MS to end.
 * On a lent terminal Ctrl-C is a key like others, and Ctrl-] pressed twice ends the machine.
 *
 * The guest is not trusted: whatever it says, what is kept of it has a limit, and what is shown of
 * it, other than the program's own output, is visible (visible.h).
 */
#ifndef QUIRE_SESSION_H
#define QUIRE_SESSION_H

#include "follow.h"
#include "machine.h"
#include "tail.h"

#include <stddef.h>

enum session_end {
    SESSION_EXIT,               /* the guest said how the program ended       */
    SESSION_MACHINE,            /* the machine ended, or spoke nonsense       */
    SESSION_TIMEOUT,
    SESSION_SIGNAL,             /* a signal told us to end                    */
    SESSION_OUTPUT,             /* standard output or error cannot be written */
    SESSION_DEBUGGER,           /* the debugger has gone                      */
    SESSION_OWNER,              /* whoever it was for has gone                */
    SESSION_DEAD,               /* it neither ran the program nor answered    */
};

enum { SESSION_GRACE_MS = 2000 };

/* The lines of a snapshot of memory, as they came (kernel/init/snapshot.h). The caller frees the bytes. */
struct collected {
    char  *bytes;
    size_t length, room;
};

struct session {
    const struct machine *machine;
    int      output;            /* the descriptor for what the program writes to its standard output */
    bool     terminal;          /* lend ours to the program      */
    bool     verbose;           /* show the guest's LOG at once  */
    uint64_t timeout_ms;        /* 0: none                       */
    uint64_t watchdog_ms;       /* a kernel that is dead so long is said to be; 0: never */
    bool     map_ordered;       /* a snapshot may come           */
    struct follow *follow;      /* asks for more on the map line, or NULL; with keys, standard input is its */
    int      report;            /* a descriptor for the guest's REPORT */
    int      owner;             /* ends when whoever it is for does; or -1 */
    int      debugger;          /* ends when a debugger does, which until then has the keyboard; or -1 */

    /* What came of it. */
    enum session_end end;
    uint32_t exit_kind;         /* SESSION_EXIT: CHANNEL_EXITED and its sisters */
    int32_t  exit_number;       /* and its number; SESSION_SIGNAL: which        */
    bool     spoke;             /* the guest said anything at all on the channel */
    bool     obeyed;            /* SESSION_TIMEOUT: SIGTERM was enough            */
    char     registers[2048];   /* SESSION_DEAD: the processor's, as QEMU shows them */
    const char *kernel;         /* its file            */
    struct tail serial;         /* the kernel's words  */
    struct tail errors;         /* QEMU's              */
    struct tail log;            /* the guest's LOG     */
    struct collected map;       /* the guest's MAP     */
};

/* Until the end. Takes over the machine's channel and closes it; the caller ends the machine. */
void session_run(struct session *session);

#endif
