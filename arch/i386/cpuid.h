/*
 * cpuid.h (i386) - the instruction CPUID.
 *
 * Source   Intel SDM vol. 2A, "CPUID". An i686 has the instruction (boot/start.S looks).
 */
#ifndef QUIRE_ARCH_CPUID_H
#define QUIRE_ARCH_CPUID_H

#include "base/types.h"

struct cpuid_answer { uint32_t a, b, c, d; };

/* Read a leaf, subleaf 0. The contents of a leaf beyond the last (given by leaf 0) are undefined. */
static inline struct cpuid_answer cpuid(uint32_t leaf)
{
    struct cpuid_answer r = { leaf, 0, 0, 0 };

    __asm__("cpuid" : "+a"(r.a), "=b"(r.b), "+c"(r.c), "=d"(r.d));
    return r;
}

#endif
