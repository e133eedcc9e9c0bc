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

#define OFFSET_PAGES "(" TEXT(LAYOUT_KERNEL_OFFSET) " >> 12)"
#define SECTION(name, before, pages)                                                                    \
    __asm__(".globl image_" #name "_end_page, image_" #name "_end_frame\n"                              \
            ".set image_" #name "_end_page, " before " + " TEXT(pages) "\n"                             \
            ".set image_" #name "_end_frame, image_" #name "_end_page - " OFFSET_PAGES "\n")

SECTION(boot,   "(" TEXT(LAYOUT_BOOT_START) " >> 12)", IMAGE_BOOT_PAGES);
SECTION(text,   "image_boot_end_page",   IMAGE_TEXT_PAGES);
SECTION(rodata, "image_text_end_page",   IMAGE_RODATA_PAGES);
SECTION(data,   "image_rodata_end_page", IMAGE_DATA_PAGES);
