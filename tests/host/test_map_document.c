/*
 * test_map_document.c - what programs map once more, where the kernel sees but the first megabytes all the time.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "own_document.h"

#define main tests_of_maps
#include "test_map.c"
#undef main

int main(void)
{
    read_document();
    if (own_row(PURPOSE_DIRECT) == NULL)
        return 0;
    own_row_cut(PURPOSE_DIRECT, 4 * MiB / PAGE_SIZE);
    return tests_of_maps();
}
