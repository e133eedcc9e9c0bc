/*
 * test_files_locks.c - record locks against an array of bytes.
 */
#include "files_world.h"

#include "files/core/lock.h"

enum { LOCK_BYTES = 24, OWNERS_OF_LOCKS = 3 };

static void locks_agree_with_an_array(void **state)
{
    static const void *owners[OWNERS_OF_LOCKS] = { "a", "b", "c" };
    enum lock_kind     held[OWNERS_OF_LOCKS][LOCK_BYTES];
    struct node       *node;
    uint64_t           random = 88172645463325252ull;

    (void)state;
    start_files();
    make_file("f", "", 0);
    node = find("f");
    for (unsigned i = 0; i < OWNERS_OF_LOCKS; i++)
        for (unsigned b = 0; b < LOCK_BYTES; b++)
            held[i][b] = LOCK_NONE;
    for (unsigned step = 0; step < 20000; step++) {
        struct lock_request request;
        unsigned            who, first, last;
        bool                free_for_us = true;

        random ^= random << 13, random ^= random >> 7, random ^= random << 17;
        who   = (unsigned)(random >> 8) % OWNERS_OF_LOCKS;
        first = (unsigned)(random >> 16) % LOCK_BYTES;
        last  = first + (unsigned)(random >> 24) % (LOCK_BYTES - first);
        request = (struct lock_request){ .owner = owners[who], .kind = (enum lock_kind)((random >> 40) % 3),
                                         .first = first, .last = last == LOCK_BYTES - 1 ? UINT64_MAX : last };
        for (unsigned other = 0; other < OWNERS_OF_LOCKS; other++)
            for (unsigned b = first; b <= last && other != who; b++)
                free_for_us &= held[other][b] == LOCK_NONE ||
                    (held[other][b] == LOCK_SHARED && request.kind == LOCK_SHARED);
        free_for_us |= request.kind == LOCK_NONE;
        assert_int_equal(lock_set(node, &request, false), free_for_us ? 0 : -EAGAIN);
        assert_true(locks_ok(node));
        for (unsigned b = first; b <= last && free_for_us; b++)
            held[who][b] = request.kind;
    }
    for (unsigned i = 0; i < OWNERS_OF_LOCKS; i++)
        locks_drop_owner(node, owners[i]);
    assert_null(node->locks);
    node_release(node);
    stop_files();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(locks_agree_with_an_array),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
