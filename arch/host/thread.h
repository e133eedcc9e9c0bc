/*
 * thread.h (host) - threads of programs do not run here, but where a test lets them (tests/host/process_world.h).
 */
#ifndef QUIRE_ARCH_THREAD_H
#define QUIRE_ARCH_THREAD_H

#include "base/types.h"

enum { TLS_SLOTS = 3, TLS_FIRST = 6, FPU_BYTES = 512 };        /* as on an i386 */

struct thread_state {
    void    *of_test;                   /* what a test has for this thread                    */
    uint32_t trap, error;               /* of its last exception that raised a signal, as its handlers are told */
    uint32_t fault_address;
};

#endif
