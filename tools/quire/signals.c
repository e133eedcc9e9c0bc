/* signals.c - the meaning of each signal. See signals.h. */
#include "signals.h"
#include "terminal.h"

#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <sys/signalfd.h>
#include <unistd.h>

static sigset_t ours;
static int watched = -1;                /* the descriptor that signals come to, or -1 */

static bool was_ignored(int number)
{
    struct sigaction action;

    return sigaction(number, NULL, &action) == 0 && action.sa_handler == SIG_IGN;
}

/* What is blocked comes to the descriptor even if it is ignored, so what is ignored is not blocked. */
void signals_prepare(void)
{
    static const int numbers[] = {
        SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2, SIGCONT, SIGWINCH, SIGTSTP,
    };
    sigset_t ignored;

    sigemptyset(&ours);
    sigemptyset(&ignored);
    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
        sigaddset(was_ignored(numbers[i]) ? &ignored : &ours, numbers[i]);
    signal(SIGPIPE, SIG_IGN);
    signal(SIGTTOU, SIG_IGN);
    sigprocmask(SIG_BLOCK, &ours, NULL);
    sigprocmask(SIG_UNBLOCK, &ignored, NULL);
}

void signals_start(struct signals *signals)
{
    *signals = (struct signals){ .fd = signalfd(-1, &ours, SFD_CLOEXEC | SFD_NONBLOCK) };
    watched = signals->fd;
}

void signals_end(struct signals *signals)
{
    close(signals->fd);
    watched = -1;
}

void signals_die(int number)
{
    sigset_t set;

    signal(number, SIG_DFL);
    sigemptyset(&set);
    sigaddset(&set, number);
    raise(number);
    sigprocmask(SIG_UNBLOCK, &set, NULL);
}

void signals_wait_for_room(int fd)
{
    struct pollfd on[] = { { fd, POLLOUT, 0 }, { watched, POLLIN, 0 } };
    struct signalfd_siginfo signal;

    if (poll(on, 2, -1) <= 0 || on[0].revents != 0 || read(watched, &signal, sizeof(signal)) != sizeof(signal))
        return;
    if (signal.ssi_signo != SIGINT && signal.ssi_signo != SIGTERM && signal.ssi_signo != SIGHUP &&
        signal.ssi_signo != SIGQUIT)
        return;
    terminal_restore();
    signals_die((int)signal.ssi_signo);
}

/* SIGINT, SIGTERM and SIGHUP: a second one ends the machine. */
static enum signal_meaning request_to_end(struct signals *signals, int number, uint64_t now, enum signal_meaning whom)
{
    uint64_t *first = &signals->first[number];

    if (*first == 0) {
        *first = now;
        return whom;
    }
    return now - *first < SIGNALS_SAME_MS ? SIGNAL_TWICE : SIGNAL_ENDS;
}

enum signal_meaning signals_take(struct signals *signals, uint64_t now, bool debugging, int *number)
{
    struct signalfd_siginfo signal;
    enum signal_meaning whom;

    if (read(signals->fd, &signal, sizeof(signal)) != sizeof(signal))
        return SIGNAL_NOTHING;
    *number = (int)signal.ssi_signo;
    whom = signal.ssi_code == SI_KERNEL ? SIGNAL_FOR_GROUP : SIGNAL_FOR_PROGRAM;
    switch (*number) {
    case SIGWINCH:
        return SIGNAL_WINDOW;
    case SIGTSTP:
        return SIGNAL_STOPS;
    case SIGINT:
        return debugging ? SIGNAL_NOTHING : request_to_end(signals, *number, now, whom);
    case SIGTERM:
    case SIGHUP:
        return debugging ? SIGNAL_ENDS : request_to_end(signals, *number, now, whom);
    default:
        return whom;
    }
}
