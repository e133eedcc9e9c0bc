/*
 * test_process_broken.c - the auditor's parts for processes, threads, numbers, turns and waits: one field wrong each.
 */
#include "process_notes.h"

#include "process/numbers.h"

/* Whether a check names the invariant while `field` is `wrong`, and none before and after. */
#define NAMES(check, field, wrong, id)                                                                 \
    do {                                                                                               \
        __typeof__(field) right_ = (field);                                                            \
        const char       *said_;                                                                       \
                                                                                                       \
        assert_null(check);                                                                            \
        (field) = (wrong);                                                                             \
        said_ = (check);                                                                               \
        (field) = right_;                                                                              \
        if (said_ == NULL || strcmp(said_, id) != 0)                                                   \
            fail_msg("line %d: %s is named instead of %s", __LINE__, said_ != NULL ? said_ : "nothing", id); \
        assert_null(check);                                                                            \
    } while (0)

static struct process *child[3];

static void has_a_group_of_threads(void)
{
    ids[0] = thread_into(sleeps_long);
    ids[1] = thread_into(sleeps_long);
    sleeps_long();
}

static void make_family(void)
{
    child[0] = process_find(fork_into(has_a_group_of_threads));
    child[1] = process_find(fork_into(does_nothing));
    child[2] = process_find(fork_into(does_nothing));
    sleep_for(TICK);
}

static void end_family(void)
{
    kill(child[0]->id, SIGKILL);
    while (wait_for(-1, 0) > 0)
        ;
    exit_with(0);
}

static void breaks_children(void)
{
    struct process *self = current_process();
    lock_state      state;

    make_family();
    state = lock_take(&process_lock);
    NAMES(process_broken(self), child[0]->parent, child[1], "T1");
    NAMES(process_broken(self), child[1]->parent, NULL, "T1");
    NAMES(process_broken(self), self->children.previous->next, &child[0]->sibling_link, "T1");
    NAMES(process_broken(self), self->changed_children.next->previous, &child[0]->sibling_link, "T1");
    NAMES(process_broken(self), child[0]->state, PROCESS_ZOMBIE, "T1");     /* and not in the list of changed ones */
    NAMES(process_broken(self), child[2]->order, child[1]->order, "T2");
    NAMES(process_broken(self), child[2]->order, child[1]->order - 1, "T2");
    NAMES(process_broken(self), child[1]->order, 0, "T2");
    lock_drop(&process_lock, state);
    end_family();
}

static void a_child_in_the_wrong_list_or_order_is_named(void) { begin(breaks_children); }

static void breaks_threads(void)
{
    struct thread *first, *second, *third;
    lock_state     state;

    make_family();
    first  = thread_find(child[0]->id);
    second = thread_find(ids[0]);
    third  = thread_find(ids[1]);
    state  = lock_take(&process_lock);
    NAMES(process_broken(child[0]), first->before_in_process, second, "T3");
    NAMES(process_broken(child[0]), third->before_in_process, first, "T3");
    NAMES(process_broken(child[0]), second->process, current_process(), "T3");
    NAMES(process_broken(child[0]), second->id, third->id, "T3");
    NAMES(process_broken(child[0]), second->id, 30000, "T3");
    NAMES(process_broken(child[0]), child[0]->last_thread, second, "T3");
    NAMES(process_broken(child[0]), child[0]->thread_count, 2, "T3");
    NAMES(process_broken(child[0]), child[0]->thread_count, 4, "T3");
    NAMES(process_broken(child[0]), third->next_in_process, first, "T3");
    lock_drop(&process_lock, state);
    end_family();
}

static void a_thread_in_the_wrong_place_is_named(void) { begin(breaks_threads); }

static void breaks_numbers(void)
{
    struct number *number, *thread;
    lock_state     state;

    make_family();
    state  = lock_take(&process_lock);
    number = child[0]->group_number;
    thread = number_find(ids[0]);
    NAMES(numbers_broken(), child[0]->group, child[0]->group + 1, "N3");
    NAMES(numbers_broken(), child[0]->session, child[0]->session + 1, "N3");
    NAMES(numbers_broken(), number->group.previous->next, number->group.next, "N3");
    NAMES(numbers_broken(), number->session.previous->next, number->session.next, "N3");
    NAMES(numbers_broken(), number->uses, number->uses + 1, "N2");
    NAMES(numbers_broken(), number->uses, number->uses - 1, "N2");
    NAMES(numbers_broken(), thread->thread, NULL, "N2");
    NAMES(numbers_broken(), thread->thread->id, thread->value + 1, "N3");
    NAMES(numbers_broken(), child[0]->number.process->id, thread->value, "N3");
    NAMES(numbers_broken(), thread->value, NUMBERS - 1, "N1");          /* one that is not in use */
    lock_drop(&process_lock, state);
    end_family();
}

static void a_number_with_other_uses_than_it_counts_is_named(void) { begin(breaks_numbers); }

/* ---- Turns and waits ---------------------------------------------------------------------------------------- */

static struct wait_queue queue;
static struct waiter     aside;

static void waits(void)
{
    wait_start(&queue);
    (void)wait_linked(NEVER, 0);
    wait_end();
    thread_exit(0);
}

static void is_ready(void)
{
    for (int i = 0; i < 40; i++)
        give_way();
    thread_exit(0);
}

static void breaks_turns(void)
{
    struct thread *ready[3];

    for (int i = 0; i < 3; i++)
        ready[i] = thread_find(thread_into(is_ready));
    give_way();
    assert_int_equal(run_queue.count, 3);
    NAMES(schedule_broken(), ready[1]->phase, THREAD_WAITING, "Y1");
    NAMES(schedule_broken(), ready[2]->phase, THREAD_RUNNING, "Y1");
    NAMES(schedule_broken(), run_queue.count, 2, "Y1");
    NAMES(schedule_broken(), run_queue.count, 4, "Y1");
    NAMES(schedule_broken(), run_queue.last, ready[1], "Y1");
    NAMES(schedule_broken(), ready[2]->queue_next, ready[0], "Y1");
    NAMES(schedule_broken(), run_queue.first, NULL, "Y1");
    NAMES(schedule_broken(), current_thread()->phase, THREAD_READY, "Y2");
    exit_with(0);
}

static void a_run_queue_that_does_not_count_is_named(void) { begin(breaks_turns); }

static void breaks_waits(void)
{
    struct thread *waiting[3];
    struct waiter *first, *second, *third;

    for (int i = 0; i < 3; i++)
        waiting[i] = thread_find(thread_into(waits));
    sleep_for(TICK);
    first  = &waiting[0]->waiter;
    second = &waiting[1]->waiter;
    third  = &waiting[2]->waiter;
    aside.queue = NULL;
    assert_null(waiter_broken(&aside));
    NAMES(waiter_broken(&aside), aside.queue, &queue.waiters, "Y3");            /* it is not in there */
    NAMES(waiter_broken(third), second->previous, NULL, "Y3");
    NAMES(waiter_broken(third), second->queue, NULL, "Y3");
    NAMES(waiter_broken(first), third->previous, first, "Y3");
    NAMES(waiter_broken(first), queue.waiters.last, second, "Y3");
    NAMES(waiter_broken(second), queue.waiters.first, third, "Y3");
    wake_all(&queue);
    sleep_for(TICK);
    exit_with(0);
}

static void a_waiter_that_its_queue_does_not_know_is_named(void) { begin(breaks_waits); }

/* ---- Users ---------------------------------------------------------------------------------------------------- */

static void breaks_accounts(void)
{
    struct user_account *account = current_process()->credentials->account, *below;

    assert_null(user_accounts_broken(1));
    assert_string_equal(user_accounts_broken(2), "U2");
    assert_string_equal(user_accounts_broken(0), "U2");
    NAMES(user_accounts_broken(1), account->references, 0, "U1");
    below = user_account_get(account->uid + 2);
    NAMES(user_accounts_broken(1), below->uid, below->uid + 1, "U1");           /* belongs elsewhere */
    user_account_put(below);
    exit_with(0);
}

static void an_account_in_the_wrong_list_is_named(void) { begin(breaks_accounts); }

int main(void)
{
    const struct CMUnitTest tests[] = {
        in_world(a_child_in_the_wrong_list_or_order_is_named),
        in_world(a_thread_in_the_wrong_place_is_named),
        in_world(a_number_with_other_uses_than_it_counts_is_named),
        in_world(a_run_queue_that_does_not_count_is_named),
        in_world(a_waiter_that_its_queue_does_not_know_is_named),
        in_world(an_account_in_the_wrong_list_is_named),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
