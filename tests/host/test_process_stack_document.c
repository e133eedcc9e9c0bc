/*
 * test_process_stack_document.c - the tests of test_process_threads.c once more, under a document with stacks of each
 * process.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "own_document.h"

#define main tests_of_threads
#include "test_process_threads.c"
#undef main

int main(void)
{
    return with_stacks_of_each_process(tests_of_threads);
}
