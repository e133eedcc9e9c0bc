/*
 * pvh.h - reading the information that a PVH loader leaves behind.
 *
 * As little is believed as in multiboot.h, and for the same reasons. Modules beyond 4 GiB are left out.
 *
 * Source   Xen, "x86/HVM direct boot ABI" (hvm_start_info, version 1).
 */
#ifndef QUIRE_BOOT_PVH_H
#define QUIRE_BOOT_PVH_H

#include "boot/physical.h"

#define PVH_MAGIC 0x336EC578u       /* the first word of the information */

/* Fill *info, which must be zeroed, from the loader's information at `address`. See multiboot_read(). */
void pvh_read(struct boot_info *info, const struct physical *memory, uint32_t address);

#endif
