/* programs.S - the images of the built-in programs, as the linker made them, among the kernel's constants. */
    .macro program name
    .globl program_\name, program_\name\()_end
program_\name:
    .incbin "\name\().bin"
program_\name\()_end:
    .endm

    .section .rodata
    program ticker
    program spinner
    program brief
    program wild
    program large
    program peek

    .section .note.GNU-stack, "", @progbits
