/*
 * thread_switch.S (i386) - from one kernel stack to another, and a thread's first steps.
 */
    .section .text

/*
 * void switch_stacks(uint32_t *save, uint32_t load, uint32_t root): the rest of the registers are the caller's to lose.
 *
 * Either stack may be mapped in its own space alone: between the change of the root (0: none) and that of the
 * stack pointer nothing is pushed, popped or interrupted.
 */
    .globl switch_stacks
    .type switch_stacks, @function
switch_stacks:
    pushl %ebp
    pushl %ebx
    pushl %esi
    pushl %edi
    movl %esp, (%eax)
    testl %ecx, %ecx
    jz 1f
    movl %ecx, %cr3
1:  movl %edx, %esp
    popl %edi
    popl %esi
    popl %ebx
    popl %ebp
    ret
    .size switch_stacks, . - switch_stacks

/* A new thread: from switch_stacks() of another, straight to its program. ESP is at its trap frame. */
    .globl thread_first
    .type thread_first, @function
thread_first:
    call schedule_begin
    movl %esp, %eax
    call trap_leave
    jmp trap_return
    .size thread_first, . - thread_first

/* A new thread that first does something for the kernel, with interrupts on: the function is in EBX. */
    .globl thread_first_inside
    .type thread_first_inside, @function
thread_first_inside:
    call schedule_begin
    sti
    call *%ebx
    cli
    movl %esp, %eax
    call trap_leave
    jmp trap_return
    .size thread_first_inside, . - thread_first_inside

    .section .note.GNU-stack, "", @progbits
