/*
 * told.h - what boot loader and devices said of memory, unchanged.
 *
 * The kernel's own map (memory/frames/memmap.h) is made of these reports. A probe that compared the map with itself
 * would always pass; so the reports are kept here, and looked up frame by frame, slowly and plainly.
 *
 * Locking  none: written once, before there is memory.
 * Cost     told_of(): ranges and devices, for each frame.
 * Source   ACPI specification, "System Address Map Interfaces"; claims K1, K5, A4, A5, Q1.
 */
#ifndef QUIRE_CLAIMS_TOLD_H
#define QUIRE_CLAIMS_TOLD_H

#include "boot/info.h"
#include "memory/start.h"

/* The kind of a frame: the first of these that is true of it. */
enum told {
    TOLD_DEVICE,        /* a device decodes a byte of it                                        */
    TOLD_MODULE,        /* the loader put something there                                       */
    TOLD_RESERVED,      /* a range that is not usable memory has a byte of it                   */
    TOLD_USABLE,        /* one range of usable memory has all of it                             */
    TOLD_UNLISTED,      /* in no range of the map, or not all of it                             */
    TOLD_KINDS
};
extern const char *const told_names[TOLD_KINDS];

/* All reports of a machine's memory. */
struct told_machine {
    const struct boot_range   *ranges;
    const struct boot_module  *modules;
    const struct device_range *devices;
    uint32_t                   range_count, module_count, device_count;
};

enum told told_by(const struct told_machine *machine, frame_t frame);

/* Keep the reports that this kernel got. */
void told_note(const struct boot_info *info);

/* By those reports, and by the ranges that PCI devices answer with now. */
enum told told_of(frame_t frame);

#endif
