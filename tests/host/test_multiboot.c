/*
 * test_multiboot.c - the information of loaders, also of those that lie.
 *
 * Physical memory is an array here; each test writes into it what a loader might, and reads
 * the boot_info. Its last bytes are followed by a page that cannot be read (the sanitizer's
 * red zone), so a read outside is a failing test.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "boot/multiboot.h"

enum {
    MEMORY = 64 * 1024, INFORMATION = 0x100, MAP = 0x1000, MODULES = 0x8000, TEXT = 0xC000, LOADER = 0xD000,
    FLAG_SIZES = 1, FLAG_TEXT = 4, FLAG_MODULES = 8, FLAG_MAP = 64, FLAG_LOADER = 512,
    FLAG_SCREEN = 1 << 12,
};

static uint8_t         *memory;
static struct boot_info info;
static uint32_t         map_end;

static int start(void **state)
{
    (void)state;
    free(memory);
    memory = calloc(1, MEMORY);             /* on the heap: the sanitizer guards its borders */
    memset(&info, 0, sizeof info);
    map_end = MAP;
    return memory ? 0 : -1;
}

static int end(void **state)
{
    (void)state;
    free(memory);
    memory = NULL;
    return 0;
}

static void put32(uint32_t at, uint32_t value) { memcpy(memory + at, &value, 4); }
static void put64(uint32_t at, uint64_t value) { memcpy(memory + at, &value, 8); }

static void flag(uint32_t flags)
{
    uint32_t before;

    memcpy(&before, memory + INFORMATION, 4);
    put32(INFORMATION, before | flags);
}

static void add_entry(uint32_t size, uint64_t base, uint64_t length, uint32_t type)
{
    put32(map_end, size);
    put64(map_end + 4, base);
    put64(map_end + 12, length);
    put32(map_end + 20, type);
    map_end += 4 + size;
    flag(FLAG_MAP);
    put32(INFORMATION + 44, map_end - MAP);
    put32(INFORMATION + 48, MAP);
}

static void add_module(uint32_t n, uint32_t from, uint32_t to, uint32_t text)
{
    put32(MODULES + 16 * n, from);
    put32(MODULES + 16 * n + 4, to);
    put32(MODULES + 16 * n + 8, text);
    flag(FLAG_MODULES);
    put32(INFORMATION + 20, n + 1);
    put32(INFORMATION + 24, MODULES);
}

static void read_at(uint32_t magic, uint32_t address)
{
    const struct physical physical = { memory, MEMORY };

    multiboot_read(&info, &physical, magic, address);
}

static void read_all(void) { read_at(MULTIBOOT_MAGIC, INFORMATION); }

static void check_range(uint32_t n, uint64_t base, uint64_t length, uint32_t type)
{
    assert_true(n < info.range_count);
    assert_int_equal(info.ranges[n].base, base);
    assert_int_equal(info.ranges[n].length, length);
    assert_int_equal(info.ranges[n].type, type);
}

/* ---- What loaders do ------------------------------------------------------------------ */

static void map_is_read(void **state)
{
    (void)state;
    add_entry(20, 0, 0x9FC00, BOOT_USABLE);
    add_entry(20, 0x100000, 0x1EE0000, BOOT_USABLE);
    add_entry(20, 0xFFFC0000, 0x40000, BOOT_RESERVED);
    read_all();
    assert_null(info.problem);
    assert_int_equal(info.range_count, 3);
    check_range(1, 0x100000, 0x1EE0000, BOOT_USABLE);
    check_range(2, 0xFFFC0000, 0x40000, BOOT_RESERVED);
}

/* As v86 lists its memory: all of it but the screen's. */
static void the_bios_is_no_memory_whatever_the_map_says(void **state)
{
    (void)state;
    add_entry(20, 0, 0xA0000, BOOT_USABLE);
    add_entry(20, 0xC0000, 0x1F40000, BOOT_USABLE);
    read_all();
    assert_int_equal(info.range_count, 3);
    check_range(2, 0xA0000, 0x60000, BOOT_RESERVED);
    assert_false(boot_ranges_hold(&info, 0xFF000, 0x100000));

    memset(&info, 0, sizeof info);
    map_end = MAP;
    add_entry(20, 0, UINT64_MAX, BOOT_USABLE);
    read_all();
    check_range(1, 0xA0000, 0x60000, BOOT_RESERVED);
    assert_true(boot_ranges_hold(&info, 0x100000, 0x2000000));
}

static void a_map_that_keeps_off_the_bios_stays_as_it_is(void **state)
{
    (void)state;
    add_entry(20, 0x9F000, 0x1000, BOOT_USABLE);
    add_entry(20, 0xF0000, 0x10000, BOOT_RESERVED);
    add_entry(20, 0x100000, 0x1EE0000, BOOT_USABLE);
    read_all();
    assert_int_equal(info.range_count, 3);
}

/* As GRUB does: the colours behind the kind, aligned to four bytes. */
static void add_screen(uint8_t kind)
{
    static const uint8_t colours[] = { 16, 8, 8, 7, 0, 6 };

    put64(INFORMATION + 88, 0x1C0000000);
    put32(INFORMATION + 96, 3200);
    put32(INFORMATION + 100, 800);
    put32(INFORMATION + 104, 600);
    memory[INFORMATION + 108] = 32;
    memory[INFORMATION + 109] = kind;
    memcpy(memory + INFORMATION + 112, colours, sizeof colours);
    flag(FLAG_SCREEN);
}

static void a_screen_of_pixels_is_read(void **state)
{
    const struct boot_screen *screen = &info.screen;

    (void)state;
    add_screen(1);
    read_all();
    assert_int_equal(screen->start, 0x1C0000000);
    assert_int_equal(screen->pitch, 3200);
    assert_int_equal(screen->width, 800);
    assert_int_equal(screen->height, 600);
    assert_int_equal(screen->bits, 32);
    assert_int_equal(screen->shift[SCREEN_RED], 16);
    assert_int_equal(screen->length[SCREEN_GREEN], 7);
    assert_int_equal(screen->length[SCREEN_BLUE], 6);
}

static void text_and_palettes_are_no_screen_to_draw_on(void **state)
{
    static const uint8_t kinds[] = { 0, 2, 255 };

    (void)state;
    for (unsigned n = 0; n < 3; n++) {
        add_screen(kinds[n]);
        read_all();
        assert_int_equal(info.screen.start, 0);
    }
}

static void a_screen_that_is_told_at_the_end_of_memory_is_none(void **state)
{
    (void)state;
    memset(memory + MEMORY - 112, 0xFF, 112);
    memory[MEMORY - 112 + 109] = 1;
    read_at(MULTIBOOT_MAGIC, MEMORY - 112);
    assert_int_equal(info.screen.start, 0);
}

static void entries_may_have_any_stride(void **state)
{
    (void)state;
    add_entry(24, 0, 0x1000, BOOT_USABLE);
    add_entry(20, 0x2000, 0x1000, BOOT_ACPI);
    add_entry(57, 0x4000, 0x1000, BOOT_USABLE);
    add_entry(20, 0x8000, 0x1000, BOOT_NVS);
    read_all();
    assert_int_equal(info.range_count, 4);
    check_range(1, 0x2000, 0x1000, BOOT_ACPI);
    check_range(3, 0x8000, 0x1000, BOOT_NVS);
}

static void sizes_serve_without_a_map(void **state)
{
    (void)state;
    flag(FLAG_SIZES);
    put32(INFORMATION + 4, 639);
    put32(INFORMATION + 8, 31 * 1024);
    read_all();
    assert_null(info.problem);
    assert_int_equal(info.range_count, 2);
    check_range(0, 0, 639 * 1024, BOOT_USABLE);
    check_range(1, 0x100000, 31 << 20, BOOT_USABLE);
}

static void sizes_that_lie_stay_below_the_bios(void **state)
{
    (void)state;
    flag(FLAG_SIZES);
    put32(INFORMATION + 4, UINT32_MAX);
    put32(INFORMATION + 8, UINT32_MAX);
    read_all();
    check_range(0, 0, 640 * 1024, BOOT_USABLE);
    check_range(1, 0x100000, (uint64_t)UINT32_MAX << 10, BOOT_USABLE);
}

static void a_map_is_believed_before_sizes(void **state)
{
    (void)state;
    flag(FLAG_SIZES);
    put32(INFORMATION + 8, 99);
    add_entry(20, 0x200000, 0x1000, BOOT_USABLE);
    read_all();
    assert_int_equal(info.range_count, 1);
    check_range(0, 0x200000, 0x1000, BOOT_USABLE);
}

static void texts_are_copied(void **state)
{
    (void)state;
    add_entry(20, 0, 0x1000, BOOT_USABLE);
    flag(FLAG_TEXT | FLAG_LOADER);
    put32(INFORMATION + 16, TEXT);
    put32(INFORMATION + 64, LOADER);
    strcpy((char *)memory + TEXT, "kernel run=audit");
    strcpy((char *)memory + LOADER, "GRUB 2.06");
    read_all();
    assert_string_equal(info.text, "kernel run=audit");
    assert_string_equal(info.loader, "GRUB 2.06");
    assert_false(info.text_cut);
    memset(memory, 0xFF, MEMORY);
    assert_string_equal(info.text, "kernel run=audit");
}

static void modules_are_listed(void **state)
{
    (void)state;
    add_entry(20, 0, 0x1000, BOOT_USABLE);
    strcpy((char *)memory + TEXT, "archive one");
    add_module(0, 0x200000, 0x201234, TEXT);
    add_module(1, 0x300000, 0x2FFFFF, 0);
    read_all();
    assert_int_equal(info.module_count, 2);
    assert_int_equal(info.modules[0].start, 0x200000);
    assert_int_equal(info.modules[0].end, 0x201234);
    assert_string_equal(info.modules[0].text, "archive one");
    assert_string_equal(info.modules[1].text, "");
}

/* ---- What they should not --------------------------------------------------------------- */

static void no_loader_is_a_problem(void **state)
{
    (void)state;
    read_at(0x12345678, INFORMATION);
    assert_non_null(strstr(info.problem, "Multiboot"));
    assert_int_equal(info.magic, 0x12345678);
}

static void no_memory_map_is_a_problem(void **state)
{
    (void)state;
    read_all();
    assert_non_null(strstr(info.problem, "memory map"));
}

static void an_empty_map_is_a_problem(void **state)
{
    (void)state;
    add_entry(20, 0x100000, 0, BOOT_USABLE);
    read_all();
    assert_non_null(info.problem);
}

static void information_outside_memory(void **state)
{
    (void)state;
    for (uint32_t back = 0; back < 68; back++) {
        memset(&info, 0, sizeof info);
        read_at(MULTIBOOT_MAGIC, MEMORY - back);
        assert_non_null(strstr(info.problem, "outside"));
    }
    memset(&info, 0, sizeof info);
    read_at(MULTIBOOT_MAGIC, UINT32_MAX);
    assert_non_null(info.problem);
}

static void lists_outside_memory_are_empty(void **state)
{
    static const uint32_t places[] = { MEMORY, MEMORY - 1, MEMORY - 23, UINT32_MAX, UINT32_MAX - 20, 0x80000000 };

    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        start(state);
        memset(memory + MEMORY - 64, 0x55, 64);
        flag(FLAG_MAP | FLAG_MODULES | FLAG_TEXT | FLAG_LOADER);
        put32(INFORMATION + 16, places[i]);
        put32(INFORMATION + 20, 1000000);
        put32(INFORMATION + 24, places[i]);
        put32(INFORMATION + 44, UINT32_MAX);
        put32(INFORMATION + 48, places[i]);
        put32(INFORMATION + 64, places[i]);
        read_all();
        assert_non_null(info.problem);
        assert_int_equal(info.range_count, 0);
        assert_true(info.module_count <= 1);
        assert_true(strnlen(info.text, BOOT_TEXT) < BOOT_TEXT);
        assert_true(info.text_cut);
    }
}

static void long_texts_are_cut(void **state)
{
    (void)state;
    add_entry(20, 0, 0x1000, BOOT_USABLE);
    flag(FLAG_TEXT | FLAG_LOADER);
    memset(memory + TEXT, 'x', 2 * BOOT_TEXT);
    put32(INFORMATION + 16, TEXT);
    put32(INFORMATION + 64, TEXT);
    read_all();
    assert_int_equal(strlen(info.text), BOOT_TEXT - 1);
    assert_int_equal(strlen(info.loader), BOOT_NAME - 1);
    assert_true(info.text_cut);
}

static void text_of_just_the_room_is_whole(void **state)
{
    (void)state;
    add_entry(20, 0, 0x1000, BOOT_USABLE);
    flag(FLAG_TEXT);
    memset(memory + TEXT, 'x', BOOT_TEXT - 1);
    put32(INFORMATION + 16, TEXT);
    read_all();
    assert_int_equal(strlen(info.text), BOOT_TEXT - 1);
    assert_false(info.text_cut);
}

static void entries_too_small_end_the_map(void **state)
{
    (void)state;
    add_entry(20, 0, 0x1000, BOOT_USABLE);
    put32(map_end, 0);
    put32(INFORMATION + 44, UINT32_MAX);
    read_all();
    assert_int_equal(info.range_count, 1);
}

static void entries_of_giant_size_end_the_map(void **state)
{
    (void)state;
    add_entry(20, 0, 0x1000, BOOT_USABLE);
    put32(map_end, UINT32_MAX);
    put64(map_end + 12, 0x5000);
    put32(map_end + 20, BOOT_USABLE);
    put32(INFORMATION + 44, UINT32_MAX);
    read_all();
    assert_int_equal(info.range_count, 2);
}

static void too_many_modules_are_left_out(void **state)
{
    (void)state;
    add_entry(20, 0, 0x1000, BOOT_USABLE);
    for (uint32_t n = 0; n < 40; n++)
        add_module(n, n << 20, (n + 1) << 20, 0);
    put32(INFORMATION + 20, UINT32_MAX);
    read_all();
    assert_int_equal(info.module_count, BOOT_MODULES);
    assert_int_equal(info.modules[BOOT_MODULES - 1].start, (BOOT_MODULES - 1) << 20);
}

static void usable_ranges_too_many_are_counted(void **state)
{
    (void)state;
    for (uint32_t n = 0; n < BOOT_RANGES + 7; n++)
        add_entry(20, (uint64_t)n << 20, 0x1000, BOOT_USABLE);
    read_all();
    assert_null(info.problem);
    assert_int_equal(info.range_count, BOOT_RANGES);
    assert_int_equal(info.ranges_left_out, 7);
}

static void a_late_reserved_range_displaces_a_usable_one(void **state)
{
    (void)state;
    for (uint32_t n = 0; n < BOOT_RANGES; n++)
        add_entry(20, (uint64_t)n << 20, 0x1000, BOOT_USABLE);
    add_entry(20, 0x700, 0x100, BOOT_RESERVED);
    read_all();
    assert_null(info.problem);
    assert_int_equal(info.range_count, BOOT_RANGES);
    check_range(BOOT_RANGES - 1, 0x700, 0x100, BOOT_RESERVED);
}

static void reserved_ranges_too_many_are_a_problem(void **state)
{
    (void)state;
    for (uint32_t n = 0; n <= BOOT_RANGES; n++)
        add_entry(20, (uint64_t)n << 20, 0x1000, BOOT_RESERVED);
    read_all();
    assert_non_null(strstr(info.problem, "reserved"));
}

/* ---- boot_ranges_hold() ------------------------------------------------------------------ */

static void add_range(uint64_t base, uint64_t length, uint32_t type)
{
    info.ranges[info.range_count++] = (struct boot_range){ base, length, type };
}

static void ranges_that_meet_hold_together(void **state)
{
    (void)state;
    add_range(0x3000, 0x1000, BOOT_USABLE);
    add_range(0x1000, 0x1800, BOOT_USABLE);
    add_range(0x2000, 0x1000, BOOT_USABLE);
    assert_true(boot_ranges_hold(&info, 0x1000, 0x4000));
    assert_true(boot_ranges_hold(&info, 0x1FFF, 0x2001));
    assert_false(boot_ranges_hold(&info, 0xFFF, 0x2000));
    assert_false(boot_ranges_hold(&info, 0x1000, 0x4001));
}

static void a_hole_or_something_reserved_does_not_hold(void **state)
{
    (void)state;
    add_range(0, 0x2000, BOOT_USABLE);
    add_range(0x2001, 0x2000, BOOT_USABLE);
    assert_false(boot_ranges_hold(&info, 0, 0x3000));
    add_range(0x2000, 1, BOOT_USABLE);
    assert_true(boot_ranges_hold(&info, 0, 0x3000));
    add_range(0x2FFF, 1, BOOT_ACPI);
    assert_false(boot_ranges_hold(&info, 0, 0x3000));
    assert_true(boot_ranges_hold(&info, 0, 0x2FFF));
}

static void ranges_that_wrap_reach_the_end(void **state)
{
    (void)state;
    add_range(0x1000, UINT64_MAX, BOOT_USABLE);
    assert_true(boot_ranges_hold(&info, 0x1000, UINT64_MAX));
    assert_false(boot_ranges_hold(&info, 0, 0x1001));
    add_range(UINT64_MAX, 2, BOOT_RESERVED);
    assert_true(boot_ranges_hold(&info, 0x1000, UINT64_MAX));
    add_range(0x2000, UINT64_MAX, BOOT_RESERVED);
    assert_false(boot_ranges_hold(&info, 0x1000, 0x3000));
}

#define BOOT_TEST(function) cmocka_unit_test_setup_teardown(function, start, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        BOOT_TEST(map_is_read),
        BOOT_TEST(the_bios_is_no_memory_whatever_the_map_says),
        BOOT_TEST(a_map_that_keeps_off_the_bios_stays_as_it_is),
        BOOT_TEST(a_screen_of_pixels_is_read),
        BOOT_TEST(text_and_palettes_are_no_screen_to_draw_on),
        BOOT_TEST(a_screen_that_is_told_at_the_end_of_memory_is_none),
        BOOT_TEST(entries_may_have_any_stride),
        BOOT_TEST(sizes_serve_without_a_map),
        BOOT_TEST(sizes_that_lie_stay_below_the_bios),
        BOOT_TEST(a_map_is_believed_before_sizes),
        BOOT_TEST(texts_are_copied),
        BOOT_TEST(modules_are_listed),
        BOOT_TEST(no_loader_is_a_problem),
        BOOT_TEST(no_memory_map_is_a_problem),
        BOOT_TEST(an_empty_map_is_a_problem),
        BOOT_TEST(information_outside_memory),
        BOOT_TEST(lists_outside_memory_are_empty),
        BOOT_TEST(long_texts_are_cut),
        BOOT_TEST(text_of_just_the_room_is_whole),
        BOOT_TEST(entries_too_small_end_the_map),
        BOOT_TEST(entries_of_giant_size_end_the_map),
        BOOT_TEST(too_many_modules_are_left_out),
        BOOT_TEST(usable_ranges_too_many_are_counted),
        BOOT_TEST(a_late_reserved_range_displaces_a_usable_one),
        BOOT_TEST(reserved_ranges_too_many_are_a_problem),
        BOOT_TEST(ranges_that_meet_hold_together),
        BOOT_TEST(a_hole_or_something_reserved_does_not_hold),
        BOOT_TEST(ranges_that_wrap_reach_the_end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
