/*
 * cpu_facts.h - what the processor says of itself, for people (/proc/cpuinfo).
 */
#ifndef QUIRE_ARCH_CPU_FACTS_H
#define QUIRE_ARCH_CPU_FACTS_H

#include "base/types.h"

struct cpu_facts {
    char     maker[16], name[64];
    unsigned family, model, stepping;
    uint32_t flags[3];                      /* the port's own                                    */
};
void cpu_facts(struct cpu_facts *out);

/* The n-th flag that can be named: "" when the processor lacks it. False when there are no more. */
bool cpu_fact_flag(const struct cpu_facts *facts, unsigned n, char *name, size_t size);

/* AT_HWCAP: what CPUID says in EDX of leaf 1. */
uint32_t cpu_capabilities(void);

#endif
