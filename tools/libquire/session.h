/*
 * session.h - one machine's session, from its start to the program's end: standard streams, signals and time. Nothing
 * here waits: the caller does, for the descriptors and the time that session_fill() gives it.
 *
 * Standard input is read when a program in the guest reads, and only as much as it asks for (channel.h), so that the
 * rest is left for processes that share it. A slow reader of standard output slows only the program. When the reader
 * closes it, the program gets SIGPIPE, as it would without quire.
 *
 * After the timeout the program is sent SIGTERM, and has SESSION_GRACE_MS to end. Where the program has a terminal,
 * Ctrl-] pressed twice ends the machine.
 *
 * The guest is not trusted: the amount of its text that is kept is limited, and all but the program's
 * output is shown through visible.h.
 */
#ifndef QUIRE_SESSION_H
#define QUIRE_SESSION_H

#include "channel.h"
#include "follow.h"
#include "machine.h"
#include "place.h"
#include "stream.h"
#include "tail.h"
#include "visible.h"
#include "watchdog.h"

#include <poll.h>
#include <stddef.h>

enum session_end {
    SESSION_EXIT,               /* the guest reported the program's end       */
    SESSION_MACHINE,            /* the machine ended, or broke the protocol   */
    SESSION_TIMEOUT,
    SESSION_ESCAPE,             /* Ctrl-], twice                              */
    SESSION_KILLED,             /* the caller asked for the end               */
    SESSION_OUTPUT,             /* standard output or error cannot be written */
    SESSION_DEBUGGER,           /* the debugger has gone                      */
    SESSION_DEAD,               /* the kernel neither ran the program nor answered */
};

enum { SESSION_GRACE_MS = 2000 };

/* The descriptors that are waited for, by their index in poll(2)'s list. */
enum session_slot {
    ON_CHANNEL, ON_SERIAL, ON_ERRORS, ON_INPUT, ON_STREAM, ON_DEBUGGER, ON_MAP, ON_KEYS,
    ON_COUNT
};

/* Bytes of the guest that are kept as they came. They are of the thread's arena. */
struct collected {
    char  *bytes;
    size_t length, room;
};

struct session {
    /* What the caller sets. */
    const struct machine *machine;
    struct input *input;        /* not read while a debugger or the reader of maps has the keys */
    const struct stream_to *output, *errors, *report;
    bool     keep_report;       /* into `reported`, not to the stream */
    bool     terminal;          /* the program's streams are a terminal */
    bool     verbose;           /* show the guest's LOG at once  */
    bool     restored;          /* the machine is to go on, not to boot */
    uint64_t timeout_ms;        /* 0: none                       */
    uint64_t watchdog_ms;       /* a kernel that is silent so long is dead; 0: no limit */
    bool     map_ordered;       /* a snapshot may come           */
    struct follow *follow;      /* the reader of the map line, or NULL; with keys, of standard input too */
    int      debugger;          /* its end is the debugger's, which has the keyboard until then; or -1 */
    const char *kernel;         /* its file            */
    struct place place;         /* the machine's RAM, if this process shares it */

    /* The result. */
    bool     over;
    enum session_end end;
    uint32_t exit_kind;         /* SESSION_EXIT: CHANNEL_EXITED and its sisters */
    int32_t  exit_number;       /* its number                                   */
    bool     spoke;             /* the guest has sent at least one frame on the channel */
    bool     obeyed;            /* SESSION_TIMEOUT: SIGTERM was enough            */
    struct tail serial;         /* the kernel's log    */
    struct tail machine_errors; /* QEMU's              */
    struct tail log;            /* the guest's LOG     */
    struct collected map;       /* the guest's MAP     */
    struct collected reported;  /* the guest's REPORT  */

    /* Private, from session_start() to session_close(). */
    struct channel  channel;
    struct stream   to_output, to_errors, to_report;
    struct stream  *busy;           /* the stream that the first frame waits for */
    size_t          delivered;      /* bytes of that frame              */
    struct watchdog watchdog;
    int             input_again;    /* the input, if it is a pipe, opened once more: a read does not wait there */
    bool            input_socket;   /* the input is a socket */
    uint64_t        credit;         /* bytes of input the guest asks for */
    size_t          answered;       /* bytes of the last answer that came from a file, which can be given back */
    size_t          ahead;          /* of them, those that nobody asked for: the file's position is before them yet */
    bool            keys;           /* a terminal asks: bytes it did not get stay asked for */
    bool            look;           /* the guest asks when a read would not wait */
    uint64_t        deadline_ms;    /* on the monotonic clock, or 0     */
    size_t          report_length;  /* bytes of REPORT                  */
    bool            closed[CHANNEL_ERRORS + 1];         /* by channel_kind: the stream has no reader any more */
    bool            no_input;       /* standard input belongs to the debugger, or to the reader of maps */
    bool            timed_out, escape, escaped;         /* escape: Ctrl-] was the last key; escaped: the last two */
    bool            ended[ON_COUNT];                    /* by session_slot: there is no more to come */
    uint8_t         taken[PLACE_BYTES];                 /* input on its way to the guest */
    size_t          shown_length;   /* bytes of `shown`: the frame that is being delivered, made visible */
    char            shown[CHANNEL_PAYLOAD * VISIBLE_MOST];
};

/* Begin; takes the machine's channel. */
void session_start(struct session *session);

/*
 * What to wait for: ON_COUNT entries, those that are not needed with a descriptor of -1. Returns milliseconds for
 * poll(2), or -1 for ever.
 */
int session_fill(struct session *session, struct pollfd *on);

/* Do what can be done without waiting, with what poll(2) has said. */
void session_act(struct session *session, const struct pollfd *on);

/* For the program or (CHANNEL_TO_GROUP) its group; too many that the guest does not take are dropped. */
void session_signal(struct session *session, int number, uint8_t whom);
void session_window(struct session *session, uint16_t columns, uint16_t rows);

/* The machine has ended: read its last bytes that have come. */
void session_rest(struct session *session);

/* Close what session_start() has opened; results stay. */
void session_close(struct session *session);

#endif
