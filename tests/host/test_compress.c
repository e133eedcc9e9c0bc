/*
 * test_compress.c - packing and unpacking bytes: what comes back is what went in, and hostile bytes do no harm.
 *
 * Every buffer is a block of its own of exactly the size that is named: the sanitizer sees each step outside.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/compress.h"

static uint64_t seed = 88172645463325252ull;

static uint32_t random_word(void)
{
    seed ^= seed << 13, seed ^= seed >> 7, seed ^= seed << 17;
    return (uint32_t)(seed >> 16);
}

static uint8_t *block_of(const void *bytes, size_t count)
{
    uint8_t *block = malloc(count > 0 ? count : 1);

    assert_non_null(block);
    if (count > 0 && bytes != NULL)
        memcpy(block, bytes, count);
    return block;
}

/* Pack into this much room; returns the size, after checking that the bytes come back. 0: it did not fit. */
static size_t there_and_back(const uint8_t *bytes, size_t count, size_t room)
{
    uint16_t *table  = malloc(PACK_TABLE * sizeof *table);
    uint8_t  *packed = block_of(NULL, room), *input, *back = block_of(NULL, count);
    size_t    size   = pack_bytes(bytes, count, packed, room, table);

    assert_true(size <= room);
    if (size > 0) {
        input = block_of(packed, size);
        assert_true(unpack_bytes(input, size, back, count));
        assert_memory_equal(back, bytes, count);
        free(input);
    }
    free(table);
    free(packed);
    free(back);
    return size;
}

static void pages_of_all_kinds_come_back(void **state)
{
    uint8_t *page = block_of(NULL, 4096);

    (void)state;
    for (unsigned step = 0; step < 3000; step++) {
        unsigned kind = step % 6, width = 1 + random_word() % 64;

        for (unsigned i = 0; i < 4096; i++)
            page[i] = kind == 0 ? 0
                    : kind == 1 ? (uint8_t)random_word()
                    : kind == 2 ? (uint8_t)(i / width)
                    : kind == 3 ? "abcdefgh"[random_word() % (1 + width % 8)]
                    : kind == 4 ? (uint8_t)(i % 4 == 0 ? random_word() % width : 0)
                                : (random_word() % 97 == 0 || i < width ? (uint8_t)random_word() : page[i - width]);
        assert_true(there_and_back(page, 4096, 4096 + 64) > 0);
        there_and_back(page, 4096, random_word() % 4096);
    }
    free(page);
}

static void every_small_length_comes_back(void **state)
{
    (void)state;
    for (size_t count = 0; count < 600; count++) {
        uint8_t *bytes = block_of(NULL, count);

        for (size_t i = 0; i < count; i++)
            bytes[i] = (uint8_t)(i % 3 == 0 ? count : 'x');
        assert_true(there_and_back(bytes, count, count + 64) > 0);
        memset(bytes, 7, count);
        assert_true(there_and_back(bytes, count, count + 64) > 0);
        free(bytes);
    }
}

static void what_repeats_shrinks(void **state)
{
    uint8_t *page = calloc(1, 4096);

    (void)state;
    assert_true(there_and_back(page, 4096, 4096) < 40);
    for (unsigned i = 0; i < 1024; i++)
        memcpy(page + 4 * i, &(uint32_t){ 0x08048000 + i % 32 * 16 }, 4);       /* pointers to few places */
    assert_true(there_and_back(page, 4096, 4096) < 1000);
    for (unsigned i = 0; i < 4096; i++)
        page[i] = (uint8_t)random_word();
    assert_int_equal(there_and_back(page, 4096, 2036), 0);              /* and noise does not */
    free(page);
}

static void no_room_is_said_at_each_length(void **state)
{
    uint8_t page[512];
    size_t  least;

    (void)state;
    for (unsigned i = 0; i < sizeof page; i++)
        page[i] = (uint8_t)(i / 9 * 7);
    least = there_and_back(page, sizeof page, 1024);
    for (size_t room = 0; room < 600; room++)
        assert_int_equal(there_and_back(page, sizeof page, room), room < least ? 0 : least);
}

/* Any bytes at all, of any length, into any room. */
static void hostile_bytes_do_no_harm(void **state)
{
    unsigned accepted = 0;

    (void)state;
    for (unsigned step = 0; step < 200000; step++) {
        size_t   count = random_word() % 40, room = random_word() % 80;
        uint8_t *bytes = block_of(NULL, count), *out = block_of(NULL, room);

        for (size_t i = 0; i < count; i++)
            bytes[i] = random_word() % 3 == 0 ? (uint8_t)random_word() : (uint8_t)(random_word() % 20);
        accepted += unpack_bytes(bytes, count, out, room);
        free(bytes);
        free(out);
    }
    assert_true(accepted > 0);
}

/* A packed page with a byte changed, or cut off: refused, or a page of the right length. */
static void damaged_pages_do_no_harm(void **state)
{
    uint16_t table[PACK_TABLE];
    uint8_t  page[4096], packed[4200], *back = block_of(NULL, 4096);
    size_t   size;

    (void)state;
    for (unsigned i = 0; i < sizeof page; i++)
        page[i] = (uint8_t)(i % 64 < 9 ? random_word() : i % 7);
    size = pack_bytes(page, sizeof page, packed, sizeof packed, table);
    assert_true(size > 0);
    for (size_t cut = 0; cut < size; cut++) {
        uint8_t *input = block_of(packed, cut);

        assert_false(unpack_bytes(input, cut, back, 4096));
        free(input);
    }
    for (unsigned step = 0; step < 20000; step++) {
        uint8_t *input = block_of(packed, size);

        input[random_word() % size] = (uint8_t)random_word();
        (void)!unpack_bytes(input, size, back, 4096);
        free(input);
    }
    free(back);
}

static void lengths_that_never_end_are_refused(void **state)
{
    uint8_t  bytes[1000], out[16];

    (void)state;
    memset(bytes, 255, sizeof bytes);
    for (size_t count = 0; count <= sizeof bytes; count++)
        assert_false(unpack_bytes(bytes, count, out, sizeof out));
    assert_false(unpack_bytes((const uint8_t[]){ 0x10, 'a', 0, 0 }, 4, out, 16));       /* a distance of nothing */
    assert_false(unpack_bytes((const uint8_t[]){ 0x10, 'a', 2, 0 }, 4, out, 16));       /* before the start */
    assert_false(unpack_bytes((const uint8_t[]){ 0x10, 'a', 1, 0 }, 4, out, 5));        /* no last sequence */
    assert_true(unpack_bytes((const uint8_t[]){ 0x10, 'a', 1, 0, 0 }, 5, out, 5));
    assert_memory_equal(out, "aaaaa", 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pages_of_all_kinds_come_back),
        cmocka_unit_test(every_small_length_comes_back),
        cmocka_unit_test(what_repeats_shrinks),
        cmocka_unit_test(no_room_is_said_at_each_length),
        cmocka_unit_test(hostile_bytes_do_no_harm),
        cmocka_unit_test(damaged_pages_do_no_harm),
        cmocka_unit_test(lengths_that_never_end_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
