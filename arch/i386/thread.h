/*
 * thread.h (i386) - a thread's state of the processor.
 */
#ifndef QUIRE_ARCH_THREAD_H
#define QUIRE_ARCH_THREAD_H

#include "base/types.h"

enum { TLS_SLOTS = 3, TLS_FIRST = 6, FPU_BYTES = 512 };        /* GDT entries 6, 7, 8 */

struct thread_state {
    uint32_t stack_pointer;             /* while another thread runs                          */
    uint32_t tls[TLS_SLOTS][2];         /* segment descriptors                                */
    void    *fpu;                       /* FPU_BYTES from the heap, NULL until first used      */
    uint32_t trap, error;               /* of its last exception that raised a signal, for handlers: Linux's numbers */
    uint32_t fault_address;             /*   and the exception's address, if it has one        */
};

#endif
