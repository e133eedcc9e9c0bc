/*
 * image.c - the borders of the kernel image that the host pretends to have.
 *
 * On a processor kernel.ld sets these symbols. The host's image has no contents of its own, only a size for each
 * section: large enough for the boot tables in .data, and each one different so that a mix-up shows.
 */
#include "image.h"

#include "image_place.h"

/* The section ends at a byte; its pages and frames count to the end of its last page. */
#define SECTION(name, start, bytes) SECTION_WITH(name, start, bytes, bytes)
/* The same, where less of it has contents than the next section leaves room for. */
#define SECTION_WITH(name, start, bytes, contents)                                                                     \
    __asm__(".globl image_" #name "_border, image_" #name "_end_page, image_" #name "_end_frame\n"      \
            ".globl image_" #name "_start, image_" #name "_end, image_" #name "_first_page\n"           \
            ".set image_" #name "_start, " start "\n"                                                   \
            ".set image_" #name "_border, " start " + " TEXT(bytes) "\n"                                \
            ".set image_" #name "_end, " start " + " TEXT(contents) "\n"                                \
            ".set image_" #name "_first_page, image_" #name "_start >> 12\n"                            \
            ".set image_" #name "_end_page, (image_" #name "_border + 4095) >> 12\n"                    \
            ".set image_" #name "_end_frame, ((image_" #name "_border - " IMAGE_OFFSET ") + 4095) >> 12\n")

/* All of the image, in physical memory, in whole pages. */
#define WHOLE_IMAGE(first, last) IMAGE_FROM_TO(first, last)
#define IMAGE_FROM_TO(first, last)                                                                      \
    __asm__(".globl image_physical_start, image_physical_end\n"                                         \
            ".set image_physical_start, image_" #first "_start - " IMAGE_OFFSET "\n"                    \
            ".set image_physical_end, (image_" #last "_end_frame) << 12\n")

SECTION(boot,   IMAGE_BOOT, IMAGE_BOOT_PAGES * 4096);
SECTION(text,   IMAGE_TEXT, IMAGE_TEXT_PAGES * 4096);
SECTION(rodata, "image_text_border",   IMAGE_RODATA_PAGES * 4096);
SECTION(data,   "image_rodata_border", IMAGE_DATA_PAGES * 4096);
#ifdef IMAGE_STACK
SECTION_WITH(original, "image_data_border", IMAGE_ORIGINAL_PAGES * 4096, IMAGE_SHARED_BYTES);
SECTION(stack,    "image_original_border", IMAGE_STACK);
SECTION(shared,   "image_stack_border",    IMAGE_SHARED_BYTES);
#endif

#ifdef IMAGE_STACK
WHOLE_IMAGE(IMAGE_BEGINS, shared);
#else
WHOLE_IMAGE(IMAGE_BEGINS, data);
#endif
