/*
 * object.c - the pages of files and of shared memory, found by number.
 */
#include "memory/spaces/object_parts.h"

#include "base/check.h"
#include "base/error.h"
#include "base/rwlock.h"
#include "memory/tables/cursor.h"
#include "memory/frames/frame.h"
#include "memory/heap/heap.h"
#include "memory/spaces/space.h"
#include "memory/tables/slot.h"

static struct lock    list_lock = LOCK("list of objects", RANK_SPACES);
static struct object *objects;                      /* [list_lock] all of them */

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

struct object *object_create_paged(enum owner owner, uint64_t pages, const struct object_operations *operations,
                                   void *with)
{
    struct object *object = object_create(owner, pages);

    assert(operations != NULL && operations->fill != NULL);
    if (object != NULL) {
        object->operations = operations;
        object->with       = with;
        object->paged      = pages;
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

/* ---- Pages ------------------------------------------------------------------------------- */

static frame_t leaf_held(uintptr_t leaf)
{
    frame_t frame = { (uint32_t)(leaf - 1) };

    deep_assert(leaf != 0);
    frame_share(frame);
    return frame;
}

/* A new frame of zeros for a hole. The lock is held. */
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

/* Returns 0, -ENXIO, -EAGAIN for a hole, or -EBUSY where the pager has its contents. The lock is held. */
static int find_page(const struct object *object, uint64_t page, frame_t *out)
{
    const uintptr_t *leaf = object_leaf(object, page);

    deep_assert(rwlock_held(&object->lock) && object->references > 0);
    if (page >= object->pages)
        return -ENXIO;
    if (leaf == NULL || *leaf == 0)
        return object_is_away(object, page) ? -EBUSY : -EAGAIN;
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

int object_page_here(struct object *object, uint64_t page, bool make, frame_t *out)
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

int object_page(struct object *object, uint64_t page, bool make, frame_t *out)
{
    int err;

    may_sleep();
    /* Once more only where a page that was brought in has gone again meanwhile, or others brought it in. */
    while ((err = object_page_here(object, page, make, out)) == -EBUSY)
        if ((err = object_bring_in(object, page)) != 0)
            break;
    return err;
}

void object_resident(struct object *object, uint64_t page, frame_t *out, size_t count)
{
    const uintptr_t *leaf = NULL;

    may_sleep();
    rwlock_read(&object->lock);
    /* bound: `count`, FAULT_AROUND or what mincore() takes at once */
    for (size_t i = 0; i < count; i++, page++) {
        if (leaf == NULL || object_way(page, 1) == 0)
            leaf = object_leaf(object, page);
        else
            leaf++;
        out[i] = page < object->pages && leaf != NULL && *leaf != 0 ? leaf_held(*leaf) : NO_FRAME;
    }
    rwlock_read_drop(&object->lock);
}

static int adopt_here(struct object *object, uint64_t page, frame_t frame)
{
    const uintptr_t *leaf;
    int              err;

    rwlock_write(&object->lock);
    leaf = object_leaf(object, page);
    err  = page >= object->pages                  ? -ENXIO
         : leaf != NULL && *leaf != 0             ? -EEXIST
         : object_filling(object, page) != NULL   ? -EBUSY
                                                  : object_put(object, page, frame);
    rwlock_write_drop(&object->lock);
    return err;
}

int object_adopt(struct object *object, uint64_t page, frame_t frame)
{
    int err;

    may_sleep();
    deep_assert(frame_exists(frame) && frame_owner(frame) == object->owner);
    while ((err = adopt_here(object, page, frame)) == -EBUSY)
        object_await(object, page);
    return err;
}

/* ---- Becoming smaller ---------------------------------------------------------------------- */

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
    const uintptr_t      *leaf = object_leaf(cut->object, cut->region->offset + (page - cut->region->span.first));

    if (entry_kind(entry, 1) == ENTRY_SWAP)
        return cut->copies;                     /* such a copy that went out */
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
    object_cut_fillings(object, from, to);
    for (const struct region *r = object->mappings; r != NULL && from < to; r = r->next_mapping) {
        unmap_region((struct cutting){ object, r, from, to, copies });
        point_of_rest();
    }
}

void object_punch(struct object *object, uint64_t from, uint64_t to)
{
    may_sleep();
    rwlock_write(&object->lock);
    assert(from >= object->paged);
    unmap_everywhere(object, from, to, false);
    object_cut_index(object, from, to);
    rwlock_write_drop(&object->lock);
}

/* ---- Data and holes -------------------------------------------------------------------------- */

uint64_t object_next(struct object *object, uint64_t from, bool resident)
{
    uint64_t found = from;

    may_sleep();
    rwlock_read(&object->lock);
    if (from < object->paged && !resident)
        from = found = object->paged;
    if (from >= object->paged)
        found = object_index_next(object, from, resident);
    if (found > object->pages)
        found = object->pages;
    rwlock_read_drop(&object->lock);
    return found;
}

/* ---- Sizes ------------------------------------------------------------------------------------- */

/*
 * Until all is cut off the object is as long as before, with holes (O1). Behind its end there is nothing to cut, and a
 * file that is written grows page by page: to look for it would cost each page a way through the index.
 */
void object_resize(struct object *object, uint64_t pages)
{
    may_sleep();
    rwlock_write(&object->lock);
    if (pages < object->pages) {
        unmap_everywhere(object, pages, UINT64_MAX, true);
        object_cut_index(object, pages, UINT64_MAX);
    }
    object->pages = pages;
    if (object->paged > pages)                  /* what lies behind is zeros when the object becomes larger again */
        object->paged = pages;
    deep_assert(object->resident <= pages);
    rwlock_write_drop(&object->lock);
}

int object_zero(struct object *object, uint64_t from, uint64_t to)
{
    int err = 0;

    may_sleep();
    while (from < to && err == 0) {
        uint64_t page = from >> PAGE_SHIFT;
        uint64_t end  = (page + 1) << PAGE_SHIFT;
        frame_t  frame;

        if (end > to)
            end = to;
        err = object_page(object, page, false, &frame);
        if (err == 0 && frame_exists(frame)) {
            frame_clear_part(frame, (size_t)(from % PAGE_SIZE), (size_t)(end - from));
            frame_put(frame);
        }
        if (err == -ENXIO)
            return 0;                           /* the object ends here */
        from = end;
        point_of_rest();
    }
    return err;
}

void object_release(struct object *object)
{
    uint32_t before = __atomic_fetch_sub(&object->references, 1, __ATOMIC_ACQ_REL);

    may_sleep();
    assert(before > 0);
    if (before > 1)
        return;
    assert(object->mappings == NULL && object->writers == 0 && object->fillings == NULL);
    object_cut_index(object, 0, UINT64_MAX);    /* the auditor finds it in the list until it holds no frame */
    assert(object->resident == 0);
    object_unlist(object);
    if (object->operations != NULL && object->operations->end != NULL)
        object->operations->end(object);
    if (object->on_heap)
        heap_free_sized(object, sizeof *object);
}

/* ---- Its mappings ------------------------------------------------------------------------------ */

bool object_is_writer(const struct region *region) { return region->shared && (region->may & MAY_WRITE); }

void object_link(struct object *object, struct region *region)
{
    may_sleep();
    rwlock_write(&object->lock);
    region->object           = object;
    region->previous_mapping = NULL;
    region->next_mapping     = object->mappings;
    if (object->mappings != NULL)
        object->mappings->previous_mapping = region;
    object->mappings = region;
    object->writers += object_is_writer(region);
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
    object->writers -= object_is_writer(region);
    rwlock_write_drop(&object->lock);
}

void object_frames(const struct object *object, void (*each)(void *context, frame_t frame), void *context)
{
    object_index_visit(object, each, context);
    for (const struct filling *f = object->fillings; f != NULL; f = f->next)
        for (uint32_t i = 0; i < f->count; i++)
            each(context, f->frames[i]);
}
