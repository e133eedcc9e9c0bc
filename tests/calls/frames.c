/*
 * frames.c - forged signal frames: sigreturn and rt_sigreturn are called by a program that was in no handler.
 *
 * Most of a frame is right, so that the kernel comes far with it; one to four words are wrong. If the kernel takes
 * it, the program goes on at `landed` or anywhere, with the flags and selectors of the frame; it does a call from there
 * and ends.
 */
#include "fuzzer.h"

/* struct sigcontext, in words. */
enum { GS, FS, ES, DS, EDI, ESI, EBP, ESP, EBX, EDX, ECX, EAX, TRAP, ERROR, EIP, CS, EFLAGS, ESP_AT_SIGNAL, SS, FPU,
       MASK, CR2, CONTEXT };
enum { FRAME_WORDS = 300, USER_CODE = 0x73, USER_DATA = 0x7B };

static uint32_t stack[1024] __attribute__((aligned(16)));
/* struct _fpstate with an FXSAVE image behind               */
static uint32_t state[160] __attribute__((aligned(64)));

static void landed(void)
{
    KERNEL(CALL_GETPID, 0);
    leave(0);
}

static void fill_context(struct worker *w, uint32_t *context)
{
    static const uint32_t flags[] = { 0x202, 0x246, 0x302, 0x602, 0x4202, 0x40202, 0x20202, 0x3202, 0x10202, 0x200202,
                                      0x80202, 0x100202, 2, 0 };
    uint32_t segments;

    memset(context, 0, CONTEXT * 4);
    __asm__("mov %%ds, %0" : "=r"(segments));
    context[ES] = context[DS] = context[SS] = segments;
    __asm__("mov %%cs, %0" : "=r"(context[CS]));
    context[EIP]    = (uint32_t)landed;
    context[ESP]    = context[ESP_AT_SIGNAL] = (uint32_t)(stack + COUNT_OF(stack) - 16);
    context[EFLAGS] = CHANCE_OF(&w->chance, flags);
    context[FPU]    = chance_one_in(&w->chance, 2) ? (uint32_t)state : 0;
}

static const uint32_t selectors[] = { 0, 1, 2, 3, 8, 0x10, 0x18, 0x20, 0x23, 0x2B, 0x33, 0x3B, 0x43, 0x63, 0x73, 0x7B,
                                      0x83, 0x7, 0xF, 0xFFFF, 0xFFFB, 0x1B };

static void disturb(struct worker *w, uint32_t *context)
{
    for (uint32_t n = chance_below(&w->chance, 5); n > 0; n--) {
        uint32_t which = chance_below(&w->chance, CONTEXT);

        if (which <= DS || which == CS || which == SS)
            context[which] = CHANCE_OF(&w->chance,
                                       selectors) | (chance_one_in(&w->chance, 8) ? chance_word(&w->chance) << 16 : 0);
        else
            context[which] = any_word(w);
    }
    if (chance_one_in(&w->chance, 3))
        context[EFLAGS] = chance_word(&w->chance);
}

/* An FPU state whose reserved bits are set here and there: MXCSR is word 28 + 6 of the whole. */
static void fill_state(struct worker *w)
{
    memset(state, 0, sizeof state);
    state[0]       = 0xFFFF037F;
    state[28]      = 0x037F;
    state[28 + 6]  = chance_one_in(&w->chance, 2) ? 0x1F80 : chance_word(&w->chance);
    state[27]      = chance_one_in(&w->chance, 3) ? any_word(w) : 0;
    for (uint32_t n = chance_below(&w->chance, 6); n > 0; n--)
        state[chance_below(&w->chance, COUNT_OF(state))] = any_word(w);
}

/* sigreturn finds the stack pointer behind the return address and the number: at the context. */
static const uint32_t *plain_frame(struct worker *w)
{
    uint32_t *frame = stack + 64;

    fill_context(w, frame);
    disturb(w, frame);
    frame[CONTEXT] = chance_word(&w->chance);
    return frame - (chance_one_in(&w->chance, 2) ? 0 : 1);
}

/*
 * rt_sigreturn: behind number and two pointers siginfo (32 words), then ucontext: flags, link, stack (3), context,
 * mask.
 */
static const uint32_t *real_time_frame(struct worker *w)
{
    uint32_t *frame = stack + 64, *context = frame + 3 + 32;

    memset(frame, 0, FRAME_WORDS * 4);
    if (chance_one_in(&w->chance, 2)) {
        context[2] = any_address(w);
        context[3] = chance_below(&w->chance, 5);
        context[4] = any_word(w);
    } else {
        context[3] = 2;
    }
    fill_context(w, context + 5);
    disturb(w, context + 5);
    context[5 + CONTEXT] = chance_word(&w->chance);
    return frame;
}

static void forge(struct worker *w)
{
    bool            real = chance_one_in(&w->chance, 2);
    const uint32_t *frame;

    fill_state(w);
    frame = real ? real_time_frame(w) : plain_frame(w);
    if (chance_one_in(&w->chance, 10))
        frame = (const uint32_t *)any_address(w);
    kernel_return(real ? CALL_RT_SIGRETURN : CALL_SIGRETURN, frame);
}

void batch_frames(struct worker *w, uint32_t count)
{
    for (uint32_t n = 0; n < count; n++) {
        w->chance.state = mix(w->chance.state, n);
        __sync_fetch_and_add(&shared->calls, 1);
        __sync_fetch_and_add(&shared->by_kind[FRAMES], 1);
        if (attempt() == 0)
            forge(w);
    }
}
