/*
 * descriptor.c (i386) - building the tables that descriptor.h explains.
 */
#include "descriptor.h"

#include "base/check.h"
#include "cpu.h"
#include "mmu.h"
#include "trap.h"

_Static_assert(TLS_FIRST == TLS_FIRST_SEGMENT, "what descriptor.h leaves room for");

struct descriptor { uint32_t low, high; };

enum { DOUBLE_FAULT_STACK = 4096, EFLAGS_FIXED = 2 };

/* Access bytes (Intel SDM vol. 3A, "Segment Descriptors", "Gate Descriptors"). */
enum {
    CODE_KERNEL = 0x9B, DATA_KERNEL = 0x93, CODE_USER = 0xFB, DATA_USER = 0xF3, TASK_FREE = 0x89,
    GATE_INTERRUPT = 0x8E, GATE_TASK = 0x85, GATE_FOR_USER = 0x60,
    FLAT = 0xC,                                 /* 4 KiB units, 32-bit */
};

/* Tables in the image, used where the document names no address. */
static struct descriptor image_segments[SEGMENTS];
static struct descriptor image_gates[VECTORS];
static struct task_state image_task;

static struct descriptor *segments, *gates;
static struct task_state *task;
static uint32_t          *thread_stack;  /* the word with the stack for traps from programs */
static struct task_state  double_fault_task;
static uint8_t            double_fault_stack[DOUBLE_FAULT_STACK] __attribute__((aligned(16)));

extern const uint8_t trap_stubs[];              /* trap.S: VECTORS stubs of TRAP_STUB_BYTES */
extern void          double_fault_entry(void);

static void *place_of(vaddr_t fixed, void *in_image) { return fixed != 0 ? pointer_to(fixed) : in_image; }

static struct descriptor segment_descriptor(uint32_t base, uint32_t limit, uint8_t access, uint8_t flags)
{
    return (struct descriptor){
        .low = base << 16 | (limit & 0xFFFF),
        .high = (base & 0xFF000000) | (uint32_t)flags << 20 | (limit & 0xF0000) | (uint32_t)access << 8 |
                (base >> 16 & 0xFF),
    };
}

static struct descriptor gate_descriptor(uint16_t selector, uint32_t entry, uint8_t access)
{
    return (struct descriptor){
        .low = (uint32_t)selector << 16 | (entry & 0xFFFF),
        .high = (entry & 0xFFFF0000) | (uint32_t)access << 8,
    };
}

/* The processor starts a trap from a program on this stack; the second is where it goes on, if elsewhere. */
static void start_arrival(void)
{
    thread_stack = trap_arrival.thread_stack != NULL ? trap_arrival.thread_stack : &task->esp0;
    task->esp0   = trap_arrival.first_stack;
}

void arch_set_kernel_stack(vaddr_t top) { *thread_stack = (uint32_t)top; }

static void build_tasks(void)
{
    *task = (struct task_state){ .ss0 = KERNEL_DATA, .io_map = sizeof *task };
    double_fault_task = (struct task_state){
        .ss0 = KERNEL_DATA, .io_map = sizeof *task,
        .cr3 = mmu_active().no << PAGE_SHIFT,
        .eip = (uint32_t)double_fault_entry, .eflags = EFLAGS_FIXED,
        .esp = (uint32_t)(double_fault_stack + DOUBLE_FAULT_STACK),
        .esp0 = (uint32_t)(double_fault_stack + DOUBLE_FAULT_STACK), .cs = KERNEL_CODE, .ss = KERNEL_DATA,
        .ds = KERNEL_DATA, .es = KERNEL_DATA, .fs = KERNEL_DATA, .gs = KERNEL_DATA,
    };
    start_arrival();
}

static void load_tables(void)
{
    const struct { uint16_t limit; uint32_t base; } __attribute__((packed))
        gdtr = { SEGMENTS * sizeof *segments - 1, (uint32_t)segments },
        idtr = { VECTORS * sizeof *gates - 1, (uint32_t)gates };

    __asm__ volatile("lgdt %0\n\t"
                     "ljmp %2, $1f\n"
                     "1:\n\t"
                     "movl %3, %%ds\n\tmovl %3, %%es\n\tmovl %3, %%fs\n\tmovl %3, %%gs\n\tmovl %3, %%ss\n\t"
                     "lidt %1\n\t"
                     "ltr %w4\n\t"
                     "lldt %w5\n\t"           /* none: selectors with the table bit set are invalid       */
                     "movl %5, %%dr7"           /* no breakpoint of a loader                                */
                     : : "m"(gdtr), "m"(idtr), "i"(KERNEL_CODE), "r"(KERNEL_DATA), "r"(TASK_KERNEL), "r"(0) : "memory");
}

void descriptors_start(const struct trap_places *places)
{
    segments = place_of(places->segments, image_segments);
    gates = place_of(places->gates, image_gates);
    task = place_of(places->task, &image_task);

    build_tasks();
    segments[0] = (struct descriptor){ 0, 0 };
    segments[KERNEL_CODE / 8] = segment_descriptor(0, 0xFFFFF, CODE_KERNEL, FLAT);
    segments[KERNEL_DATA / 8] = segment_descriptor(0, 0xFFFFF, DATA_KERNEL, FLAT);
    segments[USER_CODE / 8] = segment_descriptor(0, 0xFFFFF, CODE_USER, FLAT);
    segments[USER_DATA / 8] = segment_descriptor(0, 0xFFFFF, DATA_USER, FLAT);
    segments[TASK_KERNEL / 8] = segment_descriptor((uint32_t)task, sizeof *task - 1, TASK_FREE, 0);
    segments[TASK_DOUBLE / 8] = segment_descriptor((uint32_t)&double_fault_task, sizeof *task - 1, TASK_FREE, 0);
    for (unsigned v = 0; v < VECTORS; v++)
        gates[v] = gate_descriptor(KERNEL_CODE, (uint32_t)trap_stubs + v * TRAP_STUB_BYTES, GATE_INTERRUPT);
    gates[TRAP_DOUBLE_FAULT] = gate_descriptor(TASK_DOUBLE, 0, GATE_TASK);
    load_tables();
}

void gate_allow_user(unsigned vector)
{
    assert(vector < VECTORS);
    gates[vector].high |= GATE_FOR_USER << 8;
}

void segment_with_shared(vaddr_t distance, void (*function)(void *), void *argument)
{
    uint32_t before;

    segments[KERNEL_SHARED / 8] = segment_descriptor((uint32_t)distance, 0xFFFFF, DATA_KERNEL, FLAT);
    __asm__ volatile("movl %%gs, %0" : "=r"(before));
    __asm__ volatile("movl %0, %%gs" : : "r"(KERNEL_SHARED) : "memory");
    function(argument);
    __asm__ volatile("movl %0, %%gs" : : "r"(before) : "memory");
}

void double_fault_root(frame_t root)    { double_fault_task.cr3 = root.no << PAGE_SHIFT; }

const struct task_state *kernel_task(void) { return task; }
void task_enter_at(vaddr_t top)            { task->esp0 = (uint32_t)top; }

/*
 * In the kernel a program's FS and GS stay loaded. They must not outlive their descriptors: an interrupt in the kernel
 * saves and loads them again, and its return would fault. The program's own values are in its trap frame.
 */
void segments_of_thread(const uint32_t tls[TLS_SLOTS][2])
{
    __asm__ volatile("movl %0, %%fs\n\tmovl %0, %%gs" : : "r"(0));
    for (unsigned i = 0; i < TLS_SLOTS; i++)
        segments[TLS_FIRST + i] = (struct descriptor){ tls[i][0], tls[i][1] };
}
