/*
 * test_usage.c - processor time of a process and its children, and the limit of it.
 */
#include "process_notes.h"

static void uses(void)
{
    struct thread *self = current_thread();

    tick();
    tick();
    self->used.system_time = 3;
    self->used.faults_minor = 4;
    self->used.faults_major = 5;
    self->used.reads = 6;
    self->used.bytes_read = 7;
    self->used.writes = 8;
    self->used.bytes_written = 9;
    set_word(PROGRAM_PAGE, 1);
    current_process()->used.system_time = 5;                    /* of threads that have ended */
    assert_int_equal(process_time(current_process()), 2 * TICK + 5);
    assert_int_equal(thread_time(self), 2 * TICK);
    assert_int_equal(process_time(current_process()->parent), 0);
}

static void counts_usage(void)
{
    struct resource_usage own;

    ids[0] = fork_into(uses);
    assert_int_equal(wait_for(-1, 0), ids[0]);
    assert_int_equal(waited.usage.user_time, 2 * TICK);
    assert_int_equal(waited.usage.system_time, 8);
    assert_int_equal(waited.usage.faults_minor, 4);
    assert_int_equal(waited.usage.faults_major, 5);
    assert_int_equal(waited.usage.reads, 6);
    assert_int_equal(waited.usage.bytes_read, 7);
    assert_int_equal(waited.usage.writes, 8);
    assert_int_equal(waited.usage.bytes_written, 9);
    assert_int_equal(waited.usage.switches_involuntary, 0);
    assert_int_equal(waited.usage.peak, 1);
    ids[0] = fork_into(uses);
    assert_int_equal(wait_for(-1, 0), ids[0]);
    assert_int_equal(current_process()->children_used.user_time, 4 * TICK);
    assert_int_equal(current_process()->children_used.writes, 16);
    assert_int_equal(current_process()->children_used.peak, 1);         /* the largest, and no sum */
    ids[1] = fork_into(exits_with_7);
    give_way();
    process_usage(process_find(ids[1]), &own);          /* a zombie, whose memory has gone */
    assert_int_equal(own.peak, process_find(ids[1])->used.peak);
    assert_int_equal(wait_for(ids[1], 0), ids[1]);
    process_usage(current_process(), &own);
    assert_int_equal(own.user_time, 0);
    assert_int_equal(own.peak, 0);
    set_word(PROGRAM_PAGE, 1);
    process_usage(current_process(), &own);
    assert_int_equal(own.peak, 1);
    current_process()->used.peak = 9;                                   /* of a program before exec */
    process_usage(current_process(), &own);
    assert_int_equal(own.peak, 9);
    usage_keep_peak(current_process());
    assert_int_equal(current_process()->used.peak, 9);                  /* the larger one stays */
    current_process()->used.peak = 0;
    usage_keep_peak(current_process());
    assert_int_equal(current_process()->used.peak, 1);
    current_thread()->used.bytes_read = 11;
    current_process()->used.bytes_read = 4;
    process_usage(current_process(), &own);
    assert_int_equal(own.bytes_read, 15);
}

static void a_wait_tells_what_a_child_has_used(void) { begin(counts_usage); }

static void has_a_child_that_uses(void)
{
    int id = fork_into(uses);

    assert_int_equal(wait_for(id, 0), id);
    tick();
}

/* What a child has heard of its own children is told with it; what it has not is lost. */
static void counts_grandchildren(void)
{
    int id = fork_into(has_a_child_that_uses);

    assert_int_equal(wait_for(id, 0), id);
    assert_int_equal(waited.usage.user_time, 3 * TICK);
    assert_int_equal(waited.usage.bytes_written, 9);
    assert_int_equal(current_process()->children_used.user_time, 3 * TICK);
}

static void a_wait_tells_what_grandchildren_have_used(void) { begin(counts_grandchildren); }

static unsigned warnings, warned_at[16];         /* the ticks at which a handler had run */

static void spins(void)
{
    for (int i = 0; i < 1000; i++) {
        tick();
        back();
        if (handlers_run > warnings) {
            warned_at[warnings++] = i;
            handler_returns();
        }
    }
}

static void has_two_seconds(void)
{
    struct process *self = current_process();

    warnings = 0;
    self->limits[RLIMIT_CPU] = (struct limit){ 2, 4 };
    on_signal(SIGXCPU, 100, 0);
    process_watch_cpu_limit(self);
    spins();
}

static void rlimit_cpu_warns_each_second_and_then_kills(void)
{
    begin(has_two_seconds);
    assert_int_equal(warnings, 2);                /* at 2 s and 3 s; at 4 s the program ends */
    assert_int_equal(warned_at[0], 199);
    assert_int_equal(warned_at[1], 299);
    assert_int_equal(handled[0].info.code, SI_KERNEL);
}

static void spins_without_a_limit(void)
{
    struct process *self = current_process();

    self->limits[RLIMIT_CPU] = (struct limit){ LIMIT_NONE, LIMIT_NONE };
    process_watch_cpu_limit(self);
    for (int i = 0; i < 1000; i++) {
        tick();
        back();
    }
}

static void has_two_seconds_in_turns(void)
{
    struct process *self = current_process();

    warnings = 0;
    self->limits[RLIMIT_CPU] = (struct limit){ 2, 4 };
    on_signal(SIGXCPU, 100, 0);
    process_watch_cpu_limit(self);
    fork_into(spins_without_a_limit);
    spins();
}

/* Ticks of the program's own: those that another program has used do not count. */
static void only_a_programs_own_turns_count(void)
{
    begin(has_two_seconds_in_turns);
    assert_int_equal(warnings, 2);
    assert_in_range(warned_at[0], 195, 205);
    assert_in_range(warned_at[1], 295, 305);
}

/* Each count by itself; of the most pages the larger. */
static void each_count_is_added_to_its_own(void **state)
{
    struct resource_usage sum;
    struct resource_usage more = { .user_time = 100, .system_time = 200, .faults_minor = 300, .faults_major = 400,
                                   .switches_voluntary = 500, .switches_involuntary = 600, .reads = 700,
                                   .bytes_read = 800, .writes = 900, .bytes_written = 1000, .peak = 60 };

    (void)state;
    sum = (struct resource_usage){ .user_time = 1, .system_time = 2, .faults_minor = 3, .faults_major = 4,
                                   .switches_voluntary = 5, .switches_involuntary = 6, .reads = 7, .bytes_read = 8,
                                   .writes = 9, .bytes_written = 10, .peak = 50 };
    usage_add(&sum, &more);
    assert_int_equal(sum.user_time, 101);
    assert_int_equal(sum.system_time, 202);
    assert_int_equal(sum.faults_minor, 303);
    assert_int_equal(sum.faults_major, 404);
    assert_int_equal(sum.switches_voluntary, 505);
    assert_int_equal(sum.switches_involuntary, 606);
    assert_int_equal(sum.reads, 707);
    assert_int_equal(sum.bytes_read, 808);
    assert_int_equal(sum.writes, 909);
    assert_int_equal(sum.bytes_written, 1010);
    assert_int_equal(sum.peak, 60);
    more.peak = 40;
    usage_add(&sum, &more);
    assert_int_equal(sum.peak, 60);
}

/* Each switch adds up turns once any process has a limit; nobody asks for that without one. */
static void has_no_limit(void)
{
    struct process *self = current_process();

    usage_limits = false;
    self->limits[RLIMIT_CPU] = (struct limit){ LIMIT_NONE, LIMIT_NONE };
    process_watch_cpu_limit(self);
    assert_false(usage_limits);
    assert_true(self->cpu_due == NEVER);
    self->limits[RLIMIT_CPU].soft = UINT64_MAX / 1000000000;            /* more seconds than can be counted */
    process_watch_cpu_limit(self);
    assert_false(usage_limits);
    self->limits[RLIMIT_CPU].soft = 1000000;
    process_watch_cpu_limit(self);
    assert_true(usage_limits);
    assert_true(self->cpu_due == 1000000000ull * 1000000);
    self->used.user_time += 5 * TICK;           /* of threads that have ended: it counts from the first limit on */
    process_watch_cpu_limit(self);
    assert_in_range(self->cpu_time, 5 * TICK, process_time(self));
}

static void without_a_limit_turns_are_not_added_up(void) { begin(has_no_limit); }

static void has_no_second(void)
{
    struct process *self = current_process();

    warnings = 0;
    self->limits[RLIMIT_CPU] = (struct limit){ 0, LIMIT_NONE };
    on_signal(SIGXCPU, 100, 0);
    process_watch_cpu_limit(self);
    assert_int_equal(self->cpu_due, 1000000000);
    self->limits[RLIMIT_CPU] = (struct limit){ LIMIT_NONE, LIMIT_NONE };
    process_watch_cpu_limit(self);
    assert_true(self->cpu_due == UINT64_MAX);
    self->limits[RLIMIT_CPU].soft = UINT64_MAX / 1000000000ull;
    process_watch_cpu_limit(self);
    assert_true(self->cpu_due == UINT64_MAX);
    self->limits[RLIMIT_CPU].soft--;
    process_watch_cpu_limit(self);
    assert_true(self->cpu_due == (UINT64_MAX / 1000000000ull - 1) * 1000000000ull);
}

static void a_limit_of_no_second_is_one_of_one(void) { begin(has_no_second); }

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_count_is_added_to_its_own),
        in_world(a_wait_tells_what_a_child_has_used),
        in_world(a_wait_tells_what_grandchildren_have_used),
        in_world(rlimit_cpu_warns_each_second_and_then_kills),
        in_world(only_a_programs_own_turns_count),
        in_world(without_a_limit_turns_are_not_added_up),
        in_world(a_limit_of_no_second_is_one_of_one),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
