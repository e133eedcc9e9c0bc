/*
 * told.c - the boot loader's reports, kept; and what they say of one frame. See told.h.
 */
#include "claims/told.h"

#include "arch/contract.h"
#include "base/check.h"
#include "base/string.h"
#include "devices/pci.h"

enum { DEVICES = 64 };

const char *const told_names[TOLD_KINDS] = {
    [TOLD_DEVICE] = "a device's", [TOLD_MODULE] = "a module's", [TOLD_RESERVED] = "reserved",
    [TOLD_USABLE] = "usable", [TOLD_UNLISTED] = "not listed",
};

static struct boot_range   ranges[BOOT_RANGES];
static struct boot_module  modules[BOOT_MODULES];
static struct device_range devices[DEVICES];
static struct told_machine here = { .ranges = ranges, .modules = modules, .devices = devices };

void told_note(const struct boot_info *info)
{
    assert(info->range_count <= BOOT_RANGES && info->module_count <= BOOT_MODULES);
    here.range_count  = info->range_count;
    here.module_count = info->module_count;
    memcpy(ranges, info->ranges, sizeof ranges);
    memcpy(modules, info->modules, sizeof modules);
}

/* Devices do not move: once is enough, and measuring stops them for a moment. */
static const struct told_machine *told_here(void)
{
    static bool asked;

    if (!asked && pci_ports() != NULL)
        here.device_count = pci_ranges(pci_ports(), devices, DEVICES);
    assert(here.device_count <= DEVICES);       /* else the kernel would not have started */
    asked = true;
    return &here;
}

enum told told_of(frame_t frame) { return told_by(told_here(), frame); }

/* ---- One frame ------------------------------------------------------------------------------------ */

/* A range may be empty, and may go past the last byte there can be. */
static bool meets(uint64_t start, uint64_t end, uint64_t from, uint64_t bytes)
{
    return bytes > 0 && from < end && (from >= start || bytes > start - from);
}

static bool holds(uint64_t start, uint64_t end, uint64_t from, uint64_t bytes)
{
    return from <= start && bytes >= end - from;
}

static enum told told_by_ranges(const struct told_machine *machine, uint64_t start, uint64_t end)
{
    enum told told = TOLD_UNLISTED;

    for (uint32_t i = 0; i < machine->range_count; i++) {
        const struct boot_range *range = &machine->ranges[i];

        if (range->type != BOOT_USABLE && meets(start, end, range->base, range->length))
            return TOLD_RESERVED;
        if (range->type == BOOT_USABLE && holds(start, end, range->base, range->length))
            told = TOLD_USABLE;
    }
    return told;
}

enum told told_by(const struct told_machine *machine, frame_t frame)
{
    uint64_t start = frame_address(frame), end = start + PAGE_SIZE;

    for (uint32_t i = 0; i < machine->device_count; i++)
        if (machine->devices[i].start < end && machine->devices[i].end > start)
            return TOLD_DEVICE;
    for (uint32_t i = 0; i < machine->module_count; i++)
        if (machine->modules[i].start < end && machine->modules[i].end > start &&
            machine->modules[i].start < machine->modules[i].end)
            return TOLD_MODULE;
    return told_by_ranges(machine, start, end);
}
