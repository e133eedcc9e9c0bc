/*
 * memory.c - the memory map, and the address line A20, which opens the odd megabytes. See relocator.h.
 *
 * Source   ACPI specification, "System Address Map Interfaces"; Ralf Brown's Interrupt List, int 15h; IBM PS/2 and
 *          PC/AT Technical References for the three gates of A20.
 */
#include "boot/bios/relocator.h"

#include "io.h"

enum { SYSTEM = 0x15, LOW_SIZE = 0x12 };
enum { A20_ON = 0x2401, SIZE_E801 = 0xE801, SIZE_88 = 0x8800 };
enum { MEG = 1 << 20, PAGE = 4096 };

/* ---- A20 ------------------------------------------------------------------------------------ */

enum {
    CHIPSET = 0x92, CHIPSET_A20 = 2, CHIPSET_RESET = 1,
    KEYBOARD_DATA = 0x60, KEYBOARD = 0x64, KEYBOARD_FULL = 2, KEYBOARD_WRITE_OUTPUT = 0xD1, KEYBOARD_A20_ON = 0xDF,
    KEYBOARD_NOTHING = 0xFF, PATIENCE = 100000, LOOKS = 1000, DELAY = 0x80,
};

/* With the line closed an address and the one a megabyte above name the same byte. The upper one is only read. */
static bool is_open(void)
{
    static volatile uint32_t here;
    volatile uint32_t       *there = (volatile uint32_t *)((uintptr_t)&here + MEG);

    for (uint32_t n = 0; n < LOOKS; n++) {
        here = n;
        if (*there != n)
            return true;
        here = ~n;
        if (*there != ~n)
            return true;
        port_write8(DELAY, 0);          /* gates are slow */
    }
    return false;
}

static void keyboard_wait(void)
{
    for (uint32_t n = 0; n < PATIENCE && (port_read8(KEYBOARD) & KEYBOARD_FULL); n++)
        ;
}

static void keyboard_write(uint16_t port, uint8_t value)
{
    keyboard_wait();
    port_write8(port, value);
}

uint32_t a20_open(void)
{
    struct bios_registers r = { .eax = A20_ON };

    if (is_open())
        return BOOT_A20_WAS_OPEN;
    bios_call(SYSTEM, &r);
    if (is_open())
        return BOOT_A20_BIOS;
    port_write8(CHIPSET, (uint8_t)((port_read8(CHIPSET) | CHIPSET_A20) & ~CHIPSET_RESET));
    if (is_open())
        return BOOT_A20_CHIPSET;
    keyboard_write(KEYBOARD, KEYBOARD_WRITE_OUTPUT);
    keyboard_write(KEYBOARD_DATA, KEYBOARD_A20_ON);
    keyboard_write(KEYBOARD, KEYBOARD_NOTHING);
    keyboard_wait();
    if (is_open())
        return BOOT_A20_KEYBOARD;
    refuse("address line A20 stays closed: neither BIOS, chipset nor keyboard controller opens it");
}

/* ---- The map ---------------------------------------------------------------------------------- */

enum { SMAP = 0x534D4150, ENTRY_OLD = 20, ENTRY_NEW = 24 };

static struct bios_range ranges[BIOS_RANGES];

static void add_range(struct bios_handover *handover, uint64_t base, uint64_t length)
{
    if (length > 0)
        ranges[handover->map_entries++] =
            (struct bios_range){ .base = base, .length = length, .type = BOOT_USABLE, .attributes = BIOS_RANGE_VALID };
}

/* Entry by entry; a BIOS ends the list with EBX 0, or with carry at one entry too many. */
static bool read_e820(struct bios_handover *handover)
{
    static struct bios_range entry;
    struct bios_registers    r = { .ebx = 0 };
    unsigned                 calls = 0;

    do {
        entry.attributes = BIOS_RANGE_VALID;
        r.eax = BIOS_MAP_E820;
        r.ecx = ENTRY_NEW;
        r.edx = SMAP;
        r.edi = (uint32_t)(uintptr_t)&entry;
        bios_call(SYSTEM, &r);
        if ((r.flags & BIOS_CARRY) || r.eax != SMAP) {
            r.ebx = 0;                  /* one too many: the list has ended */
            break;
        }
        if (++calls > BIOS_RANGES)
            refuse("the BIOS's memory map does not end");
        if (r.ecx < ENTRY_OLD)
            continue;
        if (r.ecx < ENTRY_NEW)
            entry.attributes = BIOS_RANGE_VALID;
        ranges[handover->map_entries++] = entry;
    } while (r.ebx != 0);
    handover->path.map_rest = r.ebx;
    return handover->map_entries > 0;
}

static uint32_t low_bytes(void)
{
    struct bios_registers r = { .eax = 0 };

    bios_call(LOW_SIZE, &r);
    return (r.eax & 0xFFFF) * 1024;
}

/* KiB from 1 to 16 MiB, and blocks of 64 KiB above; in AX and BX, or in CX and DX. */
static bool read_e801(struct bios_handover *handover)
{
    struct bios_registers r = { .eax = SIZE_E801 };
    uint32_t              kilobytes, blocks;

    bios_call(SYSTEM, &r);
    kilobytes = (r.eax & 0xFFFF) != 0 ? r.eax & 0xFFFF : r.ecx & 0xFFFF;
    blocks    = (r.eax & 0xFFFF) != 0 ? r.ebx & 0xFFFF : r.edx & 0xFFFF;
    if ((r.flags & BIOS_CARRY) || kilobytes == 0 || kilobytes > 15 * 1024)
        return false;
    add_range(handover, 0, low_bytes());
    add_range(handover, MEG, kilobytes * 1024ull);
    add_range(handover, 16 * MEG, blocks * 65536ull);
    return true;
}

/* KiB from 1 MiB on, up to 64 MiB. */
static bool read_88(struct bios_handover *handover)
{
    struct bios_registers r = { .eax = SIZE_88 };

    bios_call(SYSTEM, &r);
    if ((r.flags & BIOS_CARRY) || (r.eax & 0xFFFF) == 0)
        return false;
    add_range(handover, 0, low_bytes());
    add_range(handover, MEG, (r.eax & 0xFFFF) * 1024ull);
    return true;
}

void map_read(struct bios_handover *handover)
{
    handover->map      = (uint32_t)(uintptr_t)ranges;
    handover->map_call = BIOS_MAP_E820;
    if (read_e820(handover))
        return;
    handover->map_call = BIOS_MAP_E801;
    if (read_e801(handover))
        return;
    handover->map_call = BIOS_MAP_88;
    if (!read_88(handover))
        refuse("the BIOS does not say how much memory there is");
}

/* ---- Looking things up in it --------------------------------------------------------------------- */

static uint64_t end_of(const struct bios_range *r)
{
    return r->length > UINT64_MAX - r->base ? UINT64_MAX : r->base + r->length;
}

static bool range_counts(const struct bios_range *r)
{
    return (r->attributes & BIOS_RANGE_VALID) && r->length > 0;
}

/* Where the usable range that holds `start` ends; `start` if none does. */
static uint64_t usable_until(const struct bios_handover *handover, uint64_t start)
{
    uint64_t reached = start;

    for (uint32_t n = 0; n < handover->map_entries; n++)
        if (range_counts(&ranges[n]) && ranges[n].type == BOOT_USABLE && ranges[n].base <= start &&
            end_of(&ranges[n]) > reached)
            reached = end_of(&ranges[n]);
    return reached;
}

bool map_holds(const struct bios_handover *handover, uint64_t start, uint64_t end)
{
    for (uint32_t n = 0; n < handover->map_entries; n++)
        if (range_counts(&ranges[n]) && ranges[n].type != BOOT_USABLE && ranges[n].base < end &&
            end_of(&ranges[n]) > start)
            return false;
    while (start < end) {
        uint64_t reached = usable_until(handover, start);

        if (reached == start)
            return false;
        start = reached;
    }
    return true;
}

static uint64_t page_up(uint64_t address)
{
    return (address + PAGE - 1) & ~(uint64_t)(PAGE - 1);
}

/* It begins at `from`, or where a range begins or ends. */
uint32_t map_find(const struct bios_handover *handover, uint32_t from, uint32_t bytes)
{
    uint64_t best = 1ull << 32;

    for (uint32_t n = 0; n <= 2 * handover->map_entries; n++) {
        const struct bios_range *r = &ranges[n / 2];
        uint64_t start = n == 2 * handover->map_entries ? from : n % 2 == 0 ? r->base : end_of(r);

        start = start < from ? from : start;
        if (start >= best)
            continue;
        start = page_up(start);
        if (start + bytes <= 1ull << 32 && start < best && map_holds(handover, start, start + bytes))
            best = start;
    }
    return best < 1ull << 32 ? (uint32_t)best : 0;
}
