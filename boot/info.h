/*
 * info.h - the information of any boot loader, in one form.
 *
 * The parser of each boot protocol (boot/multiboot.c, pvh.c, bios.c) fills one boot_info
 * before paging is on, copying everything out of the loader's memory, because loaders
 * leave their data where a layout may have its own: QEMU at 0x9000, GRUB at 0x10000. The
 * kernel proper reads nothing else of the loader's, except the modules' contents, which
 * stay where they are.
 *
 * Nothing here is trusted: memory/frames/memmap.h makes a sound map of the ranges.
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

enum { BOOT_SECTOR_BYTES = 512 };

/* How the address line A20 came to be open. */
enum boot_a20 { BOOT_A20_WAS_OPEN, BOOT_A20_BIOS, BOOT_A20_CHIPSET, BOOT_A20_KEYBOARD };

/*
 * What Quire's own boot from a BIOS did (boot/bios/), as its relocator saw it. All zero when another loader started the
 * kernel. kernel_main() keeps a copy, boot_path(), because a boot_info goes away with boot's
 * memory.
 *
 * For claims about this boot. The low memory it names (the sector at sector_at, the relocator, the image as it was
 * loaded) stays as it was until the pool opens, and after that where the layout keeps it out of the pool: a probe may
 * then also compare bytes, as text and constants of the image never change. Sums are bios_sum() (boot/bios/sum.h);
 * `built` is what the image builder stored, the others were computed in memory.
 */
struct boot_path {
    uint32_t sector_at, sector_built, sector_sum;       /* the 512 bytes of the boot sector                         */
    uint32_t padding_first;                             /* in memory, before the relocator has done anything else    */
    uint32_t padding_built, padding_sum;                /* 512 bytes behind it: on the disk, and in memory after
                                                         * loading: the disk's are not zero, so equal sums mean that
                                                         * they were loaded */
    uint32_t relocator_at, relocator_bytes;             /* where its instructions really ran                        */
    uint32_t loaded_at, image_bytes;                    /* the kernel as the boot sector loaded it                  */
    uint32_t moved_to, image_end, entry;                /* where it was moved; up to image_end zeros follow         */
    uint32_t pieces;                                    /* 1: in one run. More: with large gaps, which are zeros too, so
                                                         * that only the first piece is at the distance moved_to -
                                                         * loaded_at */
    uint32_t sum_built, sum_loaded, sum_moved;          /* of its image_bytes, before and after                     */
    uint32_t map_call, map_entries;                     /* the memory map: int 15h's function, entries it gave       */
    uint32_t map_rest;                                  /* where E820 would have gone on; 0: it had ended         */
    uint32_t drive, a20;                                /* the BIOS's number; enum boot_a20                         */
};

/* A screen of pixels, as the loader left it. None of it is trusted: devices/pixels.c checks it. start == 0: none. */
enum { SCREEN_RED, SCREEN_GREEN, SCREEN_BLUE, SCREEN_COLOURS };

struct boot_screen {
    uint64_t start;                                     /* physical address of the upper left pixel                 */
    uint32_t pitch, width, height;                      /* bytes from one row to the next; pixels                   */
    uint8_t  bits;                                      /* of a pixel, which takes whole bytes                      */
    uint8_t  shift[SCREEN_COLOURS], length[SCREEN_COLOURS];     /* lowest bit and number of bits of each colour     */
};

struct boot_info {
    uint32_t magic;                         /* of the boot protocol, 0 if none came  */
    const char *problem;                    /* NULL, or why the kernel cannot go on: the address of text in
                                             * .boot.rodata, valid until boot memory is reclaimed */
    uint32_t range_count, module_count;
    struct boot_range  ranges[BOOT_RANGES];
    struct boot_module modules[BOOT_MODULES];
    uint32_t ranges_left_out;               /* ranges lost because there were more than BOOT_RANGES */
    bool     text_cut;                      /* the command line did not fit          */
    char     text[BOOT_TEXT];
    char     loader[BOOT_NAME];
    struct boot_path   path;
    struct boot_screen screen;
};

/* The copies that the kernel keeps, and the magic number of the boot protocol. */
const struct boot_path   *boot_path(void);
const struct boot_screen *boot_screen(void);
uint32_t boot_magic(void);

#endif
