/*
 * applications.ld.S - the linker script of the applications for the machine in plain memory: the sections of the image
 * (arch/host/image.c), of which they have these parts. Page 0 has no rights, and page tables begin the data.
 */
#include "layout.h"
#include "arch/host/image.h"
#define PAGE     4096
#define RODATA   (LAYOUT_TEXT_START + IMAGE_TEXT_PAGES * PAGE)
#define DATA     (RODATA + IMAGE_RODATA_PAGES * PAGE)
#define ORIGINAL (DATA + IMAGE_DATA_PAGES * PAGE)
OUTPUT_FORMAT("elf32-i386")
OUTPUT_ARCH(i386)
ENTRY(app_begin)
SECTIONS
{
    . = LAYOUT_TEXT_START + PAGE;
    .text : { KEEP(*(.text.app_*)) *(.text .text.*) }
    ASSERT(. <= RODATA - PAGE, "the applications' code has no room")
    . = RODATA;
    .rodata : { *(.rodata .rodata.*) BYTE(0) }
    ASSERT(. <= DATA - PAGE, "the applications' constants have no room")
    . = ORIGINAL - PAGE;
    .data : { *(.data .data.*) *(.bss .bss.*) BYTE(0) }
    ASSERT(. <= ORIGINAL, "the applications' variables have no room")
    . = ORIGINAL;
    .original : { KEEP(*(.data_shared .data_shared.*)) KEEP(*(.bss_shared .bss_shared.*)) . = ALIGN(16); }
    ASSERT(. <= ORIGINAL + PAGE, "the applications' shared variables have no room")
    . = ORIGINAL + IMAGE_ORIGINAL_PAGES * PAGE - 1;
    .end : { BYTE(0) }
    /DISCARD/ : { *(.note .note.*) *(.comment) *(.eh_frame) }
}
