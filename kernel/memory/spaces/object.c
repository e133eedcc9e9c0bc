/*
 * object.c - the pages of files and of shared memory, found by number.
 *
 * The index is a tree of nodes with OBJECT_WAYS children each; its height follows the highest page ever
 * put in, and shrinks to nothing when the last page goes. A leaf's child is a frame number plus one.
 */
#include "memory/spaces/object.h"

#include "base/check.h"
#include "base/error.h"
#include "base/rwlock.h"
#include "memory/audit.h"
#include "memory/tables/cursor.h"
#include "memory/frames/frame.h"
#include "memory/heap/heap.h"
#include "memory/tables/slot.h"
#include "memory/spaces/space.h"

enum { OBJECT_BITS = 6, OBJECT_WAYS = 1 << OBJECT_BITS, OBJECT_HIGHEST = 11 };

struct object_node {
    uint32_t used;                          /* children that are not empty */
    union {
        struct object_node *node;
        uintptr_t           leaf;           /* 0, or frame number + 1      */
    } child[OBJECT_WAYS];
};

static struct lock    list_lock = LOCK("list of objects", RANK_SPACES);
static struct object *objects;                      /* [list_lock] all of them */

static unsigned object_way(uint64_t page, unsigned level)
{
    return page >> (OBJECT_BITS * (level - 1)) & (OBJECT_WAYS - 1);
}

/* Pages that an index of this height can name; 0 stands for all of them. */
static uint64_t object_reach(unsigned height)
{
    deep_assert(height <= OBJECT_HIGHEST);
    return height * OBJECT_BITS >= 64 ? 0 : 1ull << (height * OBJECT_BITS);
}

static void object_start(struct object *object, enum owner owner, uint64_t pages)
{
    lock_state state;

    assert(owner != OWNER_FREE && owner != OWNER_TABLES);
    *object = (struct object){ .references = 1, .owner = owner, .pages = pages };
    object->lock = (struct rwlock)RWLOCK("object", RWLOCK_OBJECT);
    state = lock_take(&list_lock);
    object->next = objects;
    if (objects != NULL)
        objects->previous = object;
    objects = object;
    lock_drop(&list_lock, state);
}

static void object_unlist(struct object *object)
{
    lock_state state = lock_take(&list_lock);

    deep_assert(object->previous != NULL ? object->previous->next == object : objects == object);
    if (object->previous != NULL)
        object->previous->next = object->next;
    else
        objects = object->next;
    if (object->next != NULL)
        object->next->previous = object->previous;
    lock_drop(&list_lock, state);
}

void objects_start(void) { objects = NULL; }

const struct object *object_after(const struct object *object)
{
    lock_state           state = lock_take(&list_lock);
    const struct object *after = object == NULL ? objects : object->next;

    lock_drop(&list_lock, state);
    return after;
}

struct object *object_create(enum owner owner, uint64_t pages)
{
    struct object *object = heap_alloc(sizeof *object, 0);

    if (object != NULL) {
        object_start(object, owner, pages);
        object->on_heap = true;
    }
    return object;
}

/* Never 0, nor 1, which is a file system's root; after 2^32 of them numbers come again, as on Linux. */
uint32_t object_new_number(void)
{
    static uint32_t last = 1;
    uint32_t        number;

    do {
        number = __atomic_add_fetch(&last, 1, __ATOMIC_RELAXED);
    } while (number < 2);
    return number;
}

void object_hold(struct object *object)
{
    uint32_t before = __atomic_fetch_add(&object->references, 1, __ATOMIC_RELAXED);

    assert(before > 0);
}

/* ---- The index ------------------------------------------------------------------------ */

/* Where the leaf of a page is, NULL if no node leads there. */
static uintptr_t *leaf_of(const struct object *object, uint64_t page)
{
    struct object_node *node = object->index;

    if (node == NULL || (object_reach(object->height) != 0 && page >= object_reach(object->height)))
        return NULL;
    for (unsigned level = object->height; level > 1; level--) {
        node = node->child[object_way(page, level)].node;
        if (node == NULL)
            return NULL;
    }
    return &node->child[object_way(page, 1)].leaf;
}

/* One more level on top: the old root becomes its first child. A node without children can stand at any level. */
static int object_grow(struct object *object)
{
    struct object_node *top;

    deep_assert(rwlock_held_to_write(&object->lock) && object->height < OBJECT_HIGHEST);
    if (object->index != NULL && object->index->used == 0) {
        object->height++;
        return 0;
    }
    top = heap_alloc(sizeof *top, HEAP_ZERO);
    if (top == NULL)
        return -ENOMEM;
    if (object->index != NULL) {
        top->child[0].node = object->index;
        top->used = 1;
    }
    object->index = top;
    object->height++;
    return 0;
}

static void free_node(struct object_node *node) { heap_free_sized(node, sizeof *node); }

/* Free the nodes on the way to a page that hold nothing, lowest first. */
static void object_prune(struct object *object, uint64_t page)
{
    struct object_node *path[OBJECT_HIGHEST + 1];
    struct object_node *node = object->index;

    deep_assert(rwlock_held_to_write(&object->lock));
    /* bound: OBJECT_HIGHEST levels */
    for (unsigned level = object->height; level > 0 && node != NULL; level--) {
        path[level] = node;
        if (node->used == 0 || level == 1) {
            for (unsigned up = level; up <= object->height && path[up]->used == 0; up++) {
                if (up == object->height) {
                    object->index  = NULL;
                    object->height = 0;
                    free_node(path[up]);
                    return;
                }
                path[up + 1]->child[object_way(page, up + 1)].node = NULL;
                path[up + 1]->used--;
                free_node(path[up]);
            }
            return;
        }
        node = node->child[object_way(page, level)].node;
    }
}

/* Put a frame at a page that is a hole. */
static int object_put(struct object *object, uint64_t page, frame_t frame)
{
    struct object_node *node;

    deep_assert(rwlock_held_to_write(&object->lock) && frame_exists(frame) && page < object->pages);
    /* bound: OBJECT_HIGHEST levels */
    while (object->index == NULL || (object_reach(object->height) != 0 && page >= object_reach(object->height)))
        if (object_grow(object) != 0)
            goto full;
    node = object->index;
    for (unsigned level = object->height; level > 1; level--) {
        struct object_node **child = &node->child[object_way(page, level)].node;

        if (*child == NULL) {
            *child = heap_alloc(sizeof **child, HEAP_ZERO);
            if (*child == NULL)
                goto full;
            node->used++;
        }
        node = *child;
    }
    assert(node->child[object_way(page, 1)].leaf == 0);
    node->child[object_way(page, 1)].leaf = (uintptr_t)frame.no + 1;
    node->used++;
    object->resident++;
    return 0;
full:
    object_prune(object, page);
    return -ENOMEM;
}

/* ---- Pages ------------------------------------------------------------------------------- */

static frame_t leaf_held(uintptr_t leaf)
{
    frame_t frame = { (uint32_t)(leaf - 1) };

    deep_assert(leaf != 0);
    frame_share(frame);
    return frame;
}

/* A new frame for a hole. The lock is held. */
static int object_fill(struct object *object, uint64_t page, frame_t *out)
{
    frame_t frame;
    int     err = frame_get(object->owner, FRAME_ZERO, &frame);

    deep_assert(rwlock_held_to_write(&object->lock));
    if (err != 0)
        return err;
    err = object_put(object, page, frame);
    if (err != 0) {
        frame_put(frame);
        return err;
    }
    frame_share(frame);
    *out = frame;
    return 0;
}

/* Returns 0, -ENXIO, or -EAGAIN for a hole. The lock is held. */
static int find_page(const struct object *object, uint64_t page, frame_t *out)
{
    const uintptr_t *leaf = leaf_of(object, page);

    deep_assert(rwlock_held(&object->lock) && object->references > 0);
    if (page >= object->pages)
        return -ENXIO;
    if (leaf == NULL || *leaf == 0)
        return -EAGAIN;
    *out = leaf_held(*leaf);
    return 0;
}

/* The index may have changed while the caller waited to become the writer: look again. */
static int find_or_fill(struct object *object, uint64_t page, frame_t *out)
{
    int err;

    rwlock_write(&object->lock);
    err = find_page(object, page, out);
    if (err == -EAGAIN)
        err = object_fill(object, page, out);
    rwlock_write_drop(&object->lock);
    return err;
}

int object_page(struct object *object, uint64_t page, bool make, frame_t *out)
{
    int err;

    may_sleep();
    rwlock_read(&object->lock);
    err = find_page(object, page, out);
    rwlock_read_drop(&object->lock);
    if (err != -EAGAIN)
        return err;
    if (make)
        return find_or_fill(object, page, out);
    *out = NO_FRAME;
    return 0;
}

void object_resident(struct object *object, uint64_t page, frame_t *out, size_t count)
{
    const uintptr_t *leaf = NULL;

    may_sleep();
    rwlock_read(&object->lock);
    /* bound: `count`, FAULT_AROUND or what mincore() takes at once */
    for (size_t i = 0; i < count; i++, page++) {
        if (leaf == NULL || object_way(page, 1) == 0)
            leaf = leaf_of(object, page);
        else
            leaf++;
        out[i] = page < object->pages && leaf != NULL && *leaf != 0 ? leaf_held(*leaf) : NO_FRAME;
    }
    rwlock_read_drop(&object->lock);
}

int object_adopt(struct object *object, uint64_t page, frame_t frame)
{
    const uintptr_t *leaf;
    int              err;

    may_sleep();
    deep_assert(frame_exists(frame) && frame_owner(frame) == object->owner);
    rwlock_write(&object->lock);
    leaf = leaf_of(object, page);
    err  = page >= object->pages       ? -ENXIO
         : leaf != NULL && *leaf != 0 ? -EEXIST
                                      : object_put(object, page, frame);
    rwlock_write_drop(&object->lock);
    return err;
}

/* ---- Becoming smaller ---------------------------------------------------------------------- */

/*
 * Drop the frames of a subtree's pages [from, to), and its empty nodes, with a point of rest behind each leaf's. The
 * lock is held to write, or no other thread can reach the object. Recursion is as deep as the index is high:
 * at most OBJECT_HIGHEST small stack frames.
 */
static void object_cut(struct object *object, struct object_node *node, unsigned level, uint64_t base, uint64_t from,
                       uint64_t to)
{
    uint64_t step = object_reach(level - 1);

    deep_assert(level >= 1 && level <= OBJECT_HIGHEST && node->used <= OBJECT_WAYS);
    for (unsigned i = 0; i < OBJECT_WAYS; i++) {
        uint64_t first = base + i * step;

        if (node->child[i].leaf == 0 || first >= to || (first < from && from - first >= step))
            continue;
        if (level == 1) {
            frame_put((frame_t){ (uint32_t)(node->child[i].leaf - 1) });
            deep_assert(object->resident > 0);
            object->resident--;
        } else {
            object_cut(object, node->child[i].node, level - 1, first, from, to);
            if (node->child[i].node->used != 0)
                continue;
            free_node(node->child[i].node);
        }
        node->child[i].leaf = 0;
        node->used--;
    }
    if (level == 1)
        point_of_rest();
}

static void cut_index(struct object *object, uint64_t from, uint64_t to)
{
    deep_assert(from <= to);
    if (object->index == NULL)
        return;
    object_cut(object, object->index, object->height, 0, from, to);
    if (object->index->used == 0) {
        free_node(object->index);
        object->index  = NULL;
        object->height = 0;
    }
}

/* The pages of a region that show the object's pages [from, to); empty when it shows none. */
static struct span object_shown(const struct region *region, uint64_t from, uint64_t to)
{
    uint64_t first = from > region->offset ? from - region->offset : 0, pages = span_pages(region->span);
    uint64_t end   = to > region->offset ? to - region->offset : 0;

    if (end > pages)
        end = pages;
    if (first > end)
        first = end;
    return (struct span){ region->span.first + (page_t)first, region->span.first + (page_t)end };
}

/* The object's pages that are to go: all that a region shows of them, or the object's own frames alone. */
struct cutting {
    const struct object *object;
    const struct region *region;
    uint64_t             from, to;
    bool                 copies;            /* the copies that private mappings have made as well */
};

/* A private mapping's own copy is no page of the object any more. */
static bool is_object_page(page_t page, entry_t entry, const void *how)
{
    const struct cutting *cut  = how;
    const uintptr_t      *leaf = leaf_of(cut->object, cut->region->offset + (page - cut->region->span.first));

    return cut->copies || (leaf != NULL && *leaf != 0 && entry_frame(entry).no == *leaf - 1);
}

/*
 * Take pages that a region shows out of its space's tables, in batches. Its map lock is not held: at a point of rest
 * others may cut the region or make it longer. But none can leave the object's list, and so none that is in it be
 * freed, or come into it. So what the region shows is asked anew for each batch.
 */
static void unmap_region(struct cutting cut)
{
    uint64_t from = cut.from;

    deep_assert(rwlock_held_to_write(&cut.object->lock) && cut.region->object == cut.object);
    for (;;) {
        struct span span = object_shown(cut.region, from, cut.to);
        page_t      next;

        if (span_empty(span))
            return;
        next = pages_discard_some(cut.region->space, span, is_object_page, &cut);
        from = cut.region->offset + (next - cut.region->span.first);
        point_of_rest();
    }
}

static void unmap_everywhere(struct object *object, uint64_t from, uint64_t to, bool copies)
{
    object->cuts++;
    for (const struct region *r = object->mappings; r != NULL && from < to; r = r->next_mapping) {
        unmap_region((struct cutting){ object, r, from, to, copies });
        point_of_rest();
    }
}

void object_punch(struct object *object, uint64_t from, uint64_t to)
{
    may_sleep();
    rwlock_write(&object->lock);
    unmap_everywhere(object, from, to, false);
    cut_index(object, from, to);
    rwlock_write_drop(&object->lock);
}

/* ---- Data and holes -------------------------------------------------------------------------- */

/* The first page at or after `from` in a subtree that is resident, or that is not; its end if there is none. */
static uint64_t object_seek(const struct object_node *node, unsigned level, uint64_t base, uint64_t from, bool resident)
{
    uint64_t step = object_reach(level - 1);

    deep_assert(level >= 1 && level <= OBJECT_HIGHEST && from < base + OBJECT_WAYS * step);
    for (unsigned i = from > base ? (unsigned)((from - base) / step) : 0; i < OBJECT_WAYS; i++) {
        uint64_t first = base + i * step, found;

        if (node->child[i].leaf == 0) {
            if (!resident)
                return first > from ? first : from;
            continue;
        }
        if (level == 1 ? resident : false)
            return first;
        if (level == 1)
            continue;
        found = object_seek(node->child[i].node, level - 1, first, from, resident);
        if (found - first < step)
            return found;
    }
    return base + OBJECT_WAYS * step;
}

uint64_t object_next(struct object *object, uint64_t from, bool resident)
{
    uint64_t found = from, covered;

    may_sleep();
    rwlock_read(&object->lock);
    covered = object->index == NULL ? 0 : object_reach(object->height);
    if (object->index != NULL && (covered == 0 || from < covered))
        found = object_seek(object->index, object->height, 0, from, resident);
    if (found > object->pages || (resident && covered != 0 && found >= covered) || (resident && object->index == NULL))
        found = object->pages;
    rwlock_read_drop(&object->lock);
    return found;
}

/* ---- Sizes ------------------------------------------------------------------------------------- */

/* Until all is cut off the object is as long as before, with holes (O1). */
void object_resize(struct object *object, uint64_t pages)
{
    may_sleep();
    rwlock_write(&object->lock);
    unmap_everywhere(object, pages, UINT64_MAX, true);
    cut_index(object, pages, UINT64_MAX);
    object->pages = pages;
    deep_assert(object->resident <= pages);
    rwlock_write_drop(&object->lock);
}

void object_zero(struct object *object, uint64_t from, uint64_t to)
{
    may_sleep();
    while (from < to) {
        uint64_t page = from >> PAGE_SHIFT;
        uint64_t end  = (page + 1) << PAGE_SHIFT;
        frame_t  frame;

        if (end > to)
            end = to;
        if (object_page(object, page, false, &frame) == 0 && frame_exists(frame)) {
            frame_clear_part(frame, (size_t)(from % PAGE_SIZE), (size_t)(end - from));
            frame_put(frame);
        }
        from = end;
        point_of_rest();
    }
}

void object_release(struct object *object)
{
    uint32_t before = __atomic_fetch_sub(&object->references, 1, __ATOMIC_ACQ_REL);

    may_sleep();
    assert(before > 0);
    if (before > 1)
        return;
    assert(object->mappings == NULL && object->writers == 0);
    cut_index(object, 0, UINT64_MAX);           /* the auditor finds it in the list until it holds no frame */
    assert(object->resident == 0);
    object_unlist(object);
    if (object->on_heap)
        heap_free_sized(object, sizeof *object);
}

/* ---- Its mappings ------------------------------------------------------------------------------ */

static bool writes(const struct region *region) { return region->shared && (region->may & MAY_WRITE); }

void object_link(struct object *object, struct region *region)
{
    may_sleep();
    rwlock_write(&object->lock);
    region->previous_mapping = NULL;
    region->next_mapping     = object->mappings;
    if (object->mappings != NULL)
        object->mappings->previous_mapping = region;
    object->mappings = region;
    object->writers += writes(region);
    rwlock_write_drop(&object->lock);
}

void object_unlink(struct object *object, struct region *region)
{
    may_sleep();
    rwlock_write(&object->lock);
    if (region->previous_mapping != NULL)
        region->previous_mapping->next_mapping = region->next_mapping;
    else
        object->mappings = region->next_mapping;
    if (region->next_mapping != NULL)
        region->next_mapping->previous_mapping = region->previous_mapping;
    region->next_mapping = region->previous_mapping = NULL;
    object->writers -= writes(region);
    rwlock_write_drop(&object->lock);
}

/* ---- Audit ------------------------------------------------------------------------------------- */

static uint32_t audit_node(const struct object *object, const struct object_node *node, unsigned level, uint64_t base,
                           struct audit_report *report)
{
    uint32_t used = 0, resident = 0;

    for (unsigned i = 0; i < OBJECT_WAYS; i++) {
        uint64_t first = base + i * object_reach(level - 1);

        report->checked++;
        if (node->child[i].leaf == 0)
            continue;
        used++;
        if (level > 1) {
            resident += audit_node(object, node->child[i].node, level - 1, first, report);
            continue;
        }
        resident++;
        if (first >= object->pages || frame_owner((frame_t){ (uint32_t)(node->child[i].leaf - 1) }) != object->owner)
            audit_fail(report, "O1", "page %u of an object of %u pages has a frame of owner %s", (unsigned)first,
                       (unsigned)object->pages,
                       owner_names[frame_owner((frame_t){ (uint32_t)(node->child[i].leaf - 1) })]);
    }
    if (used != node->used)
        audit_fail(report, "O1", "an index node counts %u children and has %u", node->used, used);
    return resident;
}

static void audit_object(const struct object *object, struct audit_report *report)
{
    uint32_t writers  = 0;
    uint32_t resident = object->index != NULL ? audit_node(object, object->index, object->height, 0, report) : 0;

    if (resident != object->resident)
        audit_fail(report, "O2", "an object counts %u resident pages and has %u", object->resident, resident);
    for (const struct region *r = object->mappings; r != NULL; r = r->next_mapping) {
        report->checked++;
        writers += writes(r);
        if (r->object == object && region_find(&r->space->map, r->span.first) == r)
            continue;
        audit_fail(report, "O3", "an object lists a region at 0x%08lx that does not map it",
                   (unsigned long)page_address(r->span.first));
        return;                             /* the links of such a region cannot be trusted */
    }
    if (writers != object->writers)
        audit_fail(report, "O3", "an object counts %u mappings that may write and has %u", object->writers, writers);
}

/* The other half of O3: a region that maps an object is in its list. */
static void audit_regions(const struct space *space, struct audit_report *report)
{
    for (const struct region *r = region_at_or_above(&space->map, 0); r != NULL; r = region_next(r)) {
        const struct region *listed = r->previous_mapping != NULL ? r->previous_mapping->next_mapping
                                    : r->object != NULL ? r->object->mappings : r;

        report->checked++;
        if (listed != r)
            audit_fail(report, "O3", "region at 0x%08lx maps an object that does not list it",
                       (unsigned long)page_address(r->span.first));
    }
}

void objects_audit(struct audit_report *report)
{
    for (const struct object *o = object_after(NULL); o != NULL; o = object_after(o))
        audit_object(o, report);
    for (const struct space *s = space_after(&kernel_space); s != NULL; s = space_after(s))
        audit_regions(s, report);
}

static void object_visit(const struct object_node *node, unsigned level, void (*each)(void *, frame_t), void *context)
{
    for (unsigned i = 0; i < OBJECT_WAYS; i++) {
        if (node->child[i].leaf == 0)
            continue;
        if (level > 1)
            object_visit(node->child[i].node, level - 1, each, context);
        else
            each(context, (frame_t){ (uint32_t)(node->child[i].leaf - 1) });
    }
}

void object_frames(const struct object *object, void (*each)(void *context, frame_t frame), void *context)
{
    if (object->index != NULL)
        object_visit(object->index, object->height, each, context);
}
