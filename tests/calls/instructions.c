/*
 * instructions.c - traps of a program without a call: every vector by `int n`, odd flags, selectors that are none,
 * privileged instructions, and bytes by chance.
 *
 * Each attempt makes its code in a page of its own: flags, perhaps a selector, the instruction, a system call with the
 * flags as they are now, the end.
 */
#include "fuzzer.h"

static uint8_t *at;

static void put(const void *bytes, unsigned count)
{
    memcpy(at, bytes, count);
    at += count;
}
#define PUT(...) put((const uint8_t[]){ __VA_ARGS__ }, sizeof((const uint8_t[]){ __VA_ARGS__ }))

static void put_word(uint32_t word) { put(&word, 4); }

/* push $flags; popf: NT, AC, TF, ID, DF, IOPL, VM, RF and others. */
static void put_flags(struct worker *w)
{
    static const uint32_t flags[] = { 0x202, 0x4202, 0x40202, 0x302, 0x44302, 0x602, 0x3202, 0x20202, 0x10202, 0x200202,
                                      0xED7, 0x7FFFFF };

    PUT(0x68);
    put_word(CHANCE_OF(&w->chance, flags));
    PUT(0x9D);
}

/* mov $selector, %eax; mov %eax, %sreg */
static void put_selector(struct worker *w)
{
    static const uint16_t selectors[] = { 0, 1, 2, 3, 8, 0x10, 0x18, 0x20, 0x28, 0x23, 0x2B, 0x33, 0x43, 0x63, 0x73,
                                          0x7B, 0x83, 0x8B, 7, 0xF, 0xFFFF, 0xFFF8 };
    static const uint8_t registers[] = { 0xC0, 0xD0, 0xD8, 0xE0, 0xE8 };        /* es, ss, ds, fs, gs */

    PUT(0xB8);
    put_word(chance_one_in(&w->chance, 5) ? chance_word(&w->chance) : CHANCE_OF(&w->chance, selectors));
    PUT(0x8E, CHANCE_OF(&w->chance, registers));
}

/* A length, then bytes. Where they use a pointer it is %esi or %edi, where ports or counts, %edx, %ecx. */
static const uint8_t instructions[][12] = {
    { 1, 0xCC }, { 1, 0xCE }, { 1, 0xF1 }, { 1, 0xF4 }, { 1, 0xFA }, { 1, 0xFB }, { 1, 0xCF }, { 1, 0xCB }, { 1, 0x9D },
    { 1, 0x6C }, { 1, 0x6F }, { 2, 0x0F, 0x0B }, { 2, 0x0F, 0x05 }, { 2, 0x0F, 0x34 }, { 2, 0x0F, 0x35 },
    { 2, 0x0F, 0x06 }, { 2, 0x0F, 0x08 }, { 2, 0x0F, 0x09 }, { 2, 0x0F, 0x30 }, { 2, 0x0F, 0x31 }, { 2, 0x0F, 0x32 },
    { 2, 0x0F, 0x33 }, { 2, 0x0F, 0xA2 }, { 2, 0x0F, 0xAA }, { 2, 0x0F, 0x77 }, { 2, 0xF3, 0x90 }, { 2, 0x0F, 0x07 },
    { 3, 0x0F, 0x01, 0x16 }, { 3, 0x0F, 0x01, 0x1E }, { 3, 0x0F, 0x01, 0x06 }, { 3, 0x0F, 0x01, 0x0E },
    { 3, 0x0F, 0x01, 0xE0 }, { 3, 0x0F, 0x01, 0xF0 }, { 3, 0x0F, 0x01, 0x3E }, { 3, 0x0F, 0x00, 0xC8 },
    { 3, 0x0F, 0x00, 0xD8 }, { 3, 0x0F, 0x00, 0xD0 }, { 3, 0x0F, 0x00, 0xE0 }, { 3, 0x0F, 0x02, 0xC1 },
    { 3, 0x0F, 0x03, 0xC1 }, { 3, 0x0F, 0x20, 0xC0 }, { 3, 0x0F, 0x22, 0xC0 }, { 3, 0x0F, 0x22, 0xE0 },
    { 3, 0x0F, 0x21, 0xF8 }, { 3, 0x0F, 0x23, 0xF8 }, { 3, 0x0F, 0x01, 0xC1 }, { 3, 0x0F, 0x01, 0xC8 },
    { 3, 0x0F, 0x01, 0xD0 }, { 3, 0x0F, 0x01, 0xD1 }, { 3, 0x0F, 0x01, 0xF9 }, { 2, 0x63, 0xC8 }, { 2, 0xE4, 0x60 },
    { 2, 0xE6, 0x20 }, { 1, 0xEC }, { 1, 0xEE }, { 2, 0xE5, 0x20 }, { 2, 0xCD, 0x80 }, { 2, 0xD4, 0x00 },
    { 2, 0x62, 0x06 }, { 2, 0xF7, 0xF1 }, { 2, 0xF7, 0x36 }, { 2, 0xF7, 0x3E }, { 4, 0x31, 0xC9, 0xF7, 0xF1 },
    { 3, 0x0F, 0x28, 0x06 }, { 3, 0x0F, 0x28, 0x46 }, { 3, 0x0F, 0xAE, 0x06 }, { 3, 0x0F, 0xAE, 0x0E },
    { 3, 0x0F, 0xAE, 0x16 }, { 3, 0x0F, 0xAE, 0x1E }, { 3, 0x0F, 0xAE, 0x26 }, { 3, 0x0F, 0xAE, 0x2E },
    { 3, 0x0F, 0xAE, 0x3E }, { 2, 0xDD, 0x26 }, { 2, 0xD9, 0x36 }, { 2, 0xD9, 0x26 }, { 2, 0xDD, 0x36 },
    { 2, 0xDB, 0xE3 }, { 6, 0xD9, 0x2E, 0xD9, 0xEE, 0xDC, 0xF0 }, { 2, 0x9B, 0x9B }, { 2, 0xF3, 0xA4 },
    { 2, 0xF3, 0xA5 }, { 2, 0xF3, 0xAB }, { 3, 0xFD, 0xF3, 0xA4 }, { 4, 0xC8, 0xFF, 0xFF, 0x1F }, { 1, 0xC9 },
    { 1, 0x60 }, { 1, 0x61 }, { 7, 0xEA, 0, 0, 0, 0, 0x08, 0 }, { 7, 0x9A, 0, 0, 0, 0, 0x10, 0 },
    { 7, 0xEA, 0, 0, 0, 0, 0x33, 0 }, { 7, 0x9A, 0, 0, 0, 0, 0x18, 0 }, { 7, 0xEA, 0, 0, 0, 0, 0x28, 0 },
    { 7, 0x9A, 0, 0, 0, 0, 0x73, 0 }, { 2, 0xC4, 0x06 }, { 2, 0xC5, 0x3E }, { 3, 0x0F, 0xB2, 0x26 },
    { 3, 0x0F, 0xB5, 0x2E }, { 2, 0x89, 0xF4 }, { 5, 0x89, 0xF4, 0x50, 0xCD, 0x80 }, { 3, 0xF0, 0x0F, 0x0B },
    { 4, 0xF0, 0x0F, 0xC7, 0xC8 }, { 2, 0xFF, 0xE6 }, { 2, 0xFF, 0xD7 }, { 2, 0xFF, 0x2E }, { 2, 0xFF, 0x1E },
    { 3, 0x0F, 0x00, 0xE1 }, { 3, 0x0F, 0x00, 0xE9 }, { 4, 0x66, 0x90, 0x66, 0xCF }, { 3, 0x0F, 0xC7, 0x36 },
    { 3, 0x0F, 0xC7, 0xF0 }, { 2, 0x0F, 0xFF }, { 3, 0x0F, 0x18, 0x06 }, { 3, 0x0F, 0xAE, 0xF0 }, { 1, 0xD7 },
    { 1, 0x27 }, { 2, 0xD5, 0x00 },
};

/* `int` with any vector; one of the list; or any bytes. */
static void put_instruction(struct worker *w)
{
    const uint8_t *one = CHANCE_OF(&w->chance, instructions);

    switch (chance_below(&w->chance, 4)) {
    case 0:
        PUT(0xCD, (uint8_t)chance_word(&w->chance));
        break;
    case 1:
        for (unsigned n = chance_below(&w->chance, 16); n > 0; n--)
            PUT((uint8_t)chance_word(&w->chance));
        break;
    default:
        put(one + 1, one[0]);
    }
}

/* mov $value, %register: all but the stack pointer. */
static void put_registers(struct worker *w)
{
    static const uint8_t registers[] = { 0xB8, 0xB9, 0xBA, 0xBB, 0xBD, 0xBE, 0xBF };

    for (unsigned i = 0; i < COUNT_OF(registers); i++) {
        PUT(registers[i]);
        put_word(i == 1 ? chance_below(&w->chance, 3000) : chance_one_in(&w->chance, 3) ? any_word(w) : any_address(w));
    }
}

static void run_code(struct worker *w)
{
    long page = KERNEL(CALL_MMAP2, 0, 2 * PAGE, 7, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    at = (uint8_t *)page + (chance_one_in(&w->chance, 6) ? PAGE - 40 : 0);
    if (chance_one_in(&w->chance, 12))
        KERNEL(CALL_MPROTECT, page + PAGE, PAGE, chance_below(&w->chance, 4));
    void (*code)(void) = (void (*)(void))at;

    put_registers(w);
    if (chance_one_in(&w->chance, 2))
        put_flags(w);
    if (chance_one_in(&w->chance, 2))
        put_selector(w);
    put_instruction(w);
    PUT(0xB8, CALL_GETPID, 0, 0, 0, 0xCD, 0x80);
    PUT(0xB8, CALL_EXIT_GROUP, 0, 0, 0, 0x31, 0xDB, 0xCD, 0x80);
    code();
    leave(0);
}

/*
 * Half of them have handlers for what may come, so that the way into a handler and back is met in every state as well.
 */
static void handle_all(void)
{
    uint32_t action[5] = { (uint32_t)leave, 0x40000000, 0, 0, 0 };

    for (int signal = 4; signal < 12; signal++)
        KERNEL(CALL_RT_SIGACTION, signal, (long)action, 0, 8);
}

void batch_instructions(struct worker *w, uint32_t count)
{
    for (uint32_t n = 0; n < count; n++) {
        w->chance.state = mix(w->chance.state, n);
        __sync_fetch_and_add(&shared->calls, 2);
        __sync_fetch_and_add(&shared->by_kind[INSTRUCTIONS], 2);
        if (attempt() != 0)
            continue;
        if (chance_one_in(&w->chance, 2))
            handle_all();
        run_code(w);
    }
}
