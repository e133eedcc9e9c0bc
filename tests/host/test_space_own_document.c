/*
 * test_space_own_document.c - the tests of test_space.c once more, under a document whose kernel has a space of its
 * own.
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
    return with_kernel_space_of_its_own(tests_of_spaces);
}
