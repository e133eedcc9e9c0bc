/*
 * programs.c - threads and programs of the machine in plain memory: their turns, their traps, their time.
 *
 * A thread's kernel stack is a stack of the host's. A program is run by processor.c, an instruction at a time; each
 * trap goes to the handler that kernel/linux/i386 has set, as arch/i386/trap.c would send it there. Time is counted in
 * instructions, and while nothing runs it goes on by ticks: the same run takes the same time, always.
 *
 * The calls that programs of the kernel's own make are here; they have no files but the console.
 */
#include <asm/prctl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

#include "arch/contract.h"
#include "arch/host/machine.h"
#include "base/check.h"
#include "base/error.h"
#include "base/print.h"
#include "console/console.h"
#include "cpu.h"
#include "descriptor.h"
#include "files/core/descriptor.h"
#include "files/core/file.h"
#include "files/root/root.h"
#include "files/tmpfs/tmpfs.h"
#include "fpu.h"
#include "linux/abi.h"
#include "linux/calls.h"
#include "linux/i386/thread_fpu.h"
#include "memory/spaces/map.h"
#include "memory/spaces/user.h"
#include "memory/tables/table_access.h"
#include "process/above.h"
#include "process/family.h"
#include "tests/claims/processor.h"
#include "tests/host/fiber_stack.h"
#include "trap.h"

enum { INSTRUCTION = 100, TICK = 10000000 };        /* nanoseconds */

/* ---- Threads ------------------------------------------------------------------------------------------ */

struct fiber {
    ucontext_t        context;
    struct trap_frame frame;                        /* of its program                                   */
    uint32_t          shared;                       /* where its GS begins                              */
    void            (*inside)(void);                /* runs in the kernel first; NULL: none             */
    char             *stack;
};

static struct fiber boot_stack;

static struct fiber *fiber_of(const struct thread *thread)
{
    return thread->machine.of_test != NULL ? thread->machine.of_test : &boot_stack;
}

struct trap_frame *thread_frame(const struct thread *thread) { return &fiber_of(thread)->frame; }

static void run_program(struct fiber *self) NORETURN;

static void fiber_start(void)
{
    struct fiber *self = fiber_of(current_thread());

    stack_enter(NULL);
    schedule_begin();
    if (self->inside != NULL) {
        interrupts_on();
        self->inside();
        interrupts_off();
    }
    run_program(self);
}

static struct fiber *fiber_new(struct thread *thread)
{
    struct fiber *fiber = calloc(1, sizeof *fiber);

    assert(fiber != NULL);
    fiber->stack = stack_make(&fiber->context, fiber_start);
    thread->machine.of_test = fiber;
    return fiber;
}

void thread_prepare_program(struct thread *thread, vaddr_t entry, vaddr_t stack)
{
    struct fiber *fiber = fiber_new(thread);

    registers_start(&fiber->frame, entry, stack);
    table_home_keep(&thread->stack_memory->space, &fiber->frame, sizeof fiber->frame);
}

void thread_prepare_inside(struct thread *thread, void (*body)(void)) { fiber_new(thread)->inside = body; }

void thread_drop_state(struct thread *thread)
{
    struct fiber *fiber = thread->machine.of_test;

    if (fiber == NULL)
        return;
    stack_drop(fiber->stack);
    free(fiber);
    thread->machine.of_test = NULL;
}

void thread_switch(struct thread *from, struct thread *to)
{
    struct fiber *gone = fiber_of(from), *next = fiber_of(to);
    frame_t       root = to->stack_memory != NULL ? space_enter(&to->stack_memory->space) : NO_FRAME;
    void         *fake;

    if (from->process != NULL)
        table_home_keep(&from->stack_memory->space, &gone->frame, sizeof gone->frame);
    if (frame_exists(root))
        mmu_activate(root);
    fake = stack_leave(from->phase == THREAD_DEAD, next->stack);
    swapcontext(&gone->context, &next->context);
    stack_enter(fake);
}

void threads_start(void) { }

/* ---- Traps -------------------------------------------------------------------------------------------- */

static trap_handler handlers[TRAP_NONE];

void    trap_handle(unsigned vector, trap_handler handler)  { handlers[vector] = handler; }
void    gate_allow_user(unsigned vector)                    { (void)vector; }
bool    trap_may_fault(const struct trap_frame *frame)      { (void)frame; return false; }
bool    trap_was_step(void)                                 { return false; }
vaddr_t trap_address(void)                                  { return processor_fault_address(); }

static void pass_time(uint64_t nanoseconds);

static void run_program(struct fiber *self)
{
    for (;;) {
        trap_leave(&self->frame);
        interrupts_on();
        while (processor_step(&self->frame, &current_process()->memory->space, self->shared) && !schedule_due)
            pass_time(INSTRUCTION);
        pass_time(INSTRUCTION);
        interrupts_off();
        if (self->frame.vector != TRAP_NONE && !handlers[self->frame.vector](&self->frame))
            stop(__FILE__, __LINE__, "a trap that nobody handles");
    }
}

/* The one segment of a thread's own is GS (registers_set_shared()). */
int thread_set_tls(struct thread *thread, struct tls_request *request)
{
    fiber_of(thread)->shared = request->base;
    return 0;
}

/* The kernel's own code reaches its copy through the host's GS. */
void segment_with_shared(vaddr_t distance, void (*function)(void *), void *argument)
{
    syscall(SYS_arch_prctl, ARCH_SET_GS, pointer_to((uint32_t)distance));
    function(argument);
    syscall(SYS_arch_prctl, ARCH_SET_GS, 0);
}

/* Programs of the kernel's own compute in whole numbers. */
void     thread_fpu_reset(void)                             { }
bool     thread_fpu_is_used(void)                           { return false; }
bool     thread_fpu_save(void *out)                         { (void)out; return false; }
int      thread_fpu_load(const void *from)                  { (void)from; return -EFAULT; }
unsigned fpu_exceptions(const struct thread_state *state, bool sse) { (void)state; (void)sse; return 0; }

/* ---- Time --------------------------------------------------------------------------------------------- */

static uint64_t the_time, alarm_moment = UINT64_MAX;
static void   (*on_ring)(void);

uint64_t clock_counter(void)            { return the_time; }
uint64_t clock_span(uint64_t ticks)     { return ticks; }
uint64_t clock_read_wall(void)          { return 1000000000000000000ull; }
paddr_t  alarm_registers(void)          { return 0; }
void     alarm_set(uint64_t moment)     { alarm_moment = moment; }

void alarm_start(volatile void *registers, void (*ring)(void))
{
    (void)registers;
    on_ring = ring;
}

static void pass_time(uint64_t nanoseconds)
{
    unsigned long interrupts = interrupts_off();
    uint64_t      until = the_time + nanoseconds;

    while (alarm_moment <= until) {
        the_time     = alarm_moment > the_time ? alarm_moment : the_time;
        alarm_moment = UINT64_MAX;
        on_ring();
    }
    the_time = until;
    interrupts_restore(interrupts);
}

void cpu_wait(void)             { pass_time(TICK); }
void interrupts_let_in(void)    { }

/* ---- Calls: those that the kernel's own programs make ------------------------------------------------------- */

SYSTEM_CALL(exit, int, status)       { thread_exit(status); }
SYSTEM_CALL(exit_group, int, status) { process_exit_group((status & 0xFF) << 8); }
SYSTEM_CALL(getpid)                  { return current_process()->id; }
SYSTEM_CALL(brk, user_t, end)        { return (long)map_break(&current_process()->memory->space, end); }
SYSTEM_CALL(rt_sigreturn)            { return signal_frame_pop_rt(thread_frame(current_thread())); }

SYSTEM_CALL(sched_yield)
{
    schedule();
    return 0;
}

SYSTEM_CALL(write, int, descriptor, user_t, from, size_t, count)
{
    struct buffer buffer = { .user = from, .bytes = count };
    struct file  *file   = descriptor_file(current_process()->files, descriptor);
    long          done;

    if (file == NULL)
        return -EBADF;
    done = user_range(from, count) ? file_write(file, &buffer) : -EFAULT;
    file_release(file);
    return done;
}

SYSTEM_CALL(nanosleep, user_t, wanted)
{
    uint32_t time[2];
    uint64_t deadline;
    int      err;

    if (user_read(time, wanted, sizeof time) != 0)
        return -EFAULT;
    deadline = clock_now() + time[0] * 1000000000ull + time[1];
    do
        err = wait_on(&current_thread()->never, NULL, NULL, deadline, WAIT_SIGNALS);
    while (err == 0);
    return err == -ETIMEDOUT ? 0 : err;
}

SYSTEM_CALL(rt_sigaction, unsigned, number, user_t, from)
{
    struct { uint32_t handler, flags, restorer, mask[2]; } raw;

    if (number == 0 || number > SIGNALS || user_read(&raw, from, sizeof raw) != 0)
        return -EFAULT;
    current_process()->actions->action[number] = (struct signal_action){
        .handler = raw.handler, .restorer = raw.restorer, .flags = raw.flags,
        .mask = (uint64_t)raw.mask[1] << 32 | raw.mask[0],
    };
    return 0;
}

#define CALL(name) [NUMBER_##name] = sys_##name
enum { NUMBER_exit = 1, NUMBER_write = 4, NUMBER_getpid = 20, NUMBER_brk = 45, NUMBER_sched_yield = 158,
       NUMBER_nanosleep = 162, NUMBER_rt_sigreturn = 173, NUMBER_rt_sigaction = 174, NUMBER_exit_group = 252 };

const linux_call linux_table[] = {
    CALL(exit), CALL(write), CALL(getpid), CALL(brk), CALL(sched_yield), CALL(nanosleep), CALL(rt_sigreturn),
    CALL(rt_sigaction), CALL(exit_group),
};
const uint32_t linux_table_size = COUNT_OF(linux_table);
uint32_t       linux_unknown[COUNT_OF(linux_table) + 1];

/* ---- What there is not ------------------------------------------------------------------------------------ */

/* No console that waits, no program for which the machine was started, no report, no terminal, no files to open. */
void (*console_idle)(void);

bool init_is_program(const struct process *process)     { (void)process; return false; }
void init_note_ending(const struct process *process)    { (void)process; }
void init_note_end(const struct process *process)       { (void)process; }
void report_sample(void)                                { }
void report_say(const char *line)                       { print("%s\n", line); }
void terminal_leave(struct process *process)            { (void)process; }
int  files_populate(struct fs_context *fs)              { (void)fs; return 0; }

struct fs_context *files_start(void)
{
    struct file_system *root = tmpfs_new(0755);

    if (root == NULL)
        return NULL;
    path_mount_root(root->root);
    return fs_context_new(root->root);
}
