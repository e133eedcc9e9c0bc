/*
 * process_fibers.h - for tests of kernel/process: threads that really take turns, their registers and their handlers.
 *
 * A part of process_world.h, which includes it.
 */
#ifndef QUIRE_TESTS_PROCESS_FIBERS_H
#define QUIRE_TESTS_PROCESS_FIBERS_H

#include "fiber_stack.h"
#include "heap_world.h"

#include "arch/contract.h"
#include "base/error.h"
#include "process/abi.h"
#include "process/parts.h"

/* ---- Threads ---------------------------------------------------------------------------------------- */

struct trap_frame {
    void  (*program)(void);
    long    call, result;                       /* the system call it is in, -1: none */
    vaddr_t stack;
};

struct fiber {
    ucontext_t        context;
    struct trap_frame frame;
    char             *stack;
};

static struct fiber the_boot_stack;

static inline struct fiber *fiber_of(struct thread *thread)
{
    return thread->machine.of_test != NULL ? thread->machine.of_test : &the_boot_stack;
}

static inline struct trap_frame *own_frame(void) { return &fiber_of(current_thread())->frame; }

void schedule_begin(void);

/* The way back to the program, as after each trap in the kernel. */
static inline void back(void)
{
    interrupts_off();
    schedule_preempt();
    interrupts_restore(0);
    signal_deliver(own_frame());
}

static void fiber_start(void)
{
    stack_enter(NULL);
    schedule_begin();
    interrupts_restore(0);
    back();
    own_frame()->program();
    process_exit_group(0);
}

static bool no_memory_for_state;

int thread_copy_state(struct thread *thread)
{
    struct fiber *fiber;

    if (no_memory_for_state)
        return -ENOMEM;
    fiber = calloc(1, sizeof *fiber);
    assert_non_null(fiber);
    fiber->stack      = stack_make(&fiber->context, fiber_start);
    fiber->frame.call = -1;
    thread->machine.of_test = fiber;
    return 0;
}

void thread_drop_state(struct thread *thread)
{
    struct fiber *fiber = thread->machine.of_test;

    assert_true(thread->phase != THREAD_DEAD || thread->process == NULL);
    if (fiber == NULL)
        return;
    stack_drop(fiber->stack);
    free(fiber);
    thread->machine.of_test = NULL;
}

void thread_prepare(struct thread *thread, vaddr_t stack)
{
    fiber_of(thread)->frame        = *own_frame();
    fiber_of(thread)->frame.result = 0;
    fiber_of(thread)->frame.call   = -1;
    if (stack != 0)
        fiber_of(thread)->frame.stack = stack;
}

void thread_switch(struct thread *from, struct thread *to)
{
    struct fiber *gone = fiber_of(from), *next = fiber_of(to);
    frame_t       root = to->stack_memory != NULL ? space_enter(&to->stack_memory->space) : NO_FRAME;
    void         *fake;

    if (frame_exists(root))
        mmu_activate(root);
    fake = stack_leave(from->phase == THREAD_DEAD, next->stack);
    swapcontext(&gone->context, &next->context);
    stack_enter(fake);
}

static vaddr_t tls_asked;
static int     tls_answer;

int thread_set_tls_from(struct thread *thread, vaddr_t argument)
{
    (void)thread;
    tls_asked = argument;
    return tls_answer;
}

/* ---- Registers and handlers ------------------------------------------------------------------------------ */

static struct {
    struct signal_info info;
    vaddr_t            handler;
    uint64_t           mask;                    /* the registers that the handler's return restores */
    int32_t            thread;
} handled[64];
static unsigned handlers_run;
static bool     no_room_for_frame;              /* the next handler's frame does not fit on the program's stack */

int signal_frame_push(struct trap_frame *frame, const struct signal_info *info, const struct signal_action *action,
                      uint64_t mask, vaddr_t *place)
{
    assert_ptr_equal(frame, own_frame());
    *place = 0;
    if (no_room_for_frame) {
        no_room_for_frame = false;
        return -EFAULT;
    }
    assert_true(handlers_run < 64);
    handled[handlers_run].info    = *info;
    handled[handlers_run].handler = action->handler;
    handled[handlers_run].mask    = mask;
    handled[handlers_run].thread  = current_thread()->id;
    handlers_run++;
    return 0;
}

/* The last handler returns. */
static inline void handler_returns(void) { signal_set_mask(handled[handlers_run - 1].mask); }

long registers_call(const struct trap_frame *frame) { return frame->call; }
vaddr_t registers_program_counter(const struct trap_frame *frame) { (void)frame; return 0; }      /* for words only */

static enum restart_mode restarted_how;
static long              restarted_call;
static unsigned          restarts;

void registers_restart(struct trap_frame *frame, long call, enum restart_mode how)
{
    assert_ptr_equal(frame, own_frame());
    assert_true(call >= 0);
    restarted_call = call;
    restarted_how  = how;
    restarts++;
}

#endif
