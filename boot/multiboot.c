/*
 * multiboot.c - what a Multiboot 1 loader tells, copied out of its memory and made one shape.
 *
 * Loaders differ: some give no memory map but two sizes, map entries have any stride, lists
 * may lie anywhere, also where the kernel soon writes. So everything is copied before anything
 * else happens, by reads that check each address.
 */
#include "boot/multiboot.h"

/* Which fields are there (flags, at offset 0). */
enum {
    HAS_SIZES = 1 << 0, HAS_COMMAND_LINE = 1 << 2, HAS_MODULES = 1 << 3, HAS_MAP = 1 << 6, HAS_LOADER = 1 << 9,
};

/* Offsets of the fields used. */
enum {
    AT_FLAGS = 0, AT_LOWER = 4, AT_UPPER = 8, AT_COMMAND_LINE = 16, AT_MODULE_COUNT = 20, AT_MODULES = 24,
    AT_MAP_BYTES = 44, AT_MAP = 48, AT_LOADER = 64, INFORMATION_BYTES = 68,
};

enum {
    MODULE_BYTES = 16,
    MAP_ENTRY_LEAST = 20,           /* base, length and type; the size field in front does not count itself */
    MAP_ENTRIES_MOST = 4096,        /* more is nonsense, and would only delay the stop */
    LOWER_MOST = 640,               /* KiB; above it the BIOS and its devices begin */
};

/* ---- Reading, byte by byte, where nothing needs to be aligned ---------------------- */

static bool readable(const struct physical *memory, uint64_t address, uint64_t bytes)
{
    return address <= memory->size && bytes <= memory->size - address;
}

static uint32_t read32(const struct physical *memory, uint64_t address)
{
    const uint8_t *at;

    if (!readable(memory, address, 4))
        return 0;
    at = memory->bytes + (uintptr_t)address;
    return at[0] | at[1] << 8 | at[2] << 16 | (uint32_t)at[3] << 24;
}

static uint64_t read64(const struct physical *memory, uint64_t address)
{
    return read32(memory, address) | (uint64_t)read32(memory, address + 4) << 32;
}

/* Copy text with its terminator into `size` bytes; true when it had to be cut. */
static bool read_text(const struct physical *memory, uint64_t address, char *to, uint32_t size)
{
    uint32_t n = 0;

    while (readable(memory, address + n, 1)) {
        char c = (char)memory->bytes[(uintptr_t)(address + n)];

        if (c == '\0' || n == size - 1) {
            to[n] = '\0';
            return c != '\0';
        }
        to[n++] = c;
    }
    to[n] = '\0';
    return true;
}

/* ---- The parts ---------------------------------------------------------------------- */

/*
 * When the table is full, what must be kept off matters more than what could be used: a
 * reserved range then takes the place of a usable one, and a lost usable one only costs memory.
 */
static void add_range(struct boot_info *info, uint64_t base, uint64_t length, uint32_t type)
{
    uint32_t at = info->range_count;

    if (length == 0)
        return;
    if (at == BOOT_RANGES) {
        info->ranges_left_out++;
        if (type == BOOT_USABLE)
            return;
        while (at > 0 && info->ranges[at - 1].type != BOOT_USABLE)
            at--;
        if (at == 0) {
            info->problem = "memory: the memory map has too many reserved ranges to be safe";
            return;
        }
        at--;
    } else {
        info->range_count++;
    }
    info->ranges[at].base = base;
    info->ranges[at].length = length;
    info->ranges[at].type = type;
}

/* Each entry says its own length, which may be more than the fields we know. */
static void read_map(struct boot_info *info, const struct physical *memory, uint64_t at, uint64_t bytes)
{
    uint64_t end = at + bytes;

    for (uint32_t n = 0; n < MAP_ENTRIES_MOST && at + 4 + MAP_ENTRY_LEAST <= end; n++) {
        uint64_t size = read32(memory, at);

        if (size < MAP_ENTRY_LEAST || !readable(memory, at, 4 + MAP_ENTRY_LEAST))
            return;
        add_range(info, read64(memory, at + 4), read64(memory, at + 12), read32(memory, at + 20));
        at += 4 + size;
    }
}

/* Without a map: KiB from 0, and KiB from 1 MiB to the first hole. */
static void read_sizes(struct boot_info *info, const struct physical *memory, uint64_t at)
{
    uint32_t lower = read32(memory, at + AT_LOWER), upper = read32(memory, at + AT_UPPER);

    add_range(info, 0, (lower < LOWER_MOST ? lower : LOWER_MOST) * KiB, BOOT_USABLE);
    add_range(info, 1 * MiB, upper * KiB, BOOT_USABLE);
}

static void read_modules(struct boot_info *info, const struct physical *memory, uint64_t at, uint32_t count)
{
    for (uint32_t n = 0; n < count && info->module_count < BOOT_MODULES; n++, at += MODULE_BYTES) {
        struct boot_module *module = &info->modules[info->module_count];
        uint32_t            text = read32(memory, at + 8);

        if (!readable(memory, at, MODULE_BYTES))
            return;
        module->start = read32(memory, at);
        module->end = read32(memory, at + 4);
        if (text != 0)
            read_text(memory, text, module->text, BOOT_NAME);
        info->module_count++;
    }
}

void multiboot_read(struct boot_info *info, const struct physical *memory, uint32_t magic, uint32_t address)
{
    uint32_t flags = read32(memory, address);

    info->magic = magic;
    if (magic != MULTIBOOT_MAGIC) {
        info->problem = "boot: not started by a Multiboot loader";
        return;
    }
    if (!readable(memory, address, INFORMATION_BYTES)) {
        info->problem = "boot: the loader's information lies outside memory";
        return;
    }
    if (flags & HAS_MAP)
        read_map(info, memory, read32(memory, address + AT_MAP), read32(memory, address + AT_MAP_BYTES));
    if (info->range_count == 0 && (flags & HAS_SIZES))
        read_sizes(info, memory, address);
    if (flags & HAS_MODULES)
        read_modules(info, memory, read32(memory, address + AT_MODULES), read32(memory, address + AT_MODULE_COUNT));
    if (flags & HAS_COMMAND_LINE)
        info->text_cut = read_text(memory, read32(memory, address + AT_COMMAND_LINE), info->text, BOOT_TEXT);
    if (flags & HAS_LOADER)
        read_text(memory, read32(memory, address + AT_LOADER), info->loader, BOOT_NAME);
    if (info->range_count == 0 && !info->problem)
        info->problem = "memory: the loader gave no memory map";
}

static uint64_t end_of(const struct boot_range *r)
{
    uint64_t end = r->base + r->length;

    return end < r->base ? UINT64_MAX : end;
}

/* Where the usable range that holds `start` ends, the farthest if several do; `start` if none does. */
static uint64_t usable_until(const struct boot_info *info, uint64_t start)
{
    uint64_t reached = start;

    for (uint32_t n = 0; n < info->range_count; n++) {
        const struct boot_range *r = &info->ranges[n];

        if (r->type == BOOT_USABLE && r->base <= start && end_of(r) > reached)
            reached = end_of(r);
    }
    return reached;
}

bool boot_ranges_hold(const struct boot_info *info, uint64_t start, uint64_t end)
{
    for (uint32_t n = 0; n < info->range_count; n++) {
        const struct boot_range *r = &info->ranges[n];

        if (r->type != BOOT_USABLE && r->base < end && end_of(r) > start)
            return false;
    }
    while (start < end) {
        uint64_t reached = usable_until(info, start);

        if (reached == start)
            return false;
        start = reached;
    }
    return true;
}
