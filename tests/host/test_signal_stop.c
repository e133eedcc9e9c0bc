/*
 * test_signal_stop.c - a process that is stopped and goes on: what its parent hears, and how often; signals that wait.
 */
#include "process_notes.h"

enum { CHILD_KILLED = 2, CHILD_STOPPED = 5, CHILD_CONTINUED = 6 };

static void hears_of_children(void) { on_signal(SIGCHLD, 100, 0); }

/* The codes of all SIGCHLD since the last look, in their order. */
static void assert_heard(const int *codes, unsigned count, int line)
{
    if (handlers_run != count)
        fail_msg("line %d: %u were heard, not %u", line, handlers_run, count);
    for (unsigned i = 0; i < count; i++) {
        assert_int_equal(handled[i].info.number, SIGCHLD);
        assert_int_equal(handled[i].info.code, codes[i]);
        assert_int_equal(handled[i].info.sender, ids[0]);
    }
    if (count > 0)
        handler_returns();
    handlers_run = 0;
}

#define HEARD(...) \
    assert_heard((const int[]){ __VA_ARGS__ }, sizeof (const int[]){ __VA_ARGS__ } / sizeof(int), __LINE__)
#define HEARD_NOTHING() assert_heard(NULL, 0, __LINE__)

static void goes_on_and_on(void)
{
    for (;;)
        sleep_for(10 * (uint64_t)TICK);
}

static void has_three_threads(void)
{
    thread_into(goes_on_and_on);
    thread_into(goes_on_and_on);
    goes_on_and_on();
}

static void pass(void)
{
    for (int i = 0; i < 4; i++)
        sleep_for(TICK);
}

static void sends_signals(void)
{
    hears_of_children();
    ids[0] = fork_into(has_three_threads);
    pass();
    kill(ids[0], SIGSTOP);
    pass();
    HEARD(CHILD_STOPPED);
    kill(ids[0], SIGSTOP);                              /* it is */
    pass();
    HEARD_NOTHING();
    kill(ids[0], SIGCONT);
    pass();
    HEARD(CHILD_CONTINUED);                             /* once, though three threads go on */
    kill(ids[0], SIGCONT);
    pass();
    HEARD_NOTHING();
    kill(ids[0], SIGSTOP);
    pass();
    HEARD(CHILD_STOPPED);
    kill(ids[0], SIGKILL);                              /* goes on only to end */
    pass();
    HEARD(CHILD_KILLED);
    assert_int_equal(wait_for(ids[0], CONTINUED), ids[0]);
    assert_int_equal(waited.status, SIGKILL);
}

static void a_parent_hears_of_each_stop_and_each_going_on_once(void) { begin(sends_signals); }

/* What is waited for is told of once: a going on undoes the stop, and the other way round. */
static void waits_in_every_way(void)
{
    ids[0] = fork_into(goes_on_and_on);
    pass();
    kill(ids[0], SIGSTOP);
    pass();
    assert_int_equal(wait_for(ids[0], CONTINUED | NOHANG), 0);
    assert_int_equal(wait_for(ids[0], UNTRACED | NOHANG), ids[0]);
    assert_int_equal(waited.status, SIGSTOP << 8 | 0x7F);
    assert_int_equal(wait_for(ids[0], UNTRACED | NOHANG), 0);
    kill(ids[0], SIGCONT);
    pass();
    assert_int_equal(wait_for(ids[0], UNTRACED | NOHANG), 0);
    assert_int_equal(wait_for(ids[0], CONTINUED | NOHANG), ids[0]);
    assert_int_equal(waited.status, 0xFFFF);
    assert_int_equal(wait_for(ids[0], CONTINUED | NOHANG), 0);
    kill(ids[0], SIGSTOP);
    pass();
    kill(ids[0], SIGCONT);
    pass();
    assert_int_equal(wait_for(ids[0], UNTRACED | NOHANG), 0);           /* a stop that is over is not told of */
    assert_int_equal(wait_for(ids[0], CONTINUED | NOHANG), ids[0]);
    kill(ids[0], SIGSTOP);
    pass();
    kill(ids[0], SIGKILL);
    assert_int_equal(wait_for(ids[0], UNTRACED | CONTINUED), ids[0]);
    assert_int_equal(waited.status, SIGKILL);
}

static void stops_and_goings_on_are_waited_for_once(void) { begin(waits_in_every_way); }

static void wants_no_stops(void)
{
    on_signal(SIGCHLD, 100, 1);                         /* SA_NOCLDSTOP */
    ids[0] = fork_into(goes_on_and_on);
    pass();
    kill(ids[0], SIGSTOP);
    pass();
    kill(ids[0], SIGCONT);
    pass();
    HEARD_NOTHING();
    assert_int_equal(wait_for(ids[0], CONTINUED | NOHANG), ids[0]);     /* but it can be waited for */
    kill(ids[0], SIGKILL);
    pass();
    HEARD(CHILD_KILLED);
    assert_int_equal(wait_for(ids[0], 0), ids[0]);
}

static void who_wants_to_hear_of_ends_alone_hears_of_no_stop(void) { begin(wants_no_stops); }

/* A stop that waits is undone by SIGCONT, and a SIGCONT that waits by a stop. */
static void blocks_both(void)
{
    const uint64_t stop = 1ull << (SIGTSTP - 1), on = 1ull << (SIGCONT - 1);
    struct process *self = current_process();

    signal_set_mask(stop | on);
    kill(self->id, SIGTSTP);
    assert_int_equal(self->pending.pending, stop);
    kill(self->id, SIGCONT);
    assert_int_equal(self->pending.pending, on);
    kill(self->id, SIGTSTP);
    assert_int_equal(self->pending.pending, stop);
    kill(self->id, SIGCONT);
    exit_with(0);
}

static void a_stop_and_a_going_on_undo_each_other(void) { begin(blocks_both); }

/* An ordinary signal waits once, and what its second sending says is dropped; real-time ones wait each. */
static void is_sent_twice(void)
{
    struct signal_info info = { .number = SIGUSR1, .code = -1, .sender = 1 };
    uint32_t           blocks;

    signal_set_mask(1ull << (SIGUSR1 - 1) | 1ull << (40 - 1));
    assert_int_equal(signal_process(current_process(), &info), 0);
    blocks = sums().live_blocks;
    assert_int_equal(signal_process(current_process(), &info), 0);
    assert_int_equal(sums().live_blocks, blocks);
    info.number = 40;
    for (unsigned i = 1; i <= 3; i++) {
        assert_int_equal(signal_process(current_process(), &info), 0);
        assert_int_equal(sums().live_blocks, blocks + i);
    }
    on_signal(SIGUSR1, 100, 0);
    on_signal(40, 101, SA_NODEFER);
    signal_set_mask(0);
    back();
    assert_int_equal(handlers_run, 4);
    exit_with(0);
}

static void an_ordinary_signal_waits_once(void) { begin(is_sent_twice); }

int main(void)
{
    const struct CMUnitTest tests[] = {
        in_world(a_parent_hears_of_each_stop_and_each_going_on_once),
        in_world(stops_and_goings_on_are_waited_for_once),
        in_world(who_wants_to_hear_of_ends_alone_hears_of_no_stop),
        in_world(a_stop_and_a_going_on_undo_each_other),
        in_world(an_ordinary_signal_waits_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
