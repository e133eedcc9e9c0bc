/*
 * test_acpi.c - the way to switch off, in tables good and bad.
 *
 * Physical memory is an array. A view is a copy of exactly the bytes asked for, on the heap, and the one before it is
 * freed: a read outside a view, or of an old one, fails the test.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "devices/acpi.h"

enum { ROOT = 0xF5A40, LIST = 0x140000, FIXED = 0x141000, OTHER = 0x142000, CODE = 0x143000, MEMORY = 0x150000 };

static uint8_t        *memory, *view;
static struct acpi_off off;
static uint32_t        code_length;

static void put32(uint32_t at, uint32_t value) { memcpy(memory + at, &value, 4); }

static const uint8_t *look(uint32_t start, uint32_t bytes)
{
    free(view);
    view = start <= MEMORY && bytes <= MEMORY - start ? malloc(bytes) : NULL;
    if (view != NULL)
        memcpy(view, memory + start, bytes);
    return view;
}

/* Make the sum of [at, at + length) right, by the byte at `sum`. */
static void seal(uint32_t at, uint32_t length, uint32_t sum)
{
    uint8_t total = 0;

    memory[sum] = 0;
    for (uint32_t n = 0; n < length; n++)
        total += memory[at + n];
    memory[sum] = (uint8_t)-total;
}

static void seal_table(uint32_t at, const char *name, uint32_t length)
{
    memcpy(memory + at, name, 4);
    put32(at + 4, length);
    seal(at, length, at + 9);
}

static void put_code(const void *bytes, uint32_t count)
{
    memset(memory + CODE, 0x5A, 0x1000);
    memcpy(memory + CODE + 60, bytes, count);
    code_length = 60 + count;
    seal_table(CODE, "DSDT", code_length);
}

/* The package of SeaBIOS for QEMU's pc: Name (_S5, Package (4) { 0, 0, 0, 0 }). */
static const uint8_t good_code[] = { 0x08, '_', 'S', '5', '_', 0x12, 0x06, 0x04, 0, 0, 0, 0 };

static int start(void **state)
{
    (void)state;
    free(memory);
    memory = calloc(1, MEMORY);
    if (memory == NULL)
        return -1;
    memset(&off, 0xEE, sizeof off);
    memcpy(memory + ROOT, "RSD PTR ", 8);
    put32(ROOT + 16, LIST);
    seal(ROOT, 20, ROOT + 8);
    put32(LIST + 36, OTHER);
    put32(LIST + 40, FIXED);
    seal_table(LIST, "RSDT", 44);
    seal_table(OTHER, "HPET", 56);
    put32(FIXED + 40, CODE);
    put32(FIXED + 48, 0xB2);
    memory[FIXED + 52] = 0xF1;
    put32(FIXED + 64, 0x604);
    seal_table(FIXED, "FACP", 116);
    put_code(good_code, sizeof good_code);
    return 0;
}

static int end(void **state)
{
    (void)state;
    free(memory);
    free(view);
    memory = view = NULL;
    return 0;
}

static void finds_port_and_value(void **state)
{
    (void)state;
    assert_true(acpi_find_off(look, &off));
    assert_int_equal(off.port[0], 0x604);
    assert_int_equal(off.port[1], 0);
    assert_int_equal(off.value[0], 1 << 13);
    assert_int_equal(off.mask, 0xC3FF);
    assert_int_equal(off.enable_port, 0xB2);
    assert_int_equal(off.enable_value, 0xF1);
}

static void numbers_have_three_forms(void **state)
{
    static const uint8_t code[] = { 0x08, '\\', '_', 'S', '5', '_', 0x12, 0x08, 0x04, 0x0A, 0x07, 0x01, 0, 0 };

    (void)state;
    put_code(code, sizeof code);
    assert_true(acpi_find_off(look, &off));
    assert_int_equal(off.value[0], 7 << 10 | 1 << 13);
    assert_int_equal(off.value[1], 1 << 10 | 1 << 13);
}

static void a_long_package_has_a_long_length(void **state)
{
    static const uint8_t code[] = { 0x08, '_', 'S', '5', '_', 0x12, 0x47, 0x00, 0x02, 0x0A, 0x05, 0x00 };

    (void)state;
    put_code(code, sizeof code);
    assert_true(acpi_find_off(look, &off));
    assert_int_equal(off.value[0], 5 << 10 | 1 << 13);
}

/* The four letters also occur where they are only mentioned. */
static void a_mention_is_no_definition(void **state)
{
    static const uint8_t code[] = { '_', 'S', '5', '_', 0x08, '_', 'S', '5', '_', 0x11, 0x08, '_', 'S', '5', '_',
                                    0x12, 0x06, 0x04, 0x0A, 0x02, 0x0A, 0x02, 0, 0 };

    (void)state;
    put_code(code, sizeof code);
    assert_true(acpi_find_off(look, &off));
    assert_int_equal(off.value[0], 2 << 10 | 1 << 13);
}

static void a_wrong_sum_is_not_believed(void **state)
{
    static const uint32_t places[] = { ROOT + 12, LIST + 20, FIXED + 100, CODE + 40 };

    (void)state;
    for (size_t n = 0; n < COUNT_OF(places); n++) {
        start(NULL);
        memory[places[n]]++;
        assert_false(acpi_find_off(look, &off));
        assert_int_equal(off.port[0], 0xEEEE);              /* untouched */
    }
}

static void lengths_that_lie_end_the_search(void **state)
{
    static const uint32_t lengths[] = { 0, 8, 35, MEMORY, 1 << 20, (1 << 20) + 1, UINT32_MAX };
    static const uint32_t tables[] = { LIST, FIXED, CODE };

    (void)state;
    for (size_t t = 0; t < COUNT_OF(tables); t++)
        for (size_t n = 0; n < COUNT_OF(lengths); n++) {
            start(NULL);
            put32(tables[t] + 4, lengths[n]);
            assert_false(acpi_find_off(look, &off));
        }
}

static void addresses_outside_memory_are_not_followed(void **state)
{
    (void)state;
    put32(LIST + 40, UINT32_MAX - 8);
    seal_table(LIST, "RSDT", 44);
    assert_false(acpi_find_off(look, &off));
    start(NULL);
    put32(ROOT + 16, MEMORY - 4);
    seal(ROOT, 20, ROOT + 8);
    assert_false(acpi_find_off(look, &off));
}

/* Code that stops within the definition, at each byte of it. */
static void code_that_ends_too_early(void **state)
{
    (void)state;
    for (uint32_t count = 0; count < 10; count++) {
        put_code(good_code, count);
        assert_false(acpi_find_off(look, &off));
    }
    put_code(good_code, 10);
    assert_true(acpi_find_off(look, &off));
}

static void a_port_out_of_range_is_refused(void **state)
{
    (void)state;
    put32(FIXED + 64, 0x10604);
    seal_table(FIXED, "FACP", 116);
    assert_false(acpi_find_off(look, &off));
    put32(FIXED + 64, 0);
    seal_table(FIXED, "FACP", 116);
    assert_false(acpi_find_off(look, &off));
}

static void a_type_of_sleep_out_of_range_is_refused(void **state)
{
    static const uint8_t code[] = { 0x08, '_', 'S', '5', '_', 0x12, 0x08, 0x04, 0x0A, 0x08, 0x0A, 0x08, 0, 0 };

    (void)state;
    put_code(code, sizeof code);
    assert_false(acpi_find_off(look, &off));
}

static void nothing_there_is_no_way(void **state)
{
    (void)state;
    memset(memory, 0, MEMORY);
    assert_false(acpi_find_off(look, &off));
}

/* Random damage, with sums made right again so that it gets further than the first table. */
static void damage_does_no_harm(void **state)
{
    static const uint32_t tables[] = { LIST, FIXED, CODE };

    (void)state;
    srand(1);
    for (int n = 0; n < 3000; n++) {
        uint32_t at = tables[rand() % 3], length;

        start(NULL);
        memory[at + 4 + (uint32_t)rand() % 80] = (uint8_t)rand();
        memcpy(&length, memory + at + 4, 4);
        if (length > 10 && length <= MEMORY - at)
            seal(at, length, at + 9);
        (void)acpi_find_off(look, &off);
    }
}

#define ACPI_TEST(function) cmocka_unit_test_setup_teardown(function, start, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        ACPI_TEST(finds_port_and_value),
        ACPI_TEST(numbers_have_three_forms),
        ACPI_TEST(a_long_package_has_a_long_length),
        ACPI_TEST(a_mention_is_no_definition),
        ACPI_TEST(a_wrong_sum_is_not_believed),
        ACPI_TEST(lengths_that_lie_end_the_search),
        ACPI_TEST(addresses_outside_memory_are_not_followed),
        ACPI_TEST(code_that_ends_too_early),
        ACPI_TEST(a_port_out_of_range_is_refused),
        ACPI_TEST(a_type_of_sleep_out_of_range_is_refused),
        ACPI_TEST(nothing_there_is_no_way),
        ACPI_TEST(damage_does_no_harm),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
