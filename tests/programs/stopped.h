/*
 * stopped.h - a program that the processor stops on purpose: instructions are written, run and seen to stop, and told.
 *
 * The program edits its own registers where it was stopped: one handler notes the signal, its code and address, what
 * the trap was, and goes on at `recover` with good segments. No C library inside the handler: GS may be invalid.
 * Included once.
 */
#ifndef STOPPED_H
#define STOPPED_H

#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Linux, asm/sigcontext.h. */
struct context {
    uint32_t gs, fs, es, ds, edi, esi, ebp, esp, ebx, edx, ecx, eax, trap, error, eip, cs, flags, esp_at_signal, ss,
        fpu, mask, cr2;
};

enum { TF = 0x100, NT = 0x4000, AC = 0x40000, KNOWN_FLAGS = 0x7FFFD5 & ~0x200, CODE_BYTES = 4096 };

/* ---- Where the program is stopped ------------------------------------------------------------------- */

struct seen { int signal, code; uint32_t address, trap, error, eip, cr2; };

struct seen  seen;                      /* of the last run: signal 0 if nothing happened            */
uint32_t     good_cs, good_ds, good_gs, saved_esp;
uint32_t     landed_ds, landed_es, landed_fs, landed_gs, landed_ss, landed_cs, landed_flags, landed_control,
    landed_mxcsr;
uint8_t     *code;                      /* a page for instructions                                  */
static void (*edit)(struct context *c); /* what to do to the registers when the door opens          */
static int   steps;
static uint32_t step_at[16];

extern char recover[], door[], landed[];
void run(void *at);

/* run(): the instructions at `at` are jumped to, and end by going to `recover`, also when a trap stops them. */
__asm__(".text\n"
        "run: pushal\n\t pushl %gs\n\t pushl %fs\n\t movl 44(%esp), %eax\n\t movl %esp, saved_esp\n\t jmp *%eax\n"
        ".globl recover\n"
        "recover: movl %cs:good_ds, %eax\n\t movl %eax, %ds\n\t movl %eax, %es\n\t movl %eax, %ss\n\t movl saved_esp, "
        "%esp\n\t"
        "cld\n\t popl %fs\n\t popl %gs\n\t popal\n\t ret\n"
        /* The door: the handler may do as it likes here, and goes on behind it. */
        ".globl door, landed\n"
        "door: ud2\n"
        "landed: movl %ds, %eax\n\t movl %es, %ecx\n\t movl %cs:good_ds, %edx\n\t movl %edx, %ds\n\t movl %edx, %es\n\t"
        "movl %eax, landed_ds\n\t movl %ecx, landed_es\n\t movl %fs, %eax\n\t movl %eax, landed_fs\n\t movl %gs, "
        "%eax\n\t"
        "movl %eax, landed_gs\n\t movl %ss, %eax\n\t movl %eax, landed_ss\n\t movl %cs, %eax\n\t movl %eax, "
        "landed_cs\n\t"
        "fnstcw landed_control\n\t pushfl\n\t popl landed_flags\n\t"
        "jmp recover\n");

static void note(int number, siginfo_t *info, struct context *c)
{
    seen = (struct seen){ number, info != NULL ? info->si_code : 0, info != NULL ? (uint32_t)info->si_addr : 0,
                          c->trap, c->error, c->eip, c->cr2 };
    c->eip = (uint32_t)recover;
    c->esp = c->esp_at_signal = saved_esp;
    c->cs  = good_cs;
    c->ss  = c->ds = c->es = good_ds;
    c->fs  = 0;
    c->gs  = good_gs;
    c->flags &= ~(TF | NT | AC);
}

static void stopped(int number, siginfo_t *info, struct context *c)
{
    if (number == SIGILL && c->eip == (uint32_t)door && edit != NULL) {
        c->eip = (uint32_t)landed;
        edit(c);
        return;
    }
    if (number == SIGTRAP && steps >= 0 && steps < 16 && info != NULL && info->si_code == TRAP_TRACE) {
        step_at[steps++] = c->eip;
        if (c->eip != (uint32_t)recover)
            return;
    }
    note(number, info, c);
}

static void handler(int number, siginfo_t *info, void *context)
{
    stopped(number, info, (struct context *)((char *)context + 20));
}

/* The older frame: the registers lie behind the signal's number. */
static void plain_handler(int number, struct context c) { stopped(number, NULL, &c); __asm__ volatile("" : : "m"(c)); }

static char alternate[65536];

static void handle_all(int plain)
{
    static const int numbers[] = { SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGTRAP };
    struct sigaction action = { .sa_flags = SA_ONSTACK | SA_NODEFER | (plain ? 0 : SA_SIGINFO) };
    stack_t          stack = { .ss_sp = alternate, .ss_size = sizeof alternate };

    sigaltstack(&stack, NULL);
    if (plain)
        action.sa_handler = (void (*)(int))plain_handler;
    else
        action.sa_sigaction = handler;
    for (unsigned i = 0; i < sizeof numbers / sizeof *numbers; i++)
        sigaction(numbers[i], &action, NULL);
}

/* ---- Instructions ------------------------------------------------------------------------------------ */

static uint8_t *put(uint8_t *to, const char *hex)
{
    for (; *hex != '\0'; hex++)
        if (*hex != ' ') {
            char pair[3] = { hex[0], hex[1], 0 };

            *to++ = (uint8_t)strtoul(pair, NULL, 16);
            hex++;
        }
    return to;
}

/* jmp to an absolute address, through the stack: push, ret. */
static void put_end(uint8_t *to)
{
    *to++ = 0x68;
    *(uint32_t *)to = (uint32_t)recover;
    to[4] = 0xC3;
}

/* The line written last. */
static void try_again(void)
{
    memset(&seen, 0, sizeof seen);
    steps = -1;
    run(code);
}

static void try(uint8_t *end)
{
    put_end(end);
    try_again();
}

static const char *name_of(int number)
{
    return number == 0 ? "nothing" : number == SIGSEGV ? "SEGV" : number == SIGBUS ? "BUS" : number == SIGILL ? "ILL" :
           number == SIGFPE ? "FPE" : number == SIGTRAP ? "TRAP" : number == SIGKILL ? "KILL" : number == SIGSYS ? "SYS"
               : "other";
}

/* An address as a distance from the code page, where it lies there. */
static void describe(char *to, size_t size)
{
    uint32_t from = (uint32_t)code;
    char     where[32];

    if (seen.signal == 0) {
        snprintf(to, size, "nothing");
        return;
    }
    if (seen.address - from < CODE_BYTES)
        snprintf(where, sizeof where, "code+%u", seen.address - from);
    else
        snprintf(where, sizeof where, "%x", seen.address);
    snprintf(to, size, "%s code %d address %s trap %u error %x", name_of(seen.signal), seen.code, where, seen.trap,
             seen.error);
}

static void show(const char *what)
{
    char text[128];

    describe(text, sizeof text);
    printf("%s: %s\n", what, text);
}

/* Runs of neighbours that answer alike are one line. */
static char     run_text[160];
static unsigned run_first, run_last;
static int      run_open;

static void run_end(const char *what)
{
    if (run_open)
        printf("%s %04x-%04x: %s\n", what, run_first, run_last, run_text);
    run_open = 0;
}

static void run_add(const char *what, unsigned number, const char *text)
{
    if (run_open && strcmp(text, run_text) == 0) {
        run_last = number;
        return;
    }
    run_end(what);
    run_open  = 1;
    run_first = run_last = number;
    snprintf(run_text, sizeof run_text, "%s", text);
}

/* A selector's fault tells the selector in the error code; that is the same for all, the number is not. */
static const char *selector_text(unsigned selector)
{
    static char text[160];

    if (seen.signal != 0 && seen.error == (selector & 0xFFFC) && selector > 3)
        snprintf(text, sizeof text, "%s code %d address %x trap %u error is the selector", name_of(seen.signal),
                 seen.code, seen.address, seen.trap);
    else
        describe(text, sizeof text);
    return text;
}

#endif
