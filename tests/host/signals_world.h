/*
 * signals_world.h - for tests of signals: programs that send signals to themselves, and pass steps that are counted.
 *
 * Included once by each test program.
 */
#ifndef QUIRE_TESTS_SIGNALS_WORLD_H
#define QUIRE_TESTS_SIGNALS_WORLD_H

#include "process_world.h"

#define BIT(number) (1ull << ((number) - 1))

static int32_t  ids[8];
static unsigned passed;                         /* the steps that a program passed */

static inline void begin(void (*program)(void))
{
    memset(ids, 0, sizeof ids);
    passed = 0;
    run_program(program);
}

static inline void sleeps_long(void) { sleep_for(1000 * (uint64_t)TICK); passed++; }

static inline int send(int signal, int code, uint64_t value)
{
    struct signal_info info = { .number = signal, .code = code, .value = value };

    return signal_process(current_process(), &info);
}

static inline int send_to_self(int signal, int code)
{
    struct signal_info info = { .number = signal, .code = code };

    return signal_thread(current_thread(), &info);
}

static inline void thread_that_blocks(void)
{
    signal_set_mask(BIT(SIGUSR1));
    sleeps_long();
}

#endif
