/*
 * image_place.h - where the document puts the kernel's image, as text for the assembler.
 *
 *   IMAGE_BOOT        the part that runs before paging: from the document's region, or a row of memory without region
 *   IMAGE_TEXT        the first section behind it
 *   IMAGE_BEGINS      the name of the first section of all
 *   IMAGE_OFFSET      how far the image's addresses are from its memory
 *   IMAGE_STACK       bytes of the region `stack`, where there is one
 */
#ifndef QUIRE_HOST_IMAGE_PLACE_H
#define QUIRE_HOST_IMAGE_PLACE_H

#include <layout.h>

#define TEXT_OF(x)  #x
#define TEXT(x)     TEXT_OF(x)

#ifdef LAYOUT_BOOT_START
#define IMAGE_FIRST LAYOUT_BOOT_START
#define IMAGE_BOOT  TEXT(LAYOUT_BOOT_START)
#define IMAGE_TEXT  "image_boot_border"
#define IMAGE_BEGINS boot
#else
#define IMAGE_FIRST LAYOUT_TEXT_START
#define IMAGE_BOOT  TEXT(LAYOUT_PHYSICAL_BOOT_START) " + " IMAGE_OFFSET
#define IMAGE_TEXT  TEXT(LAYOUT_TEXT_START)
#define IMAGE_BEGINS text
#endif

/*
 * The assembler counts in 64 bits: an image whose addresses are lower than its physical addresses has a negative
 * offset.
 */
#if IMAGE_FIRST >= LAYOUT_KERNEL_OFFSET
#define IMAGE_OFFSET TEXT(LAYOUT_KERNEL_OFFSET)
#else
#define IMAGE_OFFSET "(" TEXT(LAYOUT_KERNEL_OFFSET) " - (1 << 32))"
#endif

#ifdef LAYOUT_FIRST_STACK
#define IMAGE_STACK LAYOUT_FIRST_STACK
#endif

#endif
