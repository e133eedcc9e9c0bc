/*
 * fiber_stack.h - a thread's kernel stack as a stack of the host's: how it is made, and how it is left for another.
 *
 * Included once by each program: a sanitizer is told of each change, and learns the first stack's place at the first.
 */
#ifndef QUIRE_TESTS_FIBER_STACK_H
#define QUIRE_TESTS_FIBER_STACK_H

#include <stdbool.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <ucontext.h>

enum { FIBER_BYTES = 256 * 1024 };

/* A stack on which `begin` runs when its context is switched to: its lowest address. */
static inline char *stack_make(ucontext_t *context, void (*begin)(void))
{
    char *stack = mmap(NULL, FIBER_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if (stack == MAP_FAILED)
        abort();
    getcontext(context);
    context->uc_stack.ss_sp   = stack;
    context->uc_stack.ss_size = FIBER_BYTES;
    makecontext(context, begin, 0);
    return stack;
}

static inline void stack_drop(char *stack) { munmap(stack, FIBER_BYTES); }

#ifdef __SANITIZE_ADDRESS__
void __sanitizer_start_switch_fiber(void **fake, const void *bottom, size_t bytes);
void __sanitizer_finish_switch_fiber(void *fake, const void **bottom, size_t *bytes);
void __asan_unpoison_memory_region(const volatile void *at, size_t bytes);

static const void *first_stack_bottom;
static size_t      first_stack_bytes;

/* Right before the context of the stack `to` is switched to, NULL: that of the first. What stack_enter() is given. */
static inline void *stack_leave(bool for_good, const char *to)
{
    void *fake = NULL;

    __sanitizer_start_switch_fiber(for_good ? NULL : &fake, to != NULL ? to : first_stack_bottom,
                                   to != NULL ? FIBER_BYTES : first_stack_bytes);
    return fake;
}

/* Right behind it, on the way back; NULL where a stack begins. */
static inline void stack_enter(void *fake)
{
    const void *bottom;
    size_t      bytes;

    __sanitizer_finish_switch_fiber(fake, &bottom, &bytes);
    if (first_stack_bottom == NULL) {
        first_stack_bottom = bottom;
        first_stack_bytes  = bytes;
    }
}
/* Marks of calls that were left without a return, by the end of a thread or of the machine, are no overflow of now. */
static __attribute__((noinline, unused)) void stack_forget_below(void)
{
    enum { DEEPEST = 64 * 1024 };

    __asan_unpoison_memory_region((char *)__builtin_frame_address(0) - DEEPEST, DEEPEST);
}
#else
static inline void stack_forget_below(void) { }
static inline void *stack_leave(bool for_good, const char *to) { (void)for_good; (void)to; return NULL; }
static inline void stack_enter(void *fake) { (void)fake; }
#endif

#endif
