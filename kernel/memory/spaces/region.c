/*
 * region.c - the regions of a space in order, and the free room between them.
 *
 * The tree is an AVL tree whose nodes also know the gap below them and the widest gap in
 * their subtree. So "where do n pages fit?" is a walk that never enters a subtree in vain:
 *
 *      page   0    4    8   12   16              region  gap below  widest in its subtree
 *             AAA..BBBB.....CC..                   A         0          0
 *                                                  B         2          5   (root)
 *                                                  C         5          5
 *
 * The room above the last region belongs to no node; it is found by looking there.
 * Mirror images share their code: side 0 is towards lower addresses, side 1 towards higher.
 */
#include "memory/spaces/region.h"

#include "base/check.h"
#include "base/error.h"
#include "memory/audit.h"

#define SELDOM __attribute__((noinline, cold))

/* ---- Balance and gaps ---------------------------------------------------------------- */

static int    height_of(const struct region *node) { return node ? node->height : 0; }
static size_t widest_of(const struct region *node) { return node ? node->widest : 0; }
static size_t larger(size_t a, size_t b)           { return a > b ? a : b; }

#define IN_LINE static inline __attribute__((always_inline))

/* The widest gap in a node's subtree, from those of its children. */
IN_LINE size_t widest_at(const struct region *node)
{
    return larger(larger(node->gap, widest_of(node->child[0])), widest_of(node->child[1]));
}

/* Compute a node's height and widest gap from those of its children. */
IN_LINE void region_summarize(struct region *node)
{
    int low = height_of(node->child[0]), high = height_of(node->child[1]);

    node->height = 1 + (low > high ? low : high);
    node->widest = widest_at(node);
}

/* The parent, or the tree, that named `old` names `new` from now on. */
static void replace_child(struct region_tree *tree, struct region *parent, struct region *old,
                          struct region *new)
{
    deep_assert(parent == NULL ? tree->root == old : parent->child[0] == old || parent->child[1] == old);
    if (parent == NULL)
        tree->root = new;
    else
        parent->child[parent->child[1] == old] = new;
    if (new)
        new->parent = parent;
}

static void region_adopt(struct region *parent, int side, struct region *child)
{
    parent->child[side] = child;
    if (child)
        child->parent = parent;
}

/* Lift the child on `side` above its parent; returns the child. */
static SELDOM struct region *tree_rotate(struct region_tree *tree, struct region *node, int side)
{
    struct region *lifted = node->child[side];

    deep_assert(lifted != NULL);
    replace_child(tree, node->parent, node, lifted);
    region_adopt(node, side, lifted->child[!side]);
    region_adopt(lifted, !side, node);
    for (int i = 0; i < 2; i++, node = lifted)
        region_summarize(node);
    return lifted;
}

/* One of the children is higher than the other by two; returns the node that stands here then. */
static SELDOM struct region *tree_turn(struct region_tree *tree, struct region *node, int side)
{
    struct region *heavy = node->child[side];

    if (height_of(heavy->child[!side]) > height_of(heavy->child[side]))
        tree_rotate(tree, heavy, !side);
    return tree_rotate(tree, node, side);
}

/* The rest of tree_settle(), from where no height is another than before: widest gaps alone. */
static void widest_settle(struct region *node, const struct region *last)
{
    for (; node; node = node->parent) {
        size_t widest = widest_at(node);

        if (node == last)
            last = NULL;
        if (node->widest == widest && last == NULL)
            return;
        node->widest = widest;
    }
}

/*
 * From a node towards the root: summaries right, no two siblings' heights more than one apart. Of the nodes above, only
 * `last`, if not NULL, has another gap than before: so beyond it the first node whose place has the same height and the
 * same widest gap as before is where the way ends.
 */
static void tree_settle(struct region_tree *tree, struct region *node, const struct region *last)
{
    for (bool same = false; node && !same; node = node->parent) {
        int height = node->height, lean = height_of(node->child[1]) - height_of(node->child[0]);

        if (node == last)
            last = NULL;
        region_summarize(node);
        if (lean < -1 || lean > 1)
            node = tree_turn(tree, node, lean > 0);
        same = node->height == height;
    }
    widest_settle(node, last);
}

/* ---- Finding ------------------------------------------------------------------------- */

static struct region *region_outermost(struct region *node, int side)
{
    while (node && node->child[side])
        node = node->child[side];
    return node;
}

static struct region *region_neighbour(const struct region *node, int side)
{
    if (node->child[side])
        return region_outermost(node->child[side], !side);
    while (node->parent && node->parent->child[side] == node)
        node = node->parent;
    return node->parent;
}

struct region *region_next(const struct region *region)   { return region_neighbour(region, 1); }
struct region *region_before(const struct region *region) { return region_neighbour(region, 0); }

struct region *region_at_or_above(const struct region_tree *tree, page_t page)
{
    struct region *found = NULL;

    for (struct region *node = tree->root; node; ) {
        if (node->span.end > page) {
            found = node;
            node = node->child[0];
        } else {
            node = node->child[1];
        }
    }
    return found;
}

struct region *region_find(const struct region_tree *tree, page_t page)
{
    struct region *node = tree->root;

    while (node && !span_has(node->span, page))
        node = node->child[page >= node->span.end];
    return node;
}

/* ---- Changing ------------------------------------------------------------------------ */

/* Where the free room below a region begins. */
static page_t floor_of(const struct region_tree *tree, const struct region *before)
{
    return before ? before->span.end : tree->limits.first;
}

void region_tree_start(struct region_tree *tree, struct span limits)
{
    assert(limits.first <= limits.end);
    *tree = (struct region_tree){ .limits = limits };
}

/* As a leaf, below a parent that has no child on that side. `last` as for tree_settle(). */
static void region_hang(struct region_tree *tree, struct region *parent, int side, struct region *region,
                        const struct region *last)
{
    deep_assert(parent == NULL || parent->child[side] == NULL);
    region->child[0] = region->child[1] = NULL;
    region->parent = parent;
    region->height = 1;
    region->widest = region->gap;
    if (parent)
        parent->child[side] = region;
    else
        tree->root = region;
    tree->count++;
    tree_settle(tree, parent, last);
}

int region_insert(struct region_tree *tree, struct region *region)
{
    struct region *parent = NULL, *before = NULL, *after = NULL;

    if (span_empty(region->span) || !span_covers(tree->limits, region->span))
        return -EINVAL;
    for (struct region *node = tree->root; node; ) {
        parent = node;
        if (region->span.first >= node->span.end) {
            before = node;
            node = node->child[1];
        } else {
            after = node;
            node = node->child[0];
        }
    }
    if (after && after->span.first < region->span.end)
        return -EEXIST;

    region->gap = region->span.first - floor_of(tree, before);
    if (after)
        after->gap = after->span.first - region->span.end;
    deep_assert(parent == NULL || parent == before || parent == after);
    region_hang(tree, parent, parent != NULL && parent == before, region, after);
    deep_assert(before == NULL || region_next(before) == region);
    return 0;
}

/*
 * Out of the tree. What takes the place begins with its height and widest gap, with which tree_settle() compares. With
 * two children that is the neighbour on `side`, which has no child on the other side. `last` as for tree_settle().
 */
static void region_unhang(struct region_tree *tree, struct region *region, int side, const struct region *last)
{
    struct region *heir = region->child[region->child[0] == NULL], *from = heir ? heir : region->parent;

    assert(region->height > 0);
    deep_assert(tree->count > 0 && region_find(tree, region->span.first) == region);
    if (region->child[0] && region->child[1]) {
        from = heir = region_outermost(region->child[side], !side);
        if (heir->parent != region) {
            from = heir->parent;
            replace_child(tree, from, heir, heir->child[side]);
            region_adopt(heir, side, region->child[side]);
        }
        region_adopt(heir, !side, region->child[!side]);
    }
    replace_child(tree, region->parent, region, heir);
    if (heir) {
        heir->height = region->height;
        heir->widest = region->widest;
    }
    tree_settle(tree, from, last);
    tree->count--;
    region->parent = region->child[0] = region->child[1] = NULL;
    region->height = 0;
}

void region_remove(struct region_tree *tree, struct region *region)
{
    struct region *after = region_next(region);

    if (after)
        after->gap += span_pages(region->span) + region->gap;
    region_unhang(tree, region, 1, after);  /* `after` takes the place, or is on the way from there to the root */
}

int region_resize(struct region_tree *tree, struct region *region, struct span span)
{
    struct region *before = region_before(region), *after = region_next(region);
    bool           below  = region->child[1] == NULL;       /* then `after`, if there is one, is above */

    assert(region->height > 0);
    deep_assert(region_find(tree, region->span.first) == region);
    if (span_empty(span) || !span_covers(tree->limits, span))
        return -EINVAL;
    if ((before && span.first < before->span.end) || (after && span.end > after->span.first))
        return -EEXIST;

    region->span = span;
    region->gap = span.first - floor_of(tree, before);
    if (after)
        after->gap = after->span.first - span.end;
    tree_settle(tree, below ? region : after, below ? after : region);
    return 0;
}

/* ---- Splitting and joining: no gap changes but that of the part that comes or goes, which is 0 -------------- */

void region_split(struct region_tree *tree, struct region *lower, struct region *upper, page_t page)
{
    struct region *above = lower->child[1];

    assert(lower->height > 0 && lower->span.first < page && page < lower->span.end);
    upper->span     = (struct span){ page, lower->span.end };
    upper->gap      = 0;
    lower->span.end = page;
    if (above)
        region_hang(tree, region_outermost(above, 0), 0, upper, NULL);
    else
        region_hang(tree, lower, 1, upper, NULL);
}

void region_join(struct region_tree *tree, struct region *lower, struct region *upper)
{
    assert(lower->height > 0 && lower->span.end == upper->span.first);
    deep_assert(region_next(lower) == upper && upper->gap == 0);
    region_unhang(tree, upper, 0, NULL);        /* `lower` is above, or takes the place */
    lower->span.end = upper->span.end;
}

/* ---- Whole trees --------------------------------------------------------------------- */

/* A child that names another parent is still the original's. */
static bool is_uncopied(const struct region *copy, int side)
{
    return copy->child[side] && copy->child[side]->parent != copy;
}

const struct region *region_graft(struct region **at, const struct region *of, struct region *copy)
{
    struct region *parent = *at;

    deep_assert(of->height > 0 && (parent == NULL) == (of->parent == NULL));
    copy->parent = parent;
    if (parent)
        parent->child[parent->child[1] == of] = copy;
    for (*at = copy; ; *at = (*at)->parent) {
        for (int side = 0; side < 2; side++)
            if (is_uncopied(*at, side))
                return (*at)->child[side];
        if ((*at)->parent == NULL)
            return NULL;
    }
}

struct region *region_graft_end(struct region *at)
{
    struct region *root = at;

    deep_assert(at == NULL || at->height > 0);
    for (; at; root = at, at = at->parent)
        for (int side = 0; side < 2; side++)
            if (is_uncopied(at, side))
                at->child[side] = NULL;
    return root;
}

void region_tree_become(struct region_tree *tree, struct region *root, size_t count)
{
    assert(tree->root == NULL && tree->count == 0);
    tree->root  = root;
    tree->count = count;
    deep_assert(region_tree_ok(tree));
}

struct region *region_tree_forget(struct region_tree *tree)
{
    struct region *root = tree->root;

    deep_assert((root == NULL) == (tree->count == 0));
    tree->root  = NULL;
    tree->count = 0;
    return root;
}

/* Down to a node without children; each step downwards cuts the link that it takes. */
struct region *region_take_apart(struct region **rest)
{
    struct region *node = *rest, *child;

    while (node && (child = node->child[node->child[0] == NULL])) {
        node->child[node->child[0] == NULL] = NULL;
        node = child;
    }
    deep_assert(node == NULL || node->height > 0);
    *rest = node ? node->parent : NULL;
    return node;
}

/* ---- Gaps ---------------------------------------------------------------------------- */

/* In the subtree: the node furthest towards `side` whose own gap has `pages`. The subtree has one. */
static struct region *descend_to_gap(struct region *node, size_t pages, int side)
{
    deep_assert(node->widest >= pages);
    for (;;) {
        if (widest_of(node->child[side]) >= pages)
            node = node->child[side];
        else if (node->gap >= pages)
            return node;
        else
            node = node->child[!side];
    }
}

/* The next node towards `side` whose gap has `pages`, or NULL. */
static struct region *next_gap(struct region *node, size_t pages, int side)
{
    deep_assert(pages > 0);
    if (widest_of(node->child[side]) >= pages)
        return descend_to_gap(node->child[side], pages, !side);
    for (struct region *up = node->parent; up; node = up, up = up->parent) {
        if (up->child[side] == node)
            continue;
        if (up->gap >= pages)
            return up;
        if (widest_of(up->child[side]) >= pages)
            return descend_to_gap(up->child[side], pages, !side);
    }
    return NULL;
}

/* Whether pages, aligned, fit into both spans at once; *first is the lowest or highest place. */
static bool gap_place(struct span gap, struct span within, size_t pages, size_t align, bool from_top,
                      page_t *first)
{
    page_t low = gap.first > within.first ? gap.first : within.first;
    page_t end = gap.end < within.end ? gap.end : within.end;
    page_t shift;

    if (low >= end || end - low < pages)
        return false;
    shift = (from_top ? end - pages : -low) & (align - 1);      /* to the nearest multiple of align */
    if (shift > end - low - pages)
        return false;
    *first = from_top ? end - pages - shift : low + shift;
    return true;
}

static struct span room_on_top(const struct region_tree *tree)
{
    return (struct span){ floor_of(tree, region_outermost(tree->root, 1)), tree->limits.end };
}

bool region_gap(const struct region_tree *tree, size_t pages, size_t align, struct span within, bool from_top,
                page_t *first)
{
    struct region *node;

    assert(pages > 0 && align > 0 && (align & (align - 1)) == 0);
    /* The first node whose gap reaches into `within`, seen from the side where the search begins. */
    node = region_at_or_above(tree, from_top ? within.end : within.first);
    if (node == NULL && from_top) {
        if (gap_place(room_on_top(tree), within, pages, align, true, first))
            return true;
        node = region_outermost(tree->root, 1);
    }
    if (node && node->gap < pages)
        node = next_gap(node, pages, !from_top);
    for (; node; node = next_gap(node, pages, !from_top)) {
        struct span gap = { node->span.first - node->gap, node->span.first };

        if (from_top ? gap.end <= within.first : gap.first >= within.end)
            break;
        if (gap_place(gap, within, pages, align, from_top, first))
            return true;
    }
    return !from_top && gap_place(room_on_top(tree), within, pages, align, false, first);
}

/* ---- Audit --------------------------------------------------------------------------- */

static const char *name_of(const struct region *region) { return region->name ? region->name : "unnamed"; }

/* Check a node's fields and its neighbours'. `floor`: where the region below it ends. */
static void audit_node(const struct region_tree *tree, const struct region *node, page_t floor,
                       struct audit_report *report)
{
    int left = height_of(node->child[0]), right = height_of(node->child[1]);
    size_t widest = larger(node->gap, larger(widest_of(node->child[0]), widest_of(node->child[1])));
    unsigned long first = node->span.first, end = node->span.end;       /* pages: printed with three zeros */

    report->checked++;
    if (span_empty(node->span) || !span_covers(tree->limits, node->span))
        audit_fail(report, "R1", "region %s [0x%05lx000, 0x%05lx000) is empty or outside the space",
                   name_of(node), first, end);
    else if (node->span.first < floor)
        audit_fail(report, "R1", "region %s at 0x%05lx000 begins below 0x%05lx000, where its neighbour ends",
                   name_of(node), first, (unsigned long)floor);
    else if (node->gap != node->span.first - floor)
        audit_fail(report, "R3", "region %s at 0x%05lx000 claims %zu free pages below, there are %zu",
                   name_of(node), first, node->gap, (size_t)(node->span.first - floor));
    if (node->widest != widest)
        audit_fail(report, "R3", "region %s at 0x%05lx000 claims %zu for its widest gap, which is %zu pages",
                   name_of(node), first, node->widest, widest);
    if (left - right > 1 || right - left > 1 || node->height != 1 + (left > right ? left : right))
        audit_fail(report, "R2", "region %s at 0x%05lx000 has height %d over heights %d and %d",
                   name_of(node), first, node->height, left, right);
}

/*
 * The walk trusts nothing: a link is followed down only when the child names this parent, so the
 * way back up is known to be right, and it gives up once it has seen more nodes than the tree counts.
 */
void region_tree_audit(const struct region_tree *tree, struct audit_report *report)
{
    const struct region *node = tree->root, *from = NULL;
    page_t floor = tree->limits.first;
    size_t seen = 0;

    if (node && node->parent) {
        audit_fail(report, "R4", "the root, region %s, has a parent", name_of(node));
        return;
    }
    while (node) {
        const struct region *to = node->parent;

        if (from == node->parent && node->child[0]) {
            to = node->child[0];
        } else if (from == node->parent || (from == node->child[0] && from != node->child[1])) {
            if (++seen > tree->count)
                break;
            audit_node(tree, node, floor, report);
            floor = node->span.end;
            if (node->child[1])
                to = node->child[1];
        }
        if (to != node->parent && to->parent != node) {
            audit_fail(report, "R4", "region %s at 0x%05lx000 has a child that names another parent",
                       name_of(node), (unsigned long)node->span.first);
            return;
        }
        from = node;
        node = to;
    }
    if (seen != tree->count)
        audit_fail(report, "R4", "the tree counts %zu regions but links %s", tree->count,
                   seen > tree->count ? "more" : "fewer");
}

bool region_tree_ok(const struct region_tree *tree)
{
    struct audit_report report = { 0 };

    region_tree_audit(tree, &report);
    return report.failed == 0;
}
