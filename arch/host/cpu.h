/*
 * cpu.h (host) - the processor, as far as portable code needs it, inside a Linux program.
 *
 * arch/contract.h describes each function. A thread stands for a CPU: a test sets host_cpu in
 * each of its threads. Interrupts do not exist; whether they are off is stored for interrupts_were_on().
 *
 * Kernel virtual memory is the *mirror*, a stretch of this program's addresses as long as the
 * machine's address space (machine.h). pointer_to() adds its start. Before machine_start()
 * the mirror starts at 0, so that unit tests may use their pointers as addresses.
 */
#ifndef QUIRE_ARCH_CPU_H
#define QUIRE_ARCH_CPU_H

#include "base/types.h"

#define MAX_CPUS 4

/* In the program itself, so that a thread's own are one instruction away. */
#define HOST_OWN extern _Thread_local __attribute__((tls_model("local-exec")))

HOST_OWN unsigned host_cpu;
extern char *host_mirror;

static inline unsigned cpu_number(void) { return host_cpu; }

HOST_OWN unsigned long host_interrupts_off;

static inline unsigned long interrupts_off(void)
{
    unsigned long state = host_interrupts_off;

    host_interrupts_off = 1;
    return state;
}

/* Defined by a test that asks when interrupts, which were off, are on again. Checked builds tell it. */
void host_interrupts_on(void) __attribute__((weak));

static inline void interrupts_restore(unsigned long state)
{
#ifdef CHECKED
    bool come_on = host_interrupts_off != 0 && state == 0 && host_interrupts_on != NULL;

    host_interrupts_off = state;
    if (come_on)
        host_interrupts_on();
#else
    host_interrupts_off = state;
#endif
}

static inline bool interrupts_were_on(unsigned long state)  { return state == 0; }

/* Answered by tests whose threads wait. */
void cpu_wait(void);
void interrupts_let_in(void);

static inline void cpu_relax(void) { __builtin_ia32_pause(); }

static inline void   *pointer_to(vaddr_t address)     { return host_mirror + address; }
static inline vaddr_t address_of(const void *pointer) { return (vaddr_t)pointer - (vaddr_t)host_mirror; }

#define caller_address() ((vaddr_t)__builtin_return_address(0))
#define TAKES_FROM_STACK                    /* no program begins here */

static inline void words_fill(void *to, uint32_t word, size_t count)
{
    for (uint32_t *at = to; count-- > 0; at++)
        *at = word;
}

static inline void words_copy(void *restrict to, const void *restrict from, size_t count)
{
    __builtin_memcpy(to, from, count * 4);
}

static inline int bytes_compare(const void *a, const void *b, size_t n)
{
    return __builtin_memcmp(a, b, n);
}

static inline uint32_t cpu_divide(uint64_t a, uint32_t b, uint32_t *rest)
{
    *rest = (uint32_t)(a % b);
    return (uint32_t)(a / b);
}

static inline void cpu_page_fill(void *page, uint32_t word) { words_fill(page, word, PAGE_SIZE / 4); }

static inline void cpu_page_copy(void *restrict to, const void *restrict from)
{
    words_copy(to, from, PAGE_SIZE / 4);
}

/* Defined by a test that has a clock of its own. */
uint64_t host_ticks(void) __attribute__((weak));

/* The test's clock; else cycles since some moment, for statistics only. */
static inline uint64_t cpu_ticks(void) { return host_ticks != NULL ? host_ticks() : __builtin_ia32_rdtsc(); }

#endif
