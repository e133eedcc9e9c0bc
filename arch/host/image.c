/*
 * image.c - the borders of the kernel image that the host pretends to have.
 *
 * On a processor kernel.ld sets these symbols. The host's image has no contents, only a size for each
 * section: large enough for the boot tables in .data, and each one different so that a mix-up shows.
 */
#include "image.h"

#include "image_place.h"

/* The section ends at a byte; its pages and frames count to the end of its last page. */
#define SECTION(name, start, bytes)                                                                     \
    __asm__(".globl image_" #name "_border, image_" #name "_end_page, image_" #name "_end_frame\n"      \
            ".set image_" #name "_border, " start " + " TEXT(bytes) "\n"                                \
            ".set image_" #name "_end_page, (image_" #name "_border + 4095) >> 12\n"                    \
            ".set image_" #name "_end_frame, ((image_" #name "_border - " IMAGE_OFFSET ") + 4095) >> 12\n")

SECTION(boot,   IMAGE_BOOT, IMAGE_BOOT_PAGES * 4096);
SECTION(text,   IMAGE_TEXT, IMAGE_TEXT_PAGES * 4096);
SECTION(rodata, "image_text_border",   IMAGE_RODATA_PAGES * 4096);
SECTION(data,   "image_rodata_border", IMAGE_DATA_PAGES * 4096);
#ifdef IMAGE_STACK
SECTION(original, "image_data_border",     IMAGE_ORIGINAL_PAGES * 4096);
SECTION(stack,    "image_original_border", IMAGE_STACK);
SECTION(shared,   "image_stack_border",    IMAGE_SHARED_BYTES);
#endif
