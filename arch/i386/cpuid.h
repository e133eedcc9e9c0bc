/*
 * cpuid.h (i386) - what the processor says of itself, leaf by leaf.
 *
 * Source   Intel SDM vol. 2A, "CPUID". An i686 has the instruction (boot/start.S looks).
 */
#ifndef QUIRE_ARCH_CPUID_H
#define QUIRE_ARCH_CPUID_H

#include "base/types.h"

struct cpuid_answer { uint32_t a, b, c, d; };

/* Subleaf 0. A leaf past the last one (leaf 0 says which that is) answers with nonsense. */
static inline struct cpuid_answer cpuid(uint32_t leaf)
{
    struct cpuid_answer r = { leaf, 0, 0, 0 };

    __asm__("cpuid" : "+a"(r.a), "=b"(r.b), "+c"(r.c), "=d"(r.d));
    return r;
}

#endif
