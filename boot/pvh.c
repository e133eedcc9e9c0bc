/*
 * pvh.c - the information of a PVH loader: QEMU boots a kernel so without firmware in between.
 */
#include "boot/pvh.h"

/* Offsets of the fields used. All addresses have 64 bits. */
enum {
    AT_VERSION = 4, AT_MODULE_COUNT = 12, AT_MODULES = 16, AT_COMMAND_LINE = 24, AT_MAP = 40, AT_MAP_ENTRIES = 48,
    INFORMATION_BYTES = 56,
};

enum {
    VERSION_WITH_MAP = 1,
    MODULE_BYTES = 32, MODULE_SIZE = 8, MODULE_TEXT = 16,
    MAP_ENTRY_BYTES = 24, MAP_LENGTH = 8, MAP_TYPE = 16,
    MAP_ENTRIES_MOST = 4096,        /* more is nonsense, and would only delay the stop */
};

static void read_map(struct boot_info *info, const struct physical *memory, uint64_t at, uint32_t count)
{
    for (uint32_t n = 0; n < count && n < MAP_ENTRIES_MOST; n++, at += MAP_ENTRY_BYTES) {
        if (!physical_readable(memory, at, MAP_ENTRY_BYTES))
            return;
        boot_add_range(info, physical_read64(memory, at), physical_read64(memory, at + MAP_LENGTH),
                       physical_read32(memory, at + MAP_TYPE));
    }
}

static void read_modules(struct boot_info *info, const struct physical *memory, uint64_t at, uint32_t count)
{
    for (uint32_t n = 0; n < count && info->module_count < BOOT_MODULES; n++, at += MODULE_BYTES) {
        struct boot_module *module = &info->modules[info->module_count];
        uint64_t            start = physical_read64(memory, at), size = physical_read64(memory, at + MODULE_SIZE);
        uint64_t            text = physical_read64(memory, at + MODULE_TEXT);

        if (!physical_readable(memory, at, MODULE_BYTES))
            return;
        if (start > UINT32_MAX || size > UINT32_MAX - start)
            continue;                           /* beyond 4 GiB: out of reach */
        module->start = (uint32_t)start;
        module->end = (uint32_t)(start + size);
        if (text != 0)
            physical_text(memory, text, module->text, BOOT_NAME);
        info->module_count++;
    }
}

void pvh_read(struct boot_info *info, const struct physical *memory, uint32_t address)
{
    uint64_t text;

    info->magic = PVH_MAGIC;
    if (!physical_readable(memory, address, INFORMATION_BYTES) || physical_read32(memory, address) != PVH_MAGIC) {
        info->problem = "boot: the loader's information is not where it should be";
        return;
    }
    if (physical_read32(memory, address + AT_VERSION) >= VERSION_WITH_MAP)
        read_map(info, memory, physical_read64(memory, address + AT_MAP),
                 physical_read32(memory, address + AT_MAP_ENTRIES));
    read_modules(info, memory, physical_read64(memory, address + AT_MODULES),
                 physical_read32(memory, address + AT_MODULE_COUNT));
    text = physical_read64(memory, address + AT_COMMAND_LINE);
    if (text != 0)
        info->text_cut = physical_text(memory, text, info->text, BOOT_TEXT);
    if (info->range_count == 0 && !info->problem)
        info->problem = "memory: the loader gave no memory map";
}
