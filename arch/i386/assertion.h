/*
 * assertion.h (i386) - the code of a failed assertion: two bytes.
 *
 * UD2 traps, and trap.c finds the assertion by the address: a row of .assertions has file, line and text. A kernel that
 * is linked without these rows (kernel-run.elf) reports the address only, and the host finds the row.
 */
#ifndef QUIRE_ARCH_ASSERTION_H
#define QUIRE_ARCH_ASSERTION_H

#define ASSERTION_LINE_OF(line) #line
#define ASSERTION_LINE(line)    ASSERTION_LINE_OF(line)

/* `what` is a literal without quotes. The asm statement has no operands, so the compiler replaces nothing in it. */
#define ASSERTION_FAILED(what)                                                                              \
    ({                                                                                                      \
        __asm__ volatile("1: ud2\n\t"                                                                       \
                         ".pushsection .assertions, \"a\"\n\t.balign 4\n\t"                                 \
                         ".long 1b, 2f, " ASSERTION_LINE(__LINE__) ", 3f\n\t.popsection\n\t"               \
                         ".pushsection .rodata.assertion_text, \"aMS\", @progbits, 1\n"                     \
                         "2: .asciz \"" __FILE__ "\"\n3: .asciz \"" what "\"\n\t.popsection");              \
        __builtin_unreachable();                                                                            \
    })

#endif
