/*
 * divide.h - 64-bit division where the processor has none.
 *
 * Code writes `/` and `%`; the compiler then calls the functions below. divide() does the work;
 * the host tests call it.
 *
 * Locking  none; no memory but *rest is touched.
 * Cost     two divisions of the processor's where b has 32 bits; else a step for each bit that a is longer than b.
 */
#ifndef QUIRE_BASE_DIVIDE_H
#define QUIRE_BASE_DIVIDE_H

#include "base/types.h"

/* a / b, with the remainder in *rest, which is not NULL. b is not zero (asserted; below as well). */
uint64_t divide(uint64_t a, uint64_t b, uint64_t *rest);

/*
 * Names given by the compiler (GCC internals, "Routines for integer arithmetic"). `rest` may be NULL. The signed ones
 * round towards zero, a remainder has the sign of a, and INT64_MIN divided by -1 is INT64_MIN.
 */
uint64_t __udivdi3(uint64_t a, uint64_t b);
uint64_t __umoddi3(uint64_t a, uint64_t b);
uint64_t __udivmoddi4(uint64_t a, uint64_t b, uint64_t *rest);
int64_t  __divdi3(int64_t a, int64_t b);
int64_t  __moddi3(int64_t a, int64_t b);

#endif
