/*
 * multiboot.c - the information of a Multiboot 1 loader, copied out of the loader's memory into a boot_info.
 *
 * Loaders differ: some give no memory map but two sizes, map entries have any stride, lists
 * may lie anywhere, also where the kernel soon writes. So everything is copied before anything
 * else happens, by reads that check each address.
 */
#include "boot/multiboot.h"

/* Which fields are there (flags, at offset 0). */
enum {
    HAS_SIZES = 1 << 0, HAS_COMMAND_LINE = 1 << 2, HAS_MODULES = 1 << 3, HAS_MAP = 1 << 6, HAS_LOADER = 1 << 9,
    HAS_SCREEN = 1 << 12,
};

/* Offsets of the fields used. */
enum {
    AT_FLAGS = 0, AT_LOWER = 4, AT_UPPER = 8, AT_COMMAND_LINE = 16, AT_MODULE_COUNT = 20, AT_MODULES = 24,
    AT_MAP_BYTES = 44, AT_MAP = 48, AT_LOADER = 64, INFORMATION_BYTES = 68,
    AT_SCREEN = 88, AT_PITCH = 96, AT_WIDTH = 100, AT_HEIGHT = 104, AT_BITS = 108, AT_COLOURS = 112,
    SCREEN_END = 121,                   /* three bytes beyond the last: bytes are read by fours */
};

enum {
    MODULE_BYTES = 16,
    MAP_ENTRY_LEAST = 20,           /* base, length and type; the size field in front does not count itself */
    MAP_ENTRIES_MOST = 4096,        /* more is nonsense, and would only delay the stop */
    LOWER_MOST = 640,               /* KiB; above it the BIOS and its devices begin */
    BIOS_END = 1024,                /* KiB; and here they end                       */
};

/* ---- The parts ---------------------------------------------------------------------- */

/* Each entry says its own length, which may be more than the fields read here. */
static void read_map(struct boot_info *info, const struct physical *memory, uint64_t at, uint64_t bytes)
{
    uint64_t end = at + bytes;

    for (uint32_t n = 0; n < MAP_ENTRIES_MOST && at + 4 + MAP_ENTRY_LEAST <= end; n++) {
        uint64_t size = physical_read32(memory, at);

        if (size < MAP_ENTRY_LEAST || !physical_readable(memory, at, 4 + MAP_ENTRY_LEAST))
            return;
        boot_add_range(info, physical_read64(memory, at + 4), physical_read64(memory, at + 12),
                       physical_read32(memory, at + 20));
        at += 4 + size;
    }
}

/*
 * A PC has no usable RAM between 640 KiB and 1 MiB, whatever its map says: the emulator v86 lists its BIOS there as
 * usable. A map that does not list that range as usable stays as it is.
 */
static void keep_off_bios(struct boot_info *info)
{
    const uint64_t start = LOWER_MOST * KiB, end = BIOS_END * KiB;

    for (uint32_t n = 0; n < info->range_count; n++) {
        const struct boot_range *r = &info->ranges[n];

        if (r->type == BOOT_USABLE && r->base < end && (r->base >= start || r->length > start - r->base)) {
            boot_add_range(info, start, end - start, BOOT_RESERVED);
            return;
        }
    }
}

/* Without a map: KiB from 0, and KiB from 1 MiB to the first hole. */
static void read_sizes(struct boot_info *info, const struct physical *memory, uint64_t at)
{
    uint32_t lower = physical_read32(memory, at + AT_LOWER), upper = physical_read32(memory, at + AT_UPPER);

    boot_add_range(info, 0, (lower < LOWER_MOST ? lower : LOWER_MOST) * KiB, BOOT_USABLE);
    boot_add_range(info, 1 * MiB, upper * KiB, BOOT_USABLE);
}

static void read_modules(struct boot_info *info, const struct physical *memory, uint64_t at, uint32_t count)
{
    for (uint32_t n = 0; n < count && info->module_count < BOOT_MODULES; n++, at += MODULE_BYTES) {
        struct boot_module *module = &info->modules[info->module_count];
        uint32_t            text = physical_read32(memory, at + 8);

        if (!physical_readable(memory, at, MODULE_BYTES))
            return;
        module->start = physical_read32(memory, at);
        module->end = physical_read32(memory, at + 4);
        if (text != 0)
            physical_text(memory, text, module->text, BOOT_NAME);
        info->module_count++;
    }
}

static uint8_t read_byte(const struct physical *memory, uint64_t at) { return (uint8_t)physical_read32(memory, at); }

/*
 * A screen of pixels with colours of their own; a text mode, or colours from a palette, are no screen to draw on. The
 * specification's table has the colours at 110; its header file aligns them to 112, and that is where GRUB puts them.
 */
static void read_screen(struct boot_screen *screen, const struct physical *memory, uint64_t at)
{
    enum { DIRECT_COLOUR = 1 };

    if (!physical_readable(memory, at, SCREEN_END) || read_byte(memory, at + AT_BITS + 1) != DIRECT_COLOUR)
        return;
    screen->start = physical_read64(memory, at + AT_SCREEN);
    screen->pitch = physical_read32(memory, at + AT_PITCH);
    screen->width = physical_read32(memory, at + AT_WIDTH);
    screen->height = physical_read32(memory, at + AT_HEIGHT);
    screen->bits = read_byte(memory, at + AT_BITS);
    for (unsigned c = 0; c < SCREEN_COLOURS; c++) {
        screen->shift[c] = read_byte(memory, at + AT_COLOURS + 2 * c);
        screen->length[c] = read_byte(memory, at + AT_COLOURS + 2 * c + 1);
    }
}

void multiboot_read(struct boot_info *info, const struct physical *memory, uint32_t magic, uint32_t address)
{
    uint32_t flags = physical_read32(memory, address);

    info->magic = magic;
    if (magic != MULTIBOOT_MAGIC) {
        info->problem = "boot: not started by a Multiboot loader";
        return;
    }
    if (!physical_readable(memory, address, INFORMATION_BYTES)) {
        info->problem = "boot: the loader's information lies outside memory";
        return;
    }
    if (flags & HAS_MAP)
        read_map(info, memory, physical_read32(memory, address + AT_MAP),
                 physical_read32(memory, address + AT_MAP_BYTES));
    keep_off_bios(info);
    if (info->range_count == 0 && (flags & HAS_SIZES))
        read_sizes(info, memory, address);
    if (flags & HAS_MODULES)
        read_modules(info, memory, physical_read32(memory, address + AT_MODULES),
                     physical_read32(memory, address + AT_MODULE_COUNT));
    if (flags & HAS_COMMAND_LINE)
        info->text_cut = physical_text(memory, physical_read32(memory, address + AT_COMMAND_LINE), info->text,
                                       BOOT_TEXT);
    if (flags & HAS_LOADER)
        physical_text(memory, physical_read32(memory, address + AT_LOADER), info->loader, BOOT_NAME);
    if (flags & HAS_SCREEN)
        read_screen(&info->screen, memory, address);
    if (info->range_count == 0 && !info->problem)
        info->problem = "memory: the loader gave no memory map";
}
