/*
 * test_bitset.c - sets of numbers, against an array of bools; and lists.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/bitset.h"
#include "base/list.h"

enum { MOST = 4096 };

static uint32_t memory[BITSET_WORDS(MOST)];
static bool     model[MOST];

static struct bitset empty(uint32_t size)
{
    memset(memory, 0, sizeof memory);
    memset(model, 0, sizeof model);
    return bitset_in(memory, size);
}

static uint32_t next_in_model(uint32_t size, uint32_t from, bool wanted)
{
    while (from < size && model[from] != wanted)
        from++;
    return from < size ? from : size;
}

static void agree(const struct bitset *set, uint32_t from)
{
    assert_int_equal(bitset_next(set, from), next_in_model(set->size, from, true));
    assert_int_equal(bitset_next_free(set, from), next_in_model(set->size, from, false));
}

/* Numbers come and go, now mostly full, now mostly empty. */
static void a_set_agrees_with_an_array(void **state)
{
    static const uint32_t sizes[] = { 32, 64, 1024, 1056, 4096 };

    (void)state;
    srand(1);
    for (unsigned s = 0; s < sizeof sizes / sizeof sizes[0]; s++) {
        struct bitset set = empty(sizes[s]);

        for (unsigned step = 0; step < 40000; step++) {
            uint32_t number = (uint32_t)rand() % set.size;
            bool     put    = rand() % 100 < ((step / 10000) % 2 == 0 ? 95 : 5);

            if (put)
                bitset_add(&set, number);
            else
                bitset_remove(&set, number);
            model[number] = put;
            assert_int_equal(bitset_has(&set, number), put);
            if (step % 16 == 0)
                agree(&set, (uint32_t)rand() % (set.size + 1));
        }
        assert_true(bitset_ok(&set));
    }
}

static void a_full_set_has_no_free_number(void **state)
{
    struct bitset set = empty(MOST);

    (void)state;
    for (uint32_t n = 0; n < MOST; n++)
        bitset_add(&set, n);
    for (uint32_t from = 0; from <= MOST; from += 31)
        assert_int_equal(bitset_next_free(&set, from), MOST);
    bitset_remove(&set, 1);
    assert_int_equal(bitset_next_free(&set, 0), 1);
    assert_int_equal(bitset_next_free(&set, 2), MOST);
    assert_true(bitset_ok(&set));
}

/* One number far away from the other: what lies between is passed over, and each border is kept. */
static void a_set_of_few_finds_them_from_anywhere(void **state)
{
    struct bitset set = empty(MOST);

    (void)state;
    assert_int_equal(bitset_next(&set, 0), MOST);
    bitset_add(&set, 2047);
    bitset_add(&set, 4095);
    for (uint32_t from = 0; from < MOST; from++)
        assert_int_equal(bitset_next(&set, from), from <= 2047 ? 2047 : 4095);
    for (uint32_t end = 2040; end < 2060; end++)
        assert_int_equal(bitset_next_below(&set, 5, end), end <= 2047 ? end : 2047);
    bitset_remove(&set, 2047);
    assert_int_equal(bitset_next(&set, 0), 4095);
    assert_int_equal(bitset_next_below(&set, 0, 4095), 4095);
    assert_true(bitset_ok(&set));
}

/* Each bit of the second level, wrong by itself. */
static void a_second_level_that_is_wrong_is_noticed(void **state)
{
    struct bitset set = empty(1056);

    (void)state;
    for (uint32_t n = 32; n < 64; n++)
        bitset_add(&set, n);
    bitset_add(&set, 70);
    for (uint32_t w = 0; w < 64; w++) {
        set.full[w / 32] ^= 1u << w % 32;
        assert_false(bitset_ok(&set));
        set.full[w / 32] ^= 1u << w % 32;
        set.some[w / 32] ^= 1u << w % 32;
        assert_false(bitset_ok(&set));
        set.some[w / 32] ^= 1u << w % 32;
    }
    assert_true(bitset_ok(&set));
}

static void a_copy_may_be_larger_or_smaller(void **state)
{
    static uint32_t larger_memory[BITSET_WORDS(MOST)], smaller_memory[BITSET_WORDS(64)];
    struct bitset   set = empty(1024), larger = bitset_in(larger_memory, MOST), smaller = bitset_in(smaller_memory, 64);

    (void)state;
    for (uint32_t n = 0; n < 100; n++)
        bitset_add(&set, n);
    bitset_copy(&larger, &set, 0, 96);
    bitset_copy(&larger, &set, 96, set.size);
    bitset_copy(&smaller, &set, 0, smaller.size);
    assert_true(bitset_ok(&larger) && bitset_ok(&smaller));
    assert_int_equal(bitset_next_free(&larger, 0), 100);
    assert_int_equal(bitset_next(&larger, 100), MOST);
    assert_int_equal(bitset_next_below(&larger, 99, 100), 99);
    assert_int_equal(bitset_next_below(&larger, 0, 0), 0);
    bitset_remove(&larger, 70);
    assert_int_equal(bitset_next_below(&larger, 70, 71), 71);
    assert_int_equal(bitset_next_below(&larger, 70, MOST), 71);
    bitset_add(&larger, 70);
    assert_int_equal(bitset_next_free(&smaller, 0), 64);
}

static void a_list_keeps_its_order(void **state)
{
    struct item { int value; struct list link; } items[5];
    struct list  head, *at;
    int          expect = 0;

    (void)state;
    list_start(&head);
    assert_true(list_is_empty(&head));
    for (int i = 0; i < 5; i++) {
        items[i].value = i;
        list_insert(&head, &items[i].link);
    }
    list_remove(&items[2].link);
    list_remove(&items[2].link);                /* in no list: no effect */
    assert_true(list_ok(&head));
    LIST_EACH(at, &head) {
        expect += expect == 2;
        assert_int_equal(LIST_ITEM(at, struct item, link)->value, expect++);
    }
    assert_int_equal(expect, 5);
    list_insert(&items[3].link, &items[2].link);
    assert_ptr_equal(items[1].link.next, &items[2].link);
    items[1].link.previous = &head;
    assert_false(list_ok(&head));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_set_agrees_with_an_array),
        cmocka_unit_test(a_full_set_has_no_free_number),
        cmocka_unit_test(a_set_of_few_finds_them_from_anywhere),
        cmocka_unit_test(a_second_level_that_is_wrong_is_noticed),
        cmocka_unit_test(a_copy_may_be_larger_or_smaller),
        cmocka_unit_test(a_list_keeps_its_order),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
