/* attend.c - the streams, the terminal and the signals of `quire run`. See attend.h. */
#include "attend.h"
#include "command.h"
#include "libquire/arena.h"
#include "libquire/machine.h"
#include "patient.h"
#include "signals.h"
#include "terminal.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

struct attendance {
    struct quire  *quire;
    bool           terminal, debugging;
    struct signals signals;
    uint64_t       ending_ms;           /* when the machine is ended, by `ending`; or 0 */
    int            ending;              /* the signal by which this process ends; or 0  */
};

static uint64_t now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

/* ---- From options to an object ------------------------------------------------------------ */

static void say_line(void *nobody, const char *line)
{
    (void)nobody;
    tell(0, "%s", line);
}

/* A call that can only fail for lack of memory, or because of a word on the command line. */
static void must(struct quire *q, int done)
{
    if (done != 0)
        exit(tell(SANDBOX_FAILED, "%s", quire_error(q)));
}

static void describe_run(struct quire *q, const struct sandbox *sandbox)
{
    must(q, quire_layout(q, sandbox->layout));
    must(q, quire_watchdog(q, sandbox->watchdog_ms));
    if (sandbox->root != NULL)
        must(q, quire_root(q, sandbox->root));
    if (sandbox->memory != 0)
        must(q, quire_memory(q, sandbox->memory));
    if (sandbox->swap != 0)
        must(q, quire_swap(q, sandbox->swap));
    if (sandbox->timeout_ms != 0)
        must(q, quire_timeout(q, sandbox->timeout_ms));
    if (sandbox->machine < MACHINE_KINDS)
        must(q, quire_machine(q, machine_name(sandbox->machine)));
    if (sandbox->audit)
        must(q, quire_audit(q));
    if (sandbox->frozen)
        must(q, quire_frozen(q));
    if (sandbox->verbose)
        must(q, quire_verbose(q));
    if (sandbox->terminal)
        must(q, quire_terminal(q));
    for (size_t i = 0; i < sandbox->file_count; i++)
        must(q, quire_file(q, sandbox->files[i], NULL));
    for (size_t i = 0; i < sandbox->environment_count; i++)
        must(q, quire_environment(q, sandbox->environment[i]));
}

struct quire *attend_new(const struct options *options)
{
    const struct sandbox *sandbox = &options->sandbox;
    struct quire *q = quire_new((const char *const *)sandbox->argv);

    if (q == NULL)
        arena_fail();
    must(q, quire_words(q, say_line, NULL));
    describe_run(q, sandbox);
    for (int stream = QUIRE_INPUT; stream <= QUIRE_ERRORS; stream++) {
        must(q, quire_stream(q, stream, stream));
        if ((sandbox->closed & 1u << stream) != 0)
            must(q, quire_closed(q, stream));
    }
    if (options->report_json)
        must(q, quire_ask_report(q));
    else
        must(q, quire_report_to(q, STDERR_FILENO, sandbox->report));
    return q;
}

/* ---- The report --------------------------------------------------------------------------- */

/* Open the file for the report. False, after a complaint, when that is impossible. */
static bool open_report(const struct options *options, int *to)
{
    *to = STDERR_FILENO;
    if (options->report_file != NULL)
        *to = open(options->report_file, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (*to < 0)
        tell(0, "--report=%s: %s", options->report_file, strerror(errno));
    return *to >= 0;
}

/* ---- Signals and the terminal ---------------------------------------------------------------- */

static void tell_window(const struct attendance *a)
{
    uint16_t columns, rows;

    if (a->terminal && terminal_size(&columns, &rows))
        quire_window(a->quire, columns, rows);
}

/* Stop this process and the machine. */
static void stop_ourselves(const struct attendance *a)
{
    if (a->terminal)
        terminal_restore();
    quire_pause(a->quire, 1);
    raise(SIGSTOP);
    quire_pause(a->quire, 0);
    if (a->terminal)
        terminal_set_raw();
    tell_window(a);
}

static void end_machine(struct attendance *a, int number)
{
    a->ending = number;
    quire_signal(a->quire, SIGKILL);
}

static void take_signal(struct attendance *a)
{
    int number = 0;

    switch (signals_take(&a->signals, now_ms(), a->debugging, &number)) {
    case SIGNAL_FOR_PROGRAM:
        quire_signal(a->quire, number);
        break;
    case SIGNAL_TWICE:
        a->ending    = number;
        a->ending_ms = now_ms() + SIGNALS_GRACE_MS;
        /* fall through */
    case SIGNAL_FOR_GROUP:
        quire_signal_group(a->quire, number);
        break;
    case SIGNAL_ENDS:
        end_machine(a, number);
        break;
    case SIGNAL_STOPS:
        stop_ourselves(a);
        break;
    case SIGNAL_WINDOW:
        tell_window(a);
        break;
    case SIGNAL_NOTHING:
        break;
    }
}

/* Die by the signal, as the program's user expects; at exit a debugger is waited for. */
static int end_by(const struct attendance *a, int number)
{
    if (!a->debugging)
        signals_die(number);
    return SANDBOX_SIGNAL + number;
}

/* ---- The run --------------------------------------------------------------------------------- */

static int attend_patience(const struct attendance *a)
{
    uint64_t now = now_ms();

    if (a->ending_ms == 0)
        return -1;
    return a->ending_ms > now ? (int)(a->ending_ms - now) : 0;
}

static void wait_and_act(struct attendance *a)
{
    struct pollfd on[] = { { quire_fd(a->quire), POLLIN, 0 }, { a->signals.fd, POLLIN, 0 } };

    if (poll(on, 2, attend_patience(a)) > 0 && on[1].revents != 0)
        take_signal(a);
    if (a->ending_ms != 0 && now_ms() >= a->ending_ms) {
        a->ending_ms = 0;
        end_machine(a, a->ending);
    }
}

/* Returns the signal by which this process has to end, or 0. */
static int run_to_end(struct attendance *a)
{
    int done;

    signals_prepare();
    signals_start(&a->signals);
    if (a->terminal)
        terminal_set_raw();
    if (quire_start(a->quire) != 0)
        tell(0, "%s", quire_error(a->quire));
    tell_window(a);
    while ((done = quire_step(a->quire)) == 0)
        wait_and_act(a);
    terminal_restore();
    return quire_escaped(a->quire) ? SIGINT : quire_status(a->quire) == SANDBOX_SIGNAL + SIGKILL ? a->ending : 0;
}

int attend(struct quire *q, const struct options *options)
{
    struct attendance a = { .quire = q, .terminal = options->sandbox.terminal,
                            .debugging = options->sandbox.debugger >= 0 };
    const char *report;
    int to = STDERR_FILENO, number, status;

    if (quire_prepare(q) != 0)
        return tell(SANDBOX_FAILED, "%s", quire_error(q));
    if (quire_status(q) >= 0)
        return quire_status(q);
    if (!open_report(options, &to))
        return SANDBOX_FAILED;
    if (!options->report_json)
        quire_report_to(q, to, options->sandbox.report);
    number = run_to_end(&a);
    status = quire_status(q);
    report = quire_report_json(q);
    if (report != NULL && !patient_write(to, report, strlen(report)))
        status = tell(SANDBOX_FAILED, "the report could not be written");
    signals_end(&a.signals);
    if (to != STDERR_FILENO)
        close(to);
    return number != 0 ? end_by(&a, number) : status;
}
