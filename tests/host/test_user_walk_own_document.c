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
    read_document();
    if (document.access != ACCESS_DIRECT || !own_kernel_space())
        return 0;
    return tests_of_walks();
}
