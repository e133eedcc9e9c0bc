/*
 * pages.c - a program whose pages do not fit into memory: bench/swapping.py runs it under Quire and under Linux.
 *
 * An operation fills WHOLE pages, in order, and comes back to them: `pass` to each twice, in order; `walk` to one that
 * is near the last one, for the most part; `touches` to any. Each second visit writes. `noise-` is memory that cannot
 * be packed, `packed-` such of which a sixteenth cannot. Some words are checked at each visit, and the sum of all that
 * visits have written at the end: a wrong word is a failure.
 */
#include "bench.h"

enum { WHOLE = 192 * 256, WORDS = PAGE / 4, NEAR = 16, JUMPS = 64, STEPS = WHOLE, LOOKS = 4 };

const word usual_rounds = 1;

static word *pages, chance, total;      /* the sum of all pages' first words */
static int   packed;

static word noise(word x)
{
    x = (x ^ x >> 16) * 0x7feb352d;
    x = (x ^ x >> 15) * 0x846ca68b;
    return x ^ x >> 16;
}

static word at_random(word below)
{
    chance = noise(chance + 0x9e3779b9);
    return chance % below;
}

/* What a word holds, but for the first of its page. */
static word wanted(word page, word at)
{
    return packed && at >= WORDS / 16 ? page : noise(page * WORDS + at);
}

static void fill(int can_be_packed)
{
    pages  = (word *)(void *)map_private(WHOLE);
    packed = can_be_packed;
    chance = total = 0;
    for (word page = 0; page < WHOLE; page++) {
        for (word at = 1; at < WORDS; at++)
            pages[page * WORDS + at] = wanted(page, at);
        pages[page * WORDS] = page;
        total += page;
    }
}

static void visit(word page, int writes)
{
    for (word look = 0; look < LOOKS; look++) {
        word at = 1 + at_random(WORDS - 1);

        must(pages[page * WORDS + at] == wanted(page, at), "a word");
    }
    if (writes) {
        pages[page * WORDS] += chance;
        total += chance;
    }
}

static void check(void)
{
    for (word page = 0; page < WHOLE; page++)
        total -= pages[page * WORDS];
    must(total == 0, "the sum");
    unmap((char *)pages, WHOLE);
}

static count pass(int can_be_packed)
{
    count began = now();

    fill(can_be_packed);
    for (word n = 0; n < 2 * WHOLE; n++)
        visit(n % WHOLE, n & 1);
    check();
    return now() - began;
}

static count walk(int can_be_packed)
{
    count began = now();
    word page = 0;

    fill(can_be_packed);
    for (word n = 0; n < 2 * STEPS; n++) {
        page = at_random(JUMPS) == 0 ? at_random(WHOLE) : (page + WHOLE - NEAR + at_random(2 * NEAR + 1)) % WHOLE;
        visit(page, (int)(n & 1));
    }
    check();
    return now() - began;
}

static count touches(int can_be_packed)
{
    count began = now();

    fill(can_be_packed);
    for (word n = 0; n < STEPS; n++)
        visit(at_random(WHOLE), (int)(n & 1));
    check();
    return now() - began;
}

static count noise_pass(word times)     { (void)times; return pass(0); }
static count noise_walk(word times)     { (void)times; return walk(0); }
static count noise_touches(word times)  { (void)times; return touches(0); }
static count packed_pass(word times)    { (void)times; return pass(1); }
static count packed_walk(word times)    { (void)times; return walk(1); }
static count packed_touches(word times) { (void)times; return touches(1); }

const struct operation operations[] = {
    { "noise-pass", noise_pass, 1 }, { "noise-walk", noise_walk, 1 }, { "noise-touches", noise_touches, 1 },
    { "packed-pass", packed_pass, 1 }, { "packed-walk", packed_walk, 1 }, { "packed-touches", packed_touches, 1 },
    { 0 },
};
