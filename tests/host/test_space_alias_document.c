/*
 * test_space_alias_document.c - the tests of test_space.c once more, under a document that shows the image's first
 * table a second time.
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
    return with_image_shown_twice(tests_of_spaces);
}
