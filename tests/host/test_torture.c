/*
 * test_torture.c - a checked kernel's switches: what their words turn on, at which events each acts, and whose
 * allocations fail.
 */
#include "process_world.h"

#include "memory/tables/cursor.h"
#include "process/torture.c"

#define PAGES_AT (PROGRAM_PAGE + 16 * PAGE_SIZE)

static char    story[64];                       /* a letter for each thing that happened */
static int32_t child;

static void say(char letter)
{
    size_t length = strlen(story);

    assert_true(length + 1 < sizeof story);
    story[length] = letter;
    story[length + 1] = 0;
}

/* As at the start of a kernel. */
static void forget(void)
{
    memset(every, 0, sizeof every);
    memset(events, 0, sizeof events);
    may_order      = false;
    done           = (struct torture_done){ 0 };
    order.thread   = NULL;
    order.active   = false;
    room_answers   = NULL;
    switch_watcher = NULL;
    sleep_watcher  = NULL;
    story[0]       = 0;
}

static void run_with(const char *line, void (*program)(void))
{
    forget();
    assert_null(torture_note(line));
    run_program(program);
    forget();
}

static struct space *own_space(void) { return &current_process()->memory->space; }

static void lock_own_page(void) { assert_int_equal(map_lock(own_space(), PROGRAM_PAGE, PAGE_SIZE, false), 0); }

static void touch(size_t pages)
{
    map_pages_at(own_space(), PAGES_AT, pages);
    for (size_t n = 0; n < pages; n++)
        set_word(PAGES_AT + n * PAGE_SIZE, (uint32_t)n + 7);
}

static void look(size_t pages)
{
    for (size_t n = 0; n < pages; n++)
        assert_int_equal(word_at(PAGES_AT + n * PAGE_SIZE), n + 7);
}

static entry_t entry_of(size_t page)
{
    struct cursor c;
    entry_t       entry;

    assert_int_equal(cursor_open(&c, own_space(), span_of(page_of(PAGES_AT) + page, 1), 0), 0);
    entry = cursor_read(&c, page_of(PAGES_AT) + page);
    cursor_close(&c);
    return entry;
}

static bool is_there(size_t page) { return entry_present(entry_of(page)); }

/* ---- Words -------------------------------------------------------------------------------------------- */

static void each_word_says_which_switch_and_how_often(void)
{
    static const struct {
        const char *line;
        uint32_t    every[SWITCHES];
        bool        orders;
    } said_so[] = {
        { "", { 0 }, false },
        { "quiet init=/bin/sh", { 0 }, false },
        { "torture=evict", { [EVICT] = 1 }, false },
        { "torture=evict,hand,move,tables,switch", { 1, 1, 1, 1, 1, 0 }, false },
        { "quiet torture=hand:7 init=/bin/sh", { [HAND] = 7 }, false },
        { "torture=fail", { 0 }, true },
        { "torture=fail:12", { [FAIL] = 12 }, false },
        { "torture=fail,fail:3,move:4294967295", { [FAIL] = 3, [MOVE] = UINT32_MAX }, true },
        { "torture=tables:1,switch:2", { [TABLES] = 1, [SWITCH] = 2 }, false },
        { "notorture=evict", { 0 }, false },
        { "notorture=evict torture=move:2", { [MOVE] = 2 }, false },
        { "torture=evict torture=hand", { [EVICT] = 1 }, false },
    };

    for (unsigned i = 0; i < COUNT_OF(said_so); i++) {
        forget();
        assert_null(torture_note(said_so[i].line));
        for (unsigned which = 0; which < SWITCHES; which++)
            if (every[which] != said_so[i].every[which])
                fail_msg("%s: %s at each %u", said_so[i].line, switch_names[which], every[which]);
        assert_int_equal(may_order, said_so[i].orders);
    }
    forget();
}

static void what_is_no_switch_is_said(void)
{
    static const char *const wrong[] = {
        "torture=", "torture=,", "torture= evict", "torture=evict,", "torture=evict,,hand", "torture=evict:",
        "torture=evict:0", "torture=evict:4294967296", "torture=evict:x", "torture=evict:2x", "torture=evicts",
        "torture=evic", "torture=swap", "torture=evict;hand", "quiet torture=hand:",
    };

    for (unsigned i = 0; i < COUNT_OF(wrong); i++) {
        const char *words;

        forget();
        words = torture_note(wrong[i]);
        if (words == NULL || strncmp(words, "torture= knows evict, hand,", 27) != 0)
            fail_msg("%s is taken for a switch", wrong[i]);
    }
    forget();
}

static void only_a_word_makes_the_kernel_watch(void)
{
    forget();
    assert_null(torture_note("quiet"));
    assert_true(room_answers == NULL && switch_watcher == NULL && sleep_watcher == NULL);
    assert_null(torture_note("torture=evict"));
    assert_true(room_answers != NULL && switch_watcher != NULL && sleep_watcher == NULL);
    assert_null(torture_note("torture=switch"));
    assert_non_null(sleep_watcher);
    forget();
}

/* ---- Pages -------------------------------------------------------------------------------------------- */

enum { PAGES = 20, ASKED_FOR = 4 };

static void makes_calls_that_cost_pages(void)
{
    touch(PAGES);
    for (unsigned call = 1; call <= 24; call++) {
        torture_call_begins();
        torture_call_ends();
        assert_int_equal(own_space()->swapped, call / 3);
        assert_int_equal(torture_done().evicted, call / 3);
    }
    for (size_t n = 0; n < PAGES; n++)
        assert_int_equal(is_there(n), n >= 8);  /* one after the other */
    look(PAGES);
    assert_int_equal(torture_done().moved + torture_done().cold + torture_done().dropped, 0);
}

static void pages_leave_at_each_third_call(void) { run_with("torture=evict:3", makes_calls_that_cost_pages); }

/* Of two pages that are asked for in turn one leaves each time, as long as nobody says so. */
static void faults(void)
{
    touch(PAGES);
    for (unsigned fault = 0; fault < 3 * PAGES; fault++)
        torture_fault(own_space(), PAGES_AT + ASKED_FOR * PAGE_SIZE + 123);
    for (size_t n = 0; n < PAGES; n++)
        assert_int_equal(is_there(n), n == ASKED_FOR);
    assert_int_equal(torture_done().evicted, PAGES - 1);
    look(PAGES);
}

static void faults_cost_all_pages_but_those_asked_for(void) { run_with("torture=evict", faults); }

static void makes_calls_that_move_pages(void)
{
    frame_t  before[PAGES];
    uint32_t resident;

    touch(PAGES);
    resident = own_space()->resident;
    for (size_t n = 0; n < PAGES; n++)
        before[n] = entry_frame(entry_of(n));
    for (unsigned call = 1; call <= 2 * PAGES; call++) {
        torture_call_ends();
        assert_int_equal(torture_done().moved, call / 2);
        for (size_t n = 0; n < PAGES; n++)
            assert_int_equal(frame_is(entry_frame(entry_of(n)), before[n]), n >= call / 2);
    }
    assert_int_equal(own_space()->resident, resident);
    assert_int_equal(torture_done().evicted, 0);
    look(PAGES);
}

static void pages_move_at_each_second_call(void) { run_with("torture=move:2", makes_calls_that_move_pages); }

static void makes_calls_that_cost_entries(void)
{
    touch(2);
    map_pages_at(own_space(), PAGES_AT + 8 * PAGE_SIZE, 6);
    for (unsigned call = 1; call <= 12; call++) {
        for (size_t n = 8; n < 14; n++)
            assert_int_equal(word_at(PAGES_AT + n * PAGE_SIZE), 0);         /* a frame of zeros, which all share */
        torture_call_ends();
        assert_int_equal(is_there(8), call % 4 != 0);
        assert_int_equal(torture_done().dropped, call / 4 * 6);
        assert_true(is_there(0));
    }
    assert_int_equal(torture_done().evicted, 0);
}

static void entries_go_at_each_fourth_call(void) { run_with("torture=tables:4", makes_calls_that_cost_entries); }

static void makes_calls_that_turn_the_hand(void)
{
    uint32_t out = 0;

    lock_own_page();
    touch(PAGES);
    for (unsigned call = 1; call <= 400; call++) {
        torture_call_ends();
        assert_true(call % 5 == 0 || own_space()->swapped == out);
        out = own_space()->swapped;
        assert_int_equal(torture_done().cold, out);
    }
    assert_int_equal(out, PAGES);
    assert_int_equal(torture_done().evicted, 0);
    look(PAGES);
}

static void the_hand_looks_at_each_fifth_call(void) { run_with("torture=hand:5", makes_calls_that_turn_the_hand); }

/* Who is about to end lets others be, and so does the hand while memory is coming. */
static void ends_while_the_hand_turns(void)
{
    touch(PAGES);
    current_process()->exiting = true;
    for (unsigned call = 1; call <= 100; call++)
        torture_call_ends();
    current_process()->exiting = false;
    assert_int_equal(torture_done().cold, 0);
    assert_int_equal(own_space()->swapped, 0);
}

static void for_who_ends_the_hand_does_not_look(void) { run_with("torture=hand", ends_while_the_hand_turns); }

/* As at an exit, whose memory has gone. */
static void makes_calls_without_memory(void)
{
    struct shared_space *memory = current_process()->memory;

    touch(PAGES);
    current_process()->memory = NULL;
    for (unsigned call = 1; call <= 10; call++)
        torture_call_ends();
    current_process()->memory = memory;
    assert_int_equal(torture_done().evicted, 0);
    torture_call_ends();
    assert_int_equal(torture_done().evicted, 1);
}

static void calls_without_memory_cost_nothing(void) { run_with("torture=evict", makes_calls_without_memory); }

/* ---- Turns -------------------------------------------------------------------------------------------- */

static void says_b(void)
{
    for (unsigned i = 0; i < 4; i++) {
        say('b');
        schedule();
    }
}

static void may_sleep_often(void)
{
    child = fork_into(says_b);
    give_way();
    assert_null(torture_note("torture=switch:3"));
    for (unsigned i = 0; i < 9; i++) {
        may_sleep();
        say('a');
    }
    assert_int_equal(torture_done().switched, 3);
    sleep_watcher = NULL;
    assert_int_equal(wait_for(child, 0), child);
}

static void at_each_third_place_another_runs(void)
{
    forget();
    run_program(may_sleep_often);
    assert_string_equal(story, "baabaaabaaaba");
    forget();
}

static void may_sleep_alone(void)
{
    for (unsigned i = 0; i < 9; i++)
        may_sleep();
    assert_int_equal(torture_done().switched, 0);
    assert_int_equal(events[SWITCH], 0);
}

/* A thread that computes after such a switch has a short turn, and so have those behind it. */
static void compute(char first, char second)
{
    sleep_watcher = NULL;                       /* no switch but the one that has been */
    for (unsigned i = 0; i < 3; i++) {
        say(first);
        pass_time(SHORT_TURN - 1);
        back();
        say(second);
        pass_time(1);
        back();
    }
}

static void computes_as_well(void)
{
    schedule();
    compute('b', '.');
}

static void computes_after_a_switch(void)
{
    child = fork_into(computes_as_well);
    give_way();
    assert_null(torture_note("torture=switch"));
    may_sleep();
    compute('a', '-');
    assert_int_equal(torture_done().switched, 1);
    assert_int_equal(wait_for(child, 0), child);
}

static void turns_are_short_then(void)
{
    forget();
    run_program(computes_after_a_switch);
    assert_string_equal(story, "b.a-b.a-b.a-");
    forget();
}

/* Neither where nobody else is ready, nor in the idle thread, which gives way to all. */
static void without_another_nobody_is_switched(void)
{
    run_with("torture=switch", may_sleep_alone);
    assert_null(torture_note("torture=switch"));
    start_program(may_sleep_alone);
    may_sleep();
    assert_int_equal(torture_done().switched, 0);
    run();
    forget();
}

/* ---- Failures ----------------------------------------------------------------------------------------- */

static int take_frame(void)
{
    frame_t frame;
    int     err = frame_get(OWNER_TEST, 0, &frame);

    if (err == 0)
        frame_put(frame);
    return err;
}

static bool take_block(void)
{
    void *block = hidden(heap_alloc(100, 0));

    heap_free(block);
    return block != NULL;
}

/* As a program does by /proc/quire/torture: the call that writes the order is not yet the one that fails. */
static void order_by_call(const char *text)
{
    torture_call_begins();
    assert_int_equal(torture_order(text), 0);
    for (unsigned i = 0; i < 3; i++)
        assert_true(take_frame() == 0 && take_block());
    torture_call_ends();
}

static void orders_wrongly(void)
{
    static const char *const wrong[] = {
        "", "frame", "frame ", "frame 0", "frame x", "frame 4294967296", "block 1", "fram 1", "heap:1", "again -1",
    };
    static const char *const right[] = { "frame 1", "frame 4294967295", "heap 7", "again 2" };

    for (unsigned i = 0; i < COUNT_OF(wrong); i++)
        assert_int_equal(torture_order(wrong[i]), -EINVAL);
    assert_null(order.thread);
    for (unsigned i = 0; i < COUNT_OF(right); i++)
        assert_int_equal(torture_order(right[i]), 0);
    may_order = false;
    assert_int_equal(torture_order("frame 1"), -EPERM);
    assert_int_equal(torture_order("nothing"), -EPERM);
}

static void orders_name_what_fails_and_when(void) { run_with("torture=fail", orders_wrongly); }

static void orders_a_frame(void)
{
    lock_own_page();
    touch(PAGES);
    order_by_call("frame 2");
    assert_int_equal(torture_done().failed, 0);
    torture_call_begins();
    assert_true(take_block() && take_block());
    assert_int_equal(take_frame(), 0);
    assert_int_equal(take_frame(), -ENOMEM);
    assert_false(make_room(1));                         /* though pages could go */
    assert_int_equal(own_space()->swapped, 0);
    assert_int_equal(take_frame(), 0);                  /* once */
    assert_true(make_room(1));                          /* and for what is refused by itself there is room as ever */
    torture_call_ends();
    assert_true(torture_done().hit);
    assert_int_equal(torture_done().failed, 1);
    torture_call_begins();
    for (unsigned i = 0; i < 4; i++)
        assert_int_equal(take_frame(), 0);
    torture_call_ends();
    assert_int_equal(torture_done().failed, 1);
}

static void the_second_frame_of_the_next_call_is_refused(void) { run_with("torture=fail", orders_a_frame); }

static void orders_a_frame_again(void)
{
    lock_own_page();
    order_by_call("again 3");
    torture_call_begins();
    assert_int_equal(take_frame(), 0);
    assert_int_equal(take_frame(), 0);
    assert_false(make_room(1));                         /* no page may go, and nothing has been refused yet */
    assert_int_equal(take_frame(), -ENOMEM);
    assert_true(make_room(1));
    assert_false(make_room(1));
    torture_call_ends();
    assert_true(torture_done().hit);
    assert_false(make_room(1));
}

static void with_again_there_is_room_for_a_second_try(void) { run_with("torture=fail", orders_a_frame_again); }

static void orders_a_block(void)
{
    lock_own_page();
    touch(PAGES);
    order_by_call("heap 2");
    torture_call_begins();
    for (unsigned i = 0; i < 4; i++)
        assert_int_equal(take_frame(), 0);
    assert_true(take_block());
    assert_false(take_block());
    assert_true(make_room(1));                          /* for a block nobody answers */
    assert_true(take_block());
    torture_call_ends();
    assert_true(torture_done().hit);
    assert_int_equal(torture_done().failed, 1);
}

static void the_second_block_of_the_next_call_is_refused(void) { run_with("torture=fail", orders_a_block); }

static void orders_more_than_is_taken(void)
{
    static const char *const many[] = { "frame 100", "heap 100", "again 100" };

    for (unsigned i = 0; i < COUNT_OF(many); i++) {
        order_by_call(many[i]);
        torture_call_begins();
        assert_true(take_frame() == 0 && take_block());
        torture_call_ends();
        assert_false(torture_done().hit);
        assert_int_equal(torture_done().failed, 0);
        assert_int_equal(frame_fail_left() + heap_fail_left(), 0);
        assert_null(order.thread);
    }
    order_by_call("frame 100");
    order_by_call("heap 1");                            /* the order that counts is the last */
    assert_int_equal(frame_fail_left(), 0);
    torture_call_begins();
    assert_false(take_block());
    torture_call_ends();
    assert_true(torture_done().hit);
}

static void an_order_ends_with_its_call(void) { run_with("torture=fail", orders_more_than_is_taken); }

static void has_each_call_fail_once(void)
{
    lock_own_page();
    for (unsigned call = 1; call <= 5; call++) {
        torture_call_begins();
        assert_int_equal(take_frame(), 0);
        assert_int_equal(take_frame(), 0);
        assert_int_equal(take_frame(), -ENOMEM);
        assert_true(make_room(1));
        for (unsigned i = 0; i < 5; i++)
            assert_int_equal(take_frame(), 0);
        torture_call_ends();
        assert_int_equal(torture_done().failed, call);
    }
    assert_int_equal(torture_order("frame 1"), -EPERM); /* the number alone lets nobody order */
    for (unsigned i = 0; i < 5; i++)
        assert_int_equal(take_frame(), 0);              /* outside of calls nothing fails */
}

static void in_each_call_the_third_frame_is_refused(void) { run_with("torture=fail:3", has_each_call_fail_once); }

/* What others take meanwhile is not counted, and for them there is no more room than there is. */
static void takes_frames(void)
{
    torture_call_begins();
    for (unsigned i = 0; i < 6; i++)
        assert_true(take_frame() == 0 && take_block());
    assert_false(make_room(1));
    torture_call_ends();
    say('t');
}

static void waits_in_its_call(void)
{
    static const char *const orders[] = { "frame 2", "heap 2", "again 2" };

    for (unsigned i = 0; i < COUNT_OF(orders); i++) {
        child = fork_into(takes_frames);
        order_by_call(orders[i]);
        torture_call_begins();
        assert_true(take_frame() == 0 && take_block());
        schedule();
        assert_int_equal(strlen(story), i + 1);
        assert_false(i == 1 ? take_block() : take_frame() == 0);
        torture_call_ends();
        assert_true(torture_done().hit);
        assert_int_equal(torture_done().failed, i + 1);
        assert_int_equal(wait_for(child, 0), child);
    }
}

static void only_what_the_thread_takes_is_counted(void) { run_with("torture=fail", waits_in_its_call); }

static void has_its_own_failure(void)
{
    torture_call_begins();
    assert_int_equal(take_frame(), 0);
    assert_int_equal(take_frame(), -ENOMEM);
    torture_call_ends();
    say('f');
}

/* A failure that nobody ordered is left to others by who waits. */
static void waits_without_an_order(void)
{
    child = fork_into(has_its_own_failure);
    torture_call_begins();
    assert_int_equal(take_frame(), 0);
    schedule();
    assert_string_equal(story, "f");
    for (unsigned i = 0; i < 3; i++)
        assert_int_equal(take_frame(), 0);
    torture_call_ends();
    assert_int_equal(torture_done().failed, 1);
    assert_int_equal(wait_for(child, 0), child);
}

static void who_waits_lets_others_have_their_failures(void) { run_with("torture=fail:2", waits_without_an_order); }

/* Another thread's order is not for this one's call, and not begun by it. */
static void calls_beside_an_order(void)
{
    torture_call_begins();
    assert_int_equal(take_frame(), 0);
    assert_int_equal(take_frame(), 0);
    torture_call_ends();
    say('c');
}

static void orders_and_lets_another_call(void)
{
    child = fork_into(calls_beside_an_order);
    order_by_call("frame 1");
    schedule();
    assert_string_equal(story, "c");
    torture_call_begins();
    assert_int_equal(take_frame(), -ENOMEM);
    torture_call_ends();
    assert_int_equal(torture_done().failed, 1);
    assert_int_equal(wait_for(child, 0), child);
}

static void another_thread_does_not_carry_out_the_order(void)
{
    run_with("torture=fail", orders_and_lets_another_call);
}

static void orders_and_ends(void)
{
    order_by_call("frame 50");
    torture_call_begins();
    exit_with(0);
}

static void outlives_who_ordered(void)
{
    child = fork_into(orders_and_ends);
    assert_int_equal(wait_for(child, 0), child);
    assert_null(order.thread);
    assert_int_equal(frame_fail_left(), 0);
    has_its_own_failure();
}

/* The order of a thread that has ended is nobody's. */
static void an_order_ends_with_its_thread(void) { run_with("torture=fail,fail:2", outlives_who_ordered); }

int main(void)
{
    const struct CMUnitTest tests[] = {
        in_world(each_word_says_which_switch_and_how_often),
        in_world(what_is_no_switch_is_said),
        in_world(only_a_word_makes_the_kernel_watch),
        in_world(pages_leave_at_each_third_call),
        in_world(pages_move_at_each_second_call),
        in_world(entries_go_at_each_fourth_call),
        in_world(the_hand_looks_at_each_fifth_call),
        in_world(for_who_ends_the_hand_does_not_look),
        in_world(calls_without_memory_cost_nothing),
        in_world(at_each_third_place_another_runs),
        in_world(turns_are_short_then),
        in_world(without_another_nobody_is_switched),
        in_world(orders_name_what_fails_and_when),
        in_world(the_second_frame_of_the_next_call_is_refused),
        in_world(with_again_there_is_room_for_a_second_try),
        in_world(the_second_block_of_the_next_call_is_refused),
        in_world(an_order_ends_with_its_call),
        in_world(in_each_call_the_third_frame_is_refused),
        in_world(only_what_the_thread_takes_is_counted),
        in_world(who_waits_lets_others_have_their_failures),
        in_world(another_thread_does_not_carry_out_the_order),
        in_world(an_order_ends_with_its_thread),
        in_world(faults_cost_all_pages_but_those_asked_for),        /* the last: its page stays spared */
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
