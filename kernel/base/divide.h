/*
 * divide.h - 64-bit division where the processor has none.
 *
 * Code writes `/` and `%`; the compiler then calls the functions below. divide() does the work;
 * the host tests call it.
 */
#ifndef QUIRE_BASE_DIVIDE_H
#define QUIRE_BASE_DIVIDE_H

#include "base/types.h"

/* a / b, with the remainder in *rest. b is not zero (asserted). */
uint64_t divide(uint64_t a, uint64_t b, uint64_t *rest);

/* Names given by the compiler (GCC internals, "Routines for integer arithmetic"). */
uint64_t __udivdi3(uint64_t a, uint64_t b);
uint64_t __umoddi3(uint64_t a, uint64_t b);
uint64_t __udivmoddi4(uint64_t a, uint64_t b, uint64_t *rest);
int64_t  __divdi3(int64_t a, int64_t b);
int64_t  __moddi3(int64_t a, int64_t b);

#endif
