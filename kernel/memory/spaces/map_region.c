/*
 * map_region.c - regions of programs: made, split, joined, cut.
 */
#include "memory/spaces/map_region.h"

#include "base/check.h"
#include "base/string.h"
#include "memory/tables/cursor.h"
#include "memory/heap/heap.h"

void (*map_file_hold)(void *file);
void (*map_file_release)(void *file);

struct region *map_node(void) { return heap_alloc(sizeof(struct region), 0); }

struct region *map_node_kept(struct space *space)
{
    struct region *node = space->spare;

    deep_assert(rwlock_held_to_write(&space->map_lock));
    if (node == NULL)
        return map_node();
    space->spare = NULL;
    return node;
}

void map_node_free(struct region *node)
{
    if (node != NULL)
        heap_free_sized(node, sizeof *node);
}

void map_tree_free(struct region *root)
{
    struct region *node, *rest = root;

    may_sleep();
    /* bound: regions of a space, REGIONS_MAXIMUM; no spin lock is held */
    while ((node = region_take_apart(&rest)) != NULL) {
        map_node_free(node);
        point_of_rest();
    }
}

void map_node_keep(struct space *space, struct region *node)
{
    deep_assert(node != NULL && node != space->spare);
    deep_assert(rwlock_held_to_write(&space->map_lock));
    if (space->spare == NULL)
        space->spare = node;
    else
        map_node_free(node);
}

/* ---- References a region holds --------------------------------------------------------- */

/* Those of a region like another. Entering it in the object's list may sleep. */
static void region_hold(struct region *region, const struct region *like)
{
    struct object *object = like->object;

    deep_assert(object == NULL || object->references > 0);
    if (object != NULL) {
        object_hold(object);
        object_link(object, region);
    }
    region->file = like->file;
    if (region->file != NULL)
        map_file_hold(region->file);
}

/* Out of the object's list, which may sleep: the region is still whole meanwhile. */
static void region_unlink(struct region *region)
{
    if (region->object != NULL)
        object_unlink(region->object, region);
}

static void let_go(struct object *object, void *file)
{
    if (object != NULL)
        object_release(object);
    if (file != NULL)
        map_file_release(file);
}

/* ---- In and out ---------------------------------------------------------------------------- */

void map_enter(struct space *space, struct region *region)
{
    int err;

    deep_assert(span_covers(layout.user, region->span));
    region->space = space;
    region_hold(region, region);
    err = region_insert(&space->map, region);
    assert(err == 0);
    map_count_more(space, region, span_pages(region->span));
}

void map_enter_copy(struct region *region, const struct region *like)
{
    deep_assert(region->height > 0 && region->object == NULL && region->file == NULL);
    region_hold(region, like);
    map_count_more(region->space, region, span_pages(region->span));
}

void map_count_more(struct space *space, const struct region *region, size_t more)
{
    space->pages  += more;
    space->locked += region->locked != 0 ? more : 0;
    deep_assert(space->locked <= space->pages);
}

void map_set_locked(struct space *space, struct region *region, uint8_t locked)
{
    deep_assert(rwlock_held_to_write(&space->map_lock) && region->space == space);
    space->locked -= region->locked != 0 ? span_pages(region->span) : 0;
    region->locked = locked;
    space->locked += locked != 0 ? span_pages(region->span) : 0;
}

static void region_forget(struct space *space, struct region *region)
{
    if (space->recent == region)
        space->recent = NULL;
    deep_assert(region->height == 0);
    let_go(region->object, region->file);
    map_node_keep(space, region);
}

/* Fewer pages of a region: the most there have been is noted first. */
static void pages_shrink(struct space *space, const struct region *region, size_t pages)
{
    deep_assert(pages <= space->pages && (region->locked == 0 || pages <= space->locked));
    if (space->pages > space->most_pages)
        space->most_pages = space->pages;
    space->pages  -= pages;
    space->locked -= region->locked != 0 ? pages : 0;
}

void map_drop(struct space *space, struct region *region)
{
    size_t pages = span_pages(region->span);

    deep_assert(rwlock_held_to_write(&space->map_lock));
    deep_assert(region->space == space);
    if (map_is_charged(region))
        map_uncharge(space, pages);
    pages_shrink(space, region, pages);
    region_unlink(region);
    region_remove(&space->map, region);
    region_forget(space, region);
}

/* ---- Splitting and joining ------------------------------------------------------------------ */

static void map_region_resize(struct space *space, struct region *region, struct span span)
{
    int err = region_resize(&space->map, region, span);

    assert(err == 0);
}

struct region *map_split(struct space *space, struct region *region, page_t page, struct region **spare)
{
    struct region *upper = *spare;

    deep_assert(rwlock_held_to_write(&space->map_lock));
    deep_assert(region->space == space);
    if (region->span.first == page)
        return region;
    assert(span_has(region->span, page) && upper != NULL);
    *spare = NULL;
    memcpy(upper, region, sizeof *upper);
    upper->span.first = page;
    upper->offset    += page - region->span.first;
    region_hold(upper, region);                 /* may sleep: then nothing has changed yet */
    region_split(&space->map, region, upper, page);
    return upper;
}

struct region *map_isolate(struct space *space, struct region *region, struct span part)
{
    bool           below = region->span.first < part.first, above = part.end < region->span.end;
    struct region *low = below ? map_node() : NULL, *high = above ? map_node() : NULL;

    assert(span_covers(region->span, part));
    deep_assert(!span_empty(part) && region->space == space);
    if ((below && low == NULL) || (above && high == NULL) || ((below || above) && !map_may_split(space))) {
        map_node_free(low);
        map_node_free(high);
        return NULL;
    }
    region = map_split(space, region, part.first, &low);
    if (above)
        map_split(space, region, part.end, &high);
    return region;
}

static bool means_the_same(const struct region *lower, const struct region *upper)
{
    return lower->span.end == upper->span.first && lower->rights.user == upper->rights.user &&
           lower->may == upper->may && lower->shared == upper->shared && lower->uncharged == upper->uncharged &&
           lower->grows == upper->grows && lower->not_forked == upper->not_forked && lower->object == upper->object &&
           lower->file == upper->file && lower->name == upper->name && lower->locked == upper->locked &&
           lower->told == upper->told &&
           ((lower->object == NULL && lower->file == NULL) || lower->offset + span_pages(lower->span) == upper->offset);
}

/* Returns whether the two are one now, `lower`. */
static bool join_neighbours(struct space *space, struct region *lower, struct region *upper)
{
    deep_assert(lower->span.end <= upper->span.first);
    if (!means_the_same(lower, upper))
        return false;
    region_unlink(upper);
    region_join(&space->map, lower, upper);
    region_forget(space, upper);
    return true;
}

struct region *map_join(struct space *space, struct region *region)
{
    struct region *before = region_before(region), *after = region_next(region);

    deep_assert(rwlock_held_to_write(&space->map_lock));
    deep_assert(region->height > 0);
    if (before != NULL && join_neighbours(space, before, region))
        region = before;
    if (after != NULL)
        join_neighbours(space, region, after);
    return region;
}

/* ---- Cutting ----------------------------------------------------------------------------------- */

void map_discard(struct space *space, struct span span)
{
    deep_assert(rwlock_held_to_write(&space->map_lock));
    pages_discard(space, span);
}

/* What lies above the cut keeps its contents: the split has moved its offset along. */
void map_cut(struct space *space, struct region *first, struct span span, struct region **spare)
{
    struct region *region = first;

    deep_assert(rwlock_held_to_write(&space->map_lock) && region == map_first(space, span));
    /* bound: regions of the space, REGIONS_MAXIMUM; no spin lock is held */
    while (region != NULL && region->span.first < span.end) {
        struct span    part = { region->span.first > span.first ? region->span.first : span.first,
                                region->span.end < span.end ? region->span.end : span.end };
        struct region *next = region->span.end < span.end ? region_next(region) : NULL;

        deep_assert(!span_empty(part) && span_covers(region->span, part));
        map_discard(space, part);
        if (span_covers(span, region->span)) {
            map_drop(space, region);
        } else {
            if (map_is_charged(region))
                map_uncharge(space, span_pages(part));
            pages_shrink(space, region, span_pages(part));
            if (region->span.first < part.first && region->span.end > part.end)
                map_split(space, region, part.end, spare);
            if (region->span.first < part.first) {
                map_region_resize(space, region, (struct span){ region->span.first, part.first });
            } else {
                region->offset += part.end - region->span.first;
                map_region_resize(space, region, (struct span){ part.end, region->span.end });
            }
        }
        region = next;
    }
}

/* The region stays in the tree, where it means memory without an object. */
static void region_part(struct region *region)
{
    struct object *object = region->object;
    void          *file   = region->file;

    deep_assert(region->height > 0 && rwlock_held_to_write(&region->space->map_lock));
    region_unlink(region);
    region->object = NULL;
    region->file   = NULL;
    let_go(object, file);
}

/* The span of a region and of those above that nearly touch, of about a table; *region becomes the next one. */
static struct span nearly_one(struct region **region)
{
    enum { NEAR = 16 };                         /* pages: to look at as many entries costs less than to begin anew */
    struct span span = (*region)->span;

    /* bound: MMU_ENTRIES */
    while ((*region = region_next(*region)) != NULL && (*region)->span.first - span.end < NEAR &&
           span_pages(span) < MMU_ENTRIES)
        span.end = (*region)->span.end;
    return span;
}

/*
 * The pages go first, then what regions refer to, one by one; when all are gone so do the regions, at once, and what is
 * left is a heap of nodes: no tree is kept in balance on the way to nothing.
 */
void map_cut_all(struct space *space)
{
    struct region *node;

    may_sleep();
    deep_assert(rwlock_held_to_write(&space->map_lock));
    /* bound: regions of the space, REGIONS_MAXIMUM; no spin lock is held */
    for (node = region_at_or_above(&space->map, 0); node != NULL; )
        pages_discard(space, nearly_one(&node));
    /* bound: as above */
    for (node = region_at_or_above(&space->map, 0); node != NULL; node = region_next(node))
        if (node->object != NULL || node->file != NULL) {
            region_part(node);
            point_of_rest();
        }
    if (space->charged > 0)
        map_uncharge(space, space->charged);
    space->most_pages = space->pages > space->most_pages ? space->pages : space->most_pages;
    space->pages      = space->locked = 0;
    space->recent     = NULL;
    map_tree_free(region_tree_forget(&space->map));
    map_node_free(space->spare);
    space->spare = NULL;
}
