/*
 * test_memory_leftovers.c - what calls leave to the next: tables that begin empty, books that go with their slabs, the
 * deepest use of a stack, pages that were cut off while they were brought, and the words about misuse of the heap:
 * test_memory_leftovers.txt.
 */
#include "map_world.h"

#include "base/print.h"
#include "base/rwlock.h"
#include "kept_lines.h"
#include "memory/heap/heap_slab.h"
#include "memory/heap/stack.h"
#include "memory/pageout/page_out.h"
#include "memory/spaces/object.h"
#include "memory/spaces/object_parts.h"
#include "memory/tables/cursor.h"

/* ---- Tables -------------------------------------------------------------------------------------------- */

/* Tables that are made together hang together by their first entries until each is in its place: then all are empty. */
static void assert_made_empty(struct space *space, page_t first)
{
    struct cursor c;
    page_t        reach = mmu_reach(2);

    assert_int_equal(cursor_open(&c, space, (struct span){ first + reach / 2, first + 2 * reach + 5 }, CURSOR_BUILD),
                     0);
    for (page_t page = first; page < first + 3 * reach; page++) {
        const entry_t *at = entry_at(space, page, 1);

        assert_non_null(at);
        assert_int_equal(entry_read(at).raw, entry_empty().raw);
    }
    cursor_close(&c);
}

static void tables_that_are_made_together_are_empty(void)
{
    const struct span devices = layout.purpose[PURPOSE_DEVICES]->span;
    page_t            reach   = mmu_reach(2);

    assert_made_empty(&program, page_of(column(0)) / reach * reach);
    assert_made_empty(&kernel_space, (devices.first / reach + 3) * reach);
    assert_clean();
}

/* The second of three tables is refused: the first is as clean as it was when it is taken by somebody else. */
static void tables_that_are_given_back_are_forgotten(void)
{
    struct cursor c;

    for (uint32_t nth = 1; nth < 4; nth++) {
        uint32_t tables = frames_owned(OWNER_TABLES);

        frame_fail_at(nth);
        assert_int_equal(cursor_open(&c, &program, (struct span){ page_of(column(0)), page_of(column(2500)) },
                                     CURSOR_BUILD), -ENOMEM);
        assert_int_equal(frames_owned(OWNER_TABLES), tables);
        assert_clean();
    }
    frame_fail_at(0);
}

/* ---- The heap's books ---------------------------------------------------------------------------------- */

static struct heap_sums sums(void)
{
    struct heap_sums now;

    heap_sums(&now);
    return now;
}

/* The book of a new chunk is there, and the slab's page is refused: the book goes again at once. */
static void a_book_goes_with_the_slab_that_was_not_to_be_had(void)
{
    heap_drain();
    assert_int_equal(sums().bookkeeping_pages, 0);
    for (uint32_t nth = 1; nth < 3; nth++) {
        frame_fail_at(nth);
        assert_null(heap_alloc(2000, 0));               /* a slab of two pages */
        frame_fail_at(0);
        assert_int_equal(sums().bookkeeping_pages, 0);
        assert_int_equal(frames_owned(OWNER_HEAP), 0);
        assert_int_equal(heap.limit, 0);
    }
}

/* ---- Stacks -------------------------------------------------------------------------------------------- */

/* What lies above the lowest word that was ever written has been used, however it looks. */
static void a_stack_with_holes_in_its_use(void)
{
    size_t       before = stacks_deepest(), size;
    struct stack stack;

    assert_int_equal(stack_get(&kernel_space, &stack), 0);
    size = stack.top - stack.bottom;
    assert_true(before < size - 100);
    *(volatile uint32_t *)pointer_to(stack.bottom + 100) = 1;
    assert_int_equal(stacks_deepest(), size - 100);     /* of one that is in use, too */
    stack_put(&stack);
    assert_int_equal(stacks_deepest(), size - 100);
}

/* ---- Pages that go ------------------------------------------------------------------------------------------ */

static void who_lets_pages_go_learns_how_many_went(void)
{
    struct region *region;

    paint("wwwwww");
    for (size_t n = 1; n < 5; n++)
        assert_true(writes(&program, column(n), (uint32_t)n));
    rwlock_read(&program.map_lock);
    region = region_find(&program.map, page_of(column(0)));
    assert_int_equal(pages_out(&program, region, span_of(page_of(column(0)), 3)), 2);
    assert_int_equal(pages_out(&program, region, region->span), 2);
    assert_int_equal(pages_out(&program, region, region->span), 0);
    rwlock_read_drop(&program.map_lock);
    assert_int_equal(program.swapped, 4);
    assert_int_equal(unmap(0, 6), 0);
}

/* ---- Pages that are cut off while they are brought ----------------------------------------------------- */

static struct object *object;
static void         (*meanwhile)(void);
static long           brings;

static long fill(struct object *from, uint64_t page, const frame_t *frames, size_t count)
{
    (void)from;
    for (size_t i = 0; i < count; i++)
        *(uint32_t *)&machine_ram[frame_address(frames[i])] = 70 + (uint32_t)(page + i);
    meanwhile();
    return brings < 0 ? brings : brings == 0 || brings > (long)count ? (long)count : brings;
}

static const struct object_operations operations = { .fill = fill };

static void nothing(void)      {}
static void cut(void)          { object_resize(object, 0); }
static void cut_a_part(void)   { object_resize(object, 4); }
static void cut_and_grow(void) { object_resize(object, 0); object_resize(object, 20); }
static void cut_behind(void)   { object_resize(object, 6); }

static void adopt_beside(void)
{
    frame_t frame;

    assert_int_equal(frame_get(OWNER_FILE, FRAME_ZERO, &frame), 0);
    if (object_adopt(object, 9, frame) != 0)
        frame_put(frame);
}

static const struct { const char *name; void (*act)(void); } acts[] = {
    { "nothing", nothing }, { "all is cut off", cut }, { "a part is cut off", cut_a_part },
    { "all is cut off and is there again", cut_and_grow }, { "what is behind is cut off", cut_behind },
    { "another page is put in place", adopt_beside },
};

static void what_happens_while_a_page_is_brought(void)
{
    static const long brought[] = { 0, 1, -EIO, -ENOMEM };

    for (size_t act = 0; act < COUNT_OF(acts); act++)
        for (size_t b = 0; b < COUNT_OF(brought); b++)
            for (unsigned way = 0; way < 4; way++) {
                struct map_request wanted = request(column(0), 20, way & 1 ? R | W : R,
                                                    MAP_IS_FIXED | (way & 2 ? MAP_IS_SHARED : 0));
                struct fault_verdict v = { 0 };
                vaddr_t              out;
                int                  err;
                const char          *owner = "-";
                uint32_t             word = 0;
                entry_t              e;

                meanwhile = acts[act].act;
                brings    = brought[b];
                object    = object_create_paged(OWNER_FILE, 20, &operations, NULL);
                assert_non_null(object);
                wanted.object = object;
                assert_int_equal(map_create(&program, &wanted, &out), 0);
                err = space_fault(&program, column(5), way & 1 ? W : R, &v);
                e   = entry_at_page(&program, column(5));
                if (entry_present(e)) {
                    owner = owner_names[frame_owner(entry_frame(e))];
                    word  = *(uint32_t *)&machine_ram[frame_address(entry_frame(e))];
                }
                kept_line("%s, %ld brought, way %u: %d, signal %d; entry %d of owner %s with %u; %u resident, %llu "
                          "pages, %llu paged, expects %llu, %u ahead; %u of files, %u of users", acts[act].name,
                          brought[b], way, err, v.signal, entry_kind(e, 1), owner, word, object->resident,
                          (unsigned long long)object->pages, (unsigned long long)object->paged,
                          (unsigned long long)object->expected, object->ahead, frames_owned(OWNER_FILE),
                          frames_owned(OWNER_USER));
                assert_null(object->fillings);
                assert_clean();
                meanwhile = nothing;
                brings    = 0;
                map_clear(&program);
                assert_int_equal(object->references, 1);
                object_release(object);
            }
}

/* ---- Words about the heap ------------------------------------------------------------------------------ */

static char   said[4096];
static size_t said_length;

static void hear(const char *text, size_t length)
{
    for (size_t i = 0; i < length && said_length + 1 < sizeof said; i++)
        said[said_length++] = text[i];
    said[said_length] = 0;
}

/* Code has other addresses in each build. */
static void tell_what_was_said(const char *what)
{
    char   line[300];
    size_t used = 0;

    for (size_t i = 0; i < said_length && used + 1 < sizeof line; i++) {
        if (said[i] == '\n')
            continue;
        line[used++] = said[i];
        if (said[i] == '@')
            while (i + 1 < said_length && strchr("0123456789abcdefx", said[i + 1]) != NULL)
                i++;
    }
    line[used]  = 0;
    said_length = 0;
    said[0]     = 0;
    kept_line("%s: %s", what, line);
}

static char *hidden(void *block)
{
    __asm__ volatile("" : "+r"(block));
    return block;
}

#define SAYS(statement) ((statement), tell_what_was_said(#statement))

static void misuse_of_the_heap_in_words(void)
{
    char *small = hidden(heap_alloc(100, 0)), *other = hidden(heap_alloc(100, 0)), *big = hidden(heap_alloc(9000, 0));
    char *full = hidden(heap_alloc(120, 0)), *lost = hidden(heap_alloc(5000, 0)), *first = hidden(heap_alloc(40, 0));
    char *pair = hidden(heap_alloc(2000, 0));

    print_to(hear);
    said_length = 0;
    SAYS(heap_free(small + 1));
    SAYS(heap_free(small + 16));
    SAYS(heap_free(small + 99));
    SAYS(heap_free(pair + 1999));
    SAYS(heap_free(full + 8));
    SAYS(heap_free(big + 1));
    SAYS(heap_free(big + 8999));
    SAYS(heap_free(big - 1));
    SAYS(heap_free(small));
    SAYS(heap_free(small + 5));
    SAYS(heap_free_sized(other, 99));
    SAYS(heap_free_sized(big, 9001));
    SAYS(heap_free((void *)heap.slabs));
    SAYS(heap_free(heap.slabs + 15 * PAGE_SIZE));
    SAYS(heap_free(heap.book));
    SAYS(other[100] ^= 1);
    SAYS(heap_free(other));
    SAYS(heap_free(other));
    SAYS(heap_size(other));
    SAYS(other[100] ^= 1);
    SAYS(lost[5000] ^= 1);
    SAYS(heap_free(lost));
    SAYS(heap_free(lost));
    SAYS(heap_resize(lost, 6000));
    SAYS(heap_free(big));
    SAYS(heap_free(big));
    SAYS(heap_free(big + 4));
    SAYS(heap_resize(big, 10));
    SAYS(heap_free(full));
    SAYS(full[0] ^= 1);
    SAYS(full = hidden(heap_alloc(120, 0)));
    SAYS(heap_free(full));
    SAYS(heap_free(first));
    SAYS(heap_free(pair));
    for (unsigned n = 0; n < 10; n++) {                 /* the last eight are remembered */
        char *block = hidden(heap_alloc(3000 + n, 0));

        heap_free(block);
        if (n == 0)
            first = block;
        else if (n > 6)
            SAYS(heap_free(first));
    }
    {
        struct heap_sums now = sums();

        kept_line("%u lost, %u misused twice, %u foreign, %u inside, %u after, %u past, %u sizes", now.lost_blocks,
                  now.misuse[HEAP_DOUBLE_FREE], now.misuse[HEAP_FOREIGN], now.misuse[HEAP_INTERIOR],
                  now.misuse[HEAP_WRITE_AFTER_FREE], now.misuse[HEAP_OVERFLOW], now.misuse[HEAP_WRONG_SIZE]);
    }
    heap_before = sums();
}

static int run_all(void)
{
    const struct CMUnitTest tests[] = {
        on_machine(tables_that_are_made_together_are_empty),
        on_machine(tables_that_are_given_back_are_forgotten),
        on_machine(a_book_goes_with_the_slab_that_was_not_to_be_had),
        on_machine(a_stack_with_holes_in_its_use),
        on_machine(who_lets_pages_go_learns_how_many_went),
        on_machine(what_happens_while_a_page_is_brought),
        on_machine(misuse_of_the_heap_in_words),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Other documents have other numbers. */
int main(void) { return layout.access == ACCESS_DIRECT ? kept_run("test_memory_leftovers", run_all) : 0; }
