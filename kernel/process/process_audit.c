/*
 * process_audit.c - processes, threads and timers in the live audit (memory/audit.h).
 *
 * Each part states its invariants where it checks them, in a NAME_broken(), which returns the id of the first that does
 * not hold. This file lists all of them, and calls the checks for all processes.
 */
#include "base/check.h"
#include "memory/audit.h"
#include "process/family.h"
#include "process/user_account.h"

const struct invariant process_invariants[] = {
    { "T1", "process.c",     "a child whose change its parent has not heard of is in the parent's list of those" },
    { "T2", "process.c",     "the list of changed children is in the order of the children" },
    { "T3", "process.c",     "a process's threads are linked both ways, as many as counted, each under its number" },
    { "N1", "numbers.h",     "a number is in the set of those in use if and only if it is in the table" },
    { "N2", "numbers.h",     "a number's uses are its process, its thread, and the members of group and session" },
    { "N3", "numbers.h",     "what is entered under a number has it" },
    { "U1", "user_account.c", "a user's account is where its number leads to, as long as it is held" },
    { "U2", "user_account.c", "the threads of all users are as many as there are" },
    { "U3", "credentials.h", "credentials that are acted by are held, and count for their real user" },
    { "Q1", "futex.c",       "a waiter hangs in the list of its key, and each list is sound" },
    { "Q2", "futex.c",       "a waiter that has been woken is in no list" },
    { "A1", "timer_heap.h",  "no timer is due before its parent in the heap" },
    { "A2", "timer_heap.h",  "a timer's distance is one more than its right child's, the smaller one" },
    { "A3", "timer_heap.h",  "a child's parent is the timer whose child it is" },
    { "A4", "timer_heap.h",  "timers in the heap are armed" },
    { "I1", "timer_table.h", "a leaf of a table of timers counts its places, and the table the sum" },
    { "I2", "timer_table.h", "a leaf of a table of timers is not empty" },
    { "Y1", "schedule.c",    "the run queue has as many threads as it counts, all of them ready" },
    { "Y2", "schedule.c",    "the current thread is running" },
    { "Y3", "wait.c",        "a waiter stands in the list that it names, which is sound in both directions" },
    { "Y4", "wait.c",        "a queue is listed as being woken if and only if it says where to go on" },
    { 0 },
};

static void note_broken(struct audit_report *report, const char *broken, int32_t id)
{
    report->checked++;
    if (broken == NULL)
        return;
    if (id != 0)
        audit_fail(report, broken, "process %d", (int)id);
    else
        audit_fail(report, broken, "found in what all processes share");
}

static const char *credentials_broken(const struct credentials *c)
{
    return c->references > 0 && c->account->uid == c->user.real ? NULL : "U3";
}

static void audit_process(const struct process *process, struct audit_report *report)
{
    note_broken(report, process_broken(process), process->id);
    note_broken(report, credentials_broken(process->credentials), process->id);
    if (process->timers != NULL)
        note_broken(report, timer_table_broken(process->timers), process->id);
    for (const struct thread *t = process->threads; t != NULL; t = t->next_in_process) {
        note_broken(report, credentials_broken(t->credentials), process->id);
        note_broken(report, waiter_broken(&t->waiter), process->id);
        note_broken(report, waiter_broken(&t->mutex_waiter), process->id);
    }
}

/* A process counts as one, with its first thread or without: it may not have been waited for. The lock is held. */
static uint32_t audit_processes(struct audit_report *report, lock_state *state)
{
    uint32_t        threads = 0;
    struct process *p;

    assert(lock_held(&process_lock));
    /* bound: rests, but in the threads of one process and their waits: the auditor's alone */
    for (int32_t id = -1; (p = process_beyond(id, state)) != NULL; ) {
        id = p->id;
        audit_process(p, report);
        threads++;
        for (const struct thread *t = p->threads; t != NULL; t = t->next_in_process)
            threads += t->number != &p->number;
    }
    return threads;
}

static void process_audit(struct audit_report *report)
{
    lock_state  state   = lock_take(&process_lock);
    const char *numbers = numbers_broken();
    uint32_t    threads;

    note_broken(report, numbers, 0);
    if (numbers == NULL) {                      /* else a walk by numbers might not end */
        threads = audit_processes(report, &state);
        note_broken(report, user_accounts_broken(threads), 0);
    }
    lock_drop(&process_lock, state);
    note_broken(report, waiter_broken(&current_thread()->waiter), 0);
    note_broken(report, futexes_broken(), 0);
    note_broken(report, timers_broken(), 0);
    note_broken(report, schedule_broken(), 0);
    note_broken(report, wakes_broken(), 0);
}

const struct audit_part process_audits[] = { { "processes", process_audit }, { 0 } };
