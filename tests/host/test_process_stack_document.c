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
    read_document();
    if (document.access != ACCESS_DIRECT)
        return 0;
    own_row(PURPOSE_STACKS)->scope = SCOPE_PROCESS;
    return tests_of_threads();
}
