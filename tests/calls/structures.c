/*
 * structures.c - the targets of calls' pointers: structures whose members are valid, mostly.
 *
 * They lie in a page of the worker's, so that another thread can change them while the kernel reads. Forms are those of
 * Linux i386 (include/uapi).
 */
#include "fuzzer.h"

static uint32_t small(struct worker *w) { return chance_below(&w->chance, 9); }

static void *words(struct worker *w, unsigned count, const uint32_t *value)
{
    uint32_t *at = room(w, count * 4);

    memcpy(at, value, count * 4);
    if (chance_one_in(&w->chance, 6))
        at[chance_below(&w->chance, count)] = any_word(w);
    return at;
}
#define WORDS(w, ...) words((w), COUNT_OF(((uint32_t[]){ __VA_ARGS__ })), (uint32_t[]){ __VA_ARGS__ })

/* A time that ends soon, or one that does not make sense. */
static uint32_t seconds(struct worker *w)
{
    static const uint32_t odd[] = { 1, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, 0x3FFFFFFF };

    return chance_one_in(&w->chance, 8) ? CHANCE_OF(&w->chance, odd) : 0;
}

static uint32_t nanoseconds(struct worker *w)
{
    static const uint32_t odd[] = { 999999999, 1000000000, 0xFFFFFFFF, 0x80000000 };

    return chance_one_in(&w->chance, 8) ? CHANCE_OF(&w->chance, odd) : chance_below(&w->chance, 2000000);
}

static void *time32(struct worker *w) { return WORDS(w, seconds(w), nanoseconds(w)); }
static void *time64(struct worker *w)
{
    return WORDS(w, seconds(w), chance_one_in(&w->chance, 9) ? any_word(w) : 0, nanoseconds(w), 0);
}
static void *timer32(struct worker *w) { return WORDS(w, seconds(w), nanoseconds(w), seconds(w), nanoseconds(w)); }
static void *timer64(struct worker *w)
{
    return WORDS(w, seconds(w), 0, nanoseconds(w), 0, seconds(w), 0, nanoseconds(w), 0);
}

enum { MOST_PARTS = 12 };

static void *vector(struct worker *w)
{
    uint32_t  count = chance_below(&w->chance, MOST_PARTS) + 1;
    uint32_t *at    = room(w, count * 8);

    for (uint32_t i = 0; i < count; i++) {
        at[2 * i]     = value_of(w, 'b');
        at[2 * i + 1] = value_of(w, 'l');
    }
    return at;
}

static void *address_of_socket(struct worker *w)
{
    static const char *const names[] = { "socket", "a", "\0hidden", "", "folder/s", "\0other" };
    static const uint16_t families[] = { 1, 1, 1, 1, 2, 10, 16, 0, 0xFFFF };
    char       *at   = room(w, 112);
    const char *name = CHANCE_OF(&w->chance, names);

    memset(at, 0, 112);
    *(uint16_t *)at = CHANCE_OF(&w->chance, families);
    memcpy(at + 2, name, 8);
    if (chance_one_in(&w->chance, 10))
        memset(at + 2, 'n', 110);
    return at;
}

/* SOL_SOCKET's SCM_RIGHTS (1) with descriptors, SCM_CREDENTIALS (2), or nonsense. */
static uint32_t control(struct worker *w, uint32_t *length)
{
    uint32_t  count = chance_below(&w->chance, 6);
    uint32_t *at    = room(w, 12 + count * 4);

    at[0] = 12 + count * 4;
    at[1] = chance_one_in(&w->chance, 12) ? any_word(w) : 1;
    at[2] = chance_one_in(&w->chance, 4) ? small(w) : 1;
    for (uint32_t i = 0; i < count; i++)
        at[3 + i] = any_descriptor(w);
    *length = at[0];
    if (chance_one_in(&w->chance, 8))
        at[0] = any_word(w);
    if (chance_one_in(&w->chance, 8))
        *length = any_word(w);
    return (uint32_t)at;
}

static void *message(struct worker *w)
{
    uint32_t length = 0, rights = chance_one_in(&w->chance, 2) ? control(w, &length) : 0;

    return WORDS(w, chance_one_in(&w->chance, 2) ? structure_of(w, 'k') : 0,
                 chance_one_in(&w->chance, 4) ? any_word(w) : 110, (uint32_t)vector(w), small(w), rights, length, 0);
}

static void *set_of_signals(struct worker *w)
{
    return WORDS(w, chance_one_in(&w->chance, 3) ? any_word(w) : 1u << chance_below(&w->chance, 31),
                 chance_one_in(&w->chance, 3) ? any_word(w) : 0);
}

static void just_return(int number) { (void)number; }

static void *action(struct worker *w)
{
    uint32_t handlers[] = { 0, 1, (uint32_t)just_return, (uint32_t)just_return, any_address(w) };

    return WORDS(w, CHANCE_OF(&w->chance, handlers), chance_word(&w->chance) & 0xDC000007 & chance_word(&w->chance),
                 any_address(w), any_word(w), any_word(w));
}

static void *polled(struct worker *w)
{
    uint32_t  count = chance_below(&w->chance, MOST_PARTS) + 1;
    uint32_t *at    = room(w, count * 8);

    for (uint32_t i = 0; i < count; i++) {
        at[2 * i]     = any_descriptor(w);
        at[2 * i + 1] = chance_word(&w->chance) & 0x3FFF;
    }
    return at;
}

static void *event(struct worker *w)
{
    return WORDS(w, chance_one_in(&w->chance, 3) ? any_word(w) : chance_word(&w->chance) & 0xF000001F, any_word(w),
                 any_word(w));
}

/* An action of a timer: value, signal, what to notify, thread. */
static void *sigevent(struct worker *w)
{
    static const uint32_t ways[] = { 0, 1, 2, 4, 3, 99 };
    uint32_t *at = room(w, 64);

    memset(at, 0, 64);
    at[0] = any_word(w);
    at[1] = value_of(w, 's');
    at[2] = CHANCE_OF(&w->chance, ways);
    at[3] = value_of(w, 'u');
    return at;
}

static void *lock(struct worker *w)
{
    return WORDS(w, small(w) % 3 | small(w) % 3 << 16, chance_one_in(&w->chance, 3) ? any_word(w) : small(w) * 10,
                 chance_one_in(&w->chance, 3) ? any_word(w) : small(w) * 10, value_of(w, 'u'), 0, 0);
}

static void *limit(struct worker *w)
{
    static const uint32_t sizes[] = { 0, 1, 10, 4096, 65536, 1048576, 0x7FFFFFFF, 0xFFFFFFFF };

    return WORDS(w, CHANCE_OF(&w->chance, sizes), 0, CHANCE_OF(&w->chance, sizes), 0);
}

static void *segment(struct worker *w)
{
    return WORDS(w, chance_one_in(&w->chance, 3) ? any_word(w) : 0xFFFFFFFF, any_address(w), any_word(w),
                 chance_word(&w->chance) & 0x7F);
}

/* Arguments for a program: pointers to text, at the end NULL, mostly. */
static void *texts(struct worker *w)
{
    uint32_t  count = chance_below(&w->chance, 5);
    uint32_t *at    = room(w, (count + 1) * 4);

    for (uint32_t i = 0; i < count; i++)
        at[i] = chance_one_in(&w->chance, 6) ? any_address(w) : (uint32_t)any_path(w);
    at[count] = chance_one_in(&w->chance, 12) ? any_address(w) : 0;
    return at;
}

/* The first six words of a call that is a multiplexer of others, such as socketcall. */
static void *arguments(struct worker *w)
{
    return WORDS(w, any_descriptor(w), structure_of(w, chance_one_in(&w->chance, 2) ? 'k' : 'm'), value_of(w, 'l'),
                 chance_one_in(&w->chance, 2) ? small(w) : any_word(w), structure_of(w, 'k'), structure_of(w, 'K'));
}

static void *capability(struct worker *w)
{
    static const uint32_t versions[] = { 0x19980330, 0x20071026, 0x20080522, 0, 1 };

    return WORDS(w, CHANCE_OF(&w->chance, versions), value_of(w, 'u'));
}

static void *information(struct worker *w)
{
    uint32_t *at = room(w, 128);

    memset(at, 0, 128);
    at[0] = value_of(w, 's');
    at[2] = chance_one_in(&w->chance, 2) ? any_word(w) : 0xFFFFFFFF;
    at[3] = value_of(w, 'u');
    at[5] = any_word(w);
    return at;
}

/* clone3's structure: eleven 64-bit words. */
static void *clone_arguments(struct worker *w)
{
    uint32_t *at = room(w, 88);

    memset(at, 0, 88);
    at[0] = value_of(w, 'N') & ~0xFFu;
    at[8] = value_of(w, 's');
    for (unsigned i = 2; i < 22; i += 2)
        if (chance_one_in(&w->chance, 8))
            at[i] = any_word(w);
    return at;
}

/* openat2's how: flags, mode, resolve. */
static void *how_to_open(struct worker *w)
{
    return WORDS(w, value_of(w, 'f'), 0, value_of(w, 'D'), 0, small(w) * 4 & 0x3F, 0);
}

/* A filter of seccomp or BPF: length, pointer to eight-byte instructions. */
static void *filter(struct worker *w)
{
    return WORDS(w, small(w), (uint32_t)vector(w));
}

static const struct { char letter; void *(*make)(struct worker *w); } makers[] = {
    { 't', time32 }, { 'T', time64 }, { 'y', timer32 }, { 'Y', timer64 }, { 'v', vector }, { 'k', address_of_socket },
    { 'm', message }, { 'w', set_of_signals }, { 'h', action }, { 'o', polled }, { 'e', event }, { 'H', sigevent },
    { 'j', lock }, { 'R', limit }, { 'g', segment }, { 'q', texts }, { 'C', arguments }, { 'c', capability },
    { 'I', information }, { 'G', clone_arguments }, { 'O', how_to_open }, { 'B', filter },
};

uintptr_t structure_of(struct worker *w, char letter)
{
    if (letter == 'K')
        return (uintptr_t)WORDS(w, chance_one_in(&w->chance, 3) ? any_word(w) : 110);
    for (unsigned i = 0; i < COUNT_OF(makers); i++)
        if (makers[i].letter == letter)
            return (uintptr_t)makers[i].make(w);
    return any_word(w);
}
