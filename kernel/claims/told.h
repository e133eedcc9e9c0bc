/*
 * told.h - what boot loader and devices said of memory, as they said it.
 *
 * The kernel's own map (memory/frames/memmap.h) is what it made of that. A probe that asked the map whether the map is
 * right would always hear yes; so what was said is kept here, and looked at frame by frame, as slowly and plainly as
 * can be.
 *
 * Locking  none: written once, before there is memory.
 * Cost     told_of(): ranges and devices, for each frame.
 * Source   ACPI specification, "System Address Map Interfaces"; claims K1, K5, A4, A5, Q1.
 */
#ifndef QUIRE_CLAIMS_TOLD_H
#define QUIRE_CLAIMS_TOLD_H

#include "boot/info.h"
#include "memory/start.h"

/* The first that is true of a frame. */
enum told {
    TOLD_DEVICE,        /* a device decodes a byte of it                                        */
    TOLD_MODULE,        /* the loader put something there                                       */
    TOLD_RESERVED,      /* a range that is not usable memory has a byte of it                   */
    TOLD_USABLE,        /* one range of usable memory has all of it                             */
    TOLD_UNLISTED,      /* in no range of the map, or not all of it                             */
    TOLD_KINDS
};
extern const char *const told_names[TOLD_KINDS];

/* All that can be said of a machine's memory. */
struct told_machine {
    const struct boot_range   *ranges;
    const struct boot_module  *modules;
    const struct device_range *devices;
    uint32_t                   range_count, module_count, device_count;
};

enum told told_by(const struct told_machine *machine, frame_t frame);

/* Keep what was said to this kernel. */
void told_note(const struct boot_info *info);

/* By what was said, and the ranges of PCI devices as they answer now. */
enum told told_of(frame_t frame);

#endif
