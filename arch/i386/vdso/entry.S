/*
 * entry.S (i386) - where programs make their calls, if they ask AT_SYSINFO.
 *
 * It has a description for unwinders, as the functions in C have: a thread that is cancelled while it waits is unwound
 * from here.
 */
    .text
    .global __kernel_vsyscall
    .type   __kernel_vsyscall, @function
__kernel_vsyscall:
    .cfi_startproc
    int     $0x80
    ret
    .cfi_endproc
    .size   __kernel_vsyscall, . - __kernel_vsyscall
