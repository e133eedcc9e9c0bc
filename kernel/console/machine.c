/*
 * machine.c - devices, version, and ways to leave.
 */
#include "console/commands.h"

#include "base/check.h"
#include "base/error.h"
#include "base/print.h"
#include "console/show.h"
#include "console/words.h"
#include "devices/pci.h"
#include "mmu.h"
#include "pci_ports.h"
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
