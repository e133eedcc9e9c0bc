/*
 * test_space_document.c - the tests of spaces once more, where the kernel sees but the first megabytes all the time.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "own_document.h"

#define main tests_of_spaces
#include "test_space.c"
#undef main

int main(void)
{
    return with_little_in_sight(tests_of_spaces);
}
