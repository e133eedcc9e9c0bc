/*
 * vectors.c - every way in which a program can make the processor stop it, and what signal each becomes.
 *
 *   vectors        one line for each run of neighbours that answer alike
 *   vectors all    every selector of 65 536; without it, all of the first 512 and a sample of the others
 *
 * The program edits its own registers where it was stopped: one handler notes the signal, its code and address, what
 * the trap was, and goes on at `recover` with good segments. So nothing is forked but what has to die, and a
 * handler that cannot be reached is a death that the shell sees. No C library inside the handler: GS may be invalid.
 */
#define _GNU_SOURCE
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "stopped.h"

static int every;

/* Entry 28 of Linux's table tells a program its processor, and the others are kernel segments without use for it. */
static unsigned next_selector(unsigned selector)
{
    return every || selector < 0x1000 ? selector + 1 : selector + 61;
}

/* ---- Every vector ------------------------------------------------------------------------------------- */

static void vectors(void)
{
    char text[160];

    for (unsigned n = 0; n < 256; n++) {
        uint8_t *end = put(code, "31 C0 B0 14 31 DB");             /* eax: getpid */

        *end++ = 0xCD;
        *end++ = (uint8_t)n;
        try(end);
        seen.address -= seen.address == (uint32_t)(code + 6) ? 6 : 0;
        if (seen.error == n * 8 + 2 && seen.signal != 0)
            snprintf(text, sizeof text, "%s code %d address %x trap %u error is the gate", name_of(seen.signal),
                     seen.code, seen.address, seen.trap);
        else
            describe(text, sizeof text);
        run_add("int", n, text);
    }
    run_end("int");
}

static const struct { const char *name, *bytes; } instructions[] = {
    { "int3", "CC" }, { "into without overflow", "31 C0 CE" }, { "into", "B0 7F 04 01 CE" },
    { "bound", "6A 00 6A 00 B8 05 00 00 00 62 04 24" }, { "icebp", "F1" }, { "ud2", "0F 0B" }, { "ud1", "0F B9 C0" },
    { "hlt", "F4" }, { "cli", "FA" }, { "sti", "FB" }, { "in", "E4 80" }, { "in dx", "66 BA 80 00 EC" },
    { "out", "E6 80" }, { "insb", "6C" }, { "outsb", "6E" }, { "rep insl", "31 C9 F3 6D" }, { "lgdt", "0F 01 14 24" },
    { "lidt", "0F 01 1C 24" }, { "lldt", "31 C0 0F 00 D0" }, { "ltr", "31 C0 0F 00 D8" }, { "lmsw", "31 C0 0F 01 F0" },
    { "clts", "0F 06" }, { "invd", "0F 08" }, { "wbinvd", "0F 09" }, { "invlpg", "0F 01 3C 24" },
    { "mov cr0", "0F 20 C0" }, { "mov to cr0", "0F 22 C0" }, { "mov cr2", "0F 20 D0" }, { "mov cr3", "0F 20 D8" },
    { "mov to cr4", "0F 22 E0" }, { "mov cr1", "0F 20 C8" }, { "mov dr0", "0F 21 C0" }, { "mov to dr7", "0F 23 F8" },
    { "rdmsr", "0F 32" }, { "wrmsr", "0F 30" }, { "rdpmc", "0F 33" }, { "rsm", "0F AA" }, { "sysexit", "0F 35" },
    { "xsetbv", "0F 01 D1" }, { "monitor", "0F 01 C8" }, { "vmcall", "0F 01 C1" }, { "lock nop", "F0 90" },
    { "sixteen bytes", "66 66 66 66 66 66 66 66 66 66 66 66 66 66 66 66 90" },
    { "divide by zero", "31 D2 31 C0 31 C9 F7 F1" }, { "divide overflow", "B8 00 00 00 80 99 83 C9 FF F7 F9" },
    { "aam 0", "D4 00" }, { "read null", "A1 00 00 00 00" }, { "write null", "A3 00 00 00 00" },
    { "jump null", "31 C0 FF E0" }, { "read the last page", "A1 00 F0 FF FF" },
    { "write the last page", "A3 00 F0 FF FF" }, { "jump to the last page", "B8 00 F0 FF FF FF E0" },
    { "read over the end", "A1 FE FF FF FF" }, { "push at null", "31 E4 50" },
    { "iret with NT", "9C 81 0C 24 00 40 00 00 9D CF" }, { "movaps askew", "0F 28 44 24 01" },
    { "ldmxcsr reserved", "6A FF 0F AE 14 24" },
    { "unmasked x87 invalid", "DB E3 68 7E 03 00 00 D9 2C 24 D9 EE D9 EE DE F9 9B" },
    { "unmasked x87 stack", "DB E3 68 7E 03 00 00 D9 2C 24 DD D8 9B" },
    { "unmasked x87 divide", "DB E3 68 7B 03 00 00 D9 2C 24 D9 E8 D9 EE DE F9 9B" },
    { "unmasked x87 overflow",
      "DB E3 68 77 03 00 00 D9 2C 24 68 FF 7F 00 00 D9 E8 DB 04 24 D9 C9 D9 FD DC C8 DC C8 D9 FD 9B" },
    { "unmasked x87 precision", "DB E3 68 5F 03 00 00 D9 2C 24 D9 E8 D9 EB DE F9 9B" },
    { "masked x87 divide", "DB E3 D9 E8 D9 EE DE F9 9B" },
    { "unmasked sse invalid", "68 00 1F 00 00 0F AE 14 24 0F 57 C0 0F 5E C0" },
    { "unmasked sse divide", "68 80 1D 00 00 0F AE 14 24 0F 57 C0 6A 01 F3 0F 2A 0C 24 F3 0F 5E C8" },
    { "unmasked sse precision", "68 80 0F 00 00 0F AE 14 24 6A 03 F3 0F 2A 0C 24 6A 01 F3 0F 2A 04 24 F3 0F 5E C1" },
    { "masked sse divide", "68 80 1F 00 00 0F AE 14 24 0F 57 C0 6A 01 F3 0F 2A 0C 24 F3 0F 5E C8" },
    { "frstor of ones", "81 EC 00 01 00 00 89 E7 B9 6C 00 00 00 B0 FF F3 AA DD 24 24 DB E3" },
    { "fxrstor of ones", "81 EC 10 03 00 00 83 E4 F0 89 E7 B9 00 02 00 00 B0 FF F3 AA 0F AE 0C 24 DB E3" },
    { "fxrstor askew", "83 E4 F0 0F AE 4C 24 04" },
    { "alignment check", "9C 81 0C 24 00 00 04 00 9D 8B 44 24 01 9C 81 24 24 FF FF FB FF 9D" },
    { "trap flag", "9C 81 0C 24 00 01 00 00 9D 90 90" },
    { "trap flag and mov ss", "8C D0 9C 81 0C 24 00 01 00 00 9D 8E D0 90 90" },
    { "trap flag, mov ss, int 0x80", "8C D1 B8 14 00 00 00 9C 81 0C 24 00 01 00 00 9D 8E D1 CD 80 90 90" },
    { "trap flag, mov ss, int3", "8C D1 9C 81 0C 24 00 01 00 00 9D 8E D1 CC 90" },
    { "mov ss, icebp", "8C D1 8E D1 F1" }, { "mov ss, ud2", "8C D1 8E D1 0F 0B" },
    { "pop ss, int 4", "16 17 CD 04" },
    { "far jump over memory", "6A 00 6A 00 FF 2C 24" }, { "far call over memory", "6A 00 6A 00 FF 1C 24" },
    { "retf to null", "6A 00 6A 00 CB" }, { "iret to null", "6A 00 6A 00 6A 00 CF" },
    { "lds null", "6A 00 6A 00 C5 04 24" }, { "mov to cs", "31 C0 8E C8" }, { "mov to segment 6", "31 C0 8E F0" },
    { "pop cs", "0F FF C0" }, { "arpl", "31 C0 63 C0" }, { "lar null", "31 C0 0F 02 C0" },
    { "verr null", "31 C0 0F 00 E0" },
};

static void all_instructions(void)
{
    for (unsigned i = 0; i < sizeof instructions / sizeof *instructions; i++) {
        try(put(code, instructions[i].bytes));
        show(instructions[i].name);
    }
}

/* ---- Every selector into every segment register --------------------------------------------------------- */

/*
 * Instructions are written once and take the selector from memory: an emulator translates code that is written anew
 * each time, and looks at each byte that is written beside it.
 */
static uint32_t loaded;

static const struct { const char *name, *before, *after; } loads[] = {
    { "mov ds", "A1", "8E D8" }, { "mov es", "A1", "8E C0" }, { "mov fs", "A1", "8E E0" }, { "mov gs", "A1", "8E E8" },
    { "mov ss", "A1", "8C D1 8E D0 8E D1" },
    { "pop ds", "FF 35", "1F" }, { "pop es", "FF 35", "07" }, { "pop fs", "FF 35", "0F A1" },
    { "pop gs", "FF 35", "0F A9" }, { "pop ss", "FF 35", "8C D1 89 E2 17 8E D1 89 D4" },
};

/* Puts the operand behind an instruction's first bytes: the address of the selector. */
static uint8_t *put_loaded(uint8_t *to)
{
    *(uint32_t *)to = (uint32_t)&loaded;
    return to + 4;
}

static void all_loads(void)
{
    for (unsigned i = 0; i < sizeof loads / sizeof *loads; i++) {
        put_end(put(put_loaded(put(code, loads[i].before)), loads[i].after));
        for (unsigned selector = 0; selector < 0x10000; selector = next_selector(selector)) {
            loaded = selector;
            try_again();
            run_add(loads[i].name, selector, selector_text(selector));
        }
        run_end(loads[i].name);
    }
}

/* To `recover` through CS = selector. */
static void all_far(void)
{
    static const char *const names[] = { "far jump", "far call", "far return", "iret" };

    for (unsigned way = 0; way < 4; way++) {
        uint8_t  *end = code;
        uint16_t *place = (uint16_t *)&loaded;

        if (way == 3)
            *end++ = 0x9C;                                          /* pushf */
        if (way >= 2) {
            end = put_loaded(put(end, "FF 35"));
            *end++ = 0x68; *(uint32_t *)end = (uint32_t)recover; end += 4;
            *end++ = way == 2 ? 0xCB : 0xCF;
        } else {
            *end++ = way == 0 ? 0xEA : 0x9A;
            *(uint32_t *)end = (uint32_t)recover; end += 4;
            place = (uint16_t *)end; end += 2;                      /* the selector is a part of the instruction */
        }
        put_end(end);
        for (unsigned selector = 0; selector < 0x10000; selector = next_selector(selector)) {
            *place = (uint16_t)selector;
            try_again();
            run_add(names[way], selector, selector_text(selector));
        }
        run_end(names[way]);
    }
}

/* ---- Forged frames: sigreturn and rt_sigreturn ------------------------------------------------------------ */

static unsigned wanted, which;

static void edit_selector(struct context *c)
{
    uint32_t *const places[] = { &c->ds, &c->es, &c->fs, &c->gs, &c->cs, &c->ss };

    *places[which] = wanted;
}

static const char *landed_text(unsigned selector)
{
    static char    text[160];
    const uint32_t values[] = { landed_ds, landed_es, landed_fs, landed_gs, landed_cs, landed_ss };
    uint32_t       got = values[which] & 0xFFFF;

    if (seen.signal != 0)
        snprintf(text, sizeof text, "%s code %d trap %u", name_of(seen.signal), seen.code, seen.trap);
    else
        snprintf(text, sizeof text, "%s", got == selector ? "as asked" : got == 0 ? "null" : got == (selector | 3)
                 ? "with level 3" : "other");
    return text;
}

static void through_door(void (*how)(struct context *))
{
    memset(&seen, 0, sizeof seen);
    steps = -1;
    edit  = how;
    run(door);
    edit = NULL;
}

static void all_returns(const char *call)
{
    static const char *const names[] = { "ds", "es", "fs", "gs", "cs", "ss" };
    char name[32];

    for (which = 0; which < 6; which++) {
        snprintf(name, sizeof name, "%s %s", call, names[which]);
        for (wanted = 0; wanted < 0x10000; wanted = next_selector(wanted)) {
            through_door(edit_selector);
            run_add(name, wanted, landed_text(wanted));
        }
        run_end(name);
    }
}

static void edit_all_selectors(struct context *c) { c->ds = c->es = c->fs = c->gs = c->ss = c->cs = wanted; }

static void all_at_once(void)
{
    for (wanted = 0; wanted < 0x10000; wanted = wanted < 256 ? wanted + 1 : wanted * 2 + 1) {
        through_door(edit_all_selectors);
        which = 4;
        run_add("all segments", wanted, landed_text(wanted));
    }
    run_end("all segments");
}

/* ---- Flags -------------------------------------------------------------------------------------------------- */

static void edit_flags(struct context *c) { c->flags = wanted; }

static void flags_by_return(const char *call)
{
    for (unsigned bit = 0; bit < 33; bit++) {
        wanted = bit == 32 ? ~0u & ~TF : 1u << bit;
        through_door(edit_flags);
        printf("%s flags %08x: ", call, wanted);
        if (seen.signal != 0)
            printf("%s code %d\n", name_of(seen.signal), seen.code);
        else
            printf("%08x\n", landed_flags & KNOWN_FLAGS & ~0x44u & ~0x91u);
    }
}

static void flags_by_popf(void)
{
    for (unsigned bit = 0; bit < 33; bit++) {
        uint8_t *end;

        wanted = bit == 32 ? ~0u & ~TF : 1u << bit;
        end = put(code, "68");
        *(uint32_t *)end = wanted;
        end = put(end + 4, "9D 9C 58 6A 02 9D A3");
        *(uint32_t *)end = (uint32_t)&landed_flags;
        try(end + 4);
        printf("popf %08x: ", wanted);
        if (seen.signal != 0)
            printf("%s code %d\n", name_of(seen.signal), seen.code);
        else
            printf("%08x\n", landed_flags & KNOWN_FLAGS);
    }
}

/* The same flags before and after a system call. */
static void flags_through_a_call(void)
{
    static const uint32_t tried[] = { 0x400, NT, AC, 0x800, 1, 0x200000, NT | 0x400 | AC };

    for (unsigned i = 0; i < sizeof tried / sizeof *tried; i++) {
        uint8_t *end = put(code, "B8 14 00 00 00 68");

        *(uint32_t *)end = tried[i] | 2;
        end = put(end + 4, "9D CD 80 9C 58 6A 02 9D A3");
        *(uint32_t *)end = (uint32_t)&landed_flags;
        try(end + 4);
        printf("a call with flags %08x: %s %08x\n", tried[i], name_of(seen.signal), landed_flags & KNOWN_FLAGS);
    }
}

static void single_steps(const char *what, const char *bytes)
{
    uint8_t *end = put(code, "9C 81 0C 24 00 01 00 00 9D");

    put_end(put(end, bytes));
    memset(&seen, 0, sizeof seen);
    steps = 0;
    run(code);
    printf("steps %s:", what);
    for (int i = 0; i < steps; i++)
        if (step_at[i] - (uint32_t)code < CODE_BYTES)
            printf(" %u", step_at[i] - (uint32_t)(end));
        else
            printf(" %s", step_at[i] == (uint32_t)recover ? "end" : "elsewhere");
    printf(" then %s code %d\n", name_of(seen.signal), seen.code);
}

/* ---- Selectors that go away between load and return ------------------------------------------------------------ */

struct description { uint32_t entry, base, limit, flags; };
enum { USABLE = 64, NOT_PRESENT = 32, PAGES = 16, READ_ONLY = 8, WIDE = 1 };

static int set_area(uint32_t *entry, uint32_t base, uint32_t limit, uint32_t flags)
{
    struct description d = { *entry, base, limit, flags };
    long               err;

    __asm__ volatile("int $0x80" : "=a"(err) : "a"(SYS_set_thread_area), "b"(&d) : "memory");
    *entry = d.entry;
    return (int)err;
}

/* `load` a segment register, then let the descriptor go by a call, then come back. */
static void gone(const char *what, const char *load)
{
    static struct description none;
    uint32_t entry = UINT32_MAX;
    uint8_t *end;
    int      err = set_area(&entry, 0, 0xFFFFF, WIDE | PAGES | USABLE);

    none = (struct description){ entry, 0, 0, READ_ONLY | NOT_PRESENT };
    end = put(code, "B8");
    *(uint32_t *)end = entry << 3 | 3;
    end = put(end + 4, load);
    end = put(end, "B8 F3 00 00 00 BB");
    *(uint32_t *)end = (uint32_t)&none;
    end = put(end + 4, "CD 80 68");
    *(uint32_t *)end = (uint32_t)landed;
    put(end + 4, "C3");
    memset(&seen, 0, sizeof seen);
    steps = -1;
    landed_ds = landed_es = landed_fs = landed_gs = 0xFFFF;
    run(code);
    printf("gone %s: set %d, %s code %d trap %u; ds %s es %s fs %s gs %s\n", what, err, name_of(seen.signal), seen.code,
           seen.trap, landed_ds ? "kept" : "null", landed_es ? "kept" : "null", landed_fs ? "kept" : "null",
           landed_gs ? "kept" : "null");
}

static void areas(void)
{
    static const struct { const char *what; uint32_t base, limit, flags; } tried[] = {
        { "usual", 0, 0xFFFFF, WIDE | PAGES | USABLE }, { "16 bits", 0, 0xFFFF, USABLE },
        { "not present", 0, 0xFFFFF, WIDE | NOT_PRESENT }, { "code", 0, 0xFFFFF, WIDE | PAGES | 4 },
        { "conforming", 0, 0xFFFFF, WIDE | PAGES | 6 }, { "downwards", 0, 0xFFFF, WIDE | 2 },
        { "read only", 0, 0xFFFFF, WIDE | PAGES | READ_ONLY }, { "zeros", 0, 0, 0 },
        { "empty", 0, 0, READ_ONLY | NOT_PRESENT }, { "limit too large", 0, ~0u, WIDE | PAGES | USABLE },
        { "odd bits", 0, 0xFFFFF, ~0u & ~(NOT_PRESENT | 6u) },
    };

    for (unsigned i = 0; i < sizeof tried / sizeof *tried; i++) {
        uint32_t entry = UINT32_MAX;
        int      err = set_area(&entry, tried[i].base, tried[i].limit, tried[i].flags);

        printf("area %s: %d\n", tried[i].what, err);
        if (err == 0)
            set_area(&entry, 0, 0, READ_ONLY | NOT_PRESENT);
    }
    for (uint32_t entry = 0; entry < 32; entry++) {
        uint32_t same = entry;

        if (entry * 8 == (good_gs & ~7u))
            continue;
        if (set_area(&same, 0, 0xFFFFF, WIDE | PAGES | USABLE) == 0) {
            printf("entry %u can be had\n", entry);
            set_area(&same, 0, 0, READ_ONLY | NOT_PRESENT);
        }
    }
    gone("ds", "8E D8 8E C0 8E E0 8E E8 16 1F 16 07 8E D8");
    gone("es", "8E C0");
    gone("fs", "8E E0");
    gone("gs", "8E E8");
    gone("all four", "8E C0 8E E0 8E E8");
    gone("ss", "8E D0");
}

/* ---- The FPU's state in frames ----------------------------------------------------------------------------------- */

static uint32_t fpu_word, fpu_value;

static void edit_fpu(struct context *c)
{
    if (c->fpu != 0)
        ((uint32_t *)c->fpu)[fpu_word] = fpu_value;
}

static void edit_fpu_place(struct context *c) { c->fpu = fpu_value; }

static void edit_fpu_askew(struct context *c) { c->fpu += 4; }

static void edit_fpu_noise(struct context *c)
{
    uint32_t x = fpu_value;

    for (unsigned i = 0; c->fpu != 0 && i < 156; i++) {
        x = x * 1664525 + 1013904223;
        ((uint32_t *)c->fpu)[i] = x;
    }
}

static void use_fpu(void)
{
    static const uint32_t usual = 0x1F80;

    __asm__ volatile("fninit; ldmxcsr %0" : : "m"(usual));
}

static void fpu_frames(void)
{
    char text[128];

    use_fpu();
    fpu_word = 0, fpu_value = 0xFFFF027F;
    through_door(edit_fpu);
    printf("control word by the frame: %s %04x\n", name_of(seen.signal), landed_control & 0xFFFF);
    use_fpu();
    fpu_word = (112 + 24) / 4, fpu_value = 0xFFFFFFFF;
    through_door(edit_fpu);
    __asm__ volatile("stmxcsr landed_mxcsr");
    printf("mxcsr of ones by the frame: %s %08x\n", name_of(seen.signal), landed_mxcsr & ~0x40u);
    use_fpu();
    for (unsigned i = 0; i < 4; i++) {
        static const uint32_t places[] = { 0, 4, 0xFFFFF000, 0xFFFFFFFC };

        fpu_value = places[i];
        through_door(edit_fpu_place);
        describe(text, sizeof text);
        printf("fpu state at %08x: %s\n", places[i], text);
    }
    use_fpu();
    through_door(edit_fpu_askew);
    printf("fpu state askew: %s\n", name_of(seen.signal));
    for (fpu_value = 1; fpu_value < 200; fpu_value++) {
        use_fpu();
        through_door(edit_fpu_noise);
        if (seen.signal != 0)
            break;
    }
    printf("fpu state of noise: %s\n", name_of(seen.signal));
    use_fpu();
}

/* A handler begins with a fresh FPU, and the tags of the interrupted code follow from the contents of the registers. */
static uint32_t told_tag, told_control, inside_control;

static void edit_look_fpu(struct context *c)
{
    __asm__ volatile("fnstcw %0" : "=m"(inside_control));
    told_control = c->fpu != 0 ? ((uint32_t *)c->fpu)[0] : 0;
    told_tag     = c->fpu != 0 ? ((uint32_t *)c->fpu)[2] : 0;
}

static void fpu_in_handlers(void)
{
    static const uint32_t control = 0x27E;
    static const float    small = 1e-45f;

    __asm__ volatile("fninit; fldcw %0; fld1; fldz; fldl2e; fld1; fldz; fdivr %%st(1); flds %1" : : "m"(control),
                     "m"(small));
    through_door(edit_look_fpu);
    printf("in a handler: control %04x, outside %08x, tags %08x\n", inside_control & 0xFFFF, told_control, told_tag);
    use_fpu();
}

/* ---- Deaths ------------------------------------------------------------------------------------------------------ */

static void dies(const char *what, void (*body)(void))
{
    int   status;
    pid_t child;

    fflush(stdout);
    child = fork();
    if (child == 0) {
        for (int n = 1; n < 32; n++)
            signal(n, SIG_DFL);
        body();
        _exit(0);
    }
    waitpid(child, &status, 0);
    if (WIFSIGNALED(status))
        printf("death by %s: %s\n", what, name_of(WTERMSIG(status)));
    else
        printf("death by %s: none, status %d\n", what, WEXITSTATUS(status));
}

static void die_nt(void)    { __asm__ volatile("pushfl; orl $0x4000, (%esp); popfl; iret"); }
static void die_int8(void)  { __asm__ volatile("int $8"); }
static void die_null_stack(void) { __asm__ volatile("xorl %esp, %esp; ud2"); }
static void die_kernel_stack(void) { __asm__ volatile("movl $0xFFFFF000, %esp; ud2"); }
static void die_blocked(void)
{
    sigset_t all;

    sigfillset(&all);
    sigprocmask(SIG_BLOCK, &all, NULL);
    __asm__ volatile("ud2");
}

static void die_ignored(void)
{
    signal(SIGSEGV, SIG_IGN);
    __asm__ volatile("hlt");
}

static void die_sigreturn(void)  { __asm__ volatile("movl $0x1000, %esp; movl $119, %eax; int $0x80"); }
static void die_rt_sigreturn(void) { __asm__ volatile("xorl %esp, %esp; movl $173, %eax; int $0x80"); }
static void die_sysenter(void)
{
    __asm__ volatile("movl $1, %eax; movl $3, %ebx; xorl %esp, %esp; xorl %ebp, %ebp; sysenter; hlt");
}

static void deaths(void)
{
    dies("iret with NT", die_nt);
    dies("int 8", die_int8);
    dies("a null stack", die_null_stack);
    dies("a stack in kernel memory", die_kernel_stack);
    dies("a blocked fault", die_blocked);
    dies("an ignored fault", die_ignored);
    dies("sigreturn from nowhere", die_sigreturn);
    dies("rt_sigreturn from nowhere", die_rt_sigreturn);
    dies("sysenter with a null stack", die_sysenter);
}

int main(int count, char **words)
{
    every = count > 1 && strcmp(words[1], "all") == 0;
    __asm__("movl %%cs, %0; movl %%ds, %1; movl %%gs, %2" : "=r"(good_cs), "=r"(good_ds), "=r"(good_gs));
    code = mmap(NULL, CODE_BYTES, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    handle_all(0);
    vectors();
    all_instructions();
    flags_by_popf();
    flags_through_a_call();
    single_steps("nop", "90 90 90");
    single_steps("a call", "B8 14 00 00 00 CD 80 90 90");
    single_steps("mov ss", "8C D0 8E D0 90 90");
    single_steps("popf", "9C 9D 90");
    all_loads();
    all_far();
    all_returns("rt_sigreturn");
    all_at_once();
    flags_by_return("rt_sigreturn");
    areas();
    fpu_frames();
    fpu_in_handlers();
    deaths();
    handle_all(1);
    all_returns("sigreturn");
    flags_by_return("sigreturn");
    printf("end\n");
    fflush(stdout);
    return 0;
}
