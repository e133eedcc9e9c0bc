/*
 * image.c - the borders of a kernel image that is not there.
 *
 * On a processor kernel.ld sets these symbols. The host's image has no contents, only a size for each
 * section: large enough for the boot tables in .data, and each one different so that a mix-up shows.
 */
#include "image.h"

#include <layout.h>

#define TEXT_OF(x)  #x
#define TEXT(x)     TEXT_OF(x)

#ifdef LAYOUT_BOOT_START
#define FIRST LAYOUT_BOOT_START
#else
#define FIRST LAYOUT_TEXT_START
#endif

/* The assembler counts in 64 bits: where the image lies lower in the address space than in memory, its offset is negative. */
#if FIRST >= LAYOUT_KERNEL_OFFSET
#define OFFSET TEXT(LAYOUT_KERNEL_OFFSET)
#else
#define OFFSET "(" TEXT(LAYOUT_KERNEL_OFFSET) " - (1 << 32))"
#endif

/* Ends at a byte; pages and frames count to the end of the page that it lies in. */
#define SECTION(name, start, bytes)                                                                     \
    __asm__(".globl image_" #name "_border, image_" #name "_end_page, image_" #name "_end_frame\n"      \
            ".set image_" #name "_border, " start " + " TEXT(bytes) "\n"                                \
            ".set image_" #name "_end_page, (image_" #name "_border + 4095) >> 12\n"                    \
            ".set image_" #name "_end_frame, ((image_" #name "_border - " OFFSET ") + 4095) >> 12\n")

#ifdef LAYOUT_BOOT_START
SECTION(boot,   TEXT(LAYOUT_BOOT_START), IMAGE_BOOT_PAGES * 4096);
SECTION(text,   "image_boot_border",   IMAGE_TEXT_PAGES * 4096);
#else                                       /* what runs before paging has a row of memory of its own, and no region */
SECTION(boot,   TEXT(LAYOUT_PHYSICAL_BOOT_START) " + " OFFSET, IMAGE_BOOT_PAGES * 4096);
SECTION(text,   TEXT(LAYOUT_TEXT_START), IMAGE_TEXT_PAGES * 4096);
#endif
SECTION(rodata, "image_text_border",   IMAGE_RODATA_PAGES * 4096);
SECTION(data,   "image_rodata_border", IMAGE_DATA_PAGES * 4096);
#ifdef LAYOUT_FIRST_STACK
SECTION(original, "image_data_border",     IMAGE_ORIGINAL_PAGES * 4096);
SECTION(stack,    "image_original_border", LAYOUT_FIRST_STACK);
SECTION(shared,   "image_stack_border",    IMAGE_SHARED_BYTES);
#endif
