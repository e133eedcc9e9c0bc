/*
 * random.c - a ChaCha20 generator.
 */
#include "base/random.h"

#include "base/check.h"
#include "base/lock.h"
#include "base/string.h"
#include "cpu.h"

enum { KEY_WORDS = 8, BLOCK_WORDS = 16, DOUBLE_ROUNDS = 10 };

static struct lock lock = LOCK("random numbers", RANK_RANDOM);
static uint32_t    key[KEY_WORDS];              /* [lock] */
static bool        seeded;                      /* [a]    */

static uint32_t rotate_word(uint32_t word, unsigned by) { return word << by | word >> (32 - by); }

static void quarter(uint32_t *s, unsigned a, unsigned b, unsigned c, unsigned d)
{
    s[a] += s[b]; s[d] = rotate_word(s[d] ^ s[a], 16);
    s[c] += s[d]; s[b] = rotate_word(s[b] ^ s[c], 12);
    s[a] += s[b]; s[d] = rotate_word(s[d] ^ s[a], 8);
    s[c] += s[d]; s[b] = rotate_word(s[b] ^ s[c], 7);
}

static void make_block(const uint32_t with[KEY_WORDS], uint32_t counter, uint32_t out[BLOCK_WORDS])
{
    static const uint32_t constants[4] = { 0x61707865, 0x3320646E, 0x79622D32, 0x6B206574 };
    uint32_t start[BLOCK_WORDS] = { 0 };

    memcpy(start, constants, sizeof constants);
    memcpy(start + 4, with, sizeof key);
    start[12] = counter;
    memcpy(out, start, sizeof start);
    for (unsigned i = 0; i < DOUBLE_ROUNDS; i++) {
        quarter(out, 0, 4, 8, 12);
        quarter(out, 1, 5, 9, 13);
        quarter(out, 2, 6, 10, 14);
        quarter(out, 3, 7, 11, 15);
        quarter(out, 0, 5, 10, 15);
        quarter(out, 1, 6, 11, 12);
        quarter(out, 2, 7, 8, 13);
        quarter(out, 3, 4, 9, 14);
    }
    for (unsigned i = 0; i < BLOCK_WORDS; i++)
        out[i] += start[i];
}

/* One block: half of it is the next key, the other half is the caller's, who alone has it. The lock is held. */
static void new_key(uint32_t rest[KEY_WORDS])
{
    uint32_t words[BLOCK_WORDS];

    make_block(key, 0, words);
    memcpy(key, words, sizeof key);
    memcpy(rest, words + KEY_WORDS, sizeof key);
}

void random_stir(const void *bytes, size_t count)
{
    const uint8_t *at = bytes;
    uint32_t       rest[KEY_WORDS];
    lock_state     state;

    assert(count <= RANDOM_MOST);
    state = lock_take(&lock);
    for (size_t i = 0; i < count; i++)          /* bound: RANDOM_MOST */
        ((uint8_t *)key)[i % sizeof key] ^= at[i];
    new_key(rest);
    lock_drop(&lock, state);
}

/* Who finds that it is not done does all of it himself: another may be half through. */
static void seed_generator(void)
{
    for (unsigned i = 0; i < KEY_WORDS; i++) {
        uint64_t words[2] = { cpu_ticks(), cpu_random() };

        random_stir(words, sizeof words);
    }
    __atomic_store_n(&seeded, true, __ATOMIC_RELAXED);
}

void random_bytes(void *out, size_t count)
{
    uint32_t   own[KEY_WORDS], words[BLOCK_WORDS];
    lock_state state;
    uint8_t   *at = out;

    assert(count <= RANDOM_MOST);
    if (!__atomic_load_n(&seeded, __ATOMIC_RELAXED))
        seed_generator();
    state = lock_take(&lock);
    new_key(own);
    lock_drop(&lock, state);
    if (count <= sizeof own) {
        memcpy(at, own, count);
        return;
    }
    for (uint32_t counter = 0; count > 0; counter++) {          /* bound: RANDOM_MOST */
        size_t part = count < sizeof words ? count : sizeof words;

        make_block(own, counter, words);
        memcpy(at, words, part);
        at    += part;
        count -= part;
    }
}
