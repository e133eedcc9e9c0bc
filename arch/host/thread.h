/*
 * thread.h (host) - threads of programs do not run here: tests have one, and it is the test itself.
 */
#ifndef QUIRE_ARCH_THREAD_H
#define QUIRE_ARCH_THREAD_H

struct thread_state {
    int none;
};

#endif
