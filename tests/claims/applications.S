/* applications.S - the bytes of the applications that applications.ld.S has linked. */
    .section .rodata
    .globl applications
applications:
    .incbin "applications.bin"

    .section .note.GNU-stack, "", @progbits
