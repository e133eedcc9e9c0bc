/*
 * user_copy.h (i386) - the instructions that touch a program's memory.
 *
 * Each stops at the first byte that cannot be reached and says how many are left. Where the processor has
 * SMAP, a program's memory is open only inside these.
 */
#ifndef QUIRE_ARCH_USER_COPY_H
#define QUIRE_ARCH_USER_COPY_H

#include "base/types.h"

/* One of the two is a program's address, checked to lie in user space. Returns bytes not copied. */
size_t user_copy(void *to, const void *from, size_t bytes);
size_t user_fill_zero(void *to, size_t bytes);

/* Copy up to and including a NUL, at most `bytes`. Returns the length without it, `bytes` when there was none, or -1. */
long user_copy_text(char *to, const char *from, size_t bytes);

/* False when the word cannot be reached. */
bool user_load(uint32_t *word, const uint32_t *at);
/* Compare and exchange; *seen is what was there. */
bool user_exchange(uint32_t *at, uint32_t expect, uint32_t desired, uint32_t *seen);

#endif
