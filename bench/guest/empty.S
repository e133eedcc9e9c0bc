# empty.S - the smallest kernel: it ends the emulator at once. What starting costs without any kernel.
#
# Entered by PVH (an ELF note says where, with paging off and flat segments) or by Multiboot.

    .section .note.pvh, "a", @note
    .long 4, 4, 18              # XEN_ELFNOTE_PHYS32_ENTRY
    .asciz "Xen"
    .long start

    .section .text
    .align 4
    .long 0x1BADB002, 0, -0x1BADB002    # Multiboot: nothing asked for

    .global start
start:
    movb $0, %al
    outb %al, $0xF4             # isa-debug-exit: QEMU ends with status 1
    hlt

    .section .note.GNU-stack, "", @progbits
