/*
 * entry.S - the first instructions at the kernel's own addresses.
 *
 * Every way in arrives here with paging on: EBX the boot_info at its kernel address, ECX the
 * physical address of the current page directory, .bss zeroed by the loader.
 *
 * The boot stack has a guard page below it, which memory_start() makes read-only: an overflow before there are
 * threads is then a double fault with a name instead of lost data. kernel.ld has a place for both, which may be the
 * layout's own.
 */
    .section .text
    .globl kernel_entry
    .type kernel_entry, @function
kernel_entry:
    movl $boot_stack_top, %esp
    xorl %ebp, %ebp                         /* here a backtrace ends */
    movl %ebx, %eax
    movl %ecx, %edx
    shrl $12, %edx                          /* a frame_t by value is its number */
    pushl $0                                /* no return address: kernel_main() never returns */
    jmp kernel_main
    .size kernel_entry, . - kernel_entry

    .section .note.GNU-stack, "", @progbits
