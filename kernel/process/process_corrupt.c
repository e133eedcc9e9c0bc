/*
 * process_corrupt.c - breaking the invariants of processes (memory/check/corrupt.h), on specimens made for it.
 *
 * Specimens are a process without threads and two children of it, two timers that are never due, a waiter: nothing of a
 * program's is touched, and a kernel without any program can show that its auditor sees.
 */
#include "base/check.h"
#include "memory/check/corrupt.h"
#include "memory/heap/heap.h"
#include "process/family.h"
#include "process/user_account.h"

static struct process *family[3];               /* a parent, and two children */

static void free_specimen(struct process **process)
{
    lock_state state;

    if (*process == NULL)
        return;
    if ((*process)->id != 0) {
        state = lock_take(&process_lock);
        process_delist(*process);
        lock_drop(&process_lock, state);
    }
    process_free(*process);
    *process = NULL;
}

static void free_family(void)
{
    for (unsigned i = COUNT_OF(family); i-- > 0;)
        free_specimen(&family[i]);
}

static bool make_family(void)
{
    for (unsigned i = 0; i < COUNT_OF(family); i++) {
        family[i] = process_new();
        if (family[i] == NULL || process_enlist(family[i], i > 0 ? family[0] : NULL, i > 0 ? family[0] : NULL) != 0) {
            free_family();
            return false;
        }
    }
    return true;
}

/* ---- The tree ---------------------------------------------------------------------------------- */

static void set_state(struct process *child, enum process_state state)
{
    lock_state lock = lock_take(&process_lock);

    child->state = state;
    process_note_change(child, &lock);
    lock_drop(&process_lock, lock);
}

static bool corrupt_t1(void)
{
    if (!make_family())
        return false;
    family[1]->state = PROCESS_ZOMBIE;
    return true;
}

static void restore_t1(void)
{
    family[1]->state = PROCESS_ALIVE;
    free_family();
}

static void swap_order(void)
{
    uint64_t order = family[1]->order;

    family[1]->order = family[2]->order;
    family[2]->order = order;
}

static bool corrupt_t2(void)
{
    if (!make_family())
        return false;
    set_state(family[1], PROCESS_ZOMBIE);
    set_state(family[2], PROCESS_ZOMBIE);
    swap_order();
    return true;
}

static void restore_t2(void)
{
    swap_order();
    set_state(family[1], PROCESS_ALIVE);
    set_state(family[2], PROCESS_ALIVE);
    free_family();
}

static bool corrupt_t3(void)
{
    if (!make_family())
        return false;
    family[0]->thread_count = 1;
    return true;
}

static void restore_t3(void)
{
    family[0]->thread_count = 0;
    free_family();
}

/* ---- Numbers and users --------------------------------------------------------------------------- */

/* The children share the parent's group, so only a member is left without the number that it should have. */
static bool corrupt_n1(void)
{
    if (!make_family())
        return false;
    family[2]->number.value ^= NUMBERS / 2;
    return true;
}

static void restore_n1(void)
{
    family[2]->number.value ^= NUMBERS / 2;
    free_family();
}

static bool corrupt_n2(void)
{
    if (!make_family())
        return false;
    number_hold(&family[0]->number);
    return true;
}

static void restore_n2(void)
{
    family[0]->number.uses--;
    free_family();
}

static bool corrupt_n3(void)
{
    if (!make_family())
        return false;
    family[1]->group++;
    return true;
}

static void restore_n3(void)
{
    family[1]->group--;
    free_family();
}

/* An account that no process acts by, so that no credentials count for another user (U3). */
static struct user_account *account;

static bool corrupt_u1(void)
{
    account = user_account_get(UINT32_MAX - 1);
    if (account == NULL)
        return false;
    account->references = 0;
    return true;
}

static void restore_u1(void)
{
    account->references = 1;
    user_account_put(account);
}

static bool corrupt_u2(void)
{
    if (!make_family())
        return false;
    user_account_threads(family[0]->credentials->account, 1);
    return true;
}

static void restore_u2(void)
{
    user_account_threads(family[0]->credentials->account, -1);
    free_family();
}

static bool corrupt_u3(void)
{
    if (!make_family())
        return false;
    family[0]->credentials->user.real++;
    return true;
}

static void restore_u3(void)
{
    family[0]->credentials->user.real--;
    free_family();
}

/* ---- Futexes -------------------------------------------------------------------------------------- */

static struct futex_waiter *sleeper;

static bool make_sleeper(void)
{
    sleeper = heap_alloc(sizeof *sleeper, HEAP_ZERO);
    if (sleeper == NULL)
        return false;
    sleeper->key.of = sleeper;
    list_insert(futex_list(&sleeper->key), &sleeper->link);
    return true;
}

static void free_sleeper(void)
{
    list_remove(&sleeper->link);
    heap_free_sized(sleeper, sizeof *sleeper);
}

static bool corrupt_q1(void)
{
    if (!make_sleeper())
        return false;
    sleeper->key.offset = 4;
    return true;
}

static bool corrupt_q2(void)
{
    if (!make_sleeper())
        return false;
    sleeper->woken = true;
    return true;
}

/* ---- Timers ---------------------------------------------------------------------------------------- */

enum { MOMENTS_BEFORE_NEVER = 8 };
static struct timer early, late;                /* neither is ever due: `late` is below another one in the heap */

static void fire_never(struct timer *timer __attribute__((unused)))
{
    stop(__FILE__, __LINE__, "a timer that is never due");
}

static bool arm_timers(void)
{
    early.fire = late.fire = fire_never;
    timer_arm(&early, NEVER - MOMENTS_BEFORE_NEVER);
    timer_arm(&late, NEVER - 1);
    return late.parent != NULL;
}

static void disarm_timers(void)
{
    timer_disarm(&early);
    timer_disarm(&late);
}

static bool corrupt_a1(void)
{
    if (!arm_timers())
        return false;
    late.due = 0;
    return true;
}

static void restore_a1(void)
{
    late.due = NEVER - 1;
    disarm_timers();
}

static bool corrupt_a2(void)
{
    if (!arm_timers())
        return false;
    late.distance++;
    return true;
}

static void restore_a2(void)
{
    late.distance--;
    disarm_timers();
}

static struct timer *parent;

static bool corrupt_a3(void)
{
    if (!arm_timers())
        return false;
    parent = late.parent;
    late.parent = NULL;
    return true;
}

static void restore_a3(void)
{
    late.parent = parent;
    disarm_timers();
}

static bool corrupt_a4(void)
{
    if (!arm_timers())
        return false;
    late.armed = false;
    return true;
}

static void restore_a4(void)
{
    late.armed = true;
    disarm_timers();
}

static bool make_table(void)
{
    struct timer_table *table;

    if (!make_family())
        return false;
    table = family[0]->timers = heap_alloc(sizeof *table, HEAP_ZERO);
    if (table == NULL || timer_table_add(table, &early) != 0) {
        heap_free(table);
        free_family();
        return false;
    }
    return true;
}

static void free_table(void)
{
    struct timer_table *table = family[0]->timers;

    timer_table_remove(table, 0);
    family[0]->timers = NULL;
    heap_free_sized(table, sizeof *table);
    free_family();
}

static bool corrupt_i1(void)
{
    if (!make_table())
        return false;
    family[0]->timers->count++;
    return true;
}

static void restore_i1(void)
{
    family[0]->timers->count--;
    free_table();
}

static bool corrupt_i2(void)
{
    if (!make_table())
        return false;
    family[0]->timers->leaf[0]->place[0] = NULL;
    family[0]->timers->leaf[0]->count    = family[0]->timers->count = 0;
    return true;
}

static void restore_i2(void)
{
    family[0]->timers->leaf[0]->place[0] = &early;
    family[0]->timers->leaf[0]->count    = family[0]->timers->count = 1;
    free_table();
}

/* ---- Turns and waits --------------------------------------------------------------------------------- */

static struct wait_queue queue;
enum { LINKS = 64 };                    /* more than one wake takes at once */

static bool corrupt_y1(void)
{
    run_queue.count++;
    return true;
}

static void restore_y1(void) { run_queue.count--; }

static bool corrupt_y2(void)
{
    current_thread()->phase = THREAD_WAITING;
    return true;
}

static void restore_y2(void) { current_thread()->phase = THREAD_RUNNING; }

static bool corrupt_y3(void)
{
    wait_start(&queue);
    queue.waiters.last = NULL;
    return true;
}

static void restore_y3(void)
{
    queue.waiters.last = queue.waiters.first;
    wait_end();
}

static struct waiter *links;

/* Of more waiters than a wake takes at once the first goes, and the queue forgets where to go on. */
static bool corrupt_y4(void)
{
    if ((links = heap_alloc(LINKS * sizeof *links, HEAP_ZERO)) == NULL)
        return false;
    for (unsigned i = 0; i < LINKS; i++)
        wait_link(&links[i], &queue);
    wake_all(&queue);
    queue.next_to_wake = NULL;
    return true;
}

static void restore_y4(void)
{
    queue.next_to_wake = &links[LINKS - 1];
    for (unsigned i = 0; i < LINKS; i++)
        wait_unlink(&links[i]);
    heap_free(links);
}

const struct corruption process_corruptions[] = {
    CORRUPTION_ROW("T1", t1, 0, "a child ends and is not in its parent's list of changed children"),
    CORRUPTION_ROW("T2", t2, 0, "two changed children change places"),
    CORRUPTION_ROW("T3", t3, 0, "a process counts a thread that it does not have"),
    CORRUPTION_ROW("N1", n1, 0, "a number that is in the table is in no set"),
    CORRUPTION_ROW("N2", n2, 0, "a number counts one use too many"),
    CORRUPTION_ROW("N3", n3, 0, "a member of a group says that it is in another"),
    CORRUPTION_ROW("U1", u1, 0, "a user's account is there though nobody holds it"),
    CORRUPTION_ROW("U2", u2, 0, "a user's account counts one thread too many"),
    CORRUPTION_ROW("U3", u3, 0, "credentials count for another user"),
    { "Q1", 0, corrupt_q1, free_sleeper, "a waiter waits for another word than its list is for" },
    { "Q2", 0, corrupt_q2, free_sleeper, "a waiter that has been woken stays in its list" },
    CORRUPTION_ROW("A1", a1, 0, "a timer is due before its parent"),
    CORRUPTION_ROW("A2", a2, 0, "a timer's distance is one too many"),
    CORRUPTION_ROW("A3", a3, 0, "a timer forgets its parent"),
    CORRUPTION_ROW("A4", a4, 0, "a timer in the heap says that it is not armed"),
    CORRUPTION_ROW("I1", i1, 0, "a table of timers counts one too many"),
    CORRUPTION_ROW("I2", i2, 0, "a leaf of a table of timers stays although it is empty"),
    CORRUPTION_ROW("Y1", y1, 0, "the run queue counts a thread that is not there"),
    CORRUPTION_ROW("Y2", y2, 0, "the current thread says that it waits"),
    CORRUPTION_ROW("Y3", y3, 0, "a queue forgets its last waiter"),
    CORRUPTION_ROW("Y4", y4, 0, "a queue that is being woken forgets where to go on"),
    { 0 },
};
