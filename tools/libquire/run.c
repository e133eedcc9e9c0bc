/* run.c - from a description to an exit status, step by step. See run.h. */
#include "run.h"
#include "arena.h"
#include "elf_file.h"
#include "home.h"
#include "report.h"
#include "report_json.h"
#include "swap_file.h"
#include "thaw.h"
#include "verdict.h"

#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum {
    USUAL_MEMORY = 128 << 20,       /* the default */
    PAGE         = 4096,
    END_MS       = 2000,            /* a machine that has closed the channel ends within this time, or is ended */
    ANSWER_MS    = 2000,            /* for QEMU's monitor */
};

static uint64_t now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

/* ---- The kernel ----------------------------------------------------------------------- */

static char *kernel_named(const struct sandbox *sandbox, const char *name)
{
    char *file = text("%s/%s", sandbox->layout, name);
    char *path = build_path(sandbox->kernels, file);

    drop(file);
    return path;
}

/* True when the run needs more than a kernel that only runs programs has, or a kernel with symbols. */
static bool wants_whole(const struct sandbox *sandbox)
{
    return sandbox->audit || sandbox->report || sandbox->map || sandbox->on_machine != NULL;
}

/* The kernel that a kind of machine can start, or NULL. */
static char *kernel_for(const struct sandbox *sandbox, enum machine_kind kind)
{
    char *kernel = NULL;

    if (kind != MACHINE_MICROVM)
        return kernel_named(sandbox, "kernel.elf");
    if (!wants_whole(sandbox))
        kernel = kernel_named(sandbox, "kernel-run.elf");
    return kernel != NULL ? kernel : kernel_named(sandbox, "kernel-pvh.elf");
}

/* True for a QEMU that was built without seccomp, or that runs under a filter already. */
static bool refuses_seccomp(const struct session *session)
{
    const char *said = session->machine_errors.bytes;

    return strstr(said, "sandbox") != NULL || strstr(said, "seccomp") != NULL;
}

/*
 * QEMU puts the archive at the end of RAM, over the kernel if they do not both fit, and such a machine prints
 * nothing. Returns 0 when both fit.
 */
static int check_memory(const struct machine_plan *plan)
{
    struct elf_file kernel;
    uint64_t least;
    char *why;
    int status = 0;

    if (elf_file_read_path(&kernel, plan->kernel) != 0)
        return 0;                   /* QEMU will report that */
    least = (kernel.end + PAGE - 1) / PAGE * PAGE + (plan->archive_size + PAGE - 1) / PAGE * PAGE;
    elf_file_free(&kernel);
    if (plan->memory < least) {
        why = text("too little memory: kernel, program and its files alone need %" PRIu64
                   " KiB, the machine has %" PRIu64,
                   least / 1024, plan->memory / 1024);
        status = tell_too_little(why);
        drop(why);
    }
    return status;
}

/* ---- The end -------------------------------------------------------------------------- */

/* What the guest reported although nothing was ordered: why a fault killed the program. */
static void tell_reported(const struct collected *reported)
{
    const char *at = reported->bytes, *end = at + reported->length;

    while (at < end) {
        const char *stop = memchr(at, '\n', (size_t)(end - at));

        tell_visibly(at, (size_t)((stop != NULL ? stop : end) - at));
        at = stop != NULL ? stop + 1 : end;
    }
}

static void make_report(struct run *run)
{
    const struct sandbox *sandbox = run->sandbox;
    const struct collected *reported = run->session != NULL ? &run->session->reported : NULL;

    if (reported == NULL)
        return;
    if (sandbox->keep_report) {
        run->report = report_read(reported->bytes, reported->length, run->status);
        run->json   = report_json(run->report, sandbox->argv, sandbox->argc);
    } else {
        tell_reported(reported);
    }
    drop(reported->bytes);
}

/* The machine's RAM is shared no longer. */
static void end_shared(struct run *run)
{
    let_go(run->shared_held);
    run->shared_held = NULL;
    run->plan.shared = -1;
}

/* Nothing of the run is left but its result. */
static void finish_run(struct run *run, int status)
{
    run->status = status;
    make_report(run);
    let_go(run->session_held);
    let_go(run->archive_held);
    let_go(run->frozen_held);
    end_shared(run);
    drop(run->answer);
    drop(run->kernel);
    let_go(run->swap_held);
    run->session_held = run->archive_held = run->frozen_held = run->swap_held = NULL;
    run->session = NULL;
    run->answer  = NULL;
    run->kernel  = NULL;
    run->state   = RUN_OVER;
}

/* ---- A machine around the archive ----------------------------------------------------- */

static void end_session(void *what)
{
    session_close(what);
    free(what);
}

/* Of a machine that was not started, nothing; of one whose session has not begun, the channel as well. */
static void end_machine(void *what)
{
    struct machine *machine = what;

    if (machine->pid == 0)
        return;
    if (machine->channel >= 0)
        close(machine->channel);
    machine_end(machine);
}

static void end_frozen(void *what) { frozen_close(what); }

/* Why this plan has no frozen machine, whatever is kept; NULL: it may have one. */
static const char *unfrozen(const struct run *run)
{
    if (run->plan.kvm)
        return "the processor runs the guest itself";
    if (run->plan.kind != MACHINE_MICROVM)
        return "it is another machine";
    if (run->plan.swap >= 0)
        return "it has a file to swap to";
    return wants_whole(run->sandbox) || run->plan.map_line ? "the whole kernel is asked for" : NULL;
}

/* Plan to go on from the program's frozen machine, if it is there or can be made; else to boot. */
static void plan_frozen(struct run *run)
{
    const char *why = unfrozen(run);

    if (why == NULL && frozen_open(&run->frozen, &run->plan, &why)) {
        run->frozen_held = hold(end_frozen, &run->frozen);
        run->plan.ram    = run->frozen.ram;
        run->plan.state  = run->frozen.state;
    } else if (run->sandbox->verbose) {
        tell(0, "no frozen machine is used: %s", why);
    }
}

/* QEMU has refused the frozen machine. */
static void plan_to_boot(struct run *run)
{
    if (run->sandbox->verbose)
        tell(0, "no frozen machine is used: QEMU cannot restore it");
    frozen_remove(&run->frozen);
    let_go(run->frozen_held);
    run->frozen_held = NULL;
    run->plan.ram = run->plan.state = -1;
}

/* Share the RAM of a machine that boots with this process, if its program may be given much input (place.h). */
static void plan_shared(struct run *run)
{
    const struct sandbox *sandbox = run->sandbox;

    if (run->plan.ram >= 0 || run->alone || sandbox->terminal || sandbox->debugger >= 0)
        return;
    run->plan.shared = place_ram(run->plan.memory, &sandbox->input);
    run->shared_held = hold_fd(run->plan.shared);
}

/* Large, and mostly never touched: not of grown(), which might copy it. */
static void start_session(struct run *run)
{
    const struct sandbox *sandbox = run->sandbox;
    struct session *session = calloc(1, sizeof(*session));

    if (session == NULL)
        arena_fail();
    run->session_held = hold(free, session);
    session->machine     = &run->machine;
    session->input       = &run->sandbox->input;
    session->output      = &sandbox->output;
    session->errors      = &sandbox->errors;
    session->report      = &sandbox->report_to;
    session->keep_report = sandbox->report_to.fd < 0;
    session->terminal    = sandbox->terminal;
    session->verbose     = sandbox->verbose;
    session->restored    = run->plan.state >= 0;
    session->timeout_ms  = sandbox->timeout_ms;
    session->watchdog_ms = sandbox->watchdog_ms;
    session->map_ordered = sandbox->map;
    session->follow      = sandbox->follow;
    session->debugger    = sandbox->on_machine != NULL ? sandbox->on_machine(run->sandbox) : -1;
    session->kernel      = run->kernel;
    session->place       = (struct place){ .ram = run->plan.shared, .memory = run->plan.memory };
    run->session = session;
    session_start(session);
    run->machine.channel = -1;              /* it is the session's now */
    hold_by(run->session_held, end_session);
}

/* Start a machine of the planned kind. False, and the run is over: that was impossible. */
static bool start_machine(struct run *run)
{
    int status;

    run->machine.pid  = 0;
    run->machine_held = hold(end_machine, &run->machine);       /* first: it may fail */
    plan_shared(run);
    status = machine_start(&run->machine, &run->plan);
    if (status != 0) {
        run->machine.pid = 0;
        finish_run(run, status);
        return false;
    }
    run->machines++;
    if (run->plan.state >= 0 && !thaw_begin(&run->machine, run->plan.state))
        machine_signal(&run->machine, SIGKILL);
    start_session(run);
    run->state = RUN_RUNS;
    return true;
}

/* Start a machine of the first kind, from the planned one on, that there is a kernel for. */
static void start_some(struct run *run)
{
    int status = 0;

    for (; run->plan.kind <= run->last_kind; run->plan.kind++) {
        drop(run->kernel);
        run->plan.kernel = run->kernel = kernel_for(run->sandbox, run->plan.kind);
        if (run->kernel != NULL && (status = check_memory(&run->plan)) != 0)
            break;
        if (run->kernel != NULL) {
            if (run->sandbox->frozen)
                plan_frozen(run);
            start_machine(run);
            return;
        }
    }
    finish_run(run, status != 0 ? status : tell_no_kernel(run->sandbox));
}

/*
 * True when QEMU ended before the machine started: an older QEMU without this kind, for example; or was ended, as it
 * could not restore one.
 */
static bool never_ran(const struct session *session, int code)
{
    return session->end == SESSION_MACHINE && !session->spoke && session->serial.length == 0 &&
           (session->restored || code == 1 ||
            (code == MACHINE_UNKNOWN && session->machine_errors.bytes[0] != MACHINE_ABSENT[0]));
}

/*
 * QEMU has refused this machine: without its filter, booted and not restored, or another kind? False: there is no
 * other.
 */
static bool start_another(struct run *run)
{
    bool filter = run->plan.seccomp && refuses_seccomp(run->session), restored = !filter && run->plan.state >= 0;
    bool shared = !filter && run->plan.shared >= 0;

    if (!filter && !restored && !shared && run->plan.kind >= run->last_kind)
        return false;
    if (restored)
        plan_to_boot(run);
    else if (run->sandbox->verbose && shared)
        tell(0, "QEMU refuses this machine; trying one whose RAM is its own");
    else if (run->sandbox->verbose && filter)
        tell(0, "this QEMU has no sandbox of its own; going on without");
    else if (run->sandbox->verbose)
        tell(0, "a %s cannot be started here; trying a %s", machine_name(run->plan.kind),
             machine_name(run->plan.kind + 1));
    let_go(run->session_held);
    run->session_held = NULL;
    run->session = NULL;
    end_shared(run);
    if (filter || restored || shared) {
        run->plan.seccomp &= !filter;
        run->alone |= shared;
        start_machine(run);
    } else {
        run->plan.kind++;
        start_some(run);
    }
    return true;
}

/* The session is over, and so is the machine, or it is ended now. */
static void end_of_machine(struct run *run)
{
    struct session *session = run->session;
    int code;

    keep(run->machine_held);
    run->machine_held = NULL;
    if (session->end != SESSION_MACHINE)
        machine_signal(&run->machine, SIGKILL);
    session_rest(session);
    code = machine_end(&run->machine);
    if (never_ran(session, code) && start_another(run))
        return;
    run->sandbox->snapshot = session->map.bytes;
    run->sandbox->snapshot_length = session->map.length;
    run->escaped = session->end == SESSION_ESCAPE;
    finish_run(run, verdict(run->sandbox, session, run->answer, code));
}

static void session_is_over(struct run *run)
{
    if (run->session->end == SESSION_DEAD) {
        run->answer = grown(NULL, 1, sizeof(*run->answer));
        run->answer->length = 0;
        run->answer->bytes[0] = '\0';
        machine_ask_registers(&run->machine);
        run->until_ms = now_ms() + ANSWER_MS;
        run->state = RUN_ASKS;
    } else if (run->session->end == SESSION_MACHINE) {
        run->until_ms = now_ms() + END_MS;
        run->state = RUN_ENDS;
    } else {
        end_of_machine(run);
    }
}

/* ---- Step by step --------------------------------------------------------------------- */

void run_init(struct run *run, struct sandbox *sandbox)
{
    *run = (struct run){ .sandbox = sandbox, .archive = -1 };
}

/* Make the file to swap to, if one is wanted. */
static void plan_swap(struct run *run)
{
    int status;

    if (run->sandbox->swap == 0)
        return;
    status = swap_file_make(run->sandbox->swap, &run->plan.swap, &run->plan.swap_size);
    if (status != 0)
        finish_run(run, status);
    else
        run->swap_held = hold_fd(run->plan.swap);
}

void run_prepare(struct run *run)
{
    struct sandbox *sandbox = run->sandbox;
    uint64_t size = 0;
    int status = sandbox_archive(sandbox, &run->archive, &size);

    if (status != 0) {
        finish_run(run, status);
        return;
    }
    run->archive_held = hold_fd(run->archive);
    run->plan = (struct machine_plan){
        .archive = run->archive, .archive_size = size, .memory = sandbox->memory, .ram = -1, .shared = -1, .state = -1,
        .seccomp = true,
        .swap = -1, .debugger = sandbox->debugger, .map_line = sandbox->follow != NULL, .verbose = sandbox->verbose,
    };
    if (run->plan.memory == 0)
        run->plan.memory = (USUAL_MEMORY + size + (1 << 20) - 1) >> 20 << 20;
    if (sandbox->verbose)
        tell(0, "%" PRIu64 " KiB of files in a machine of %" PRIu64 " KiB", size / 1024, run->plan.memory / 1024);
    run->state = RUN_PREPARED;
    plan_swap(run);
}

void run_start(struct run *run)
{
    bool any = run->sandbox->machine >= MACHINE_KINDS;

    if (run->state == RUN_NEW)
        run_prepare(run);
    if (run->state != RUN_PREPARED)
        return;
    /* An instruction clock or a debugger's view of every register wants the translator. */
    run->plan.kvm  = run->sandbox->debugger < 0 && machine_flags()[0] == '\0' && machine_has_kvm();
    run->plan.kind = any ? 0 : run->sandbox->machine;
    run->last_kind = any ? MACHINE_KINDS - 1 : run->sandbox->machine;
    start_some(run);
}

int run_fill(struct run *run, struct pollfd *on)
{
    uint64_t now = now_ms();

    for (int slot = 0; slot < RUN_COUNT; slot++)
        on[slot] = (struct pollfd){ .fd = -1 };
    switch (run->state) {
    case RUN_RUNS:
        return run->session->over ? 0 : session_fill(run->session, on);
    case RUN_ASKS:
        on[ON_MONITOR] = (struct pollfd){ run->machine.monitor, POLLIN, 0 };
        break;
    case RUN_ENDS:
        on[ON_PROCESS] = (struct pollfd){ run->machine.process, POLLIN, 0 };
        break;
    default:
        return 0;
    }
    return run->until_ms > now ? (int)(run->until_ms - now) : 0;
}

void run_act(struct run *run, const struct pollfd *on)
{
    bool late = now_ms() >= run->until_ms;

    switch (run->state) {
    case RUN_RUNS:
        if (!run->session->over)
            session_act(run->session, on);
        if (run->session->over)
            session_is_over(run);
        break;
    case RUN_ASKS:
        if (late || (on[ON_MONITOR].revents != 0 && machine_answer(&run->machine, run->answer)))
            end_of_machine(run);
        break;
    case RUN_ENDS:
        if (late || on[ON_PROCESS].revents != 0)
            end_of_machine(run);
        break;
    default:
        break;
    }
}

void run_kill(struct run *run)
{
    if (run->state != RUN_RUNS)
        return;
    machine_signal(&run->machine, SIGKILL);
    run->session->over = true;              /* the next run_act() looks after the rest */
    run->session->end  = SESSION_KILLED;
}

void run_pause(struct run *run, bool pause)
{
    if (run->state == RUN_RUNS)
        machine_signal(&run->machine, pause ? SIGSTOP : SIGCONT);
}

void run_signal(struct run *run, int number, uint8_t whom)
{
    if (run->state == RUN_RUNS)
        session_signal(run->session, number, whom);
}

void run_window(struct run *run, uint16_t columns, uint16_t rows)
{
    if (run->state == RUN_RUNS)
        session_window(run->session, columns, rows);
}
