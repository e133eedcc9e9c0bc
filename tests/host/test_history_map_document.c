/*
 * test_history_map_document.c - the same once more, where the kernel sees but the first megabytes all the time.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "own_document.h"

#define main the_same
#include "test_history_map.c"
#undef main

int main(void) { return with_little_in_sight(the_same); }
