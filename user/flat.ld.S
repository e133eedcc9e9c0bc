/*
 * flat.ld.S - the linker script of built-in programs, through the preprocessor: one piece, from the start address up.
 *
 * The address comes with the command (build.mk), as not every document has one.
 */
OUTPUT_FORMAT("elf32-i386")
OUTPUT_ARCH(i386)
ENTRY(start)
SECTIONS
{
    . = LAYOUT_START_ADDRESS;
    .flat : {
        *(.start)
        *(.text .text.*)
        *(.rodata .rodata.*)
        *(.data .data.*)
        *(.bss .bss.* COMMON)
        BYTE(0)
    }
    /DISCARD/ : { *(.note .note.*) *(.comment) *(.eh_frame) }
}
