/*
 * cpu.h (i386) - the processor, as far as portable code needs it.
 *
 * arch/contract.h describes each function.
 */
#ifndef QUIRE_ARCH_CPU_H
#define QUIRE_ARCH_CPU_H

#include "base/types.h"

#define MAX_CPUS 1

static inline unsigned cpu_number(void) { return 0; }

#define FLAGS_INTERRUPTS 0x200ul

/* Checked builds measure how long interrupts are off (stretch.c): each function that turns them off or on notes it. */
#ifdef CHECKED
void stretch_begins(void);
void stretch_ends(void);
#else
static inline void stretch_begins(void) {}
static inline void stretch_ends(void) {}
#endif

static inline bool interrupts_were_on(unsigned long flags) { return flags & FLAGS_INTERRUPTS; }

static inline unsigned long interrupts_off(void)
{
    unsigned long flags;

    __asm__ volatile("pushf; pop %0; cli" : "=r"(flags) : : "memory");
    if (interrupts_were_on(flags))
        stretch_begins();
    return flags;
}

static inline void interrupts_restore(unsigned long flags)
{
    if (interrupts_were_on(flags))
        stretch_ends();
    __asm__ volatile("push %0; popf" : : "r"(flags) : "memory", "cc");
}

static inline void interrupts_on(void)
{
    stretch_ends();
    __asm__ volatile("sti" : : : "memory");
}

static inline void interrupts_shut(void)
{
    __asm__ volatile("cli" : : : "memory");
    stretch_begins();
}

/* STI takes effect after the instruction that follows it. */
static inline void interrupts_let_in(void)
{
    stretch_ends();
    __asm__ volatile("sti; nop; cli" : : : "memory");
    stretch_begins();
}

static inline void cpu_raise_unexpected(void) { __asm__ volatile("int $99"); }
static inline void cpu_load_nonsense(void)    { __asm__ volatile("movl %0, %%fs" : : "r"(0xFFFC)); }

static inline void cpu_relax(void) { __asm__ volatile("pause"); }

/* Here, too: no interrupt is handled before the sleep. */
static inline void cpu_wait(void)
{
    stretch_ends();
    __asm__ volatile("sti; hlt; cli" : : : "memory");
    stretch_begins();
}

static inline void   *pointer_to(vaddr_t address)      { return (void *)address; }
static inline vaddr_t address_of(const void *pointer)  { return (vaddr_t)pointer; }

#define caller_address() ((vaddr_t)__builtin_return_address(0))
#define TAKES_FROM_STACK __attribute__((regparm(0)))

static inline void words_fill(void *to, uint32_t word, size_t count)
{
    __asm__ volatile("rep stosl" : "+D"(to), "+c"(count) : "a"(word) : "memory");
}

static inline void words_copy(void *restrict to, const void *restrict from, size_t count)
{
    __asm__ volatile("rep movsl" : "+D"(to), "+S"(from), "+c"(count) : : "memory");
}

static inline int bytes_compare(const void *a, const void *b, size_t n)
{
    bool above, below;

    __asm__("cmpl %%eax, %%eax\n\trepe cmpsb"         /* none are equal */
            : "=@cca"(above), "=@ccb"(below), "+S"(a), "+D"(b), "+c"(n) : : "memory");
    return above - below;
}

static inline uint32_t cpu_divide(uint64_t a, uint32_t b, uint32_t *rest)
{
    uint32_t quotient;

    __asm__("divl %4" : "=a"(quotient), "=d"(*rest) : "a"((uint32_t)a), "d"((uint32_t)(a >> 32)), "r"(b) : "cc");
    return quotient;
}

void cpu_page_fill(void *page, uint32_t word);
void cpu_page_copy(void *restrict to, const void *restrict from);

void cpu_start(void);

/* Intel SDM vol. 2, "RDRAND". */
static inline uint64_t cpu_random(void)
{
    enum { HAS_RDRAND = 1 << 30 };
    uint32_t a = 1, b, c, d, low = 0, high = 0;

    __asm__("cpuid" : "+a"(a), "=b"(b), "=c"(c), "=d"(d));
    if (c & HAS_RDRAND)
        __asm__ volatile("rdrand %0; rdrand %1" : "=r"(low), "=r"(high) : : "cc");
    return (uint64_t)high << 32 | low;
}

static inline uint64_t cpu_ticks(void)
{
    uint32_t low, high;

    __asm__ volatile("rdtsc" : "=a"(low), "=d"(high));
    return (uint64_t)high << 32 | low;
}

#endif
