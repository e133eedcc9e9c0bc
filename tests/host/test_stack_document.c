/*
 * test_stack_document.c - the tests of kernel stacks once more, under a document with stacks of each process.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "own_document.h"

#define main tests_of_stacks
#include "test_stack.c"
#undef main

int main(void)
{
    read_document();
    if (document.access != ACCESS_DIRECT)       /* others have the tables for it, or not, when they are compiled */
        return 0;
    own_row(PURPOSE_STACKS)->scope = SCOPE_PROCESS;
    return tests_of_stacks();
}
