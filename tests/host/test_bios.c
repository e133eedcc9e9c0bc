/*
 * test_bios.c - the information that Quire's relocator leaves, also when it was damaged.
 *
 * As in test_multiboot.c physical memory is an array, and a read outside it fails the test.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "boot/bios.h"
#include "boot/bios/sum.h"

enum { MEMORY = 64 * 1024, HANDOVER = 0x1000, MAP = 0x2000, TEXT = 0x8038 };

static uint8_t              *memory;
static struct bios_handover *given;
static struct boot_info      info;

static void add_range(uint64_t base, uint64_t length, uint32_t type, uint32_t attributes)
{
    struct bios_range range = { base, length, type, attributes };

    memcpy(memory + MAP + given->map_entries++ * sizeof range, &range, sizeof range);
}

/* Valid information. */
static int start(void **state)
{
    (void)state;
    free(memory);
    memory = calloc(1, MEMORY);             /* on the heap: the sanitizer guards its borders */
    if (memory == NULL)
        return -1;
    memset(&info, 0, sizeof info);
    given = (struct bios_handover *)(memory + HANDOVER);
    *given = (struct bios_handover){
        .magic = BIOS_MAGIC, .bytes = sizeof *given, .text = TEXT, .map = MAP, .map_call = BIOS_MAP_E820,
        .path = { .sector_at = 0x7C00, .loaded_at = 0x9590, .moved_to = 0x100000, .image_bytes = 0x6E000, .pieces = 1,
                  .sum_built = 7, .sum_loaded = 7, .sum_moved = 7, .drive = 0x80, .a20 = BOOT_A20_BIOS },
    };
    strcpy((char *)memory + TEXT, "panic=exit");
    add_range(0, 0x9FC00, BOOT_USABLE, BIOS_RANGE_VALID);
    add_range(0x9FC00, 0x400, BOOT_RESERVED, BIOS_RANGE_VALID);
    add_range(0x100000, 0x1F00000, BOOT_USABLE, BIOS_RANGE_VALID);
    return 0;
}

static int end(void **state)
{
    (void)state;
    free(memory);
    memory = NULL;
    return 0;
}

static void read_at(uint32_t address)
{
    const struct physical physical = { memory, MEMORY };

    bios_read(&info, &physical, address);
}

static void read_all(void) { read_at(HANDOVER); }

static void all_is_read(void **state)
{
    (void)state;
    read_all();
    assert_null(info.problem);
    assert_int_equal(info.magic, BIOS_MAGIC);
    assert_int_equal(info.range_count, 3);
    assert_int_equal(info.ranges[2].base, 0x100000);
    assert_int_equal(info.ranges[2].length, 0x1F00000);
    assert_int_equal(info.ranges[1].type, BOOT_RESERVED);
    assert_int_equal(info.module_count, 0);
    assert_string_equal(info.text, "panic=exit");
    assert_false(info.text_cut);
    assert_string_equal(info.loader, "Quire's boot sector");
}

static void the_way_is_kept(void **state)
{
    (void)state;
    read_all();
    assert_memory_equal(&info.path, &given->path, sizeof info.path);
}

static void an_archive_is_a_module(void **state)
{
    (void)state;
    given->module_start = 0x181000;
    given->module_end = 0x200123;
    read_all();
    assert_int_equal(info.module_count, 1);
    assert_int_equal(info.modules[0].start, 0x181000);
    assert_int_equal(info.modules[0].end, 0x200123);
}

static void another_magic_is_a_problem(void **state)
{
    (void)state;
    given->magic++;
    read_all();
    assert_non_null(info.problem);
    assert_int_equal(info.range_count, 0);
}

static void another_build_is_a_problem(void **state)
{
    (void)state;
    given->bytes -= 4;
    read_all();
    assert_non_null(strstr(info.problem, "different builds"));
    assert_int_equal(info.range_count, 0);
}

static void information_outside_memory_is_a_problem(void **state)
{
    static const uint32_t places[] = { MEMORY - sizeof(struct bios_handover) + 1, MEMORY, UINT32_MAX };

    (void)state;
    for (size_t n = 0; n < COUNT_OF(places); n++) {
        memset(&info, 0, sizeof info);
        read_at(places[n]);
        assert_non_null(info.problem);
    }
}

static void a_map_outside_memory_is_a_problem(void **state)
{
    (void)state;
    given->map = MEMORY - sizeof(struct bios_range) + 1;
    read_all();
    assert_int_equal(info.range_count, 0);
    assert_non_null(info.problem);
}

static void a_map_ends_where_memory_does(void **state)
{
    (void)state;
    given->map = MEMORY - sizeof(struct bios_range);
    given->map_entries = UINT32_MAX;
    memcpy(memory + given->map, memory + MAP, sizeof(struct bios_range));
    read_all();
    assert_int_equal(info.range_count, 1);
    assert_null(info.problem);
}

static void a_count_that_lies_ends(void **state)
{
    (void)state;
    given->map_entries = UINT32_MAX;
    read_all();
    assert_int_equal(info.range_count, 3);              /* the memory behind is all zero: empty ranges */
}

/* ACPI: bit 0 of the attributes clear means that the entry is to be ignored. */
static void an_invalid_entry_says_nothing(void **state)
{
    (void)state;
    add_range(0x2000000, 0x1000, BOOT_USABLE, 0);
    add_range(0x3000000, 0x1000, BOOT_RESERVED, 2);
    read_all();
    assert_int_equal(info.range_count, 3);
}

static void damage_is_a_problem(void **state)
{
    (void)state;
    given->path.sum_loaded = 8;
    read_all();
    assert_non_null(strstr(info.problem, "loaded"));
    memset(&info, 0, sizeof info);
    given->path.sum_loaded = 7;
    given->path.sum_moved = 8;
    read_all();
    assert_non_null(strstr(info.problem, "moved"));
}

static void long_text_is_cut(void **state)
{
    (void)state;
    memset(memory + TEXT, 'x', BOOT_TEXT);
    read_all();
    assert_true(info.text_cut);
    assert_int_equal(strlen(info.text), BOOT_TEXT - 1);
}

static void text_outside_memory_is_empty(void **state)
{
    (void)state;
    given->text = UINT32_MAX;
    read_all();
    assert_string_equal(info.text, "");
}

/* ---- The checksum ----------------------------------------------------------------------- */

/* The check value that CRC-32 is known by. */
static void the_sum_is_the_known_one(void **state)
{
    (void)state;
    assert_int_equal(bios_sum(0, "123456789", 9), 0xCBF43926);
    assert_int_equal(bios_sum(0, NULL, 0), 0);
}

static void a_sum_may_be_taken_in_pieces(void **state)
{
    (void)state;
    for (size_t n = 0; n <= 9; n++)
        assert_int_equal(bios_sum(bios_sum(0, "123456789", n), "123456789" + n, 9 - n), 0xCBF43926);
}

#define BIOS_TEST(function) cmocka_unit_test_setup_teardown(function, start, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        BIOS_TEST(all_is_read),
        BIOS_TEST(the_way_is_kept),
        BIOS_TEST(an_archive_is_a_module),
        BIOS_TEST(another_magic_is_a_problem),
        BIOS_TEST(another_build_is_a_problem),
        BIOS_TEST(information_outside_memory_is_a_problem),
        BIOS_TEST(a_map_outside_memory_is_a_problem),
        BIOS_TEST(a_map_ends_where_memory_does),
        BIOS_TEST(a_count_that_lies_ends),
        BIOS_TEST(an_invalid_entry_says_nothing),
        BIOS_TEST(damage_is_a_problem),
        BIOS_TEST(long_text_is_cut),
        BIOS_TEST(text_outside_memory_is_empty),
        BIOS_TEST(the_sum_is_the_known_one),
        BIOS_TEST(a_sum_may_be_taken_in_pieces),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
