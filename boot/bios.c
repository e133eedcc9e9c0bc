/*
 * bios.c - the information of Quire's own relocator, checked, as a boot_info. See bios.h.
 */
#include "boot/bios.h"

#define AT(field)       offsetof(struct bios_handover, field)
#define PATH(field)     offsetof(struct boot_path, field)
#define RANGE(field)    offsetof(struct bios_range, field)

/* An entry that its attributes call invalid says nothing, not even that something is reserved. */
static void read_map(struct boot_info *info, const struct physical *memory, uint64_t at, uint32_t count)
{
    for (uint32_t n = 0; n < count && n < BIOS_RANGES; n++, at += sizeof(struct bios_range)) {
        if (!physical_readable(memory, at, sizeof(struct bios_range)))
            return;
        if (physical_read32(memory, at + RANGE(attributes)) & BIOS_RANGE_VALID)
            boot_add_range(info, physical_read64(memory, at + RANGE(base)), physical_read64(memory, at + RANGE(length)),
                           physical_read32(memory, at + RANGE(type)));
    }
}

/* All fields of a boot_path are words of 32 bits. */
static void read_path(struct boot_path *path, const struct physical *memory, uint64_t at)
{
    uint32_t *to = (uint32_t *)path;

    _Static_assert(sizeof *path % sizeof *to == 0, "struct boot_path is made of 32-bit words");
    for (size_t n = 0; n < sizeof *path / sizeof *to; n++)
        to[n] = physical_read32(memory, at + n * sizeof *to);
}

static void read_module(struct boot_info *info, const struct physical *memory, uint64_t at)
{
    uint32_t start = physical_read32(memory, at + AT(module_start)), end = physical_read32(memory, at + AT(module_end));

    if (start == end)
        return;
    info->modules[0] = (struct boot_module){ .start = start, .end = end, .text = "archive" };
    info->module_count = 1;
}

/* The relocator stops when it finds these faults; a kernel that sees them has been started by something else. */
static const char *doubt(const struct boot_path *path)
{
    if (path->sum_loaded != path->sum_built)
        return "boot: the kernel image was damaged when the boot sector had loaded it";
    if (path->sum_moved != path->sum_built)
        return "boot: the kernel image was damaged when it was moved to its place";
    return NULL;
}

void bios_read(struct boot_info *info, const struct physical *memory, uint32_t address)
{
    static const char loader[BOOT_NAME] = "Quire's boot sector";

    info->magic = BIOS_MAGIC;
    if (!physical_readable(memory, address, sizeof(struct bios_handover)) ||
        physical_read32(memory, address) != BIOS_MAGIC) {
        info->problem = "boot: the relocator's information is not where it should be";
        return;
    }
    if (physical_read32(memory, (uint64_t)address + AT(bytes)) != sizeof(struct bios_handover)) {
        info->problem = "boot: the image's relocator and its kernel are of different builds";
        return;
    }
    read_path(&info->path, memory, (uint64_t)address + AT(path));
    read_map(info, memory, physical_read32(memory, (uint64_t)address + AT(map)),
             physical_read32(memory, (uint64_t)address + AT(map_entries)));
    read_module(info, memory, address);
    info->text_cut = physical_text(memory, physical_read32(memory, (uint64_t)address + AT(text)), info->text,
                                   BOOT_TEXT);
    for (uint32_t n = 0; n < BOOT_NAME; n++)
        info->loader[n] = loader[n];
    if (!info->problem)
        info->problem = doubt(&info->path);
    if (info->range_count == 0 && !info->problem)
        info->problem = "memory: the loader gave no memory map";
}
