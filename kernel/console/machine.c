/*
 * machine.c - devices, the way here, version, and ways to leave.
 */
#include "console/commands.h"

#include "base/check.h"
#include "base/error.h"
#include "base/print.h"
#include "boot/bios.h"
#include "boot/multiboot.h"
#include "boot/pvh.h"
#include "console/show.h"
#include "console/words.h"
#include "devices/pci.h"
#include "mmu.h"
#include "power.h"

static void print_range(const struct device_range *range)
{
    print("    %s %u  %s to %s  %s\n", range->bar == PCI_ROM ? "ROM" : "BAR", range->bar,
          show_address((vaddr_t)range->start).text, show_address((vaddr_t)(range->end - 1)).text,
          show_size(range->end - range->start).text);
}

static void print_function(void *access, const struct pci_function *function)
{
    struct device_range ranges[PCI_RANGES];
    unsigned            count = pci_function_ranges(access, function, ranges);

    print("%02x:%02x.%u  %04x:%04x  class %02x.%02x\n", function->where >> 8, function->where >> 3 & 31,
          function->where & 7, function->vendor, function->device, function->class, function->subclass);
    for (unsigned i = 0; i < count; i++)
        print_range(&ranges[i]);
}

int run_pci(int count, char **words)
{
    const struct pci_access *access = pci_ports();

    (void)count, (void)words;
    if (access == NULL) {
        print("this machine has no PCI bus\n");
        return 0;
    }
    print("Functions on the PCI bus, and the memory they decode; no frame of it is ever handed out\n");
    pci_each(access, print_function, (void *)access);
    return 0;
}

/* ---- The way here ------------------------------------------------------------------------ */

static void print_part(const char *name, uint32_t start, uint32_t bytes)
{
    print("    %-14s %08x to %08x  %s\n", name, start, start + bytes - 1, show_size(bytes).text);
}

static void print_boot_way(const struct boot_path *path)
{
    static const char *const a20[] = { "was open", "was opened by the BIOS", "was opened by the chipset",
                                       "was opened by the keyboard controller" };

    print_part("boot sector", path->sector_at, BOOT_SECTOR_BYTES);
    print_part("relocator", path->relocator_at, path->relocator_bytes);
    print_part("image, loaded", path->loaded_at, path->image_bytes);
    print_part("image, moved", path->moved_to, path->image_end - path->moved_to);
    if (path->pieces > 1)
        print("    (in %u pieces, with zeros between them)\n", path->pieces);
    print("Sums: sector %08x (built with %08x), padding %08x (on the disk %08x),\n", path->sector_sum,
          path->sector_built,
          path->padding_sum, path->padding_built);
    print("    image %08x when loaded, %08x when moved (built with %08x)\n", path->sum_loaded, path->sum_moved,
          path->sum_built);
    print("Drive %02x; int 15h, function %x gave %u ranges of memory; A20 %s\n", path->drive, path->map_call,
          path->map_entries, path->a20 < COUNT_OF(a20) ? a20[path->a20] : "?");
}

int run_boot(int count, char **words)
{
    const struct boot_screen *screen = boot_screen();

    (void)count, (void)words;
    switch (boot_magic()) {
    case MULTIBOOT_MAGIC:
        print("Started by a Multiboot loader\n");
        break;
    case PVH_MAGIC:
        print("Started by a PVH loader\n");
        break;
    case BIOS_MAGIC:
        print("Started by Quire's boot sector\n");
        print_boot_way(boot_path());
        break;
    }
    if (screen->start != 0)
        print("The screen: %u by %u pixels of %u bits, %u bytes a row, at %08llx\n", screen->width, screen->height,
              screen->bits, screen->pitch, (unsigned long long)screen->start);
    return 0;
}

int run_version(int count, char **words)
{
    (void)count, (void)words;
    print("Quire, layout %s, %s build, page tables of %u levels with %u entries\n", layout.name,
          IS_CHECKED ? "checked" : "release", MMU_LEVELS, MMU_ENTRIES);
    return 0;
}

int run_exit(int count, char **words)
{
    uint64_t status = console_failures() == 0 ? POWER_STATUS_GOOD : POWER_STATUS_BAD;

    if (count == 2 && !number_argument(words[1], "N", 0, 127, &status))
        return -EINVAL;
    power_exit((uint8_t)status);
}

int run_reboot(int count, char **words)
{
    (void)count, (void)words;
    power_reset();
}
