/*
 * group.c - process groups, sessions, and processes with several threads acting as one.
 */
#include "base/check.h"
#include "base/error.h"
#include "base/print.h"
#include "base/string.h"
#include "cpu.h"
#include "memory/spaces/fault.h"
#include "process/above.h"
#include "process/applications.h"
#include "process/errand.h"
#include "process/family.h"
#include "process/tour.h"

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
    struct tour *tour     = tour_list(&process->group_number->group, TOUR_LIGHT, &state);
    struct list *at;

    while ((at = tour_next(tour)) != NULL)      /* bound: rests */
        if (links_to_session(LIST_ITEM(at, struct process, group_link))) {
            tour_end(tour);
            break;
        }
    lock_drop(&process_lock, state);
    return at == NULL;
}

/* ---- Signals for a group. The lock is held. ------------------------------------------------------ */

/*
 * A group may have very many members, and its signals come under locks and from interrupts: so MEMBERS_AT_ONCE are sent
 * theirs, and an errand goes on from there. One number has all members before the next begins, the lowest first.
 */
enum { MEMBERS_AT_ONCE = 8 };           /* larger: a longer stretch without interrupts, some 500 instructions each */

static struct list   left_to_send = { &left_to_send, &left_to_send };
static void          go_on_sending(struct errand *errand);
static struct errand rest_of_sending = { .work = go_on_sending };

static void send_next(struct number *group)
{
    struct signal_info info = { .number = group->sending, .code = SI_KERNEL };

    if (group->sending == 0) {
        group->sending      = signal_lowest(group->to_send);
        group->to_send     &= group->to_send - 1;
        group->next_to_send = group->group.next;
    } else if (group->next_to_send == &group->group) {
        group->sending = 0;
    } else {
        struct process *member = LIST_ITEM(group->next_to_send, struct process, group_link);

        group->next_to_send = group->next_to_send->next;
        (void)signal_process(member, &info);
    }
}

static void send_some(struct number *group)
{
    deep_assert(lock_held(&process_lock));
    /* bound: MEMBERS_AT_ONCE, and where a number begins and ends */
    for (unsigned i = 0; i < MEMBERS_AT_ONCE + 2 && (group->to_send != 0 || group->sending != 0); i++)
        send_next(group);
    if (group->to_send == 0 && group->sending == 0) {
        list_remove(&group->send_link);
        return;
    }
    if (list_is_empty(&group->send_link))
        list_insert(&left_to_send, &group->send_link);
    errand_post(&rest_of_sending);
}

static void go_on_sending(struct errand *errand __attribute__((unused)))
{
    for (;;) {                                  /* bound: interrupts are let in in each step */
        lock_state state = lock_take(&process_lock);
        bool       more  = !list_is_empty(&left_to_send);

        if (more)
            send_some(LIST_ITEM(left_to_send.next, struct number, send_link));
        lock_drop(&process_lock, state);
        if (!more)
            return;
        interrupts_let_in();
    }
}

void signal_members(struct number *group, int number)
{
    assert(number > 0 && number <= SIGNALS && !list_is_empty(&group->group));
    group->to_send |= 1ull << (number - 1);
    send_some(group);
}

/* The last one takes with it what was still to be sent. */
void members_leave(struct process *process)
{
    struct number *group = process->group_number;

    deep_assert(lock_held(&process_lock));
    if (group->next_to_send == &process->group_link)
        group->next_to_send = process->group_link.next;
    if (process->group_link.next == process->group_link.previous) {     /* the head on both sides */
        group->to_send = 0;
        group->sending = 0;
        list_remove(&group->send_link);
    }
    tours_list_remove(&process->group_link);
}

int signal_group(int32_t group, int number)
{
    lock_state     state = lock_take(&process_lock);
    struct number *named = number_find(group);
    int            err   = named != NULL && !list_is_empty(&named->group) ? 0 : -ESRCH;

    if (err == 0)
        signal_members(named, number);
    lock_drop(&process_lock, state);
    return err;
}

/* ---- One thread is to remain ------------------------------------------------------------------ */

int thread_stay_alone(void)
{
    struct thread     *self    = current_thread();
    struct process    *process = self->process;
    lock_state         state;
    int                err;

    may_sleep();
    state = lock_take(&process_lock);
    err   = process->exiting || process->survivor != NULL ? -EINTR : 0;
    if (err == 0) {
        process->survivor = self;
        signal_end_threads(process, self);
        while (process->thread_count > 1)       /* bound: sleeps in each step */
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
 * A handler that could not be entered (signal.c) left a signal without an address, told of once: other signals have no
 * address either, and a process's number comes again.
 */
static bool is_last_fault(const struct signal_info *info)
{
    bool unentered = info->code == SI_KERNEL && last_fault.code == SI_KERNEL;

    last_fault.code = 0;
    return unentered || last_fault.address == info->address;
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
        !is_last_fault(info))
        return;
    format_text(line, sizeof line, "%s[%d]: signal %d at instruction 0x%08lx, address 0x%08lx: %s", p->name, p->id,
                info->number, (unsigned long)last_fault.program_counter, (unsigned long)last_fault.address,
                last_fault.reason);
    text_make_plain(line);
    builtin_note_reason(last_fault.reason);
    if (builtin_is_quiet())
        return;
    if (init_is_program(p))
        report_say(line);
    else
        print("%s\n", line);
}
