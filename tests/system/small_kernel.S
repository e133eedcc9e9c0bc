/*
 * small_kernel.S - the smallest kernel for the relocator: checks what boot/bios/image.h promises, ends the emulator.
 *
 * test_images.py links it elsewhere than any layout's kernel, with SIZE bytes of constants, a piece far behind the
 * rest, and with variables and a gap that must be zero although memory had other contents before.
 */
#include "boot/bios.h"
#include "devices/uart.h"
#include "power.h"

    .section .text
    .globl start
start:
    cmpl $BIOS_MAGIC, %eax
    jne bad
    cmpl $BIOS_MAGIC, (%ebx)
    jne bad
    call 1f
1:  popl %eax
    cmpl $1b, %eax
    jne bad
    cmpl $0x12345678, constant
    jne bad
    cmpl $0x87654321, far
    jne bad
    cmpl $0, far - 4
    jne bad
    movl $variables, %edi
    movl $(variables_end - variables), %ecx
    xorl %eax, %eax
    repe scasb
    jne bad
    movl $good_text, %esi
    movb $POWER_STATUS_GOOD, %bl
    jmp say
bad:
    movl $bad_text, %esi
    movb $POWER_STATUS_BAD, %bl
say:
    lodsb
    testb %al, %al
    jz 1f
    movw $UART_COM1, %dx
    outb %al, %dx
    jmp say
1:  movb %bl, %al
    outb %al, $POWER_EXIT_PORT
2:  hlt
    jmp 2b

    .section .rodata, "a"
    .balign 4096
    .skip SIZE
constant:
    .long 0x12345678
good_text:
    .asciz "all as promised\r\n"
bad_text:
    .asciz "not as promised\r\n"

    .section .far, "a"
far:
    .long 0x87654321

    .bss
variables:
    .skip 100000
variables_end:

    .section .note.GNU-stack, "", @progbits
