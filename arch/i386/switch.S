/*
 * switch.S - running on another stack.
 */
    .section .text

/* void stack_call(vaddr_t top, void (*function)(void *), void *argument) */
    .globl stack_call
    .type stack_call, @function
stack_call:
    pushl %ebp
    movl %esp, %ebp
    movl %eax, %esp
    movl %ecx, %eax
    call *%edx
    leave
    ret
    .size stack_call, . - stack_call

    .section .note.GNU-stack, "", @progbits
