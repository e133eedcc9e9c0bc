/*
 * thread.h (host) - threads of programs do not run here, but where a test lets them (tests/host/process_world.h).
 */
#ifndef QUIRE_ARCH_THREAD_H
#define QUIRE_ARCH_THREAD_H

struct thread_state {
    void *of_test;                      /* what a test has for this thread */
};

#endif
