/*
 * usage.c - what processes have used: time, faults, turns, memory.
 *
 * Each thread has its own counts. When it ends they are added to the process's, and with a wait to the parent's.
 */
#include "arch/contract.h"
#include "base/check.h"
#include "base/range.h"
#include "process/family.h"
#include "process/tour.h"

void usage_add(struct resource_usage *sum, const struct resource_usage *more)
{
    sum->user_time            += more->user_time;
    sum->system_time          += more->system_time;
    sum->faults_minor         += more->faults_minor;
    sum->faults_major         += more->faults_major;
    sum->switches_voluntary   += more->switches_voluntary;
    sum->switches_involuntary += more->switches_involuntary;
    sum->reads                += more->reads;
    sum->bytes_read           += more->bytes_read;
    sum->writes               += more->writes;
    sum->bytes_written        += more->bytes_written;
    if (sum->peak < more->peak)
        sum->peak = more->peak;
}

uint64_t thread_time(const struct thread *thread)
{
    return clock_span(thread->ran + (thread == current_thread() ? schedule_turn() : 0));
}

/* Without the turn of the thread that runs. */
static uint64_t settled_time(const struct process *process)
{
    uint64_t time = process->used.user_time + process->used.system_time;

    for (const struct thread *t = process->threads; t != NULL; t = t->next_in_process)
        time += clock_span(t->ran);
    return time;
}

uint64_t process_time(const struct process *process)
{
    uint64_t settled = settled_time(process);

    return settled + (process == current_process() ? clock_span(schedule_turn()) : 0);
}

void thread_usage(const struct thread *thread, struct resource_usage *out)
{
    *out = thread->used;
    out->user_time += thread_time(thread);      /* the program's and the kernel's share are not told apart */
}

void usage_keep_peak(struct process *process)
{
    uint32_t peak = space_peak(&process->memory->space);

    assert(process->memory != NULL);
    if (process->used.peak < peak)
        process->used.peak = peak;
}

void process_usage(struct process *process, struct resource_usage *out)
{
    lock_state     state = lock_take(&process_lock);
    struct tour   *tour  = tour_threads(process, TOUR_LIGHT, &state);
    struct thread *thread;

    *out = (struct resource_usage){ .peak = 0 };
    while ((thread = tour_next_thread(tour)) != NULL) {         /* bound: rests */
        struct resource_usage own;

        thread_usage(thread, &own);
        usage_add(out, &own);
    }
    usage_add(out, &process->used);             /* with those of threads that have ended meanwhile */
    if (process->memory != NULL && out->peak < space_peak(&process->memory->space))
        out->peak = space_peak(&process->memory->space);
    lock_drop(&process_lock, state);
}

/* ---- RLIMIT_CPU -------------------------------------------------------------------------------- */

#define SECOND 1000000000ull

static uint64_t nanoseconds_of(uint64_t seconds)
{
    return seconds >= UINT64_MAX / SECOND ? UINT64_MAX : seconds * SECOND;
}

bool usage_limits;

static void check_limit(struct timer *timer);
static struct timer limit_timer = { .fire = check_limit };      /* armed when the current process may reach its limit */

/* SIGXCPU at the soft limit and each second from then on, SIGKILL at the hard one. */
static void signal_cpu_limit(struct process *process, uint64_t used)
{
    uint64_t           hard = nanoseconds_of(process->limits[RLIMIT_CPU].hard);
    struct signal_info info = { .number = used >= hard ? SIGKILL : SIGXCPU, .code = SI_KERNEL };

    assert(used >= process->cpu_due);
    process->cpu_due += SECOND;
    signal_process(process, &info);
}

/* Armed for the moment at which the process that runs reaches its limit, should it run on. */
static void watch_limit(const struct process *process, uint64_t used)
{
    uint64_t due;

    if (checked_add(clock_now(), process->cpu_due > used ? process->cpu_due - used : 0, &due))
        timer_arm(&limit_timer, due);
}

/* Interrupts are off. The timer may have been armed for another process than the one that runs now. */
static void check_limit(struct timer *timer __attribute__((unused)))
{
    struct process *process = current_thread()->process;
    uint64_t        used;

    if (process == NULL || process->cpu_due == NEVER)
        return;
    used = process->cpu_time + clock_span(schedule_turn());
    if (used >= process->cpu_due)
        signal_cpu_limit(process, used);
    watch_limit(process, used);
}

void usage_change_turn(struct process *from, uint64_t nanoseconds, const struct process *to)
{
    if (from != NULL && from->cpu_due != NEVER)
        from->cpu_time += nanoseconds;
    if (to != NULL && to->cpu_due != NEVER)
        watch_limit(to, to->cpu_time);
}

/* A limit of 0 is one of a second, as under Linux. Time used before there was a limit is added up here, once. */
void process_watch_cpu_limit(struct process *process)
{
    uint64_t soft = process->limits[RLIMIT_CPU].soft;

    process->cpu_due = nanoseconds_of(soft == 0 ? 1 : soft);
    if (process->cpu_due == NEVER)
        return;
    usage_limits      = true;
    process->cpu_time = settled_time(process);
    if (process == current_process())
        watch_limit(process, process_time(process));
}
