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
    movl 16(%ebp), %eax
    movl 12(%ebp), %ecx
    movl 8(%ebp), %esp
    subl $12, %esp                          /* keeps the stack 16-byte aligned at the call */
    pushl %eax
    call *%ecx
    leave
    ret
    .size stack_call, . - stack_call

    .section .note.GNU-stack, "", @progbits
