/*
 * start.S - the first instructions: from a Multiboot loader to paged memory.
 *
 * On entry (Multiboot Specification 0.6.96, "Machine state"): 32-bit protected mode, flat
 * segments, A20 open, paging and interrupts off, EAX the magic number, EBX the physical
 * address of the loader's information; ESP and the descriptor tables are nobody's.
 *
 * All of boot/ is linked where it is loaded, in the .boot sections. It calls nothing outside
 * them: the rest of the kernel lives at virtual addresses that do not exist yet.
 * The page tables are ready made by the layout compiler (tables.S), so that turning paging on
 * is one load of CR3.
 */
#include "layout.h"

#define MULTIBOOT_HEADER    0x1BADB002
#define MULTIBOOT_WANTS     3               /* modules on page borders, memory information */

#define CR0_PROTECT         0x00000001
#define CR0_WRITE_PROTECT   0x00010000
#define CR0_NO_CACHE        0x60000000      /* CD and NW */
#define CR0_PAGING          0x80000000
#define CR4_LARGE           0x00000010      /* PSE: a directory entry may map 4 MiB */

#define START_STACK         4096

    .section .boot.header, "a"
    .balign 4
    .long MULTIBOOT_HEADER
    .long MULTIBOOT_WANTS
    .long -(MULTIBOOT_HEADER + MULTIBOOT_WANTS)

    .section .boot.bss, "aw", @nobits
    .balign 16
start_stack:
    .skip START_STACK
start_stack_top:

    .section .boot.text, "ax"
    .code32
    .globl boot_start
    .type boot_start, @function
boot_start:
    cli
    cld
    movl $start_stack_top, %esp
    pushl $0
    popfl

    pushl %ebx
    pushl %eax
    call boot_multiboot                     /* copies out what the loader knows, or stops */
    movl %eax, %ebx

    movl %cr4, %eax
    orl $CR4_LARGE, %eax
    movl %eax, %cr4
    movl $(boot_directory - LAYOUT_KERNEL_OFFSET), %ecx
    movl %ecx, %cr3
    movl %cr0, %eax
    andl $~CR0_NO_CACHE, %eax
    orl $(CR0_PAGING | CR0_WRITE_PROTECT | CR0_PROTECT), %eax
    movl %eax, %cr0

    /* We still run at the physical address; the boot mappings show the image at both. */
    addl $LAYOUT_KERNEL_OFFSET, %ebx
    movl $kernel_entry, %eax
    jmp *%eax
    .size boot_start, . - boot_start

    .section .note.GNU-stack, "", @progbits
