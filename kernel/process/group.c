/*
 * group.c - process groups, sessions, and processes with several threads acting as one.
 */
#include "base/check.h"
#include "base/error.h"
#include "base/print.h"
#include "base/string.h"
#include "memory/spaces/fault.h"
#include "process/above.h"
#include "process/applications.h"
#include "process/family.h"

/* All of a group are in one session, so its first member tells. */
static bool group_is_in_session(const struct number *group, int32_t session)
{
    assert(lock_held(&process_lock));
    return group != NULL && !list_is_empty(&group->group) &&
           LIST_ITEM(group->group.next, struct process, group_link)->session == session;
}

/* Linux's rules for setpgid(2). process_lock is held. */
static int set_group(int32_t id, int32_t group)
{
    struct process *self = current_process(), *p = id == 0 ? self : process_numbered(id);

    assert(lock_held(&process_lock));
    if (group == 0)
        group = id == 0 ? self->id : id;
    if (group < 0)
        return -EINVAL;
    if (p == NULL || (p != self && p->parent != self))
        return -ESRCH;
    if (p != self && (p->session != self->session || p->has_executed))
        return p->session != self->session ? -EPERM : -EACCES;
    if (p->session == p->id || (group != p->id && !group_is_in_session(number_find(group), self->session)))
        return -EPERM;
    if (p->group != group)
        process_join_group(p, number_find(group));
    return 0;
}

int process_set_group(int32_t id, int32_t group)
{
    lock_state state = lock_take(&process_lock);
    int        err   = set_group(id, group);

    lock_drop(&process_lock, state);
    return err;
}

int process_new_session(void)
{
    struct process *self  = current_process();
    lock_state      state = lock_take(&process_lock);
    struct number  *number = number_find(self->id);
    int             err   = list_is_empty(&number->group) ? self->id : -EPERM;

    if (err > 0) {
        process_join_session(self, number);
        process_join_group(self, number);
        self->terminal = NULL;
    }
    lock_drop(&process_lock, state);
    return err;
}

/* Whether the member's parent is in another group of the session, so that it may continue this group. */
static bool links_to_session(const struct process *p)
{
    return p->state != PROCESS_ZOMBIE && p->parent != NULL && p->parent->session == p->session &&
        p->parent->group != p->group;
}

bool process_group_is_orphaned(const struct process *process)
{
    lock_state   state    = lock_take(&process_lock);
    bool         orphaned = true;
    struct list *at;

    LIST_EACH(at, &number_find(process->group)->group)
        if (links_to_session(LIST_ITEM(at, struct process, group_link))) {
            orphaned = false;
            break;
        }
    lock_drop(&process_lock, state);
    return orphaned;
}

/* ---- One thread is to remain ------------------------------------------------------------------ */

int thread_stay_alone(void)
{
    struct thread     *self    = current_thread();
    struct process    *process = self->process;
    struct signal_info kill    = { .number = SIGKILL };
    lock_state         state;
    int                err;

    may_sleep();
    state = lock_take(&process_lock);
    err   = process->exiting || process->survivor != NULL ? -EINTR : 0;
    if (err == 0) {
        process->survivor = self;
        for (struct thread *t = process->threads; t != NULL; t = t->next_in_process)    /* bound: its threads */
            if (t != self)
                signal_thread(t, &kill);
        while (process->thread_count > 1)
            wait_on(&process->thread_ended, &process_lock, &state, NEVER, 0);
        process->survivor = NULL;
        thread_become_first(self);              /* the thread that called exec is the process's first now */
    }
    lock_drop(&process_lock, state);
    return err;
}

/* ---- What is said of a death -------------------------------------------------------------------- */

static struct {
    int32_t process;
    vaddr_t program_counter, address;
    int     code;
    char    reason[sizeof ((struct fault_verdict *)0)->reason];
} last_fault;

void process_note_fault(const struct fault_verdict *verdict, vaddr_t program_counter)
{
    last_fault.process         = current_process()->id;
    last_fault.program_counter = program_counter;
    last_fault.address         = verdict->address;
    last_fault.code            = verdict->code;
    text_copy(last_fault.reason, verdict->reason, sizeof last_fault.reason);
}

/*
 * A death by a fault is reported with the region and its neighbours; other deaths only the parent learns of. The parent
 * of the program that the machine was started for is outside, so its death is always reported.
 */
void process_report_death(const struct signal_info *info)
{
    const struct process *p = current_process();
    char                  line[sizeof last_fault.reason + 96];

    assert(p != NULL);
    if ((info->number != SIGSEGV && info->number != SIGBUS) || info->code <= 0 || last_fault.process != p->id ||
        last_fault.address != info->address)
        return;
    format_text(line, sizeof line, "%s[%d]: signal %d at instruction 0x%08lx, address 0x%08lx: %s", p->name, p->id,
                info->number, (unsigned long)last_fault.program_counter, (unsigned long)info->address,
                last_fault.reason);
    builtin_note_reason(last_fault.reason);
    if (builtin_is_quiet())
        return;
    if (init_is_program(p))
        report_say(line);
    else
        print("%s\n", line);
}
