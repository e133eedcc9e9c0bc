/*
 * thread.c (i386) - a thread's processor state: stack, TLS descriptors, FPU.
 */
#include "linux/abi.h"

#include "base/check.h"
#include "base/error.h"
#include "base/string.h"
#include "descriptor.h"
#include "fpu.h"
#include "linux/i386/thread_fpu.h"
#include "memory/heap/heap.h"
#include "memory/tables/table_access.h"
#include "process/process.h"
#include "trap.h"

/* thread_switch.S */
void switch_stacks(uint32_t *save, uint32_t load, uint32_t root);
void thread_first(void);
void thread_first_inside(void);

struct trap_frame *thread_frame(const struct thread *thread)
{
    return (struct trap_frame *)thread->stack.top - 1;
}

/*
 * A new thread's stack: switch_stacks() returns from it into `start`. A backtrace ends at an EBP of 0.
 */
struct beginning {
    uint32_t          edi, esi, ebx, ebp, start;
    struct trap_frame frame;
};

static void prepare_stack(struct thread *thread, const struct beginning *beginning)
{
    deep_assert(thread != NULL && beginning != NULL);
    stack_write(&thread->stack, beginning, sizeof *beginning);
    table_home_keep(&thread->stack_memory->space, &beginning->frame, sizeof beginning->frame);
    thread->machine.stack_pointer = (uint32_t)thread->stack.top - sizeof *beginning;
}

void thread_prepare(struct thread *thread, vaddr_t stack)
{
    struct beginning beginning = { .start = (uint32_t)thread_first, .frame = *thread_frame(current_thread()) };

    deep_assert(thread != NULL);
    registers_set_result(&beginning.frame, 0);
    if (stack != 0)
        registers_set_stack(&beginning.frame, stack);
    prepare_stack(thread, &beginning);
}

void thread_prepare_program(struct thread *thread, vaddr_t entry, vaddr_t stack)
{
    struct beginning beginning = { .start = (uint32_t)thread_first };

    deep_assert(thread != NULL);
    registers_start(&beginning.frame, entry, stack);
    prepare_stack(thread, &beginning);
}

void thread_prepare_inside(struct thread *thread, void (*body)(void))
{
    struct beginning beginning = { .start = (uint32_t)thread_first_inside, .ebx = (uint32_t)body };

    deep_assert(thread != NULL && body != NULL);
    prepare_stack(thread, &beginning);
}

/*
 * The root that switch_stacks() is to load for this space; 0: it is loaded, or is loaded at the return to the program.
 */
static uint32_t change_root(struct space *space)
{
    deep_assert(space != NULL);
    frame_t root = space_enter(space);

    if (!frame_exists(root))
        return 0;
    double_fault_root(root);
    return root.no << PAGE_SHIFT;
}

void thread_switch(struct thread *from, struct thread *to)
{
    uint32_t root = 0;                                  /* the idle thread keeps the space in use */

    deep_assert(from != NULL && to != NULL);
    if (from->process != NULL)
        table_home_keep(&from->stack_memory->space, thread_frame(from), sizeof(struct trap_frame));
    if (to->stack_memory != NULL) {
        root = change_root(&to->stack_memory->space);
        arch_set_kernel_stack(to->stack.top);
        segments_of_thread(to->machine.tls);
    }
    fpu_switch(&to->machine);
    switch_stacks(&from->machine.stack_pointer, to->machine.stack_pointer, root);
}

/* ---- FPU ----------------------------------------------------------------------------------- */

/* Memory for the registers. heap_alloc() aligns to HEAP_ALIGN, which FXSAVE wants. */
static int fpu_memory(struct thread *thread)
{
    deep_assert(thread != NULL);
    if (thread->machine.fpu != NULL)
        return 0;
    thread->machine.fpu = heap_alloc(FPU_BYTES, 0);
    if (thread->machine.fpu == NULL)
        return -ENOMEM;
    fpu_image_begin(thread->machine.fpu);
    return 0;
}

static bool first_use(struct trap_frame *frame)
{
    struct thread *self = current_thread();

    deep_assert(frame != NULL);
    if (!trap_from_user(frame))
        return false;
    if (fpu_memory(self) != 0) {
        struct signal_info info = { .number = SIGKILL };

        signal_fault(&info);
        return true;
    }
    fpu_take(&self->machine);
    return true;
}

void threads_start(void)
{
    fpu_start();
    trap_handle(TRAP_NO_FPU, first_use);
}

bool thread_fpu_is_used(void) { return current_thread()->machine.fpu != NULL; }

bool thread_fpu_save(void *out)
{
    struct thread *self = current_thread();

    deep_assert(out != NULL);
    if (self->machine.fpu == NULL)
        return false;
    fpu_write_back(&self->machine);
    memcpy(out, self->machine.fpu, FPU_BYTES);
    return true;
}

int thread_fpu_load(const void *from)
{
    struct thread *self = current_thread();
    int            err  = fpu_memory(self);

    deep_assert(from != NULL);
    if (err != 0)
        return err;
    fpu_forget(&self->machine);
    memcpy(self->machine.fpu, from, FPU_BYTES);
    fpu_image_tame(self->machine.fpu);
    return 0;
}

void thread_fpu_reset(void)
{
    struct thread *self = current_thread();

    if (self->machine.fpu == NULL)
        return;
    fpu_forget(&self->machine);
    fpu_image_begin(self->machine.fpu);
}

/* ---- fork, exec, exit ------------------------------------------------------------------------ */

int thread_copy_state(struct thread *to)
{
    struct thread *self = current_thread();

    deep_assert(to != NULL);
    memcpy(to->machine.tls, self->machine.tls, sizeof to->machine.tls);
    to->machine.fpu = NULL;
    if (self->machine.fpu == NULL)
        return 0;
    to->machine.fpu = heap_alloc(FPU_BYTES, 0);
    if (to->machine.fpu == NULL)
        return -ENOMEM;
    thread_fpu_save(to->machine.fpu);
    return 0;
}

void thread_drop_state(struct thread *thread)
{
    deep_assert(thread != NULL);
    fpu_forget(&thread->machine);
    heap_free(thread->machine.fpu);
    thread->machine.fpu = NULL;
}

void thread_reset_state(void)
{
    struct thread *self = current_thread();

    thread_drop_state(self);
    memset(self->machine.tls, 0, sizeof self->machine.tls);
    segments_of_thread(self->machine.tls);
}

/* ---- TLS --------------------------------------------------------------------------------------- */

/* Bits of user_desc.flags. */
enum { TLS_32BIT = 1, TLS_CONTENTS = 6, TLS_READ_ONLY = 8, TLS_PAGES = 16, TLS_NOT_PRESENT = 32, TLS_USABLE = 64 };

enum { TLS_BITS = 127, TLS_NONE = TLS_READ_ONLY | TLS_NOT_PRESENT, TLS_IS_CODE = 4 };

/* Linux accepts two forms of an empty segment: its own, and all zeros. */
static bool clears_tls(const struct tls_request *r)
{
    return r->base == 0 && r->limit == 0 && ((r->flags & TLS_BITS) == TLS_NONE || (r->flags & TLS_BITS) == 0);
}

/*
 * Refused are code segments; segments of 16 bits, whose use as a stack would show a program the upper half of the
 * kernel's stack pointer; and segments that are not present, as every use of them faults.
 */
static bool tls_may_be(const struct tls_request *r)
{
    return clears_tls(r) || ((r->flags & TLS_32BIT) && !(r->flags & (TLS_IS_CODE | TLS_NOT_PRESENT)));
}

static void encode_tls(const struct tls_request *r, uint32_t out[2])
{
    uint32_t access, flags;

    deep_assert(r != NULL);
    access = 0xF0 | (r->flags & TLS_CONTENTS) << 1 | (r->flags & TLS_READ_ONLY ? 1 : 3);
    flags  = (r->flags & TLS_32BIT ? 4 : 0) | (r->flags & TLS_PAGES ? 8 : 0) | (r->flags & TLS_USABLE ? 1 : 0);
    if (r->flags & TLS_NOT_PRESENT)
        access &= ~0x80u;
    out[0] = r->base << 16 | (r->limit & 0xFFFF);
    out[1] = (r->base & 0xFF000000) | flags << 20 | (r->limit & 0xF0000) | access << 8 | (r->base >> 16 & 0xFF);
}

int thread_set_tls(struct thread *thread, struct tls_request *request)
{
    uint32_t slot;

    deep_assert(thread != NULL && request != NULL);
    slot = request->entry - TLS_FIRST;
    if (!tls_may_be(request))
        return -EINVAL;
    if (request->entry == UINT32_MAX) {
        for (slot = 0; slot < TLS_SLOTS && thread->machine.tls[slot][1] != 0; slot++)
            ;
        if (slot == TLS_SLOTS)
            return -ESRCH;
    }
    if (slot >= TLS_SLOTS)
        return -EINVAL;
    request->entry = TLS_FIRST + slot;
    if (clears_tls(request))
        thread->machine.tls[slot][0] = thread->machine.tls[slot][1] = 0;
    else
        encode_tls(request, thread->machine.tls[slot]);
    if (thread == current_thread())
        segments_of_thread(thread->machine.tls);
    return 0;
}

int thread_get_tls(const struct thread *thread, struct tls_request *request)
{
    uint32_t slot, low, high;

    deep_assert(thread != NULL && request != NULL);
    slot = request->entry - TLS_FIRST;
    if (slot >= TLS_SLOTS)
        return -EINVAL;
    low  = thread->machine.tls[slot][0];
    high = thread->machine.tls[slot][1];
    request->base  = low >> 16 | (high & 0xFF) << 16 | (high & 0xFF000000);
    request->limit = (low & 0xFFFF) | (high & 0xF0000);
    request->flags = (high >> 22 & 1) | (high >> 9 & TLS_CONTENTS & 6) | (high >> 9 & 1 ? 0 : TLS_READ_ONLY) |
                     (high >> 23 & 1 ? TLS_PAGES : 0) | (high >> 15 & 1 ? 0 : TLS_NOT_PRESENT) |
                     (high >> 20 & 1 ? TLS_USABLE : 0);
    return 0;
}
