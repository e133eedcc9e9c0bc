/*
 * user_copy.S (i386) - see arch/contract.h. MAY_FAULT says where each of them goes on (trap.h).
 */
#include "trap.h"

/* A program's memory open and shut, on processors where that is needed. */
    .macro OPEN
    cmpb $0, mmu_features + FEATURES_SMAP
    je 77f
    stac
77:
    .endm
    .macro SHUT
    cmpb $0, mmu_features + FEATURES_SMAP
    je 77f
    clac
77:
    .endm

    .section .text

/*
 * size_t user_copy_in(void *to, uintptr_t from, size_t bytes), user_copy_out(user_t to, const void *from, size_t
 * bytes): words, then the odd bytes. The processor does not ask which of the two is the program's.
 */
    .globl user_copy_in, user_copy_out
    .type user_copy_in, @function
    .type user_copy_out, @function
user_copy_in:
user_copy_out:
    pushl %esi
    pushl %edi
    movl %eax, %edi
    movl %edx, %esi
    OPEN
    movl %ecx, %edx
    andl $3, %edx
    shrl $2, %ecx
1:  rep movsl
    MAY_FAULT 1b, copy_stopped_in_words
    movl %edx, %ecx
2:  rep movsb
    MAY_FAULT 2b, copy_done
copy_done:
    SHUT
    movl %ecx, %eax
    popl %edi
    popl %esi
    ret
copy_stopped_in_words:                      /* a word may straddle the border: its first bytes can still be copied */
    leal (%edx, %ecx, 4), %ecx
    jmp 2b
    .size user_copy_in, . - user_copy_in
    .size user_copy_out, . - user_copy_out

/* long user_copy_text(char *to, uintptr_t from, size_t bytes) */
    .globl user_copy_text
    .type user_copy_text, @function
user_copy_text:
    pushl %esi
    pushl %edi
    movl %eax, %edi
    movl %edx, %esi
    movl %ecx, %edx
    OPEN
    jecxz text_done
5:  lodsb
    MAY_FAULT 5b, text_stopped
    stosb
    testb %al, %al
    loopne 5b
    jne text_done
    incl %ecx                               /* the zero is not counted */
text_done:
    SHUT
    subl %ecx, %edx
    movl %edx, %eax
    popl %edi
    popl %esi
    ret
text_stopped:
    leal 1(%edx), %ecx
    jmp text_done
    .size user_copy_text, . - user_copy_text

/* bool user_load(uint32_t *word, uintptr_t at) */
    .globl user_load
    .type user_load, @function
user_load:
    OPEN
6:  movl (%edx), %ecx
    MAY_FAULT 6b, load_stopped
    SHUT
    movl %ecx, (%eax)
    movl $1, %eax
    ret
    .size user_load, . - user_load

/* bool user_exchange(uintptr_t at, uint32_t expect, uint32_t desired, uint32_t *seen) */
    .globl user_exchange
    .type user_exchange, @function
user_exchange:
    pushl %ebx
    movl %eax, %ebx
    movl %edx, %eax
    OPEN
7:  lock cmpxchgl %ecx, (%ebx)
    MAY_FAULT 7b, exchange_stopped
    SHUT
    movl 8(%esp), %ecx                      /* the fourth argument, behind EBX and the return address */
    movl %eax, (%ecx)
    movl $1, %eax
    popl %ebx
    ret
exchange_stopped:
    SHUT
    xorl %eax, %eax
    popl %ebx
    ret
load_stopped:
    SHUT
    xorl %eax, %eax
    ret
    .size user_exchange, . - user_exchange

/* void user_resolve_with(user_resolve how): the page-fault handler resolves faults, and needs no function for that */
    .globl user_resolve_with
    .type user_resolve_with, @function
user_resolve_with:
    ret
    .size user_resolve_with, . - user_resolve_with

    .section .note.GNU-stack, "", @progbits
