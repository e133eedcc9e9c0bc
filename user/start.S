/* start.S - the first instructions of a built-in program: byte 0 of its image, at the layout's start address. */
    .section .start, "ax"
    .globl start
start:
    call run
    movl %eax, %ebx
    movl $1, %eax               /* exit */
    int $0x80
    hlt

    .section .note.GNU-stack, "", @progbits
