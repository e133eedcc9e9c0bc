/*
 * multiboot.h - reading the information that a Multiboot 1 loader leaves behind.
 *
 * The parser believes nothing: whatever lies in memory, it ends, writes only *info, and
 * reads only inside `memory`.
 *
 * Source   Multiboot Specification 0.6.96, "Boot information format".
 */
#ifndef QUIRE_BOOT_MULTIBOOT_H
#define QUIRE_BOOT_MULTIBOOT_H

#include "boot/physical.h"

#define MULTIBOOT_MAGIC 0x2BADB002u

/*
 * Fill *info, which must be zeroed, from the loader's information at `address`.
 * info->problem says why the machine cannot be used, and is NULL otherwise. Modules and
 * ranges beyond what *info can hold are left out, and such ranges counted. Where a usable
 * range reaches into 640 KiB to 1 MiB, that part is entered as reserved.
 */
void multiboot_read(struct boot_info *info, const struct physical *memory, uint32_t magic, uint32_t address);

#endif
