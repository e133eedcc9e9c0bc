/*
 * test_map_contents_document.c - mappings of files, where the kernel sees but the first megabytes all the time.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "own_document.h"

#define main tests_of_maps
#include "test_map_contents.c"
#undef main

int main(void)
{
    return with_little_in_sight(tests_of_maps);
}
