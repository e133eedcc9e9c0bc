/*
 * no_heap.h - the host's heap instead of the kernel's, for tests and fuzzers that want blocks and nothing else.
 *
 * Included once by each program.
 */
#ifndef QUIRE_TESTS_NO_HEAP_H
#define QUIRE_TESTS_NO_HEAP_H

#include <stdlib.h>

#include "memory/heap/heap.h"

void *heap_take(size_t bytes)        { return malloc(bytes); }
void *heap_take_zeroed(size_t bytes) { return calloc(1, bytes); }
void  heap_free_sized(void *block, size_t bytes)
{
    (void)bytes;
    free(block);
}

#endif
