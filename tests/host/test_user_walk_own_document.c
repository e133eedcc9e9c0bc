/*
 * test_user_walk_own_document.c - the tests of test_user_walk.c once more, under a document whose kernel has a
 * space of its own.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "own_document.h"

#define main tests_of_walks
#include "test_user_walk.c"
#undef main

int main(void)
{
    return with_kernel_space_of_its_own(tests_of_walks);
}
