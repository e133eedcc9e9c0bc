/*
 * info.h - what a boot loader told us, in one shape.
 *
 * Each way in (boot/multiboot.c; later the BIOS path and PVH) fills one boot_info
 * before paging is on, copying everything out of the loader's memory, because
 * loaders leave their data where a layout may want to put its own: QEMU at 0x9000,
 * GRUB at 0x10000. The kernel proper reads nothing else of the loader's, except the
 * modules' contents, which stay where they are.
 *
 * Nothing here is trusted: memory/memmap.h makes sense of the ranges.
 */
#ifndef QUIRE_BOOT_INFO_H
#define QUIRE_BOOT_INFO_H

#include "base/types.h"

enum {
    BOOT_RANGES  = 256,     /* raw ranges; firmware lists fewer than 128            */
    BOOT_MODULES = 16,
    BOOT_TEXT    = 1024,    /* command line, with its terminator                    */
    BOOT_NAME    = 64,
};

/* Types as the BIOS numbers them (ACPI specification, "System Address Map"). */
enum { BOOT_USABLE = 1, BOOT_RESERVED = 2, BOOT_ACPI = 3, BOOT_NVS = 4, BOOT_BAD = 5 };

struct boot_range {
    uint64_t base, length;  /* may wrap, overlap, be empty or absurd                */
    uint32_t type;          /* BOOT_*; anything unknown counts as reserved          */
};

struct boot_module {
    uint32_t start, end;    /* physical bytes; start <= end is not guaranteed        */
    char     text[BOOT_NAME];
};

struct boot_info {
    uint32_t magic;                         /* of the way in, 0 if none came         */
    const char *problem;                    /* NULL, or why we cannot go on: the address of text in
                                             * .boot.rodata, valid until boot memory is reclaimed */
    uint32_t range_count, module_count;
    struct boot_range  ranges[BOOT_RANGES];
    struct boot_module modules[BOOT_MODULES];
    uint32_t ranges_left_out;               /* usable ranges beyond BOOT_RANGES      */
    bool     text_cut;                      /* the command line did not fit          */
    char     text[BOOT_TEXT];
    char     loader[BOOT_NAME];
};

#endif
