/*
 * assertion.h (i386) - where an assertion has failed: two bytes of code.
 *
 * UD2 traps, and trap.c looks up what failed by the address: a row of .assertions has file, line and text. In a
 * kernel whose linker has left these rows out (kernel-run.elf), the address alone is told, and the host knows the rest.
 */
#ifndef QUIRE_ARCH_ASSERTION_H
#define QUIRE_ARCH_ASSERTION_H

#define ASSERTION_LINE_OF(line) #line
#define ASSERTION_LINE(line)    ASSERTION_LINE_OF(line)

/* `what` is a literal without quotes in it. No operands: so nothing in it is the compiler's to replace. */
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
