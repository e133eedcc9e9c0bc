/*
 * signal_frame.c (i386) - frames for signal handlers, and the return from handlers.
 */
#include "linux/abi.h"

#include "base/check.h"
#include "base/error.h"
#include "base/range.h"
#include "base/string.h"
#include "descriptor.h"
#include "linux/i386/thread_fpu.h"
#include "memory/heap/heap.h"
#include "memory/spaces/user.h"
#include "process/process.h"
#include "trap.h"

struct context {
    uint16_t gs, gs_pad, fs, fs_pad, es, es_pad, ds, ds_pad;
    uint32_t edi, esi, ebp, esp, ebx, edx, ecx, eax, trap, error, eip;
    uint16_t cs, cs_pad;
    uint32_t eflags, esp_at_signal;
    uint16_t ss, ss_pad;
    uint32_t fpu, old_mask, cr2;
};
_Static_assert(sizeof(struct context) == 88, "struct sigcontext");

struct user_context {
    uint32_t               flags, link;
    struct alternate_stack stack;
    struct context         context;
    uint64_t               mask __attribute__((packed, aligned(4)));      /* as the i386 aligns it */
};
_Static_assert(sizeof(struct user_context) == 116, "struct ucontext");

/*
 * Intel SDM vol. 1, "FXSAVE Area": ST(n) is stored at index n; a bit of the tag byte is a register's, not an index's.
 */
struct fxsave {
    uint16_t control, status;
    uint8_t  tag, pad;
    uint16_t opcode;
    uint32_t ip;
    uint16_t cs, pad_cs;
    uint32_t data;
    uint16_t ds, pad_ds;
    uint32_t mxcsr, mxcsr_mask;
    struct { uint8_t bytes[10], pad[6]; } st[8];
    uint8_t  rest[FPU_BYTES - 160];
};
_Static_assert(sizeof(struct fxsave) == FPU_BYTES, "what FXSAVE stores");

/* FSAVE's form, followed by Linux's status word and the FXSAVE image. */
struct fpu_state {
    uint32_t control, status, tag, ip, cs, data, ds;
    uint8_t  registers[80];
    uint16_t status_again, magic;
    struct fxsave fxsave;
};
_Static_assert(sizeof(struct fpu_state) == 624, "struct _fpstate");

struct plain_frame {
    uint32_t       return_to;
    int32_t        number;
    struct context context;
    struct fpu_state unused;
    uint32_t       mask_high;
    uint8_t        code[8];
};
struct rt_frame {
    uint32_t            return_to;
    int32_t             number;
    uint32_t            info_at, context_at;
    uint32_t            info[SIGNAL_INFO_BYTES / 4];
    struct user_context context;
    uint8_t             code[8];
};
_Static_assert(sizeof(struct rt_frame) == 268, "struct rt_sigframe, and nothing between its parts");

_Static_assert(offsetof(struct fpu_state, fxsave) % 16 == 0, "a state aligned to 16 has its FXSAVE part aligned");

enum { FPU_HAS_FXSAVE = 0x0000, FPU_ALIGN = 16, CALL_SIGRETURN = 119, CALL_RT_SIGRETURN = 173 };
enum { EFLAGS_USER = 0x00050DD5, EFLAGS_TRAP = 0x100, EFLAGS_DIRECTION = 0x400, EFLAGS_RESUME = 0x10000,
       EFLAGS_KEPT = 0x202 };
enum { PROGRAMS = 3 };                              /* their privilege level */

/* ---- siginfo ---------------------------------------------------------------------------- */

static bool is_fault(int number)
{
    return number == SIGSEGV || number == SIGBUS || number == SIGILL || number == SIGFPE || number == SIGTRAP;
}

void signal_info_encode(uint32_t out[SIGNAL_INFO_BYTES / 4], const struct signal_info *info)
{
    deep_assert(info != NULL);
    memset(out, 0, SIGNAL_INFO_BYTES);
    out[0] = (uint32_t)info->number;
    out[1] = (uint32_t)info->error;
    out[2] = (uint32_t)info->code;
    if (info->code > 0 && is_fault(info->number)) {
        out[3] = (uint32_t)info->address;
    } else if (info->code == -2) {              /* SI_TIMER */
        out[3] = (uint32_t)info->timer;
        out[4] = info->overrun;
        out[5] = (uint32_t)info->value;
    } else {
        out[3] = (uint32_t)info->sender;
        out[4] = info->uid;
        out[5] = info->number == SIGCHLD ? (uint32_t)info->status : (uint32_t)info->value;
    }
}

/* ---- FPU state, in FXSAVE's form and in the older one ------------------------------------------ */

enum { TAG_VALID, TAG_ZERO, TAG_SPECIAL, TAG_EMPTY, REGISTERS = 8, TOP_SHIFT = 11 };

/* What the two bits of the older form say of a register that is in use. */
static unsigned tag_of(const uint8_t bytes[10])
{
    unsigned exponent = (bytes[8] | (unsigned)bytes[9] << 8) & 0x7FFF;
    bool     zero     = true;

    for (unsigned i = 0; i < 8; i++)
        zero &= bytes[i] == 0;
    if (exponent == 0)
        return zero ? TAG_ZERO : TAG_SPECIAL;
    return exponent != 0x7FFF && (bytes[7] & 0x80) ? TAG_VALID : TAG_SPECIAL;
}

static uint32_t wide_tag(const struct fxsave *fx)
{
    unsigned top;
    uint32_t tags = 0;

    deep_assert(fx != NULL);
    top = fx->status >> TOP_SHIFT & 7;
    for (unsigned i = 0; i < REGISTERS; i++)
        tags |= (uint32_t)(fx->tag >> i & 1 ? tag_of(fx->st[(i - top) & 7].bytes) : TAG_EMPTY) << 2 * i;
    return tags | 0xFFFF0000;
}

static uint8_t narrow_tag(uint32_t tags)
{
    uint8_t narrow = 0;

    for (unsigned i = 0; i < REGISTERS; i++)
        narrow |= (uint8_t)(((tags >> 2 * i & 3) != TAG_EMPTY) << i);
    return narrow;
}

static void spread_fxsave(struct fpu_state *state)
{
    const struct fxsave *fx;

    deep_assert(state != NULL);
    fx = &state->fxsave;
    state->control = fx->control | 0xFFFF0000;
    state->status  = fx->status | 0xFFFF0000;
    state->tag     = wide_tag(fx);
    state->ip      = fx->ip;
    state->cs      = fx->cs | (uint32_t)fx->opcode << 16;
    state->data    = fx->data;
    state->ds      = fx->ds;
    for (unsigned i = 0; i < REGISTERS; i++)
        memcpy(state->registers + 10 * i, fx->st[i].bytes, sizeof fx->st[i].bytes);
    state->status_again = fx->status;
    state->magic        = FPU_HAS_FXSAVE;
}

/* A handler changes the x87's registers in the older form, which is the one that is restored, as on Linux. */
static void fold_fxsave(struct fpu_state *state)
{
    struct fxsave *fx;

    deep_assert(state != NULL);
    fx = &state->fxsave;
    fx->control = (uint16_t)state->control;
    fx->status  = (uint16_t)state->status;
    fx->tag     = narrow_tag(state->tag);
    fx->opcode  = (uint16_t)(state->cs >> 16);
    fx->ip      = state->ip;
    fx->cs      = (uint16_t)state->cs;
    fx->data    = state->data;
    fx->ds      = (uint16_t)state->ds;
    for (unsigned i = 0; i < REGISTERS; i++)
        memcpy(fx->st[i].bytes, state->registers + 10 * i, sizeof fx->st[i].bytes);
}

/* Write the FPU's state to this address on the program's stack; 0: it has not been used. */
static int put_fpu(uint32_t where)
{
    struct fpu_state *state;
    int               err;

    if (where == 0)
        return 0;
    state = heap_alloc(sizeof *state, 0);           /* all of it is written below */
    if (state == NULL)
        return -EFAULT;
    thread_fpu_save(&state->fxsave);
    spread_fxsave(state);
    err = user_write(where, state, sizeof *state);
    heap_free(state);
    return err;
}

/* Address 0: the state of a new program. */
static int get_fpu(uint32_t where)
{
    struct fpu_state *state;
    int               err;

    if (where == 0) {
        thread_fpu_reset();
        return 0;
    }
    state = heap_alloc(sizeof *state, 0);
    err   = state == NULL ? -EFAULT : user_read(state, where, sizeof *state);
    if (err == 0) {
        fold_fxsave(state);
        err = thread_fpu_load(&state->fxsave);
    }
    heap_free(state);
    return err;
}

/* ---- Pushing ----------------------------------------------------------------------------------- */

static void put_context(struct context *c, const struct trap_frame *f, uint64_t mask, uint32_t fpu)
{
    const struct thread_state *machine = &current_thread()->machine;

    deep_assert(c != NULL && f != NULL);
    *c = (struct context){
        .gs = (uint16_t)f->gs, .fs = (uint16_t)f->fs, .es = (uint16_t)f->es, .ds = (uint16_t)f->ds,
        .edi = f->edi, .esi = f->esi, .ebp = f->ebp, .esp = f->esp, .ebx = f->ebx, .edx = f->edx, .ecx = f->ecx,
        .eax = f->eax, .trap = machine->trap, .error = machine->error, .eip = f->eip, .cs = (uint16_t)f->cs,
        .eflags = f->eflags, .esp_at_signal = f->esp, .ss = (uint16_t)f->ss, .fpu = fpu, .old_mask = (uint32_t)mask,
        .cr2 = machine->fault_address,
    };
}

/* The stack pointer at a handler's first instruction is 4 below a multiple of 16, as after a call. */
static vaddr_t place_frame(vaddr_t at, size_t bytes) { return (vaddr_t)round_down(at - bytes + 4, 16) - 4; }

/* Where a frame of this size goes on a stack, and the FPU's state (0: none). */
struct places { vaddr_t frame; uint32_t fpu; };

static struct places find_places(vaddr_t at, size_t bytes)
{
    struct places places = { .fpu = 0 };

    if (thread_fpu_is_used())
        places.fpu = (uint32_t)(at = (vaddr_t)round_down(at - sizeof(struct fpu_state), FPU_ALIGN));
    places.frame = place_frame(at, bytes);
    return places;
}

/*
 * The return code in the frame, also for those who look for it there: mov $number, %eax; int $0x80. sigreturn finds its
 * frame behind the signal's number, so for sigreturn pop %eax comes first.
 */
static const uint8_t plain_code[8] = { 0x58, 0xB8, CALL_SIGRETURN, 0, 0, 0, 0xCD, 0x80 };
static const uint8_t rt_code[8]    = { 0xB8, CALL_RT_SIGRETURN, 0, 0, 0, 0xCD, 0x80 };

/*
 * Where a handler returns to that says no place: C libraries leave it to the vDSO, where there is one. Code in the
 * frame is the last resort, for it is executed where its program writes: a processor begins anew each time, and an
 * emulator translates all that is there.
 */
static uint32_t return_place(const struct signal_action *action, unsigned behind_calls, vaddr_t in_frame)
{
    vaddr_t calls = current_process()->memory->calls_at;

    if (action->flags & SA_RESTORER)
        return (uint32_t)action->restorer;
    return (uint32_t)(calls != 0 ? calls + behind_calls : in_frame);
}

/* The handler begins with a new FPU state: an exception pending in the interrupted state is not the handler's. */
static void enter_handler(struct trap_frame *frame, vaddr_t stack, const struct signal_action *action)
{
    deep_assert(frame != NULL && action != NULL);
    frame->esp = (uint32_t)stack;
    frame->eip = (uint32_t)action->handler;
    frame->eflags &= ~(uint32_t)(EFLAGS_TRAP | EFLAGS_DIRECTION | EFLAGS_RESUME);
    thread_fpu_reset();
    frame->ds = frame->es = frame->ss = USER_DATA;
    frame->cs = USER_CODE;
}

static int push_plain(struct trap_frame *frame, const struct signal_info *info, const struct signal_action *action,
                      uint64_t mask, struct places places)
{
    struct plain_frame *f     = heap_alloc(sizeof *f, HEAP_ZERO);
    vaddr_t             place = places.frame;
    int                 err   = f == NULL ? -EFAULT : put_fpu(places.fpu);

    deep_assert(frame != NULL && info != NULL && action != NULL);
    if (err == 0) {
        f->return_to  = return_place(action, VDSO_SIGRETURN, place + offsetof(struct plain_frame, code));
        f->number     = info->number;
        f->mask_high  = (uint32_t)(mask >> 32);
        put_context(&f->context, frame, mask, places.fpu);
        memcpy(f->code, plain_code, sizeof f->code);
        err = user_write(place, f, sizeof *f);
    }
    if (err == 0) {
        enter_handler(frame, place, action);
        frame->eax = (uint32_t)info->number;
        frame->edx = frame->ecx = 0;
    }
    heap_free(f);
    return err;
}

static int push_rt(struct trap_frame *frame, const struct signal_info *info, const struct signal_action *action,
                   uint64_t mask, struct places places)
{
    const struct thread *self  = current_thread();
    struct rt_frame     *f     = heap_alloc(sizeof *f, 0);  /* all of it is written below */
    vaddr_t              place = places.frame;
    int                  err   = f == NULL ? -EFAULT : put_fpu(places.fpu);

    deep_assert(frame != NULL && info != NULL && action != NULL);
    if (err == 0) {
        f->return_to  = return_place(action, VDSO_RT_SIGRETURN, place + offsetof(struct rt_frame, code));
        f->number     = info->number;
        f->info_at    = (uint32_t)(place + offsetof(struct rt_frame, info));
        f->context_at = (uint32_t)(place + offsetof(struct rt_frame, context));
        signal_info_encode(f->info, info);
        f->context.flags = f->context.link = 0;
        f->context.stack = (struct alternate_stack){ (uint32_t)self->alternate_stack, self->alternate_flags,
                                                     (uint32_t)self->alternate_size };
        f->context.mask  = mask;
        put_context(&f->context.context, frame, mask, places.fpu);
        memcpy(f->code, rt_code, sizeof f->code);
        err = user_write(place, f, sizeof *f);
    }
    if (err == 0) {
        enter_handler(frame, place, action);
        frame->eax = (uint32_t)info->number;
        frame->edx = f->info_at;
        frame->ecx = f->context_at;
    }
    heap_free(f);
    return err;
}

int signal_frame_push(struct trap_frame *frame, const struct signal_info *info, const struct signal_action *action,
                      uint64_t mask, vaddr_t *place)
{
    struct thread *self  = current_thread();
    vaddr_t        stack = frame->esp;
    struct places  places;
    bool           on, rt = action->flags & SA_SIGINFO;
    int            err;

    deep_assert(frame != NULL && info != NULL && action != NULL);
    on = alternate_is_used(self, stack);
    if ((action->flags & SA_ONSTACK) && self->alternate_size != 0 && !on) {
        stack = self->alternate_stack + self->alternate_size;
        on    = true;
    }
    places = find_places(stack, rt ? sizeof(struct rt_frame) : sizeof(struct plain_frame));
    *place = places.frame;
    if (on && !alternate_has(self, places.frame))
        return -EFAULT;                 /* below the stack is what is something else's: the program ends, as on Linux */
    err = rt ? push_rt(frame, info, action, mask, places) : push_plain(frame, info, action, mask, places);
    if (err == 0 && (self->alternate_flags & SS_AUTODISARM)) {
        self->alternate_stack = self->alternate_size = 0;
        self->alternate_flags = SS_DISABLE;
    }
    return err;
}

/* ---- Popping --------------------------------------------------------------------------------------- */

/*
 * Selectors are taken from the frame without a check: at the return (trap_frame.h) the exception table has a row for
 * each instruction that loads one. CS and SS get the privilege level of programs, which IRET and the kernel go by.
 */
static long restore_registers(struct trap_frame *frame, const struct context *c, uint64_t mask)
{
    deep_assert(frame != NULL && c != NULL);
    frame->gs  = c->gs;
    frame->fs  = c->fs;
    frame->es  = c->es;
    frame->ds  = c->ds;
    frame->edi = c->edi;
    frame->esi = c->esi;
    frame->ebp = c->ebp;
    frame->esp = c->esp;
    frame->ebx = c->ebx;
    frame->edx = c->edx;
    frame->ecx = c->ecx;
    frame->eax = c->eax;
    frame->eip = c->eip;
    frame->cs  = c->cs | PROGRAMS;
    frame->ss  = c->ss | PROGRAMS;
    frame->eflags = (frame->eflags & ~(uint32_t)EFLAGS_USER) | (c->eflags & EFLAGS_USER) | EFLAGS_KEPT;
    frame->vector = TRAP_NONE;                  /* the registers are the program's: no call to restart */
    signal_set_mask(mask);
    return (long)(int32_t)c->eax;
}

static long bad_frame(void)
{
    struct signal_info fault = { .number = SIGSEGV, .code = 128 };

    signal_fault(&fault);
    return 0;
}

/* The handler has popped the return address, and sigreturn's code the number as well. */
long signal_frame_pop(struct trap_frame *frame)
{
    user_t         place;
    struct context context;
    uint32_t       high;

    deep_assert(frame != NULL);
    place = frame->esp - 8;
    if (user_read(&context, place + offsetof(struct plain_frame, context), sizeof context) != 0 ||
        user_read(&high, place + offsetof(struct plain_frame, mask_high), sizeof high) != 0 ||
            get_fpu(context.fpu) != 0)
        return bad_frame();
    return restore_registers(frame, &context, (uint64_t)high << 32 | context.old_mask);
}

long signal_frame_pop_rt(struct trap_frame *frame)
{
    struct thread      *self = current_thread();
    user_t              place;
    struct user_context context;
    struct context      registers;

    deep_assert(frame != NULL);
    place = frame->esp - 4;
    if (user_read(&context, place + offsetof(struct rt_frame, context), sizeof context) != 0 ||
        get_fpu(context.context.fpu) != 0)
        return bad_frame();
    registers = context.context;
    if (context.stack.at != self->alternate_stack || context.stack.bytes != self->alternate_size ||
        context.stack.flags != self->alternate_flags)
        (void)alternate_set(self, registers.esp, &context.stack);       /* or none, as on Linux */
    return restore_registers(frame, &registers, context.mask);
}
