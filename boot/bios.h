/*
 * bios.h - reading the information that Quire's own relocator leaves behind: the boot from a BIOS.
 *
 * The relocator (boot/bios/relocator.c) fills a struct bios_handover in low memory and jumps to the kernel's entry with
 * BIOS_MAGIC in EAX and the structure's address in EBX, all else as a Multiboot loader would leave it. The
 * structure is Quire's own, but believed as little as other loaders' (multiboot.h): it may have been overwritten, or
 * never written.
 *
 * What the relocator saw of the image on its way is kept in info->path (info.h).
 */
#ifndef QUIRE_BOOT_BIOS_H
#define QUIRE_BOOT_BIOS_H

#define BIOS_MAGIC 0x53494251u          /* "QBIS": in EAX, and the first word of the information */

#ifndef __ASSEMBLER__

#include "boot/physical.h"

/* One range of the map as int 15h, AX=E820h gives it. */
struct bios_range {
    uint64_t base, length;
    uint32_t type;
    uint32_t attributes;                /* where the BIOS gave none: BIOS_RANGE_VALID */
};

enum { BIOS_RANGE_VALID = 1, BIOS_RANGES = 256 };

/* Which call the map came from. */
enum { BIOS_MAP_E820 = 0xE820, BIOS_MAP_E801 = 0xE801, BIOS_MAP_88 = 0x88 };

struct bios_handover {
    uint32_t magic, bytes;              /* of this structure, as the relocator knows it      */
    uint32_t text;                      /* address of the command line                       */
    uint32_t map, map_entries, map_call;            /* of struct bios_range; BIOS_MAP_*      */
    uint32_t module_start, module_end;              /* 0, 0: none                            */
    struct boot_path path;
};

/* Fill *info, which must be zeroed, from the relocator's information at `address`. See multiboot_read(). */
void bios_read(struct boot_info *info, const struct physical *memory, uint32_t address);

#endif
#endif
