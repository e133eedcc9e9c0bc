/*
 * start.S - the first instructions: from a boot loader to paged memory.
 *
 * On entry (Multiboot Specification 0.6.96, "Machine state"; Xen, "x86/HVM direct boot ABI", known as PVH):
 * 32-bit protected mode, flat segments, A20 open, paging and interrupts off, EBX the physical
 * address of the loader's information; ESP and the descriptor tables are nobody's. A Multiboot loader
 * leaves its magic number in EAX, as our own relocator does (bios.h); one that follows the PVH note jumps to pvh_start, which
 * brings its own.
 *
 * QEMU takes an image with both headers for Multiboot, which its small machine cannot load. So the linker decides:
 * boot_multiboot_magic is the header's magic number, or 0 in the image for PVH.
 *
 * All of boot/ is linked where it is loaded, in the .boot sections. It calls nothing outside
 * them: the rest of the kernel lives at virtual addresses that do not exist yet.
 * The page tables are ready made by the layout compiler (tables.S), so that turning paging on
 * is one load of CR3.
 */
#include "layout.h"
#include "devices/uart.h"
#include "power.h"

#define MULTIBOOT_HEADER    0x1BADB002
#define XEN_ELFNOTE_PHYS32_ENTRY 18
#define PVH_MAGIC           0x336EC578
#define MULTIBOOT_WANTS     3               /* modules on page borders, memory information */

#define CR0_PROTECT         0x00000001
#define CR0_WRITE_PROTECT   0x00010000
#define CR0_NO_CACHE        0x60000000      /* CD and NW */
#define CR0_PAGING          0x80000000
#define CR4_LARGE           0x00000010      /* PSE: a directory entry may map 4 MiB */

#define EFLAGS_CPUID        0x00200000
#define CPUID_NEEDED        0x00008018      /* CMOV, TSC, PSE: what an i686 has */

#define START_STACK         4096

    .section .boot.header, "a"
    .balign 4
    .long boot_multiboot_magic
    .long MULTIBOOT_WANTS
    .long -(MULTIBOOT_HEADER + MULTIBOOT_WANTS)

    .section .boot.note, "a", @note
    .balign 4
    .long 4, 4, XEN_ELFNOTE_PHYS32_ENTRY        /* bytes of the name, bytes that follow it, type */
    .asciz "Xen"
    .long pvh_start

    .section .boot.bss, "aw", @nobits
    .balign 16
start_stack:
    .skip START_STACK
start_stack_top:

    .section .boot.text, "ax"
    .code32
    .globl pvh_start
    .type pvh_start, @function
pvh_start:
    movl $PVH_MAGIC, %eax
    .size pvh_start, . - pvh_start

    .globl boot_start
    .type boot_start, @function
boot_start:
    cli
    cld
    /* Is there RAM up to the end of boot's own memory? Without it there is no stack to refuse on. */
    movl $(image_boot_end - 4), %edi
    movl $MULTIBOOT_HEADER, (%edi)
    cmpl $MULTIBOOT_HEADER, (%edi)
    jne no_memory

    movl $start_stack_top, %esp
    pushl %ebx                              /* arguments of boot_read() */
    pushl %eax

    /* CPUID exists where its flag can be changed; it and the rest are what the compiler was told to use. */
    pushl $EFLAGS_CPUID
    popfl
    pushfl
    popl %eax
    pushl $0
    popfl
    testl $EFLAGS_CPUID, %eax
    jz old_processor
    movl $1, %eax
    cpuid
    andl $CPUID_NEEDED, %edx
    cmpl $CPUID_NEEDED, %edx
    jne old_processor

    call boot_read                          /* copies out what the loader knows, or stops */
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

    /* We still run at the physical address; the boot mappings show the image at both, or us at this one alone. */
    addl $LAYOUT_BOOT_OFFSET, %ebx
    movl $kernel_entry, %eax
    jmp *%eax
    .size boot_start, . - boot_start

/* Say so on the serial line as the firmware left it, leave the emulator, or stand still. */
old_processor:
    movl $old_processor_text, %esi
    jmp 1f
no_memory:
    movl $no_memory_text, %esi
1:  lodsb
    testb %al, %al
    jz 3f
    movb %al, %bl
    movl $UART_PATIENCE, %ecx
    movw $(UART_COM1 + UART_LINE_STATUS), %dx
2:  inb %dx, %al
    testb $UART_CAN_SEND, %al
    loopz 2b
    movw $UART_COM1, %dx
    movb %bl, %al
    outb %al, %dx
    jmp 1b
3:  movw $POWER_EXIT_PORT, %dx
    movb $POWER_STATUS_REFUSED, %al
    outb %al, %dx
4:  hlt
    jmp 4b

    .section .boot.rodata, "a"
no_memory_text:
    .asciz "memory: too little RAM, it ends before the kernel's first instructions do\r\n"
old_processor_text:
    .asciz "processor: too old, it is not an i686 (CMOV, TSC and 4 MiB pages)\r\n"

    .section .note.GNU-stack, "", @progbits
