/* verdict.c - the end of a session, explained. See verdict.h. */
#include "verdict.h"
#include "arena.h"
#include "names.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <string.h>

enum { REFUSED_STATUS = 2 << 1 | 1 };   /* QEMU's exit status after the kernel's POWER_STATUS_REFUSED */

/* Text of a guest, made visible for a message. The caller frees it. */
static char *shown(const char *bytes, size_t length)
{
    char *to = grown(NULL, length * VISIBLE_MOST + 1, 1);

    to[visible(bytes, length, to)] = '\0';
    return to;
}

/* The line of the serial log with the reason why the memory is too small; the last line if there is none. */
static char *reason(const struct tail *tail)
{
    const char *found = strstr(tail->bytes, "too little");
    size_t end = tail->length, start;

    while (end > 0 && strchr("\r\n", tail->bytes[end - 1]) != NULL)
        end--;
    start = found != NULL ? (size_t)(found - tail->bytes) : end;
    if (found != NULL)
        end = start + strcspn(found, "\r\n");
    while (start > 0 && tail->bytes[start - 1] != '\n')
        start--;
    return shown(tail->bytes + start, end - start);
}

static int not_started(const struct sandbox *sandbox, int error)
{
    int status = error == ENOENT ? SANDBOX_NOT_FOUND : error == ENOMEM ? SANDBOX_TOO_LITTLE : SANDBOX_CANNOT;

    return tell(status, "Quire cannot start %s: %s", sandbox->argv[0], strerror(error));
}

int tell_too_little(const char *why)
{
    return tell(SANDBOX_TOO_LITTLE, "%s; -m gives the machine more", why);
}

static void show_last_words(const struct session *session)
{
    struct names names = names_of(session->kernel);

    tail_show(&session->serial, 40, &names);
    tail_show(&session->log, 10, &names);
    tail_show(&session->machine_errors, 10, NULL);
    names_free(&names);
}

/* The machine still exists, but its kernel does not answer. */
static int explain_dead(const struct session *session, struct answer *registers)
{
    tell(0,
         "the machine is dead: for %" PRIu64 ".%" PRIu64
         " s its kernel neither ran a program nor answered; its processor:",
         session->watchdog_ms / 1000, session->watchdog_ms % 1000 / 100);
    machine_tell_registers(registers);
    show_last_words(session);
    return SANDBOX_DIED;
}

static int explain_timeout(const struct sandbox *sandbox, const struct session *session)
{
    tell(0, "%s still ran after %" PRIu64 ".%" PRIu64 " s%s", sandbox->argv[0], sandbox->timeout_ms / 1000,
         sandbox->timeout_ms % 1000 / 100, session->obeyed ? "" : ", and did not end when SIGTERM told it to");
    if (!session->spoke)
        tail_show(&session->serial, 10, NULL);        /* the kernel may not have started */
    return SANDBOX_TIMEOUT;
}

/* The machine ended before the program did. */
static int explain_machine(const struct session *session, int code)
{
    bool refused = code == REFUSED_STATUS ||
                   (code == MACHINE_UNKNOWN && strstr(session->serial.bytes, "too little") != NULL);
    bool absent = session->machine_errors.bytes[0] == MACHINE_ABSENT[0];
    char *why;
    int status;

    if (refused || (code == 1 && strstr(session->machine_errors.bytes, "too large") != NULL)) {
        why = reason(refused ? &session->serial : &session->machine_errors);
        status = tell_too_little(why);
        drop(why);
        return status;
    }
    if (absent)
        return tell(SANDBOX_NO_EMULATOR, "no QEMU: %s: %s (Debian's package is qemu-system-x86)", machine_emulator(),
                        session->machine_errors.length > 1 ? session->machine_errors.bytes + 1 : "cannot be started");
    if ((code == 1 || code == MACHINE_UNKNOWN) && !session->spoke && session->serial.length == 0) {
        tell(0, "QEMU refuses to start this machine:");
        tail_show(&session->machine_errors, 5, NULL);
        return SANDBOX_NO_EMULATOR;
    }
    tell(0, "the machine ended before the program did%s%s", code == 0 ? ": its processor was reset" : "",
         session->serial.length + session->machine_errors.length + session->log.length > 0 ? "; its last words:" : "");
    show_last_words(session);
    return SANDBOX_DIED;
}

int verdict(const struct sandbox *sandbox, const struct session *session, struct answer *registers, int code)
{
    switch (session->end) {
    case SESSION_TIMEOUT:
        return explain_timeout(sandbox, session);
    case SESSION_ESCAPE:
        return SANDBOX_SIGNAL + SIGINT;
    case SESSION_KILLED:
        return SANDBOX_SIGNAL + SIGKILL;
    case SESSION_OUTPUT:
        return SANDBOX_FAILED;
    case SESSION_DEBUGGER:
        return 0;
    case SESSION_DEAD:
        return explain_dead(session, registers);
    case SESSION_MACHINE:
        return explain_machine(session, code);
    case SESSION_EXIT:
        break;
    }
    if (session->exit_kind == CHANNEL_KILLED)
        return SANDBOX_SIGNAL + session->exit_number;
    if (session->exit_kind == CHANNEL_NOT_STARTED)
        return not_started(sandbox, session->exit_number);
    return session->exit_number & 0xFF;
}
