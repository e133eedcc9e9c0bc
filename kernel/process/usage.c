/*
 * usage.c - what processes have used: time, faults, turns, memory.
 *
 * Each thread counts for itself. When it ends its counts go to the process's, and with a wait to the parent's.
 */
#include "base/check.h"
#include "process/family.h"

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

void usage_keep_peak(struct process *process)
{
    uint32_t peak = space_peak(&process->memory->space);

    assert(process->memory != NULL);
    if (process->used.peak < peak)
        process->used.peak = peak;
}

void process_usage(struct process *process, struct resource_usage *out)
{
    lock_state state = lock_take(&process_lock);

    *out = process->used;
    for (const struct thread *t = process->threads; t != NULL; t = t->next_in_process)  /* bound: its threads */
        usage_add(out, &t->used);
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

/* A limit of 0 is one of a second, as under Linux. */
void process_watch_cpu_limit(struct process *process)
{
    uint64_t soft = process->limits[RLIMIT_CPU].soft;

    process->cpu_due = nanoseconds_of(soft == 0 ? 1 : soft);
}

/* SIGXCPU at the soft limit and each second from then on, SIGKILL at the hard one. */
static void signal_cpu_limit(struct process *process)
{
    uint64_t           hard = nanoseconds_of(process->limits[RLIMIT_CPU].hard);
    struct signal_info info = { .number = process->cpu_time >= hard ? SIGKILL : SIGXCPU, .code = SI_KERNEL };

    assert(process->cpu_time >= process->cpu_due);
    process->cpu_due += SECOND;
    signal_process(process, &info);
}

void usage_charge(struct thread *thread, uint64_t nanoseconds)
{
    struct process *process = thread->process;

    thread->used.user_time += nanoseconds;
    if (process == NULL)
        return;
    process->cpu_time += nanoseconds;
    if (process->cpu_time >= process->cpu_due)
        signal_cpu_limit(process);
}
