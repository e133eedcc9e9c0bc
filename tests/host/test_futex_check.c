/*
 * test_futex_check.c - the check of the lists of waiters, of the first list, the last, and those between.
 */
#include "process_notes.h"

static struct futex_waiter waiters[2];

static const char *broken_after(void (*breaks)(void), void (*mends)(void))
{
    const char *broken;

    assert_null(futexes_broken());
    breaks();
    broken = futexes_broken();
    mends();
    assert_null(futexes_broken());
    return broken;
}

static struct list *saved;

static void forget_previous(void)   { saved = waiters[0].link.previous; waiters[0].link.previous = &waiters[0].link; }
static void remember_previous(void) { waiters[0].link.previous = saved; }
static void be_woken(void)          { waiters[1].woken = true; }
static void be_asleep(void)         { waiters[1].woken = false; }
static void want_another(void)      { waiters[0].key.offset ^= 4; }
static void be_nobodys(void)        { waiters[0].key.of = NULL; }
static void be_somebodys(void)      { waiters[0].key.of = waiters; }

/* Two waiters of a key, at the end of its list. */
static void look_at_list_of(struct futex_key key)
{
    for (unsigned i = 0; i < 2; i++) {
        waiters[i] = (struct futex_waiter){ .key = key, .bits = 1 };
        list_insert(futex_list(&key), &waiters[i].link);
    }
    assert_string_equal(broken_after(forget_previous, remember_previous), "Q1");
    assert_string_equal(broken_after(be_woken, be_asleep), "Q2");
    assert_string_equal(broken_after(want_another, want_another), "Q1");
    assert_null(broken_after(be_nobodys, be_somebodys));        /* a mark, which has no key */
    list_remove(&waiters[0].link);
    list_remove(&waiters[1].link);
}

static void each_list_is_looked_at(void)
{
    struct list *first = NULL, *last = NULL;
    bool         seen[FUTEX_LISTS] = { false };

    for (int twice = 0; twice < 2; twice++)
        for (uint64_t offset = 0; offset < 40000; offset += 4) {
            struct futex_key key  = { waiters, offset };
            struct list     *list = futex_list(&key);

            if (twice == 0) {
                first = first == NULL || list < first ? list : first;
                last  = last == NULL || list > last ? list : last;
            } else if (!seen[list - first]) {
                seen[list - first] = true;
                look_at_list_of(key);
            }
        }
    assert_int_equal(last - first, FUTEX_LISTS - 1);            /* every list there is has a key */
    for (unsigned i = 0; i < FUTEX_LISTS; i++)
        assert_true(seen[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        in_world(each_list_is_looked_at),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
