/*
 * enter.S - the relocator's first instructions, its way to the BIOS and back, and its last ones.
 *
 * The boot sector jumps to BIOS_RELOCATOR in real mode with the drive in DL. The file begins with struct bios_image
 * (image.h), which the image builder fills in.
 *
 * Source   Intel SDM vol. 3A, "Mode Switching": the order of the steps from real to protected mode and back.
 */
#include "boot/bios/image.h"
#include "boot/bios.h"

#define CODE32          0x08
#define DATA32          0x10
#define CODE16          0x18
#define DATA16          0x20
#define CR0_PROTECT     1
#define RELOCATOR_BYTES (relocator_end - BIOS_RELOCATOR)

/* Offsets in struct bios_registers. */
#define IN_FLAGS        24
#define REGISTERS       28

    .section .head, "ax"
    .code16
    .globl relocator_start, image
relocator_start:
image:
    jmp enter
    .balign 4
    .long BIOS_IMAGE_MAGIC
    .long relocator_bytes               /* from the linker script */
    .fill BIOS_HEADER_WORDS, 4, 0
    .fill BIOS_TEXT, 1, 0

enter:
    cli
    cld
    xorw %ax, %ax
    movw %ax, %ds
    movw %ax, %es
    movw %ax, %ss
    movl $BIOS_STACK, %esp
    movzbl %dl, %ebx
    lgdtl segments
    movl %cr0, %eax
    orb $CR0_PROTECT, %al
    movl %eax, %cr0
    ljmpl $CODE32, $protected

    .code32
protected:
    movw $DATA32, %ax
    movw %ax, %ds
    movw %ax, %es
    movw %ax, %ss
    movw %ax, %fs
    movw %ax, %gs
    movl $variables_start, %edi
    movl $variables_end, %ecx
    subl %edi, %ecx
    xorl %eax, %eax
    rep stosb
    call 1f                             /* where we really are */
1:  popl %eax
    subl $(1b - relocator_start), %eax
    pushl %eax
    pushl %ebx
    call relocate                       /* never returns */
    hlt

/* ---- void bios_call(uint32_t number, struct bios_registers *registers) ------------------- */

    .text
    .globl bios_call
bios_call:
    pushal
    movl 36(%esp), %eax                 /* the vector, from the BIOS's table at 0 */
    movl (, %eax, 4), %eax
    movl %eax, vector
    movl 40(%esp), %esi
    movl $registers, %edi
    movl $(REGISTERS / 4), %ecx
    rep movsl
    movl %esp, stack
    ljmp $CODE16, $1f

    .code16
1:  movw $DATA16, %ax                   /* limits of 64 KiB stay in force in real mode */
    movw %ax, %ds
    movw %ax, %es
    movw %ax, %ss
    movw %ax, %fs
    movw %ax, %gs
    movl %cr0, %eax
    andb $~CR0_PROTECT, %al
    movl %eax, %cr0
    ljmp $0, $2f
2:  xorw %ax, %ax
    movw %ax, %ds
    movw %ax, %es
    movw %ax, %ss
    movw %ax, %fs
    movw %ax, %gs
    lidtl interrupts
    movl registers, %eax
    movl registers + 4, %ebx
    movl registers + 8, %ecx
    movl registers + 12, %edx
    movl registers + 16, %esi
    movl registers + 20, %edi
    sti
    pushfw                              /* what `int` does, with a number that is no constant */
    cli
    lcall *vector
    cli
    cld
    pushfl
    popl %cs:registers + IN_FLAGS
    movl %eax, %cs:registers
    movl %ebx, %cs:registers + 4
    movl %ecx, %cs:registers + 8
    movl %edx, %cs:registers + 12
    movl %esi, %cs:registers + 16
    movl %edi, %cs:registers + 20
    xorw %ax, %ax
    movw %ax, %ds
    lgdtl segments
    movl %cr0, %eax
    orb $CR0_PROTECT, %al
    movl %eax, %cr0
    ljmpl $CODE32, $3f

    .code32
3:  movw $DATA32, %ax
    movw %ax, %ds
    movw %ax, %es
    movw %ax, %ss
    movw %ax, %fs
    movw %ax, %gs
    movl stack, %esp
    movl $registers, %esi
    movl 40(%esp), %edi
    movl $(REGISTERS / 4), %ecx
    rep movsl
    popal
    ret

/* ---- void leave(uint32_t entry, struct bios_handover *handover) -------------------------- */

    .globl leave
leave:
    movl 4(%esp), %ecx
    movl 8(%esp), %ebx
    movl $BIOS_MAGIC, %eax
    jmp *%ecx

    .section .rodata, "a"
    .balign 8
/* Marked as accessed beforehand: the processor would do it, and this code has a checksum. */
descriptors:
    .quad 0
    .quad 0x00CF9B000000FFFF            /* 32-bit code, all of memory      */
    .quad 0x00CF93000000FFFF            /* data, all of memory             */
    .quad 0x00009B000000FFFF            /* 16-bit code, the first 64 KiB   */
    .quad 0x000093000000FFFF            /* data, the same                  */
segments:
    .word . - descriptors - 1
    .long descriptors
    .balign 4
interrupts:
    .word 0x3FF                         /* the BIOS's table, where it always is */
    .long 0

    .bss
    .balign 4
vector:     .skip 4
stack:      .skip 4
registers:  .skip REGISTERS

    .section .note.GNU-stack, "", @progbits
