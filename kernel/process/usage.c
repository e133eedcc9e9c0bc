/*
 * usage.c - what processes have used: time, faults, turns, memory.
 *
 * Each thread counts for itself. When it ends its counts go to the process's, and with a wait to the parent's.
 */
#include "process/family.h"

void usage_add(struct resource_usage *sum, const struct resource_usage *more)
{
    sum->user_time            += more->user_time;
    sum->system_time          += more->system_time;
    sum->faults_minor         += more->faults_minor;
    sum->faults_major         += more->faults_major;
    sum->switches_voluntary   += more->switches_voluntary;
    sum->switches_involuntary += more->switches_involuntary;
    if (sum->peak < more->peak)
        sum->peak = more->peak;
}

void usage_keep_peak(struct process *process)
{
    uint32_t peak = space_peak(&process->memory->space);

    if (process->used.peak < peak)
        process->used.peak = peak;
}

void process_usage(struct process *process, struct resource_usage *out)
{
    lock_state state = lock_take(&process_lock);

    *out = process->used;
    for (const struct thread *t = process->threads; t != NULL; t = t->next_in_process)
        usage_add(out, &t->used);
    if (process->memory != NULL && out->peak < space_peak(&process->memory->space))
        out->peak = space_peak(&process->memory->space);
    lock_drop(&process_lock, state);
}
