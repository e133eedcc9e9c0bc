/*
 * entry.S (i386) - where programs make their calls, if they ask AT_SYSINFO; and where handlers of signals return to.
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

/*
 * Where handlers of signals return to, at fixed distances from the entry (arch/contract.h). Unwinders know both by
 * their bytes, which are Linux's; a byte before each belongs to no function: they look up what is before an address.
 */
    .org    __kernel_vsyscall + 8
    .global __kernel_sigreturn
    .type   __kernel_sigreturn, @function
__kernel_sigreturn:
    popl    %eax
    movl    $119, %eax
    int     $0x80
    .size   __kernel_sigreturn, . - __kernel_sigreturn

    .org    __kernel_vsyscall + 24
    .global __kernel_rt_sigreturn
    .type   __kernel_rt_sigreturn, @function
__kernel_rt_sigreturn:
    movl    $173, %eax
    int     $0x80
    .size   __kernel_rt_sigreturn, . - __kernel_rt_sigreturn
