/*
 * process_notes.h - for tests of kernel/process that ask what happened in which order.
 *
 * Programs note() a letter for each thing that happens, and a test compares `order` with the order that it expects.
 * Short programs that many tests start are here as well. Included once by each test program.
 */
#ifndef QUIRE_TESTS_PROCESS_NOTES_H
#define QUIRE_TESTS_PROCESS_NOTES_H

#include "process_world.h"

static char    order[64];                       /* a letter for each thing that happened */
static int32_t ids[8];                          /* of processes or threads, for the test to fill */

static inline void note(char letter)
{
    size_t length = strlen(order);

    assert_true(length + 1 < sizeof order);
    order[length] = letter;
    order[length + 1] = 0;
}

static inline void begin(void (*program)(void))
{
    order[0] = 0;
    memset(ids, 0, sizeof ids);
    run_program(program);
}

static inline void check_families(void)
{
    struct audit_report report;

    if (!audit_full(&report))
        fail_msg("%s: %s", report.failures[0].id, report.failures[0].text);
}

static inline void does_nothing(void)   { }
static inline void exits_with_7(void)   { exit_with(7); }
static inline void exits_with_300(void) { thread_exit(300); }
static inline void sleeps_long(void)    { sleep_for(1000000000ull * 1000); }

static inline void member(void)         { give_way(); give_way(); give_way(); give_way(); }

static inline void signals_its_parent(void)
{
    sleep_for(TICK);
    kill(1, SIGUSR1);
    sleep_for(5 * TICK);
}

static inline void act_as(uint32_t user)
{
    assert_int_equal(credentials_set_user((struct user_numbers){ user, user, 0, 0 }), 0);
}

#endif
