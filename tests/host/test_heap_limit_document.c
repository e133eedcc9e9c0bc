/*
 * test_heap_limit_document.c - a document that says how many pages the heap has at most: small blocks end there too.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "clean.h"
#include "machine.h"
#include "memory/frames/frame.h"
#include "memory/heap/heap.h"
#include "memory/heap/heap_slab.h"
#include "own_document.h"

enum { MOST = 30, BLOCKS = 4000 };

static void small_blocks_end_where_the_document_says(void **state)
{
    static void *blocks[BLOCKS];

    (void)state;
    for (size_t bytes = 24; bytes <= 2000; bytes = bytes * 5 / 2) {
        const char *wrong;
        unsigned    count = 0;
        void       *block;

        read_document();
        own_row(PURPOSE_HEAP)->maximum = MOST;
        wrong = machine_boot(16 << 20);
        if (wrong != NULL)
            fail_msg("%s", wrong);
        while (count < BLOCKS && (block = heap_alloc(bytes, 0)) != NULL)
            blocks[count++] = block;
        assert_in_range(count, 30, BLOCKS - 1);
        assert_in_range(frames_owned(OWNER_HEAP), MOST - 1, MOST);
        assert_null(heap_alloc(3000, 0));
        assert_clean();
        while (count > 0)
            heap_free(blocks[--count]);
        heap_drain();
        assert_int_equal(frames_owned(OWNER_HEAP), 0);
        assert_clean();
        machine_stop();
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(small_blocks_end_where_the_document_says) };

    return document.access == ACCESS_DIRECT ? cmocka_run_group_tests(tests, NULL, NULL) : 0;
}
