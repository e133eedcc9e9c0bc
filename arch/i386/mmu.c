/*
 * mmu.c (i386) - switching on the processor's features, and flushing translations.
 *
 * Source   Intel SDM vol. 3A, "Control Registers", "Paging", "Invalidation of TLBs and
 *          Paging-Structure Caches"; vol. 2A, "CPUID".
 */
#include "mmu.h"
#include "cpu.h"
#include "cpuid.h"
#include "descriptor.h"
#include "inspect.h"
#include "trap.h"

enum { CR0_PROTECTION = 1, CR0_WRITE_PROTECT = 1 << 16 };
#define CR0_PAGING 0x80000000u
#define NOWHERE    0xFFFFFFFCu             /* the last word: mapped in no space */
enum {
    CR4_LARGE = 1 << 4, CR4_GLOBAL = 1 << 7, CR4_UMIP = 1 << 11, CR4_SMEP = 1 << 20, CR4_SMAP = 1 << 21,
};
enum {                              /* leaf 1 EDX; leaf 7 EBX and ECX */
    HAS_LARGE = 1 << 3, HAS_GLOBAL = 1 << 13,
    HAS_SMEP = 1 << 7, HAS_SMAP = 1 << 20,
    HAS_UMIP = 1 << 2,
};

struct mmu_features mmu_features;
_Static_assert(offsetof(struct mmu_features, smap) == FEATURES_SMAP, "trap_frame.h reads it");

static uint32_t read_cr0(void)
{
    uint32_t value;

    __asm__ volatile("movl %%cr0, %0" : "=r"(value));
    return value;
}

static uint32_t read_cr4(void)
{
    uint32_t value;

    __asm__ volatile("movl %%cr4, %0" : "=r"(value));
    return value;
}

struct taken_over taken_over;

/* Write CR0, and note the value and CR3's root (K15). CR0 is written at the start only. */
static void write_cr0(uint32_t value)
{
    taken_over.cr0      = value;
    taken_over.cr0_root = mmu_active();
    __asm__ volatile("movl %0, %%cr0" : : "r"(value) : "memory");
}
static void write_cr4(uint32_t value) { __asm__ volatile("movl %0, %%cr4" : : "r"(value) : "memory"); }

void mmu_start(bool shared_with_programs)
{
    uint32_t            highest = cpuid(0).a, cr4 = read_cr4();
    struct cpuid_answer one = cpuid(1), seven = { 0, 0, 0, 0 };

    if (highest >= 7)
        seven = cpuid(7);
    mmu_features = (struct mmu_features){
        .write_protect = true,
        .large = one.d & HAS_LARGE, .global = one.d & HAS_GLOBAL,
        .smep = (seven.b & HAS_SMEP) && !shared_with_programs, .smap = (seven.b & HAS_SMAP) && !shared_with_programs,
        .umip = seven.c & HAS_UMIP,
    };
    cr4 |= (mmu_features.large ? CR4_LARGE : 0) | (mmu_features.global ? CR4_GLOBAL : 0) |
           (mmu_features.smep ? CR4_SMEP : 0) | (mmu_features.smap ? CR4_SMAP : 0) |
           (mmu_features.umip ? CR4_UMIP : 0);
    write_cr0(read_cr0() | CR0_WRITE_PROTECT);
    write_cr4(cr4);
}

void mmu_flush_page(page_t page)
{
    __asm__ volatile("invlpg (%0)" : : "r"(page_address(page)) : "memory");
}

void mmu_flush_space(void)
{
    mmu_activate(mmu_active());
}

/* Turning global pages off flushes their translations, too. */
void mmu_flush_all(void)
{
    unsigned long state = interrupts_off();
    uint32_t      cr4 = read_cr4();

    if (cr4 & CR4_GLOBAL) {
        write_cr4(cr4 & ~CR4_GLOBAL);
        write_cr4(cr4);
    } else {
        mmu_flush_space();
    }
    interrupts_restore(state);
}

void mmu_activate(frame_t root)
{
    double_fault_root(root);
    __asm__ volatile("movl %0, %%cr3" : : "r"(root.no << PAGE_SHIFT) : "memory");
}

/* layouts/pat/entry.S loads these at entry and return: physical addresses, as CR3 takes them. */
uint32_t trap_kernel_root, trap_program_root;

/*
 * The boot code has set CR0's two bits; K15 asks for them here. The first access in the new space is a page fault,
 * which shows that page faults are handled there: without a handler the machine would end here.
 */
void mmu_take_over(frame_t kernel_root)
{
    uint32_t word;

    trap_kernel_root = trap_program_root = kernel_root.no << PAGE_SHIFT;
    taken_over.from    = mmu_active();
    taken_over.handler = inspect_gate(TRAP_PAGE_FAULT);
    mmu_activate(kernel_root);
    write_cr0(read_cr0() | CR0_PROTECTION | CR0_PAGING);
    taken_over.came_back = !probe_read(NOWHERE, &word);
}

void    mmu_return_to(frame_t root) { trap_program_root = root.no << PAGE_SHIFT; }
frame_t mmu_returns_to(void)        { return (frame_t){ trap_program_root >> PAGE_SHIFT }; }

frame_t mmu_active(void)
{
    uint32_t value;

    __asm__ volatile("movl %%cr3, %0" : "=r"(value));
    return (frame_t){ value >> PAGE_SHIFT };
}
