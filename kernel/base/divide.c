/*
 * divide.c - 64-bit division for a processor whose registers have 32 bits.
 *
 * The compiler turns `/` and `%` of 64-bit numbers into calls of the functions at the end.
 * Division by zero stops here, because no instruction divides by the zero.
 */
#include "base/check.h"
#include "base/divide.h"
#include "cpu.h"

/* By a divisor of 32 bits, as on paper with digits of 32 bits. */
static uint64_t divide_short(uint64_t a, uint32_t b, uint64_t *rest)
{
    uint32_t high = (uint32_t)(a >> 32), last;
    uint32_t low  = cpu_divide((uint64_t)(high % b) << 32 | (uint32_t)a, b, &last);

    *rest = last;
    return (uint64_t)(high / b) << 32 | low;
}

/* As on paper, one bit at a time, beginning where the two numbers are equally long. */
static uint64_t divide_long(uint64_t a, uint64_t b, uint64_t *rest)
{
    int      shift = __builtin_clzll(b) - __builtin_clzll(a);
    uint64_t quotient = 0;

    for (b <<= shift; shift >= 0; shift--, b >>= 1) {
        quotient <<= 1;
        if (a >= b) {
            a -= b;
            quotient |= 1;
        }
    }
    *rest = a;
    return quotient;
}

uint64_t divide(uint64_t a, uint64_t b, uint64_t *rest)
{
    assert(b != 0);
    if (a < b) {
        *rest = a;
        return 0;
    }
    if (a >> 32 == 0) {
        *rest = (uint32_t)a % (uint32_t)b;
        return (uint32_t)a / (uint32_t)b;
    }
    return b >> 32 == 0 ? divide_short(a, (uint32_t)b, rest) : divide_long(a, b, rest);
}

static uint64_t magnitude(int64_t n) { return n < 0 ? -(uint64_t)n : (uint64_t)n; }
static int64_t  signed_as(uint64_t n, bool negative) { return (int64_t)(negative ? -n : n); }

uint64_t __udivdi3(uint64_t a, uint64_t b)
{
    uint64_t rest;

    return divide(a, b, &rest);
}

uint64_t __umoddi3(uint64_t a, uint64_t b)
{
    uint64_t rest;

    divide(a, b, &rest);
    return rest;
}

uint64_t __udivmoddi4(uint64_t a, uint64_t b, uint64_t *rest)
{
    uint64_t remainder, quotient = divide(a, b, &remainder);

    if (rest)
        *rest = remainder;
    return quotient;
}

int64_t __divdi3(int64_t a, int64_t b)
{
    uint64_t rest;

    return signed_as(divide(magnitude(a), magnitude(b), &rest), (a < 0) != (b < 0));
}

int64_t __moddi3(int64_t a, int64_t b)
{
    uint64_t rest;

    divide(magnitude(a), magnitude(b), &rest);
    return signed_as(rest, a < 0);          /* the remainder has the sign of a (C11, 6.5.5) */
}
