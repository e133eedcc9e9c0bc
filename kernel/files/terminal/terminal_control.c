/*
 * terminal_control.c - a terminal's session and foreground, and its ioctls. See terminal.h.
 */
#include "base/check.h"
#include "base/error.h"
#include "base/string.h"
#include "files/terminal/terminal.h"
#include "process/process.h"

/* Linux's numbers (ioctl_tty(2)). */
enum {
    TCGETS = 0x5401, TCSETS = 0x5402, TCSETSW = 0x5403, TCSETSF = 0x5404, TCSBRK = 0x5409, TCXONC = 0x540A,
    TCFLSH = 0x540B, TIOCSCTTY = 0x540E, TIOCGPGRP = 0x540F, TIOCSPGRP = 0x5410, TIOCOUTQ = 0x5411,
    TIOCGWINSZ = 0x5413, TIOCSWINSZ = 0x5414, FIONREAD = 0x541B, TIOCNOTTY = 0x5422, TIOCSETD = 0x5423,
    TIOCGETD = 0x5424, TCSBRKP = 0x5425, TIOCGSID = 0x5429,
};
#define TCGETS2  0x802C542Au
#define TCSETS2  0x402C542Bu
#define TCSETSW2 0x402C542Cu
#define TCSETSF2 0x402C542Du

enum { FLOW_STOP_OUTPUT = 0, FLOW_GO_ON = 1, FLOW_SEND_STOP = 2, FLOW_SEND_START = 3 };
enum { FLUSH_INPUT = 0, FLUSH_OUTPUT = 1, FLUSH_BOTH = 2 };

/* struct termios2: with speeds, which mean nothing here. */
struct termios_speeds { struct termios settings; uint32_t input, output; };
_Static_assert(sizeof(struct termios_speeds) == 44, "struct termios2");
enum { SPEED = 38400 };

/* ---- Its session ------------------------------------------------------------------------------ */

static bool is_ours(const struct terminal *t, const struct process *process)
{
    return process->terminal == t && t->session == process->session;
}

static bool is_held_back(int signal)
{
    const struct signal_action *action = &current_process()->actions->action[signal];

    assert(signal > 0 && signal <= SIGNALS);
    return action->handler == SIG_IGN || (current_thread()->mask & 1ull << (signal - 1));
}

int terminal_check(struct terminal *t, int signal)
{
    const struct process *self = current_process();
    int32_t               foreground = t->foreground;

    assert(signal == SIGTTIN || signal == SIGTTOU);
    if (!is_ours(t, self) || foreground == 0 || foreground == self->group)
        return 0;
    if (is_held_back(signal))
        return signal == SIGTTIN ? -EIO : 0;
    if (process_group_is_orphaned(self))
        return -EIO;
    (void)!signal_group(self->group, signal);
    return -ERESTARTSYS;
}

void terminal_adopt(struct terminal *t)
{
    struct process *self  = current_process();
    lock_state      state = lock_take(&t->lock);

    if (self->session == self->id && self->terminal == NULL && t->session == 0) {
        t->session     = self->session;
        t->foreground  = self->group;
        self->terminal = t;
    }
    lock_drop(&t->lock, state);
}

static void leave_in_session(struct process *process, void *terminal)
{
    if (process->terminal == terminal)
        process->terminal = NULL;
}

void terminal_leave(struct process *process)
{
    struct terminal *t = process->terminal;
    bool             ends;
    lock_state       state;

    if (t == NULL)
        return;
    state = lock_take(&t->lock);
    process->terminal = NULL;
    ends = process->session == process->id && t->session == process->session;
    if (ends && t->foreground != 0) {
        (void)!signal_group(t->foreground, SIGHUP);
        (void)!signal_group(t->foreground, SIGCONT);
    }
    if (ends)
        t->session = t->foreground = 0;
    lock_drop(&t->lock, state);
    if (ends)                                   /* a terminal of no session is nobody's meanwhile */
        process_each_in_session(process->session, leave_in_session, t);
}

/* TIOCSCTTY. No session loses its terminal by it. */
static int take_terminal(struct terminal *t)
{
    struct process *self = current_process();

    if (is_ours(t, self) && self->session == self->id)
        return 0;
    if (self->session != self->id || self->terminal != NULL)
        return -EPERM;
    terminal_adopt(t);
    return self->terminal == t ? 0 : -EPERM;
}

/* ---- The foreground ------------------------------------------------------------------------------ */

struct group_search { int32_t group, session; };

static void look_at_member(struct process *process, void *data)
{
    struct group_search *search = data;

    if (process->group == search->group && process->state != PROCESS_ZOMBIE)
        search->session = process->session;
}

static long set_foreground(struct terminal *t, user_t argument)
{
    struct process     *self = current_process();
    struct group_search search = { 0 };
    lock_state          state;
    int                 err;

    if (!is_ours(t, self))
        return -ENOTTY;
    err = terminal_check(t, SIGTTOU);
    if (err == 0)
        err = user_read(&search.group, argument, sizeof search.group);
    if (err != 0)
        return err;
    if (search.group < 0)
        return -EINVAL;
    process_each_in_group(search.group, look_at_member, &search);
    if (search.session == 0)
        return -ESRCH;
    if (search.session != self->session)
        return -EPERM;
    state = lock_take(&t->lock);
    t->foreground = search.group;
    lock_drop(&t->lock, state);
    return 0;
}

static long answer_number(user_t argument, int32_t number) { return user_write(argument, &number, sizeof number); }

/* ---- Settings -------------------------------------------------------------------------------------- */

static long put_settings(struct terminal *t, user_t argument, size_t bytes)
{
    struct termios_speeds all = { .input = SPEED, .output = SPEED };
    lock_state            state = lock_take(&t->lock);

    all.settings = t->line_discipline.settings;
    lock_drop(&t->lock, state);
    return user_write(argument, &all, bytes);
}

static long change_settings(struct terminal *t, user_t argument, bool forget)
{
    struct termios settings;
    lock_state     state;
    int            err = terminal_check(t, SIGTTOU);

    if (err == 0)
        err = user_read(&settings, argument, sizeof settings);
    if (err != 0)
        return err;
    settings.line = 0;
    state = lock_take(&t->lock);
    if (forget)
        line_discipline_forget_input(&t->line_discipline);
    line_discipline_set(&t->line_discipline, &settings);
    lock_drop(&t->lock, state);
    terminal_room(t);                           /* waiting threads look again, under the new rules */
    return 0;
}

static long change_window(struct terminal *t, user_t argument)
{
    struct window window;
    int           err = user_read(&window, argument, sizeof window);

    if (err == 0)
        terminal_resize(t, &window);
    return err;
}

static long change_flow(struct terminal *t, uintptr_t what)
{
    int err = terminal_check(t, SIGTTOU);

    if (err != 0)
        return err;
    if (what > FLOW_SEND_START)
        return -EINVAL;
    if (what == FLOW_STOP_OUTPUT || what == FLOW_GO_ON) {
        t->line_discipline.stopped = what == FLOW_STOP_OUTPUT;
        terminal_room(t);
    }
    return 0;                                   /* there is no line to send the others on */
}

static long flush_queues(struct terminal *t, uintptr_t what)
{
    lock_state state;
    int        err = terminal_check(t, SIGTTOU);

    if (err != 0)
        return err;
    if (what > FLUSH_BOTH)
        return -EINVAL;
    if (what != FLUSH_OUTPUT) {
        state = lock_take(&t->lock);
        line_discipline_forget_input(&t->line_discipline);
        lock_drop(&t->lock, state);
        terminal_room(t);
    }
    return 0;
}

static long control_session(struct terminal *t, unsigned request, user_t argument)
{
    struct process *self = current_process();

    switch (request) {
    case TIOCSCTTY:
        return take_terminal(t);
    case TIOCNOTTY:
        if (!is_ours(t, self))
            return -ENOTTY;
        terminal_leave(self);
        return 0;
    case TIOCGPGRP:
        return is_ours(t, self) ? answer_number(argument, t->foreground) : -ENOTTY;
    case TIOCSPGRP:
        return set_foreground(t, argument);
    case TIOCGSID:
        return is_ours(t, self) ? answer_number(argument, t->session) : -ENOTTY;
    default:
        return -ENOTTY;
    }
}

long terminal_control(struct terminal *t, unsigned request, user_t argument)
{
    switch (request) {
    case TCGETS:
        return put_settings(t, argument, sizeof(struct termios));
    case TCGETS2:
        return put_settings(t, argument, sizeof(struct termios_speeds));
    case TCSETS: case TCSETSW: case TCSETS2: case TCSETSW2:
        return change_settings(t, argument, false);
    case TCSETSF: case TCSETSF2:
        return change_settings(t, argument, true);
    case TIOCGWINSZ:
        return user_write(argument, &t->window, sizeof t->window);
    case TIOCSWINSZ:
        return change_window(t, argument);
    case FIONREAD:
        return answer_number(argument, (int32_t)line_discipline_waiting(&t->line_discipline));
    case TIOCOUTQ:
    case TIOCGETD:
        return answer_number(argument, 0);
    case TIOCSETD:
        return 0;
    case TCSBRK: case TCSBRKP:
        return terminal_check(t, SIGTTOU);      /* output is gone already, and there is no line to break */
    case TCXONC:
        return change_flow(t, argument);
    case TCFLSH:
        return flush_queues(t, argument);
    default:
        return control_session(t, request, argument);
    }
}
