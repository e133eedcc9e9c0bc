/*
 * page.c (i386) - whole pages, sixteen bytes at a time.
 *
 * Most of the cost of a fresh page is clearing it. A string instruction stores four bytes a step, an SSE
 * register sixteen, so a page takes some 300 instructions instead of 1024. The kernel uses SSE only here,
 * and a program's values may be in the registers. So the register used is saved and restored, as is CR0's
 * flag by which the FPU is given to threads lazily. An interrupt in between may call these functions, too:
 * it finds the flag clear and leaves it clear.
 *
 * Source   Intel SDM vol. 3A, "Operating System Support for SSE"; vol. 1, "Programming with SSE".
 */
#include "cpu.h"

enum {
    CR0_MONITOR = 1 << 1, CR0_EMULATE = 1 << 2, CR0_TASK_SWITCHED = 1 << 3, CR4_FXSR = 1 << 9,
    HAS_FXSR = 1 << 24, HAS_SSE = 1 << 25,          /* CPUID leaf 1, EDX */
};

static bool wide;

/*
 * Set CR0's bits of the FPU as they are while threads run, with the FPU shut. An emulator translates code once for each
 * state of these bits.
 */
void cpu_start(void)
{
    uint32_t a = 1, b, c, d, cr;

    __asm__ volatile("cpuid" : "+a"(a), "=b"(b), "=c"(c), "=d"(d));
    if (d & HAS_FXSR) {
        __asm__ volatile("movl %%cr4, %0" : "=r"(cr));
        __asm__ volatile("movl %0, %%cr4" : : "r"(cr | CR4_FXSR));
    }
    __asm__ volatile("movl %%cr0, %0" : "=r"(cr));
    __asm__ volatile("movl %0, %%cr0" : : "r"((cr & ~(uint32_t)CR0_EMULATE) | CR0_MONITOR | CR0_TASK_SWITCHED));
    wide = (d & HAS_FXSR) != 0 && (d & HAS_SSE) != 0;
}

/* The saved XMM0 and CR0. */
struct saved_xmm {
    uint32_t xmm0[4], cr0;
};

static inline void save_xmm(struct saved_xmm *from)
{
    __asm__ volatile("movl %%cr0, %0" : "=r"(from->cr0));
    if (from->cr0 & CR0_TASK_SWITCHED)
        __asm__ volatile("clts");
    __asm__ volatile("movups %%xmm0, %0" : "=m"(from->xmm0));
}

static inline void restore_xmm(const struct saved_xmm *to)
{
    __asm__ volatile("movups %0, %%xmm0" : : "m"(to->xmm0));
    if (to->cr0 & CR0_TASK_SWITCHED)
        __asm__ volatile("movl %0, %%cr0" : : "r"(to->cr0));
}

/* 256 bytes a round, offsets from the end of the page up to 0, so that one ADD also counts. */
#define ROUND(STEP)                                                                     \
    STEP(0x00) STEP(0x10) STEP(0x20) STEP(0x30) STEP(0x40) STEP(0x50) STEP(0x60) STEP(0x70) \
    STEP(0x80) STEP(0x90) STEP(0xA0) STEP(0xB0) STEP(0xC0) STEP(0xD0) STEP(0xE0) STEP(0xF0)
#define FILL(at) "movaps %%xmm0, " #at "(%[to], %[n])\n\t"
#define COPY(at) "movaps " #at "(%[from], %[n]), %%xmm0\n\t" "movaps %%xmm0, " #at "(%[to], %[n])\n\t"

void cpu_page_fill(void *page, uint32_t word)
{
    struct saved_xmm xmm;
    intptr_t        n = -(intptr_t)PAGE_SIZE;

    if (!wide) {
        words_fill(page, word, PAGE_SIZE / 4);
        return;
    }
    save_xmm(&xmm);
    __asm__ volatile("movss %[word], %%xmm0\n\t"
                     "shufps $0, %%xmm0, %%xmm0\n"
                     "1:\n\t" ROUND(FILL)
                     "addl $0x100, %[n]\n\t"
                     "jnz 1b"
                     : [n] "+r"(n) : [to] "r"((char *)page + PAGE_SIZE), [word] "m"(word) : "memory", "cc");
    restore_xmm(&xmm);
}

void cpu_page_copy(void *restrict to, const void *restrict from)
{
    struct saved_xmm xmm;
    intptr_t        n = -(intptr_t)PAGE_SIZE;

    if (!wide) {
        words_copy(to, from, PAGE_SIZE / 4);
        return;
    }
    save_xmm(&xmm);
    __asm__ volatile("1:\n\t" ROUND(COPY)
                     "addl $0x100, %[n]\n\t"
                     "jnz 1b"
                     : [n] "+r"(n) : [to] "r"((char *)to + PAGE_SIZE), [from] "r"((const char *)from + PAGE_SIZE)
                     : "memory", "cc");
    restore_xmm(&xmm);
}
