/*
 * test_heap_interrupts.c - blocks are taken and given back by interrupts as well, at each moment at which one may come.
 */
#include "heap_world.h"

enum { HELD = 1500, STEPS = 30000 };

static void (*on_interrupt)(void);

/* None within another. */
void host_interrupts_on(void)
{
    void (*act)(void) = on_interrupt;

    on_interrupt = NULL;
    if (act != NULL)
        act();
}

struct held {
    uint32_t *block[HELD];
    size_t    bytes[HELD], count;
    uint32_t  word;
};

static struct held mine = { .word = 0x3133 }, theirs = { .word = 0x7BE12E5 };

static void take_for(struct held *h, size_t bytes)
{
    uint32_t *block = heap_alloc(bytes, any(3) == 0 ? HEAP_ZERO : 0);

    if (block == NULL)
        return;
    block[0] = block[bytes / 4 - 1] = h->word;
    h->block[h->count]   = block;
    h->bytes[h->count++] = bytes;
}

static void give_of(struct held *h, size_t n)
{
    uint32_t *block = h->block[n];
    size_t    bytes = h->bytes[n];

    assert_int_equal(block[0], h->word);                /* nobody else was given it */
    assert_int_equal(block[bytes / 4 - 1], h->word);
    h->count--;
    h->block[n] = h->block[h->count];
    h->bytes[n] = h->bytes[h->count];
    heap_free_sized(block, bytes);
}

/* Mostly of few sizes, so that magazines fill and empty; for a while more is taken, then more given. */
static void take_or_give(struct held *h, unsigned step)
{
    static const size_t sizes[] = { 16, 64, 64, 64, 200, 1024, 3000, 9000 };
    bool                takes = any(10) < (step / 900 % 2 == 0 ? 8u : 2u);

    if (takes && h->count < HELD)
        take_for(h, sizes[any(any(40) == 0 ? COUNT_OF(sizes) : COUNT_OF(sizes) - 1)]);
    else if (h->count > 0)
        give_of(h, any((uint32_t)h->count));
}

static unsigned step;

static void they_take_or_give(void)
{
    take_or_give(&theirs, step + 450);
    on_interrupt = they_take_or_give;
}

static void blocks_belong_to_one_whoever_interrupts_whom(void)
{
    struct heap_sums before = sums();

    on_interrupt = they_take_or_give;
    for (step = 0; step < STEPS; step++)
        take_or_give(&mine, step);
    on_interrupt = NULL;
    assert_int_equal(sums().live_blocks, before.live_blocks + mine.count + theirs.count);
    assert_sound();
    on_interrupt = they_take_or_give;
    while (mine.count > 0)
        give_of(&mine, mine.count - 1);
    on_interrupt = NULL;
    while (theirs.count > 0)
        give_of(&theirs, theirs.count - 1);
    assert_int_equal(sums().live_blocks, before.live_blocks);
    assert_int_equal(sums().live_bytes, before.live_bytes);
    assert_sound();
}

/* A magazine that is full gives the older half back; blocks that interrupts give fill it up again just then. */
static void give_ten(void)
{
    for (int i = 0; i < 10 && theirs.count > 0; i++)
        give_of(&theirs, theirs.count - 1);
    on_interrupt = give_ten;
}

static void a_magazine_that_interrupts_fill_is_no_trouble(void)
{
    struct heap_sums before = sums();

    for (size_t bytes = 16; bytes <= 1024; bytes *= 4) {
        for (int i = 0; i < 1000; i++)
            take_for(&theirs, bytes);
        for (int i = 0; i < 200; i++)
            take_for(&mine, bytes);
        on_interrupt = give_ten;
        while (mine.count > 0)
            give_of(&mine, mine.count - 1);
        on_interrupt = NULL;
        while (theirs.count > 0)
            give_of(&theirs, theirs.count - 1);
        assert_int_equal(sums().live_blocks, before.live_blocks);
        assert_sound();
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        on_machine(blocks_belong_to_one_whoever_interrupts_whom),
        on_machine(a_magazine_that_interrupts_fill_is_no_trouble),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
