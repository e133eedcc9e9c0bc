/*
 * test_heap_audit.c - H1..H5 broken on purpose, each in several ways, and each seen named;
 * and every allocation inside the heap made to fail.
 */
#include "heap_world.h"
#include "memory/tables/cursor.h"
#include "memory/heap/heap_slab.h"
#include "memory/spaces/space.h"

/* ---- Invariants --------------------------------------------------------------------------- */

static bool named(const char *id)
{
    struct audit_report report = { 0 };

    heap_audit(&report);
    assert_int_equal(heap_ok(), report.failed == 0);
    for (uint32_t i = 0; i < report.failed && i < AUDIT_FAILURES; i++)
        if (strcmp(report.failures[i].id, id) == 0)
            return true;
    return false;
}

/* Break it, see it named, restore it, see that all is well. */
#define BREAK(id, broken, restored)     \
    do {                                \
        assert_true(heap_ok());         \
        broken;                         \
        assert_true(named(id));         \
        restored;                       \
        assert_true(heap_ok());         \
    } while (0)

static struct slab *slab_of(const void *block)
{
    uint32_t page = (uint32_t)(slab_offset(block) / PAGE_SIZE);

    return slab_at(page - slab_at(page)->back);
}

static void h1_counts_lists_and_states(void)
{
    uint8_t     *block = take(64), *others[110];
    struct slab *slab = slab_of(block);
    uint32_t     page = (uint32_t)(slab_offset(block) / PAGE_SIZE), partly;

    for (int i = 0; i < 110; i++)                       /* two full slabs and a part of a third */
        others[i] = take(64);
    partly = heap.partly[slab->class];
    assert_int_not_equal(partly, NO_PAGE);
    BREAK("H1", slab->out++, slab->out--);
    assert_int_equal(slab->list, LIST_NONE);
    BREAK("H1", slab->list = LIST_EMPTY, slab->list = LIST_NONE);
    BREAK("H1", slab->class++, slab->class--);
    BREAK("H1", slab->pages = 2, slab->pages = 1);
    BREAK("H1", slab->pages = 200, slab->pages = 1);
    BREAK("H1", *state_at(block) = BLOCK_FREE | slab->class, *state_at(block) = BLOCK_OUT | slab->class);
    BREAK("H1", *state_at(block) ^= 1, *state_at(block) ^= 1);
    BREAK("H1", *state_at(block) = 0, *state_at(block) = BLOCK_OUT | slab->class);
    BREAK("H1", *state_at(block + 16) = BLOCK_OUT, *state_at(block + 16) = 0);
    /* A full slab that is listed as partly used, and a partly used one that no list has. */
    BREAK("H1", heap.partly[slab->class] = page, heap.partly[slab->class] = partly);
    BREAK("H1", heap.partly[slab->class] = NO_PAGE, heap.partly[slab->class] = partly);
    heap_free(others[0]);
}

static void h2_pages_mapped_without_a_slab_and_slabs_without_a_page(void)
{
    uint8_t      *block = take(64);
    uint32_t      page = (uint32_t)(slab_offset(block) / PAGE_SIZE);
    struct chunk *chunk = chunk_at(page);

    BREAK("H2", chunk->free ^= 1 << page % CHUNK_PAGES, chunk->free ^= 1 << page % CHUNK_PAGES);
    BREAK("H2", chunk->free ^= 1 << 9, chunk->free ^= 1 << 9);
    assert_int_equal(heap_pages_map(heap.first_page + 9, 1), 0);
    assert_true(named("H2"));
    heap_pages_unmap(heap.first_page + 9, 1);
    assert_true(heap_ok());
    assert_int_equal(heap_pages_map(heap.first_page, 1), 0);    /* the guard of the chunk */
    assert_true(named("H2"));
    heap_pages_unmap(heap.first_page, 1);
    assert_true(heap_ok());
}

static void h3_magazines(void)
{
    uint8_t         *block = take(64), *other = take(100);
    unsigned         class = *state_at(block) & BLOCK_CLASS;
    struct magazine *magazine = &heap_magazines[0][class], *others = &heap_magazines[1][class];
    void            *top = magazine->blocks[magazine->count - 1];
    uint32_t         count = magazine->count;

    BREAK("H3", magazine->count--, magazine->count++);
    BREAK("H3", magazine->blocks[count - 1] = block, magazine->blocks[count - 1] = top);
    BREAK("H3", magazine->blocks[count - 1] = magazine->blocks[0], magazine->blocks[count - 1] = top);
    BREAK("H3", magazine->blocks[count - 1] = hidden(&count), magazine->blocks[count - 1] = top);
    BREAK("H3", magazine->count = magazine->limit + 1, magazine->count = count);
    /* The same block at hand on two CPUs. */
    BREAK("H3", (others->blocks[0] = top, others->count = 1), others->count = 0);
    heap_free(other);
}

static void h4_guards_and_tags(void)
{
    uint8_t *block = take(64), *big = take(5000), *freed = take(64);

    heap_free(freed);
    for (size_t i = 64; i < 68; i++)
        BREAK("H4", block[i] ^= 4, block[i] ^= 4);
    for (size_t i = 76; i < 80; i++)
        BREAK("H4", block[i] ^= 4, block[i] ^= 4);
    for (size_t i = 0; i < 72; i++)
        BREAK("H4", freed[i] ^= 4, freed[i] ^= 4);
    BREAK("H4", big[5000] ^= 4, big[5000] ^= 4);
}

static void h5_frames_that_the_heap_does_not_know(void)
{
    frame_t       frame;
    struct region region;

    take(64);
    assert_int_equal(frame_get(OWNER_HEAP, 0, &frame), 0);
    assert_true(named("H5"));
    frame_put(frame);
    assert_true(heap_ok());
    assert_int_equal(kernel_map(&region, PURPOSE_HEAP, "not ours", 1, 0, OWNER_HEAP), 0);
    assert_true(named("H5"));
    kernel_unmap(&region);
    assert_true(heap_ok());
}

/* A slab whose page is missing is reported, not looked into. */
static void h2_a_slab_that_lost_its_page_is_named(void)
{
    uint8_t      *block = take(64);
    page_t        page = page_of(address_of(block));
    struct cursor c;
    entry_t       entry;

    assert_int_equal(cursor_open(&c, &kernel_space, span_of(page, 1), CURSOR_BUILD), 0);
    entry = cursor_remove(&c, page);
    cursor_close(&c);
    assert_true(named("H2"));
    assert_int_equal(cursor_open(&c, &kernel_space, span_of(page, 1), CURSOR_BUILD), 0);
    cursor_map(&c, page, entry_frame(entry), layout.purpose[PURPOSE_HEAP]->rights, CACHE_BACK);
    cursor_close(&c);
    assert_true(heap_ok());
}

/* In pieces the audit sees what it sees as a whole. */
static void pieces_of_the_audit_reach_everything(void)
{
    struct audit_report report = { 0 };
    uint8_t            *last = NULL;
    uint32_t            part = 0;

    for (int i = 0; i < 300; i++)
        last = take(1000);
    while (!heap_audit_part(part++, &report))
        ;
    assert_int_equal(report.failed, 0);
    assert_int_equal(part, 1 + heap.limit / CHUNK_BYTES);
    last[1000] ^= 4;
    for (part = 0; !heap_audit_part(part++, &report); )
        ;
    assert_int_equal(report.failed, 1);
    assert_string_equal(report.failures[0].id, "H4");
    last[1000] ^= 4;
    assert_sound();
}

/* ---- Every allocation fails once -------------------------------------------------------------- */

struct scene {
    const char *name;
    size_t      old, new;               /* resize old to new; or take new, where old is NONE */
    unsigned    flags;
};
#define NONE SIZE_MAX

static const struct scene scenes[] = {
    { "the first small block",          NONE, 40,    0 },
    { "a block of two pages' slab",     NONE, 2000,  HEAP_ZERO },
    { "pages",                          NONE, 20000, HEAP_ZERO },
    { "from nothing",                   NONE, 0,     0 },
    { "from small to larger",           40,   1500,  0 },
    { "from small to pages",            700,  9000,  0 },
    { "from pages to more pages",       5000, 50000, 0 },
    { "from pages to small",            5000, 300,   0 },
};

enum { FAIL_FRAMES, FAIL_BLOCKS };

struct standing {
    uint32_t owned[OWNER_COUNT];
    struct heap_sums heap;
};

/* Frames by owner. Tables that were built for nothing stay, so they are counted as free. */
static struct standing standing(void)
{
    struct standing s;

    heap_drain();                       /* blocks in the magazine are no leak */
    s.heap = sums();
    for (int i = 0; i < OWNER_COUNT; i++)
        s.owned[i] = frames_owned(i);
    s.owned[OWNER_FREE] += s.owned[OWNER_TABLES];
    s.owned[OWNER_TABLES] = 0;
    return s;
}

static void assert_unchanged(const struct standing *before)
{
    struct standing after = standing();

    after.heap.failures--;
    assert_memory_equal(after.owned, before->owned, sizeof after.owned);
    assert_memory_equal(&after.heap, &before->heap, sizeof after.heap);
}

/* Returns whether the k-th allocation was reached. */
static bool fails_at(const struct scene *scene, int what, uint32_t k)
{
    struct standing before;
    uint8_t        *old = NULL, *new;

    boot(7 + (unsigned)(machine_pool_start() / MiB));
    if (scene->old != NONE) {
        old = take(scene->old);
        memset(old, 0x5A, scene->old);
    }
    before = standing();
    if (what == FAIL_FRAMES)
        frame_fail_at(k);
    else
        heap_fail_at(k);
    new = hidden(old ? heap_resize(old, scene->new) : heap_alloc(scene->new, scene->flags));
    frame_fail_at(0);
    heap_fail_at(0);

    assert_int_equal(said_length, 0);
    assert_sound();
    if (new == NULL) {
        assert_unchanged(&before);
        for (size_t i = 0; old && i < scene->old; i++)
            assert_int_equal(old[i], 0x5A);
        heap_free(old);
    } else {
        heap_free(new);
    }
    heap_drain();
    assert_int_equal(heap_pages(), 0);
    assert_int_equal(misuses(), 0);
    assert_sound();
    return new == NULL;
}

static void every_allocation_made_to_fail_changes_nothing(void)
{
    for (unsigned i = 0; i < COUNT_OF(scenes); i++)
        for (int what = FAIL_FRAMES; what <= FAIL_BLOCKS; what++) {
            uint32_t k = 1;

            while (fails_at(&scenes[i], what, k))
                k++;
            print_message("%-28s %s: %u failures\n", scenes[i].name,
                          what == FAIL_FRAMES ? "frames" : "blocks", k - 1);
            assert_true(k > 1);
        }
}

/* A failure at the n-th call, once, and the fast path as before. */
static void heap_fail_at_counts_calls_and_fails_once(void)
{
    heap_free(take(64));
    heap_fail_at(3);
    heap_free(take(64));
    heap_free(take(64));
    assert_null(heap_alloc(64, 0));
    heap_free(take(64));
    assert_int_equal(sums().failures, 1);
    assert_int_equal(sums().allocs, 4);
    heap_fail_at(2);
    heap_fail_at(0);
    for (int i = 0; i < 10; i++)
        heap_free(take(64));
}

/* ---- What is printed ------------------------------------------------------------------------------------ */

static void findings_are_printed_with_what_they_break(void)
{
    struct audit_report report = { .checked = 5, .failed = 1 };

    report.failures[0].id = "H1";
    strcpy(report.failures[0].text, "first");
    forget_text();
    audit_print(&report);
    assert_memory_equal(said, "audit: 1 failure in 5 checks\n  H1 first\n     ", 45);
    assert_non_null(strstr(said, audit_find("H1")->text));
    assert_non_null(strstr(said, audit_find("H1")->where));
    report.failures[1].id = report.failures[0].id;      /* of an invariant that fails twice the words come once */
    strcpy(report.failures[1].text, "second");
    report.failures[2].id = "H2";
    strcpy(report.failures[2].text, "third");
    report.failed = 3;
    forget_text();
    audit_print(&report);
    assert_memory_equal(said, "audit: 3 failures in 5 checks\n  H1 first\n     ", 46);
    assert_non_null(strstr(said, "\n  H1 second\n  H2 third\n     "));
    assert_null(strstr(said, "more"));
    for (uint32_t n = 3; n < AUDIT_FAILURES; n++)
        report.failures[n] = report.failures[2];
    report.failed = AUDIT_FAILURES + 2;
    forget_text();
    audit_print(&report);
    assert_non_null(strstr(said, "\n  and 2 more\n"));
    report.failed = 0;
    forget_text();
    audit_print(&report);
    assert_memory_equal(said, "audit: clean, ", 14);
    assert_non_null(strstr(said, " invariants, 5 checks\n"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        on_machine(h1_counts_lists_and_states),
        on_machine(h2_pages_mapped_without_a_slab_and_slabs_without_a_page),
        on_machine(h2_a_slab_that_lost_its_page_is_named),
        on_machine(findings_are_printed_with_what_they_break),
        on_machine(pieces_of_the_audit_reach_everything),
        on_machine(h3_magazines),
        on_machine(h4_guards_and_tags),
        on_machine(h5_frames_that_the_heap_does_not_know),
        on_machine(every_allocation_made_to_fail_changes_nothing),
        on_machine(heap_fail_at_counts_calls_and_fails_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
