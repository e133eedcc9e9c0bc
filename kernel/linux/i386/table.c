/*
 * table.c (i386) - the functions that answer the numbers of Linux i386.
 *
 * Names without a function answer -ENOSYS and are counted.
 */
#include "linux/calls.h"
#include "numbers.h"

#define CALL(number, name)   [number] = sys_##name,
#define AS(number, name, fn) [number] = sys_##fn,
#define NAMED(number, name)  [number] = NULL,

const linux_call linux_table[] = { LINUX_NUMBERS(CALL, AS, NAMED) };

const uint32_t linux_table_size = sizeof linux_table / sizeof linux_table[0];

uint32_t linux_unknown[sizeof linux_table / sizeof linux_table[0] + 1];
