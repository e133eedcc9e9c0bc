/*
 * image.h - what the kernel's image has in the machine in plain memory: the words and the code that probes look at.
 *
 * The host runs the kernel's code as its own. What probes read, write or call by its address is in the image as well:
 *
 *   own           pieces of this program that own.ld.S has linked for addresses in the mirror, where the document has
 *                 the section they belong to; what is called there is fetched through the machine's tables
 *   applications  those of the document, linked for an i386 by applications.ld.S; processor.c runs them
 */
#ifndef QUIRE_TESTS_CLAIMS_IMAGE_H
#define QUIRE_TESTS_CLAIMS_IMAGE_H

#include "arch/host/image.h"

/* Where the mirror is. The lower 32 bits are 0, so that those of a pointer into it are a kernel address. */
#define IMAGE_MIRROR 0x200000000000

#ifndef __ASSEMBLER__
/* Keep the program's own pieces, and ask for the mirror in their place: before the machine is switched on. */
void image_keep(void);

/* Put everything where it belongs: after the machine has been switched on. */
void image_load(void);
#endif

#endif
