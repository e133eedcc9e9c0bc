/*
 * alternate.c - alternate stacks for handlers: one that is full ends the program, and nothing below it is written; one
 * that a handler's entry forgets (SS_AUTODISARM).
 */
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <ucontext.h>
#include <unistd.h>

enum { BELOW = 65536, STACK = 65536, LITTLE = 64 };
#define AUTODISARM (1u << 31)

static char   *memory;                          /* BELOW bytes that are another's, then the stack */
static stack_t in_context, inside;
static int     answer;

static void say(const char *what, int result, const stack_t *stack)
{
    printf("%s: %d, flags %x, %d bytes, %s\n", what, result, (unsigned)stack->ss_flags, (int)stack->ss_size,
           stack->ss_sp == memory + BELOW ? "the stack" : stack->ss_sp == NULL ? "none" : "another");
}

static void handle(int number, void (*handler)(int, siginfo_t *, void *), int flags)
{
    struct sigaction action = { .sa_sigaction = handler, .sa_flags = flags };

    sigaction(number, &action, NULL);
}

/* ---- A full one ------------------------------------------------------------------------------- */

static void nothing(int number, siginfo_t *info, void *context) { (void)number; (void)info; (void)context; }

/* Send itself a signal with the stack pointer a few bytes above the alternate stack's end. */
static void send_where_it_is_full(int number, siginfo_t *info, void *context)
{
    char *low = memory + BELOW + LITTLE;
    long  result = SYS_kill;

    (void)number, (void)info, (void)context;
    __asm__ volatile("xchgl %%esp, %1\n\tint $0x80\n\txchgl %%esp, %1"
                     : "+a"(result), "+S"(low) : "b"(getpid()), "c"(SIGUSR2) : "memory");
}

static void fill(const char *how, int flags)
{
    int written = 0, status, child;

    memset(memory, 'x', BELOW);
    fflush(stdout);
    child = fork();
    if (child == 0) {
        stack_t stack = { memory + BELOW, 0, STACK };

        handle(SIGUSR1, send_where_it_is_full, SA_SIGINFO | SA_ONSTACK);
        handle(SIGUSR2, nothing, flags);
        sigaltstack(&stack, NULL);
        raise(SIGUSR1);
        _exit(0);
    }
    waitpid(child, &status, 0);
    for (int i = 0; i < BELOW; i++)
        written += memory[i] != 'x';
    printf("%s: signal %d, %d bytes written below\n", how, WIFSIGNALED(status) ? WTERMSIG(status) : 0, written);
}

/* ---- One that is forgotten ---------------------------------------------------------------------- */

static void look(int number, siginfo_t *info, void *context)
{
    stack_t other = { memory, 0, BELOW };

    (void)info;
    in_context = ((ucontext_t *)context)->uc_stack;
    sigaltstack(NULL, &inside);
    if (number == SIGUSR1)
        answer = sigaltstack(&other, NULL);
}

static void set(const char *how, unsigned flags)
{
    stack_t stack = { memory + BELOW, (int)flags, STACK }, now;
    int     result = sigaltstack(&stack, NULL);

    sigaltstack(NULL, &now);
    say(how, result, &now);
}

static void send(int number)
{
    stack_t now;

    answer = 1;
    raise(number);
    sigaltstack(NULL, &now);
    say("  in the frame", 0, &in_context);
    say("  inside", answer, &inside);
    say("  after", 0, &now);
}

int main(void)
{
    memory = mmap(NULL, BELOW + STACK, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    fill("full", SA_SIGINFO | SA_ONSTACK);
    fill("full, a plain handler", 0);
    handle(SIGUSR1, look, SA_SIGINFO | SA_ONSTACK);
    handle(SIGUSR2, look, SA_SIGINFO);
    set("usual", 0);
    send(SIGUSR1);
    set("forgotten", AUTODISARM);
    send(SIGUSR1);
    set("forgotten, on", AUTODISARM | SS_ONSTACK);
    send(SIGUSR1);
    send(SIGUSR2);
    set("off and forgotten", AUTODISARM | SS_DISABLE);
    send(SIGUSR2);
    set("unknown", 1u << 30);
    return 0;
}
