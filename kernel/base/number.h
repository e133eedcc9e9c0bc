/*
 * number.h - numbers in text that comes from outside.
 */
#ifndef QUIRE_BASE_NUMBER_H
#define QUIRE_BASE_NUMBER_H

#include "base/types.h"

/* Decimal, or hexadecimal after 0x. Returns where the number ends, or NULL: no digit, or more than 64 bits. */
const char *number_parse(const char *text, uint64_t *out);

#endif
