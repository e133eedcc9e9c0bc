/*
 * start.S - the first instructions: from a boot loader to paged memory.
 *
 * On entry (Multiboot Specification 0.6.96, "Machine state"; Xen, "x86/HVM direct boot ABI", known as PVH): 32-bit
 * protected mode, flat segments, A20 open, paging and interrupts off, EBX the physical address of the loader's
 * information; ESP and the descriptor tables are undefined. A Multiboot loader leaves its magic number in EAX, as our
 * own relocator does (bios.h); one that follows the PVH note jumps to pvh_start, which brings its own.
 *
 * QEMU takes an image with both headers for Multiboot, which its small machine cannot load. So the linker decides:
 * boot_multiboot_magic is the header's magic number, or 0 in the image for PVH. boot_multiboot_wants is what the header
 * asks for: modules on page borders, memory information, and in the image for GRUB a screen (QEMU has none to give, and
 * would say so each time). boot_multiboot_sum makes the three add up to 0.
 *
 * All of boot/ is linked where it is loaded, in the .boot sections. It calls nothing outside
 * them: the rest of the kernel lives at virtual addresses that do not exist yet.
 * The page tables are ready made by the layout compiler (tables.S), so that turning paging on is one load of CR3. The
 * image that only runs programs has them in fewer bytes, and they are written first.
 */
#include "layout.h"
#include "devices/uart.h"
#include "power.h"

#define MULTIBOOT_HEADER    0x1BADB002
#define XEN_ELFNOTE_PHYS32_ENTRY 18
#define PVH_MAGIC           0x336EC578
#define PVH_VERSION         4               /* offsets in its information: a version of 1 has the map */
#define PVH_MAP             40
#define PVH_MAP_ENTRIES     48
#define PVH_ENTRY_BYTES     24
#define PVH_ENTRY_LENGTH    8
#define PVH_ENTRY_TYPE      16
#define PVH_RAM             1
#define PCI_ADDRESS_PORT    0xCF8           /* keeps what is written to it, where there is PCI */
#define PCI_ENABLE          0x80000000
/*
 * SeaBIOS was seen to use 250 KiB below the end of RAM for a moment: copies of devices' ROMs and its own tables. It
 * says nothing of that in the memory map. More is refused than must be; less, and the image may be damaged.
 */
#define FIRMWARE_WORKS_IN   0x60000
#define MULTIBOOT_MAGIC     0x2BADB002
#define MULTIBOOT_HAS_MEMORY 1              /* in its flags, the first word; then */
#define MULTIBOOT_UPPER     8
#define MULTIBOOT_TEXT_MODE 1               /* of the screen, where the firmware has one; else pixels */

#define CR0_PROTECT         0x00000001
#define CR0_WRITE_PROTECT   0x00010000
#define CR0_NO_CACHE        0x60000000      /* CD and NW */
#define CR0_PAGING          0x80000000
#define CR4_LARGE           0x00000010      /* PSE: a directory entry may map 4 MiB */

#define EFLAGS_CPUID        0x00200000
/*
 * What the kernel and its programs need, in EDX of CPUID's leaf 1: what an i686 has (x87, 4 MiB pages, TSC, CMPXCHG8B,
 * CMOV), and FXSAVE, by which an FPU's registers change hands.
 */
#define CPUID_NEEDED        0x01008119

#define START_STACK         4096

    .section .boot.header, "a"
    .balign 4
    .long boot_multiboot_magic
    .long boot_multiboot_wants
    .long boot_multiboot_sum
    .skip 20                                /* addresses for images that are not ELF */
    .long MULTIBOOT_TEXT_MODE, 1024, 768, 32        /* a screen, where boot_multiboot_wants has it: kind, size, bits */

    .weak boot_runs

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
/*
 * Say so on the serial line as the firmware left it, leave the emulator, or stand still. There may be no memory, so
 * no stack: `say` goes on at the address in EDI.
 */
    .macro SAY text
    movl $\text, %esi
    movl $9f, %edi
    jmp say
9:
    .endm

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

    /*
     * Does the loader know of RAM up to the image's end? boot_read() looks more closely, but where firmware had too
     * little RAM for itself it has written over what follows here. A map that cannot be read is left to it.
     */
    movl $image_physical_end, %edi          /* refuse if all RAM ends below it */
    cmpl $PVH_MAGIC, %eax
    je map_of_pvh
    cmpl $MULTIBOOT_MAGIC, %eax
    jne enough_memory
    testl $MULTIBOOT_HAS_MEMORY, (%ebx)
    jz enough_memory
    movl MULTIBOOT_UPPER(%ebx), %edx        /* KiB from 1 MiB on */
    addl $1024, %edx
    movl %edi, %ecx
    addl $1023, %ecx
    shrl $10, %ecx
    cmpl %ecx, %edx
    jb no_memory
    jmp enough_memory
map_of_pvh:
    /*
     * A PC's firmware, which machines without PCI do not have, works above the image after QEMU has put the image
     * there.
     */
    movl $PCI_ENABLE, %eax
    movw $PCI_ADDRESS_PORT, %dx
    outl %eax, %dx
    inl %dx, %eax
    cmpl $PCI_ENABLE, %eax
    movl $PVH_MAGIC, %eax
    jne 1f
    addl $FIRMWARE_WORKS_IN, %edi
1:  movl PVH_MAP(%ebx), %esi
    movl PVH_MAP_ENTRIES(%ebx), %ecx
    cmpl $0, PVH_VERSION(%ebx)
    je enough_memory
    testl %ecx, %ecx
    jz enough_memory
next_range:
    cmpl $PVH_RAM, PVH_ENTRY_TYPE(%esi)
    jne 2f
    movl (%esi), %edx                       /* 64 bits: start and length; beyond 4 GiB there is enough below */
    addl PVH_ENTRY_LENGTH(%esi), %edx
    jc enough_memory
    cmpl %edi, %edx
    jae enough_memory
2:  addl $PVH_ENTRY_BYTES, %esi
    loop next_range
    jmp no_memory

    /* What says so lies here, next to the first instructions, for the same reason. */
no_memory:
    SAY no_memory_text
    jmp refuse
no_memory_text:
    .asciz "memory: too little RAM, no room for the kernel image and what firmware needs\r\n"
refuse:
    movw $POWER_EXIT_PORT, %dx
    movb $POWER_STATUS_REFUSED, %al
    outb %al, %dx
4:  hlt
    jmp 4b

/* The text at ESI, to its NUL. Changes EAX, ECX and EDX. */
say:
    lodsb
    testb %al, %al
    jz 3f
    movb %al, %ah
    movl $UART_PATIENCE, %ecx
    movw $(UART_COM1 + UART_LINE_STATUS), %dx
2:  inb %dx, %al
    testb $UART_CAN_SEND, %al
    loopz 2b
    movw $UART_COM1, %dx
    movb %ah, %al
    outb %al, %dx
    jmp say
3:  jmp *%edi

enough_memory:
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
    jz no_cpuid
    movl $1, %eax
    cpuid
    notl %edx
    andl $CPUID_NEEDED, %edx                /* what is missing */
    jnz old_processor

    popl %eax
    popl %edx
    call boot_read                          /* copies out what the loader knows, or stops */
    movl %eax, %ebx

    /* Page tables that the image brings as runs of entries (tools/tables-run.awk) are written now. */
    movl $boot_runs, %esi
    testl %esi, %esi
    jz 3f
1:  lodsl
    movl %eax, %ecx
    jecxz 3f
    lodsl
    movl %eax, %edi
    lodsl
2:  stosl
    addl $4096, %eax
    loop 2b
    jmp 1b
3:
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

no_cpuid:
    SAY old_processor_text
    SAY cpuid_text
    jmp end_of_line
old_processor:
    movl %edx, %ebp
    SAY old_processor_text
    movl $needed_names, %ebx
next_name:                                  /* a bit's number, and its name in eight bytes */
    movzbl (%ebx), %eax
    btl %eax, %ebp
    jnc 1f
    leal 1(%ebx), %esi
    movl $1f, %edi
    jmp say
1:  addl $8, %ebx
    cmpl $needed_names_end, %ebx
    jb next_name
end_of_line:
    SAY end_of_line_text
    jmp refuse

    .section .boot.rodata, "a"
old_processor_text:
    .asciz "processor: too old for this kernel and its programs, it lacks"
cpuid_text:
    .asciz " cpuid"
end_of_line_text:
    .asciz "\r\n"
    .macro NAME bit, text
    .byte \bit
    .asciz "\text"
    .balign 8
    .endm
    .balign 8
needed_names:
    NAME 0, " fpu"
    NAME 3, " pse"
    NAME 4, " tsc"
    NAME 8, " cx8"
    NAME 15, " cmov"
    NAME 24, " fxsr"
needed_names_end:

    .section .note.GNU-stack, "", @progbits
