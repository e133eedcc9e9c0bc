/*
 * test_audit_words.c - one field wrong after the other, all over memory, and every word that the auditor says of it:
 * test_audit_words.txt.
 */
#include "map_world.h"

#include "kept_lines.h"
#include "memory/heap/heap_slab.h"
#include "memory/heap/stack.h"
#include "memory/pageout/swap.h"
#include "memory/pageout/swap_parts.h"
#include "memory/spaces/object_parts.h"
#include "memory/start.h"
#include "memory/tables/cursor.h"
#include "memory/tables/slot.h"

enum { PAGE_OUT = 21 };

static vaddr_t out;

/* Links that are wrong lead others astray: then the tree of regions is looked at alone. */
static const struct region_tree *tree_alone;

static void tell(const char *what)
{
    struct audit_report report = { 0 };

    if (tree_alone != NULL)
        region_tree_audit(tree_alone, &report);
    else
        audit_full(&report);
    for (uint32_t i = 0; i < report.failed && i < AUDIT_FAILURES; i++)
        kept_line("%s: %s %s", what, report.failures[i].id, report.failures[i].text);
    kept_line("%s: %u in all", what, report.failed);
}

/* While a field is wrong; then as it was. */
#define WRONG(field, wrong)                     \
    do {                                        \
        __typeof__(field) right_ = (field);     \
                                                \
        (field) = (wrong);                      \
        tell(#field " = " #wrong);              \
        (field) = right_;                       \
        assert_clean();                         \
    } while (0)

static void fill(size_t first, size_t pages)
{
    for (size_t n = first; n < first + pages; n++)
        assert_true(writes(&program, column(n), (uint32_t)n + 1));
}

/* ---- The heap ------------------------------------------------------------------------------------------ */

static char *take(size_t bytes)
{
    char *block = heap_alloc(bytes, 0);

    __asm__ volatile("" : "+r"(block));
    assert_non_null(block);
    return block;
}

static void the_heap(void)
{
    char            *blocks[76], *wide[5], *big = take(9000), *lost = take(5000), *freed;
    uint32_t         page, other;
    struct slab     *slab, *full;
    struct chunk    *chunk;
    struct magazine *magazine;
    unsigned         class;
    uint32_t         count;

    for (unsigned n = 0; n < COUNT_OF(blocks); n++)
        blocks[n] = take(64);
    for (unsigned n = 0; n < COUNT_OF(wide); n++)
        wide[n] = take(1000);
    freed = take(300);
    heap_free(freed);
    page  = (uint32_t)(slab_offset(blocks[0]) / PAGE_SIZE);
    full  = slab_at(page);
    other = heap.partly[full->class];
    assert_int_not_equal(other, NO_PAGE);
    slab  = slab_at(other);
    class = slab->class;
    chunk = chunk_at(page);
    magazine = magazine_of(class);
    count    = magazine->count;
    assert_true(count > 1);
    WRONG(slab->out, slab->out - 1);
    WRONG(slab->out, 0);
    WRONG(full->out, full->out - 1);
    WRONG(slab->list, LIST_NONE);
    WRONG(slab->list, LIST_EMPTY);
    WRONG(full->list, LIST_PARTLY);
    WRONG(slab->pages, 2);
    WRONG(slab->pages, 0);
    WRONG(slab->back, 1);
    WRONG(slab->class, HEAP_CLASSES);
    WRONG(slab->class, 3);
    WRONG(slab->link.next, page);
    WRONG(slab->link.next, other);
    WRONG(heap.partly[class], NO_PAGE);
    WRONG(heap.partly[class], page);
    WRONG(heap.partly[class], (uint32_t)(heap.limit / PAGE_SIZE));
    WRONG(heap.empty[class], other);
    WRONG(chunk->free, chunk->free & (chunk->free - 1));
    WRONG(chunk->free, (uint16_t)(chunk->free | 1u << page % CHUNK_PAGES));
    WRONG(chunk->free, chunk->free | 1);
    WRONG(*state_at(blocks[0]), BLOCK_FREE + class);
    WRONG(*state_at(blocks[0]), BLOCK_LOST + class);
    WRONG(*state_at(blocks[0]), BLOCK_OUT + class + 1);
    WRONG(*state_at(blocks[0]), 0);
    WRONG(*state_at(blocks[0] + HEAP_ALIGN), BLOCK_OUT + class);
    WRONG(blocks[3][64], (char)(blocks[3][64] ^ 1));
    WRONG(blocks[3][76], (char)(blocks[3][76] ^ 1));
    WRONG(freed[4], (char)(freed[4] ^ 1));
    WRONG(freed[100], (char)(freed[100] ^ 1));
    WRONG(big[9000], (char)(big[9000] ^ 1));
    WRONG(magazine->count, count - 1);
    WRONG(magazine->count, magazine->limit + 1);
    WRONG(magazine->blocks[0], magazine->blocks[1]);
    WRONG(magazine->blocks[0], (void *)blocks[0]);
    WRONG(magazine->blocks[1], (void *)(blocks[0] + 8));
    WRONG(magazine->blocks[1], pointer_to(0x5000));
    heap_magazines[3][class].blocks[0] = blocks[0];
    WRONG(heap_magazines[3][class].count, 1);
    lost[5000] ^= 1;
    heap_free(lost);                                    /* it is known to be damaged from now on */
    tell("a lost block");
    for (unsigned n = 0; n < COUNT_OF(blocks); n++)
        heap_free(blocks[n]);
    for (unsigned n = 0; n < COUNT_OF(wide); n++)
        heap_free(wide[n]);
    heap_free(big);
    lost[5000] ^= 1;
    assert_clean();
    heap_sums(&heap_before);                            /* it stays */
}

/* ---- Stacks -------------------------------------------------------------------------------------------- */

static void put_frame(page_t page, frame_t frame)
{
    struct cursor c;

    assert_int_equal(cursor_open(&c, &kernel_space, span_of(page, 1), CURSOR_BUILD), 0);
    cursor_map(&c, page, frame, layout.purpose[PURPOSE_STACKS]->rights, CACHE_BACK);
    cursor_close(&c);
}

static entry_t take_entry(page_t page)
{
    struct cursor c;
    entry_t       e;

    assert_int_equal(cursor_open(&c, &kernel_space, span_of(page, 1), 0), 0);
    e = cursor_remove(&c, page);
    cursor_close(&c);
    return e;
}

static void the_stacks(void)
{
    struct stack       stacks[3];
    struct stack_pool *pool = kernel_space.stacks;
    frame_t            frame;
    page_t             guard;

    for (unsigned n = 0; n < COUNT_OF(stacks); n++)
        assert_int_equal(stack_get(&kernel_space, &stacks[n]), 0);
    WRONG(pool->used, 2);
    WRONG(pool->used, 4);
    WRONG(pool->taken[0], pool->taken[0] & ~(1u << stacks[1].slot));
    WRONG(pool->taken[0], pool->taken[0] | 1u << 9);
    assert_int_equal(frame_get(OWNER_STACK, 0, &frame), 0);
    guard = page_of(stacks[0].bottom) - 1;
    put_frame(guard, frame);
    tell("a page in a guard");
    (void)take_entry(guard);
    put_frame(guard - 1, frame);
    tell("a page of the stack below");
    (void)take_entry(guard - 1);
    frame_put(frame);
    put_frame(guard, entry_frame(take_entry(guard + 1)));
    tell("a page too low");
    put_frame(guard + 1, entry_frame(take_entry(guard)));
    for (unsigned n = 0; n < COUNT_OF(stacks); n++)
        stack_put(&stacks[n]);
    assert_clean();
}

/* ---- Regions ------------------------------------------------------------------------------------------- */

static void the_regions(void)
{
    struct region *root, *left, *right, *leaf;

    paint("ww.rr..ww.rr.ww.r");
    root  = program.map.root;
    left  = root->child[0];
    right = root->child[1];
    leaf  = region_at_or_above(&program.map, 0);
    tree_alone = &program.map;
    WRONG(program.map.count, program.map.count - 1);
    WRONG(program.map.count, program.map.count + 1);
    WRONG(program.map.limits.first, leaf->span.first + 1);
    WRONG(program.map.limits.end, leaf->span.end + 3);
    WRONG(root->gap, root->gap + 1);
    WRONG(root->gap, root->gap - 1);
    WRONG(leaf->gap, leaf->gap + 1);
    WRONG(root->widest, root->widest + 1);
    WRONG(left->widest, left->widest - 1);
    WRONG(root->height, root->height + 1);
    WRONG(left->height, left->height - 1);
    WRONG(leaf->height, 2);
    WRONG(root->span.first, root->span.first - 1);
    WRONG(root->span.first, root->span.end);
    WRONG(root->span.end, root->span.end + 1);
    WRONG(root->span.end, root->span.end + 3);
    WRONG(leaf->span.first, leaf->span.first + 1);
    WRONG(left->parent, NULL);
    WRONG(left->parent, right);
    WRONG(root->parent, left);
    WRONG(root->child[1], NULL);
    WRONG(left->child[1], right);
    WRONG(root->name, "a name");
    tree_alone = NULL;
    assert_int_equal(unmap(0, 20), 0);
}

/* ---- Spaces and their tables --------------------------------------------------------------------------- */

static void write_entry(struct space *space, page_t page, entry_t e)
{
    lock_state state = lock_take(&space->tables_lock);
    entry_t   *at    = entry_at(space, page, 1);

    assert_non_null(at);
    entry_write(at, e);
    lock_drop(&space->tables_lock, state);
}

/* While the entry of a page is another. */
static void other_entry(const char *what, struct space *space, page_t page, entry_t e)
{
    entry_t was = entry_at_page(space, page_address(page));

    write_entry(space, page, e);
    tell(what);
    write_entry(space, page, was);
    mmu_flush_all();
    assert_clean();
}

static void the_spaces(void)
{
    const struct rights all = { R | W | X, R | W | X };
    struct region       region;
    frame_t             frame, mine;
    frame_t             table = { 0 };
    page_t              page;

    paint("wwww.rr.-");
    fill(0, 4);
    (void)word_at(column(5));
    assert_int_equal(map_advise(&program, column(3), PAGE_SIZE, PAGE_OUT), 0);
    assert_int_equal(kernel_map(&region, PURPOSE_HEAP, "guarded", 2, 2, OWNER_TEST), 0);
    assert_int_equal(frame_get(OWNER_TEST, 0, &mine), 0);
    page  = page_of(column(1));
    frame = entry_frame(entry_at_page(&program, column(1)));
    table = entry_frame(entry_read(entry_at(&program, page, 2)));
    WRONG(program.resident, program.resident - 1);
    WRONG(program.resident, program.resident + 1);
    WRONG(program.swapped, 2);
    WRONG(program.locked, 1);
    WRONG(program.table_frames, program.table_frames - 1);
    frame_set_link(table, frame_link(table) + 1);
    tell("a table with an entry too many");
    frame_set_link(table, frame_link(table) - 2);
    tell("a table with an entry too few");
    frame_set_link(table, frame_link(table) + 1);
    other_entry("an entry with all rights", &program, page, entry_leaf(frame, all, CACHE_BACK, false, 1));
    other_entry("an entry that is empty", &program, page, entry_empty());
    other_entry("an entry that is blocked", &program, page, entry_absent(ENTRY_BLOCKED, frame.no, all));
    other_entry("an entry of another frame", &program, page, entry_leaf(mine, map_rights(R), CACHE_BACK, false, 1));
    other_entry("an entry of no RAM", &program, page,
                entry_leaf((frame_t){ 0xA8 }, map_rights(R), CACHE_BACK, false, 1));
    other_entry("an entry in no region", &program, page_of(column(4)),
                entry_leaf(frame, map_rights(R), CACHE_BACK, false, 1));
    other_entry("an entry where nobody may read", &program, page_of(column(8)),
                entry_leaf(frame, map_rights(R), CACHE_BACK, false, 1));
    other_entry("a slot twice", &program, page, entry_at_page(&program, column(3)));
    other_entry("a slot more", &program, page_of(column(4)), entry_at_page(&program, column(3)));
    other_entry("a guard that is mapped", &kernel_space, region.span.first,
                entry_leaf(mine, region.rights, CACHE_BACK, true, 1));
    other_entry("the upper guard that is mapped", &kernel_space, region.span.first + 1,
                entry_leaf(mine, region.rights, CACHE_BACK, true, 1));
    other_entry("a kernel page with all rights", &kernel_space, region.span.first + 2,
                entry_leaf(entry_frame(entry_at_page(&kernel_space, page_address(region.span.first + 2))), all,
                           CACHE_BACK, true, 1));
    other_entry("a kernel page in no region", &kernel_space, region.span.end - 4,
                entry_leaf(mine, region.rights, CACHE_BACK, true, 1));
    other_entry("a kernel page of a program's frame", &kernel_space, region.span.first + 2,
                entry_leaf(frame, region.rights, CACHE_BACK, true, 1));
    frame_share(mine);
    tell("a frame of the test that is shared");
    frame_put(mine);
    frame_share(frame);
    tell("a reference too many");
    frame_put(frame);
    frame_share(table);
    tell("a table twice");
    frame_put(table);
    frame_change_owner(frame, OWNER_USER, OWNER_FILE);
    tell("a frame of another owner");
    frame_change_owner(frame, OWNER_FILE, OWNER_USER);
    frame_put(mine);
    kernel_unmap(&region);
    assert_int_equal(unmap(0, 9), 0);
}

/* Kernel entries of a program's root. */
static void the_roots(void)
{
    page_t   reach = mmu_reach(MMU_LEVELS);
    unsigned told  = 0;

    space_activate(&kernel_space);
    for (page_t page = 0; page < layout.space_end; page += reach) {
        entry_t e = entry_read(entry_at(&program, page, MMU_LEVELS));

        if (root_entry_is_users(page) || !entry_present(e) || told++ % 7 != 0)
            continue;
        entry_write(entry_at(&program, page, MMU_LEVELS), entry_empty());
        tell("a kernel entry less");
        entry_write(entry_at(&program, page, MMU_LEVELS), e);
        assert_clean();
    }
    space_activate(&program);
    assert_true(told > 0);
}

/* ---- Objects ------------------------------------------------------------------------------------------- */

static struct object *object;

static void show(size_t first, uint32_t flags, uint8_t rights)
{
    struct map_request wanted = request(column(first), 3, rights, MAP_IS_FIXED | flags);

    wanted.object = object;
    wanted.offset = 70;
    assert_int_equal(map_create(&program, &wanted, &out), 0);
}

static void the_objects(void)
{
    struct region      *first, *second;
    struct object_node *leaves;
    struct filling      filling = { .references = 1, .page = 70, .count = 2, .slot = NO_SLOT,
                                    .frames = { NO_FRAME, NO_FRAME } };
    frame_t             frame;

    object = object_create(OWNER_FILE, 200);
    assert_non_null(object);
    show(0, MAP_IS_SHARED, R | W);
    show(8, 0, R);
    fill(0, 3);
    first  = region_find(&program.map, page_of(column(0)));
    second = region_find(&program.map, page_of(column(8)));
    leaves = object->index->child[1].node;
    frame  = (frame_t){ (uint32_t)(leaves->child[6].leaf - 1) };
    WRONG(object->resident, 2);
    WRONG(object->resident, 4);
    WRONG(object->writers, 0);
    WRONG(object->writers, 2);
    WRONG(object->pages, 71);
    WRONG(object->pages, 70);
    WRONG(object->owner, OWNER_SHARED);
    WRONG(object->index->used, 2);
    WRONG(object->index->used, 0);
    WRONG(leaves->used, 2);
    WRONG(leaves->child[6].leaf, 0);
    WRONG(leaves->child[9].leaf, (uintptr_t)frame.no + 1);
    WRONG(leaves->child[9].leaf, 1);
    WRONG(object->mappings, first);
    WRONG(object->mappings, NULL);
    WRONG(second->next_mapping, NULL);
    WRONG(first->previous_mapping, NULL);
    WRONG(first->object, NULL);
    WRONG(first->may, R);
    WRONG(second->shared, true);
    WRONG(object->fillings, &filling);
    WRONG(object->paged, 100);
    frame_share(frame);
    tell("a file's frame with a reference more");
    frame_put(frame);
    assert_int_equal(unmap(0, 20), 0);
    object_release(object);
}

/* ---- Swap slots ---------------------------------------------------------------------------------------- */

static void the_slots(void)
{
    paint("wwwwwwww");
    fill(0, 8);
    assert_int_equal(map_advise(&program, column(0), 8 * PAGE_SIZE, PAGE_OUT), 0);
    assert_int_equal(unmap(2, 1), 0);
    WRONG(swap.packed.used, 6);
    WRONG(swap.packed.used, 8);
    WRONG(swap.frames, swap.frames - 1);
    WRONG(swap.frames, swap.frames + 1);
    WRONG(swap.packed.first_free, NO_SLOT);
    WRONG(swap.packed.first_free, 0);
    WRONG(swap.packed.first_free, 600);
    WRONG(swap.packed.first_free, 9);
    WRONG(swap_slot_at(3)->references, 0);
    WRONG(swap_slot_at(3)->references, 2);
    WRONG(swap_slot_at(2)->references, 1);
    WRONG(swap_slot_at(20)->place, 20);
    WRONG(swap_slot_at(20)->place, 9);
    WRONG(swap_slot_at(3)->place, swap_slot_at(3)->place + 1);
    WRONG(swap_slot_at(3)->place, swap_slot_at(4)->place);
    assert_int_equal(unmap(0, 8), 0);
}

/* ---- The memory map ------------------------------------------------------------------------------------ */

static void the_memory_map(void)
{
    struct memmap *map = (struct memmap *)memory_map();

    WRONG(map->ranges[0].end.no, map->ranges[0].end.no + 1);
    WRONG(map->ranges[0].end.no, map->ranges[0].first.no);
    WRONG(map->ranges[1].first.no, map->ranges[1].end.no + 1);
    WRONG(map->ranges[1].owner, map->ranges[0].owner);
    WRONG(map->ranges[1].ram, !map->ranges[1].ram);
    WRONG(map->limit, 100);
    WRONG(map->count, map->count - 1);
    WRONG(map->count, MEMMAP_RANGES + 1);
}

static int run_all(void)
{
    const struct CMUnitTest tests[] = {
        on_machine(the_heap),
        on_machine(the_stacks),
        on_machine(the_regions),
        on_machine(the_spaces),
        on_machine(the_roots),
        on_machine(the_objects),
        on_machine(the_slots),
        on_machine(the_memory_map),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Other documents have other numbers. */
int main(void) { return layout.access == ACCESS_DIRECT ? kept_run("test_audit_words", run_all) : 0; }
