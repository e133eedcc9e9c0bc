/*
 * start.h - from a memory map to a working memory manager, in one order.
 *
 * The same sequence runs on a processor (kernel/init/main.c) and on the host port (tests):
 *
 *   1  the firmware's ranges become a memmap; the memory that the layout, the image, the modules
 *      and devices occupy is carved out of it; slots start
 *   2  the bitmap, its summary and the frame records get their sizes, and their places where the document gives any
 *   3  kernel space takes over from the boot tables; bitmap, summary and records get the places they still lack
 *   4  the pool opens; where the kernel has a space of its own, that space becomes current; stacks, heap and maps start
 *   5  memory that only the boot needed goes to the pool, if the direct map shows it or the document has no row for it.
 *      The boot's information may lie there: it is read until then, for the words of a refusal too, and not after
 *
 * Errors   text for people, never a panic: too little memory is the outside world's doing. The text then says what
 *          suffices, to the page, or that no more RAM in its place would.
 * Cost     of finding that number, at a refusal: the steps on paper for each page of the next 64 MiB, at most, and then
 *          for each 16 MiB up to the end of all addresses.
 */
#ifndef QUIRE_MEMORY_START_H
#define QUIRE_MEMORY_START_H

#include "boot/info.h"
#include "memory/frames/memmap.h"
#include "mmu.h"

/* Bytes of physical memory that a device decodes; never handed out (A5). */
struct device_range {
    paddr_t  start, end;
    uint16_t function;              /* PCI bus << 8 | device << 3 | function */
    uint8_t  bar;
};

struct start_facts {
    const struct boot_info    *info;
    frame_t                    root;            /* the boot directory                       */
    entry_t                   *slot_table;      /* boot_slot_table                          */
    paddr_t                    image_start, image_end;      /* physical, image and boot part */
    paddr_t                    boot_start, boot_end;        /* of these, the boot's alone    */
    vaddr_t                    guard;           /* a page of the image to make read-only, 0: none */
    const struct device_range *devices;
    uint32_t                   device_count;
};

/* Returns NULL, or why this machine cannot be run (text that stays until the next call). */
const char *memory_start(const struct start_facts *facts) MUST_CHECK;

/*
 * Step 1 alone, into a map of the caller's: what there is, and what of it already has an owner. Nothing else changes,
 * and no frame is touched: claims give it machines that are not at hand (claims/made.h).
 */
void memory_describe(struct memmap *to, const struct start_facts *facts);

/* The map that memory_start() has made, for the console and the auditor. */
const struct memmap *memory_map(void);

#endif
