/*
 * user_copy.h (i386) - the instructions that touch a program's memory.
 *
 * Each stops at the first byte that cannot be reached and says how many are left. Where the processor has
 * SMAP, a program's memory is open only inside these. The caller has checked that the range lies in user space.
 *
 * A layout may answer these calls itself (layouts/pat/user_copy.c): its object is then linked in the place of user_copy.S.
 */
#ifndef QUIRE_ARCH_USER_COPY_H
#define QUIRE_ARCH_USER_COPY_H

#include "base/types.h"

/* A uintptr_t is the program's address. Return bytes not copied. */
size_t user_copy_in(void *to, uintptr_t from, size_t bytes);
size_t user_copy_out(uintptr_t to, const void *from, size_t bytes);

/* Copy up to and including a NUL, at most `bytes`. Returns the length without it, `bytes` when there was none, or -1. */
long user_copy_text(char *to, uintptr_t from, size_t bytes);

/* False when the word cannot be reached. */
bool user_load(uint32_t *word, uintptr_t at);
/* Compare and exchange; *seen is what was there. */
bool user_exchange(uintptr_t at, uint32_t expect, uint32_t desired, uint32_t *seen);

#endif
