/*
 * test_pci.c - the PCI walk over a bus that is an array.
 *
 * Configuration space is simulated: base registers keep only the bits their size allows, command
 * bits are remembered, and a function that decodes while its registers hold ones is noticed.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "devices/pci.h"

enum { FUNCTIONS_MOST = 32, WORDS = 64, COMMAND = 1, CLASS = 2, HEADER = 3, BAR = 4, ROM = 12, BRIDGE_ROM = 14 };

static struct {
    pci_address where;
    uint32_t    words[WORDS], writable[WORDS];
    unsigned    measured_while_decoding;
} bus[FUNCTIONS_MOST];
static unsigned bus_count, reads, writes;

static int index_of(pci_address where)
{
    for (unsigned n = 0; n < bus_count; n++)
        if (bus[n].where == where)
            return (int)n;
    return -1;
}

static uint32_t bus_read(pci_address where, unsigned offset)
{
    int n = index_of(where);

    reads++;
    assert_true(offset % 4 == 0 && offset < 256);
    return n < 0 ? UINT32_MAX : bus[n].words[offset / 4];
}

static void bus_write(pci_address where, unsigned offset, uint32_t value)
{
    int      n = index_of(where);
    uint32_t mask;

    writes++;
    assert_true(n >= 0 && offset % 4 == 0 && offset < 256);
    mask = bus[n].writable[offset / 4];
    bus[n].words[offset / 4] = (bus[n].words[offset / 4] & ~mask) | (value & mask);
    if (offset >= 4 * BAR && (value & ~0x7FFu) == (UINT32_MAX & ~0x7FFu) && (bus[n].words[COMMAND] & 3))
        bus[n].measured_while_decoding++;
}

static const struct pci_access access_array = { bus_read, bus_write };

static unsigned put(unsigned number, unsigned device, unsigned function, uint8_t class, uint8_t subclass,
                    uint8_t header)
{
    unsigned n = bus_count++;

    memset(&bus[n], 0, sizeof bus[n]);
    bus[n].where = (pci_address)(number << 8 | device << 3 | function);
    bus[n].words[0] = 0x12348086;
    bus[n].words[COMMAND] = 0x00100007;
    bus[n].writable[COMMAND] = 0x0000FFFF;
    bus[n].words[CLASS] = (uint32_t)class << 24 | (uint32_t)subclass << 16;
    bus[n].words[HEADER] = (uint32_t)header << 16;
    return n;
}

static unsigned put_device(unsigned number, unsigned device, unsigned function, uint8_t header)
{
    return put(number, device, function, 2, 0, header);
}

static unsigned put_bridge(unsigned number, unsigned device, unsigned leads_to)
{
    unsigned n = put(number, device, 0, 6, 4, 1);

    bus[n].words[6] = leads_to << 8 | number;
    return n;
}

static void put_bar(unsigned n, unsigned bar, uint32_t value, uint32_t size)
{
    bus[n].words[BAR + bar] = value;
    bus[n].writable[BAR + bar] = ~(size - 1);
}

static int start(void **state)
{
    (void)state;
    bus_count = reads = writes = 0;
    put(0, 0, 0, 6, 0, 0);
    return 0;
}

static struct device_range found[64];

static unsigned ranges(void) { return pci_ranges(&access_array, found, 64); }

static void check_found(unsigned n, uint64_t first, uint64_t past, unsigned bar)
{
    assert_int_equal(found[n].start, first);
    assert_int_equal(found[n].end, past);
    assert_int_equal(found[n].bar, bar);
}

static void count_function(void *context, const struct pci_function *function)
{
    (void)function;
    ++*(unsigned *)context;
}

static unsigned functions(void)
{
    unsigned count = 0;

    pci_each(&access_array, count_function, &count);
    return count;
}

static void memory_ranges_are_measured(void **state)
{
    unsigned n = put_device(0, 3, 0, 0);

    (void)state;
    put_bar(n, 0, 0xFEBC0000, 0x20000);
    put_bar(n, 1, 0xC001, 0x40);
    bus[n].writable[BAR + 1] = 0xFFFFFFC0;
    put_bar(n, 5, 0xFEB00008, 0x1000);
    bus[n].words[ROM] = 0xFEB80000;
    bus[n].writable[ROM] = 0xFFFC0001;
    assert_int_equal(ranges(), 3);
    check_found(0, 0xFEBC0000, 0xFEBE0000, 0);
    check_found(1, 0xFEB00000, 0xFEB01000, 5);
    check_found(2, 0xFEB80000, 0xFEBC0000, PCI_ROM);
    assert_int_equal(found[0].function, 3 << 3);
}

static void everything_is_left_as_it_was(void **state)
{
    unsigned n = put_device(0, 3, 0, 0);
    uint32_t before[WORDS];

    (void)state;
    put_bar(n, 0, 0xFEBC000C, 0x20000);
    bus[n].words[BAR + 1] = 1;
    bus[n].writable[BAR + 1] = UINT32_MAX;
    bus[n].words[ROM] = 0xFEB80001;
    bus[n].writable[ROM] = 0xFFFC0001;
    memcpy(before, bus[n].words, sizeof before);
    assert_int_equal(ranges(), 2);
    assert_memory_equal(before, bus[n].words, sizeof before);
    assert_int_equal(bus[n].measured_while_decoding, 0);
}

static void a_host_bridge_keeps_decoding(void **state)
{
    (void)state;
    put_bar(0, 0, 0xE0000000, 0x1000000);
    assert_int_equal(ranges(), 1);
    assert_true(bus[0].measured_while_decoding > 0);
}

static void wide_ranges_take_two_registers(void **state)
{
    unsigned n = put_device(0, 4, 0, 0);

    (void)state;
    put_bar(n, 2, 0x0000000C, 0x80000000);              /* 16 GiB at 32 GiB, prefetchable */
    bus[n].writable[BAR + 2] = 0;
    bus[n].words[BAR + 3] = 8;
    bus[n].writable[BAR + 3] = 0xFFFFFFFC;
    put_bar(n, 4, 0xFE000004, 0x4000);
    bus[n].writable[BAR + 5] = UINT32_MAX;
    assert_int_equal(ranges(), 2);
    check_found(0, 8ull << 32, 12ull << 32, 2);
    check_found(1, 0xFE000000, 0xFE004000, 4);
}

static void a_wide_register_without_its_second_is_narrow(void **state)
{
    unsigned n = put_device(0, 4, 0, 0);

    (void)state;
    put_bar(n, 5, 0xFE000004, 0x4000);
    assert_int_equal(ranges(), 1);
    check_found(0, 0xFE000000, 0xFE004000, 5);
}

static void ranges_without_a_place_are_none(void **state)
{
    unsigned n = put_device(0, 5, 0, 0);

    (void)state;
    put_bar(n, 0, 0, 0x1000);
    put_bar(n, 1, 0, 0);
    bus[n].writable[ROM] = 0xFFFF0001;
    assert_int_equal(ranges(), 0);
}

static void a_range_at_the_very_end_does_not_wrap(void **state)
{
    unsigned n = put_device(0, 5, 0, 0);

    (void)state;
    bus[n].words[BAR] = 0xFFFFF004;
    bus[n].writable[BAR] = 0xFFFFF000;
    bus[n].words[BAR + 1] = UINT32_MAX;
    bus[n].writable[BAR + 1] = UINT32_MAX;
    assert_int_equal(ranges(), 1);
    assert_true(found[0].end > found[0].start);
}

static void functions_are_tried_only_where_there_are_many(void **state)
{
    (void)state;
    put_device(0, 6, 0, 0x80);
    put_device(0, 6, 5, 0);
    put_device(0, 7, 0, 0);
    put_device(0, 7, 5, 0);
    assert_int_equal(functions(), 4);
}

static void bridges_lead_on(void **state)
{
    unsigned n;

    (void)state;
    put_bridge(0, 1, 9);
    put_bridge(9, 0, 4);
    n = put_device(4, 31, 0, 0);
    put_bar(n, 0, 0xFD000000, 0x1000);
    assert_int_equal(functions(), 4);
    assert_int_equal(ranges(), 1);
    assert_int_equal(found[0].function, 4 << 8 | 31 << 3);
}

static void bridges_in_a_ring_end(void **state)
{
    (void)state;
    put_bridge(0, 1, 9);
    put_bridge(9, 0, 0);
    put_bridge(9, 1, 9);
    put_bridge(9, 2, 255);
    put_bridge(255, 2, 0);
    assert_int_equal(functions(), 6);
}

static void more_host_bridges_have_more_buses(void **state)
{
    (void)state;
    bus[0].words[HEADER] = 0x80 << 16;
    put(0, 0, 2, 6, 0, 0);
    put_device(2, 0, 0, 0);
    put_device(1, 0, 0, 0);
    assert_int_equal(functions(), 3);
}

static void an_empty_bus_has_none(void **state)
{
    (void)state;
    bus_count = 0;
    assert_int_equal(functions(), 0);
    assert_int_equal(ranges(), 0);
    assert_int_equal(writes, 0);
}

static void a_bus_of_ones_or_noughts_ends(void **state)
{
    (void)state;
    for (unsigned n = 0; n < bus_count; n++) {
        memset(bus[n].words, 0xFF, sizeof bus[n].words);
        bus[n].words[0] = 0x12348086;
    }
    functions();
    ranges();
    assert_true(reads < 256 * 32 * 8 * 4);
}

static void too_little_room_is_told(void **state)
{
    struct device_range two[2] = { { .start = 0 } };

    (void)state;
    for (unsigned device = 1; device < 5; device++)
        put_bar(put_device(0, device, 0, 0), 0, 0xFE000000 + (device << 16), 0x1000);
    assert_int_equal(pci_ranges(&access_array, two, 2), 4);
    assert_int_equal(two[1].start, 0xFE020000);
    assert_int_equal(pci_ranges(&access_array, NULL, 0), 4);
}

#define PCI_TEST(function) cmocka_unit_test_setup(function, start)

int main(void)
{
    const struct CMUnitTest tests[] = {
        PCI_TEST(memory_ranges_are_measured),
        PCI_TEST(everything_is_left_as_it_was),
        PCI_TEST(a_host_bridge_keeps_decoding),
        PCI_TEST(wide_ranges_take_two_registers),
        PCI_TEST(a_wide_register_without_its_second_is_narrow),
        PCI_TEST(ranges_without_a_place_are_none),
        PCI_TEST(a_range_at_the_very_end_does_not_wrap),
        PCI_TEST(functions_are_tried_only_where_there_are_many),
        PCI_TEST(bridges_lead_on),
        PCI_TEST(bridges_in_a_ring_end),
        PCI_TEST(more_host_bridges_have_more_buses),
        PCI_TEST(an_empty_bus_has_none),
        PCI_TEST(a_bus_of_ones_or_noughts_ends),
        PCI_TEST(too_little_room_is_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
