/*
 * object_audit.c - the invariants of objects, O1 to O4, checked.
 */
#include "memory/audit.h"

#include "memory/frames/frame.h"
#include "memory/spaces/object_parts.h"
#include "memory/spaces/space.h"

/* Pages with a frame, and with a slot. */
struct found {
    uint32_t resident, out;
};

static void audit_leaf(const struct object *object, uint64_t page, uintptr_t leaf, struct found *found,
                       struct audit_report *report)
{
    if (leaf_is_out(leaf)) {
        found->out++;
        if (page >= object->pages || swap_references(leaf_slot(leaf)) == 0)
            audit_fail(report, "O1", "page %u of an object of %u pages has swap slot %u", (unsigned)page,
                       (unsigned)object->pages, leaf_slot(leaf));
        return;
    }
    found->resident++;
    if (page >= object->pages || frame_owner(leaf_frame(leaf)) != object->owner)
        audit_fail(report, "O1", "page %u of an object of %u pages has a frame of owner %s", (unsigned)page,
                   (unsigned)object->pages, owner_names[frame_owner(leaf_frame(leaf))]);
}

static void audit_node(const struct object *object, const struct object_node *node, unsigned level, uint64_t base,
                       struct found *found, struct audit_report *report)
{
    uint32_t used = 0;

    for (unsigned i = 0; i < OBJECT_WAYS; i++) {
        uint64_t first = base + i * object_reach(level - 1);

        report->checked++;
        if (node->child[i].leaf == 0)
            continue;
        used++;
        if (level > 1)
            audit_node(object, node->child[i].node, level - 1, first, found, report);
        else
            audit_leaf(object, first, node->child[i].leaf, found, report);
    }
    if (used != node->used)
        audit_fail(report, "O1", "an index node counts %u children and has %u", node->used, used);
}

/* A hole that the pager has, or out where the filling says. */
static bool is_fillable(const struct object *object, const struct filling *f, uint64_t page)
{
    const uintptr_t *leaf = object_leaf(object, page);

    return f->slot != NO_SLOT ? f->count == 1 && leaf != NULL && *leaf == (LEAF_OUT | f->slot)
                              : object_is_away(object, page) && (leaf == NULL || *leaf == 0);
}

static void audit_fillings(const struct object *object, struct audit_report *report)
{
    for (const struct filling *f = object->fillings; f != NULL; f = f->next)
        for (uint64_t page = f->page; page < f->page + f->count; page++) {
            report->checked++;
            if (f->references == 0 || f->count > FILL_MOST ||
                (!f->cut && (!is_fillable(object, f, page) || object_filling(object, page) != f)))
                audit_fail(report, "O4", "page %u of an object is being filled, and should not be", (unsigned)page);
        }
}

static void audit_object(const struct object *object, struct audit_report *report)
{
    uint32_t     writers = 0;
    struct found found   = { 0, 0 };

    if (object->index != NULL)
        audit_node(object, object->index, object->height, 0, &found, report);
    if (found.resident != object->resident)
        audit_fail(report, "O2", "an object counts %u resident pages and has %u", object->resident, found.resident);
    if (found.out != object->out)
        audit_fail(report, "O2", "an object counts %u pages that are out and has %u", object->out, found.out);
    audit_fillings(object, report);
    for (const struct region *r = object->mappings; r != NULL; r = r->next_mapping) {
        report->checked++;
        writers += object_is_writer(r);
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
