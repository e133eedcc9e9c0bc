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
    return with_stacks_of_each_process(tests_of_stacks);
}
