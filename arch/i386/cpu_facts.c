/*
 * cpu_facts.c - facts about the processor, from CPUID, for people and programs.
 *
 * Source: Intel SDM vol. 2A, "CPUID"; names of flags as in Linux's /proc/cpuinfo.
 */
#include "arch/contract.h"

#include "base/string.h"
#include "cpuid.h"

static const struct { uint8_t word, bit; char name[12]; } names[] = {
    { 0, 0, "fpu" }, { 0, 1, "vme" }, { 0, 2, "de" }, { 0, 3, "pse" }, { 0, 4, "tsc" }, { 0, 5, "msr" },
    { 0, 6, "pae" }, { 0, 7, "mce" }, { 0, 8, "cx8" }, { 0, 9, "apic" }, { 0, 11, "sep" }, { 0, 12, "mtrr" },
    { 0, 13, "pge" }, { 0, 15, "cmov" }, { 0, 16, "pat" }, { 0, 23, "mmx" }, { 0, 24, "fxsr" }, { 0, 25, "sse" },
    { 0, 26, "sse2" }, { 2, 20, "nx" }, { 1, 0, "pni" }, { 1, 9, "ssse3" }, { 1, 13, "cx16" }, { 1, 19, "sse4_1" },
    { 1, 20, "sse4_2" }, { 1, 23, "popcnt" }, { 1, 25, "aes" }, { 1, 26, "xsave" }, { 1, 28, "avx" },
    { 1, 30, "rdrand" }, { 1, 31, "hypervisor" },
};

bool cpu_fact_flag(const struct cpu_facts *facts, unsigned n, char *name, size_t size)
{
    if (n >= COUNT_OF(names))
        return false;
    text_copy(name, facts->flags[names[n].word] >> names[n].bit & 1 ? names[n].name : "", size);
    return true;
}

void cpu_facts(struct cpu_facts *out)
{
    struct cpuid_answer maker = cpuid(0), what = cpuid(1), more = cpuid(0x80000000);

    *out = (struct cpu_facts){ .family = what.a >> 8 & 15, .model = what.a >> 4 & 15, .stepping = what.a & 15,
                               .flags = { what.d, what.c, 0 } };
    if (out->family == 15)
        out->family += what.a >> 20 & 255;
    if (out->family == 6 || out->family >= 15)
        out->model |= (what.a >> 16 & 15) << 4;
    memcpy(out->maker, &maker.b, 4);
    memcpy(out->maker + 4, &maker.d, 4);
    memcpy(out->maker + 8, &maker.c, 4);
    text_copy(out->name, "unknown", sizeof out->name);
    if (more.a >= 0x80000001)
        out->flags[2] = cpuid(0x80000001).d;
    if (more.a < 0x80000004)
        return;
    for (uint32_t i = 0; i < 3; i++) {
        struct cpuid_answer part = cpuid(0x80000002 + i);

        memcpy(out->name + 16 * i, &part, 16);
    }
    out->name[48] = '\0';
}

uint32_t cpu_capabilities(void) { return cpuid(1).d; }
