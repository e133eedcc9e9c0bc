/*
 * lock.c - the locks of bytes of files, by owner.
 */
#include "files/core/lock.h"

#include "base/check.h"
#include "base/error.h"
#include "base/random.h"
#include "memory/heap/heap.h"
#include "memory/pageout/hand.h"
#include "process/signal.h"

/* A lock, in the tree of its owner: ordered by place, and a heap by a random priority, which keeps it flat. */
struct held {
    struct held   *left, *right;
    uint32_t       priority;
    enum lock_kind kind;
    uint64_t       first, last;
    int32_t        process;
    uint32_t       number;              /* in the listing that goes on now      */
};

struct lock_owner {
    struct lock_owner *next;            /* of the node, in order of arrival     */
    struct lock_owner *newer, *older;   /* among the owners of all nodes        */
    struct node       *node;
    const void        *owner;
    enum lock_world    world;
    struct held       *tree;
    struct wait_queue  blocked;         /* those whose way its locks are in     */
    uint32_t           waiting;         /* how many                             */
};

/* A request that waits. */
struct lock_wait {
    struct lock_wait        *next, *next_to_visit;
    struct lock_request      request;
    const struct lock_owner *blocker;
    bool                     visited;
};

/*
 * The memory that a request may need, taken before anything changes. On the heap: others reach it while its thread
 * sleeps.
 */
struct lock_supplies {
    struct held       *pieces[2];
    struct lock_owner *owner;
    struct lock_wait   wait;
};

static struct mutex       locks_lock = MUTEX("record locks");
static struct lock_wait  *waits;        /* [locks_lock] */
static struct lock_owner *owners;       /* [locks_lock] of all nodes, the newest first */

/* Priorities for the next pieces: the generator takes as long for one as for a row of them. */
static uint32_t           priorities[32];       /* [locks_lock] */
static unsigned           priorities_left;      /* [locks_lock] */

/* ---- Trees ------------------------------------------------------------------------------------------- */

/* Split a tree into the locks that end before `place`, and the rest. */
static void split_ends(struct held *tree, uint64_t place, struct held **before, struct held **rest)
{
    if (tree == NULL) {
        *before = *rest = NULL;
    } else if (tree->last < place) {
        *before = tree;
        split_ends(tree->right, place, &tree->right, rest);
    } else {
        *rest = tree;
        split_ends(tree->left, place, before, &tree->left);
    }
}

/* Split a tree into the locks that begin at `place` or before, and the rest. */
static void split_starts(struct held *tree, uint64_t place, struct held **until, struct held **rest)
{
    if (tree == NULL) {
        *until = *rest = NULL;
    } else if (tree->first <= place) {
        *until = tree;
        split_starts(tree->right, place, &tree->right, rest);
    } else {
        *rest = tree;
        split_starts(tree->left, place, until, &tree->left);
    }
}

/* All of `left` lies before all of `right`. */
static struct held *merge_trees(struct held *left, struct held *right)
{
    if (left == NULL || right == NULL)
        return left != NULL ? left : right;
    if (left->priority > right->priority) {
        left->right = merge_trees(left->right, right);
        return left;
    }
    right->left = merge_trees(left, right->left);
    return right;
}

static struct held *tree_edge(struct held *tree, bool last)
{
    struct held *next;

    while (tree != NULL && (next = last ? tree->right : tree->left) != NULL)
        tree = next;
    return tree;
}

/* Rotations take the tree apart from the left, so that it needs no stack. It may be large, and nobody else sees it. */
static void free_tree(struct held *tree)
{
    while (tree != NULL) {
        struct held *left = tree->left;

        if (left != NULL) {
            tree->left  = left->right;
            left->right = tree;
            tree = left;
        } else {
            struct held *right = tree->right;

            heap_free_sized(tree, sizeof *tree);
            tree = right;
            point_of_rest();
        }
    }
}

/* The first lock that overlaps [first, last] and stands in the way of such a request; others there are gone over. */
static struct held *in_the_way(struct held *tree, const struct lock_request *request)
{
    struct held *found = NULL;

    if (tree == NULL)
        return NULL;
    point_of_rest();
    if (tree->last >= request->first)
        found = in_the_way(tree->left, request);
    if (found == NULL && tree->first <= request->last && tree->last >= request->first &&
        (tree->kind == LOCK_EXCLUSIVE || request->kind == LOCK_EXCLUSIVE))
        return tree;
    if (found == NULL && tree->first <= request->last)
        found = in_the_way(tree->right, request);
    return found;
}

/* ---- Owners: the lock is held --------------------------------------------------------------------------- */

static struct lock_owner **owner_slot(struct node *node, enum lock_world world, const void *owner)
{
    struct lock_owner **at = &node->locks;

    while (*at != NULL && ((*at)->owner != owner || (*at)->world != world))
        at = &(*at)->next;
    return at;
}

static void enlist_owner(struct lock_owner *owner)
{
    deep_assert(mutex_held(&locks_lock) && owner->node != NULL);
    owner->older = owners;
    if (owners != NULL)
        owners->newer = owner;
    owners = owner;
}

static void delist_owner(struct lock_owner *owner)
{
    deep_assert(mutex_held(&locks_lock) && (owner->newer != NULL || owners == owner));
    if (owner->newer != NULL)
        owner->newer->older = owner->older;
    else
        owners = owner->older;
    if (owner->older != NULL)
        owner->older->newer = owner->newer;
}

/* A lock of the owner's has gone or become shared: waiters look again. Without locks and waiters the owner goes. */
static void owner_changed(struct lock_owner **at)
{
    struct lock_owner *owner = *at;

    deep_assert(mutex_held(&locks_lock));
    if (owner->waiting > 0) {
        wake_all(&owner->blocked);
    } else if (owner->tree == NULL) {
        *at = owner->next;
        delist_owner(owner);
        heap_free_sized(owner, sizeof *owner);
    }
}

static struct lock_owner *find_conflict(struct node *node, const struct lock_request *request, struct held **out)
{
    deep_assert(mutex_held(&locks_lock) && request->first <= request->last);
    for (struct lock_owner *at = node->locks; at != NULL && request->kind != LOCK_NONE; at = at->next)
        if (at->world == request->world && at->owner != request->owner &&
            (*out = in_the_way(at->tree, request)) != NULL)
            return at;
    return NULL;
}

bool lock_find(struct node *node, const struct lock_request *request, struct lock_request *out)
{
    struct lock_owner *owner;
    struct held       *held;

    may_sleep();
    assert(request->first <= request->last && request->kind != LOCK_NONE);
    mutex_take(&locks_lock);
    owner = find_conflict(node, request, &held);
    if (owner != NULL)
        *out = (struct lock_request){ owner->owner, owner->world, held->kind, held->first, held->last, held->process };
    mutex_drop(&locks_lock);
    return owner != NULL;
}

/* ---- Changing: nothing here can fail --------------------------------------------------------------------- */

static struct held *take_piece(struct lock_supplies *supplies)
{
    struct held **from = &supplies->pieces[supplies->pieces[0] == NULL], *piece = *from;

    assert(piece != NULL);
    *from = NULL;
    if (priorities_left == 0) {
        random_bytes(priorities, sizeof priorities);
        priorities_left = COUNT_OF(priorities);
    }
    piece->priority = priorities[--priorities_left];
    piece->left = piece->right = NULL;
    return piece;
}

/*
 * Cut a range out of the owner's locks: of those that reach over its ends the parts outside stay, at the end of
 * `before` and at the start of `behind`. A lock that reaches over both ends needs one more piece.
 */
static void cut_range(struct held *within, const struct lock_request *range, struct lock_supplies *supplies,
                      struct held **before, struct held **behind)
{
    struct held *first = tree_edge(within, false), *last = tree_edge(within, true);

    deep_assert(mutex_held(&locks_lock));
    if (last != NULL && last->last > range->last) {
        struct held *upper = take_piece(supplies);

        upper->kind    = last->kind;
        upper->process = last->process;
        upper->first   = range->last + 1;
        upper->last    = last->last;
        *behind = merge_trees(upper, *behind);
    }
    if (first != NULL && first->first < range->first) {
        struct held *rest;

        split_starts(within, first->first, &first, &rest);
        first->last = range->first - 1;
        *before = merge_trees(*before, first);
        within  = rest;
    }
    free_tree(within);
}

/* The new lock, joined with neighbours that are of its kind. */
static struct held *insert_lock(struct held *before, struct held *behind, const struct lock_request *what,
                                struct lock_supplies *supplies)
{
    struct held *lower = tree_edge(before, true), *upper = tree_edge(behind, false), *new, *rest;

    new = take_piece(supplies);
    new->kind    = what->kind;
    new->process = what->process;
    new->first   = what->first;
    new->last    = what->last;
    if (lower != NULL && lower->kind == what->kind && lower->last + 1 == what->first) {
        new->first = lower->first;
        split_ends(before, lower->last, &before, &rest);
        free_tree(rest);
    }
    if (upper != NULL && upper->kind == what->kind && what->last != UINT64_MAX && what->last + 1 == upper->first) {
        new->last = upper->last;
        split_starts(behind, upper->first, &rest, &behind);
        free_tree(rest);
    }
    return merge_trees(merge_trees(before, new), behind);
}

static void apply_request(struct node *node, const struct lock_request *request, struct lock_supplies *supplies)
{
    struct lock_owner **at = owner_slot(node, request->world, request->owner);
    struct held        *before, *within, *behind;

    deep_assert(mutex_held(&locks_lock));
    if (*at == NULL && request->kind == LOCK_NONE)
        return;
    if (*at == NULL) {
        *at = supplies->owner;
        supplies->owner = NULL;
        **at = (struct lock_owner){ .node = node, .owner = request->owner, .world = request->world };
        enlist_owner(*at);
    }
    split_ends((*at)->tree, request->first, &before, &within);
    split_starts(within, request->last, &within, &behind);
    cut_range(within, request, supplies, &before, &behind);
    (*at)->tree = request->kind == LOCK_NONE ? merge_trees(before, behind)
                                             : insert_lock(before, behind, request, supplies);
    owner_changed(at);
}

/* ---- Waiting ----------------------------------------------------------------------------------------------- */

/* Only processes wait in circles: an open file may be let go by another process that has it, too. */
static bool is_posix(const struct lock_request *request)
{
    return request->world == LOCKS_OF_RECORDS && request->process >= 0;
}

static void visit_wait(const void *owner, struct lock_wait **to_visit)
{
    for (struct lock_wait *wait = waits; wait != NULL; wait = wait->next)
        if (wait->request.owner == owner && is_posix(&wait->request) && !wait->visited) {
            wait->visited       = true;
            wait->next_to_visit = *to_visit;
            *to_visit = wait;
        }
}

/*
 * Does the owner in the way, or one that it waits for, and so on, wait for `self`? After CIRCLE_MOST requests on the
 * way the search ends, and who asked waits; Linux's ends after ten. Each step looks at all that wait.
 */
enum { CIRCLE_MOST = 64 };
static bool closes_circle(const void *self, const struct lock_owner *blocker)
{
    struct lock_wait *to_visit = NULL;
    bool              found    = false;
    unsigned          steps    = 0;

    deep_assert(mutex_held(&locks_lock));
    for (struct lock_wait *wait = waits; wait != NULL; wait = wait->next)
        wait->visited = false;
    visit_wait(blocker->owner, &to_visit);
    while (to_visit != NULL && !found && steps++ < CIRCLE_MOST) {
        const struct lock_owner *next = to_visit->blocker;

        to_visit = to_visit->next_to_visit;
        found    = next->owner == self;
        visit_wait(next->owner, &to_visit);
    }
    return found;
}

static void enlist_wait(struct lock_wait *wait, const struct lock_request *request, const struct lock_owner *blocker)
{
    deep_assert(mutex_held(&locks_lock));
    wait->request = *request;
    wait->blocker = blocker;
    wait->next    = waits;
    waits = wait;
}

static void delist_wait(struct lock_wait *wait)
{
    struct lock_wait **at = &waits;

    deep_assert(mutex_held(&locks_lock));
    while (*at != wait)
        at = &(*at)->next;
    *at = wait->next;
}

/* Sleep until something of the owner in the way has changed. The lock is held, and dropped meanwhile. */
static int wait_for_owner(struct node *node, struct lock_owner *blocker)
{
    int err;

    assert(mutex_held(&locks_lock));
    blocker->waiting++;
    wait_start(&blocker->blocked);
    mutex_drop(&locks_lock);
    err = wait_linked(NEVER, WAIT_SIGNALS);
    wait_end();
    mutex_take(&locks_lock);
    if (--blocker->waiting == 0 && blocker->tree == NULL)
        owner_changed(owner_slot(node, blocker->world, blocker->owner));
    return err == -EINTR ? -ERESTARTSYS : 0;
}

static int wait_turn(struct node *node, const struct lock_request *request, struct lock_owner *blocker,
                     struct lock_wait *wait)
{
    int err;

    deep_assert(mutex_held(&locks_lock));
    if (is_posix(request) && closes_circle(request->owner, blocker))
        return -EDEADLK;
    enlist_wait(wait, request, blocker);
    err = wait_for_owner(node, blocker);
    delist_wait(wait);
    return err;
}

/* flock() lets go of what it has before it asks for another kind. */
static void drop_range(struct node *node, const struct lock_request *request)
{
    struct lock_owner **at = owner_slot(node, request->world, request->owner);

    deep_assert(mutex_held(&locks_lock));
    if (*at == NULL || (*at)->tree == NULL || (*at)->tree->kind == request->kind)
        return;
    free_tree((*at)->tree);
    (*at)->tree = NULL;
    owner_changed(at);
}

static int set_lock(struct node *node, const struct lock_request *request, bool wait, struct lock_supplies *supplies)
{
    struct lock_owner *blocker;
    struct held       *held;
    int                err = 0;

    deep_assert(mutex_held(&locks_lock));
    if (request->world == LOCKS_OF_FLOCK)
        drop_range(node, request);
    while (err == 0 && (blocker = find_conflict(node, request, &held)) != NULL)
        err = wait ? wait_turn(node, request, blocker, &supplies->wait) : -EAGAIN;
    if (err == 0)
        apply_request(node, request, supplies);
    return err;
}

/* Dropping needs no owner, and one piece, for a lock that reaches over both ends. */
static bool supply_request(struct lock_supplies *supplies, enum lock_kind kind)
{
    supplies->pieces[0] = heap_alloc(sizeof(struct held), 0);
    if (kind == LOCK_NONE)
        return supplies->pieces[0] != NULL;
    supplies->pieces[1] = heap_alloc(sizeof(struct held), 0);
    supplies->owner     = heap_alloc(sizeof(struct lock_owner), 0);
    return supplies->pieces[0] != NULL && supplies->pieces[1] != NULL && supplies->owner != NULL;
}

/* -ENOMEM before anything has changed. */
static int set_lock_supplied(struct node *node, const struct lock_request *request, bool wait)
{
    struct lock_supplies *supplies = heap_alloc(sizeof *supplies, HEAP_ZERO);
    int                   err = -ENOMEM;

    if (supplies == NULL)
        return err;
    if (supply_request(supplies, request->kind)) {
        mutex_take(&locks_lock);
        err = set_lock(node, request, wait, supplies);
        mutex_drop(&locks_lock);
    }
    heap_free(supplies->pieces[0]);
    heap_free(supplies->pieces[1]);
    heap_free(supplies->owner);
    heap_free(supplies);
    return err;
}

/* Linux has an errno of its own for locks without memory, so room is made here. */
int lock_set(struct node *node, const struct lock_request *request, bool wait)
{
    int err;

    may_sleep();
    assert(request->first <= request->last && request->owner != NULL);
    do
        err = set_lock_supplied(node, request, wait);
    while (room_was_made(err));
    return err == -ENOMEM ? -ENOLCK : err;
}

/* ---- Dropping ------------------------------------------------------------------------------------------------- */

static void drop_owner_in(struct node *node, enum lock_world world, const void *owner)
{
    struct lock_owner **at = owner_slot(node, world, owner);

    deep_assert(mutex_held(&locks_lock));
    if (*at == NULL || (*at)->tree == NULL)
        return;
    free_tree((*at)->tree);
    (*at)->tree = NULL;
    owner_changed(at);
}

static void drop_owner_everywhere(struct node *node, const void *owner)
{
    if (node->locks == NULL)
        return;
    mutex_take(&locks_lock);
    drop_owner_in(node, LOCKS_OF_RECORDS, owner);
    drop_owner_in(node, LOCKS_OF_FLOCK, owner);
    mutex_drop(&locks_lock);
}

void locks_drop_owner(struct node *node, const void *owner) { drop_owner_everywhere(node, owner); }
void locks_drop_file(struct file *file)                     { drop_owner_everywhere(file->node, file); }

/* ---- Listing ---------------------------------------------------------------------------------------------------- */

struct listing {
    lock_visit visit;
    void      *data;
    uint32_t   number;                  /* of the last lock */
};

static void list_tree(struct listing *listing, const struct lock_owner *owner, struct held *tree)
{
    struct lock_request told;

    if (tree == NULL)
        return;
    list_tree(listing, owner, tree->left);
    tree->number = ++listing->number;
    told = (struct lock_request){ owner->owner, owner->world, tree->kind, tree->first, tree->last, tree->process };
    listing->visit(tree->number, owner->node, &told, false, listing->data);
    point_of_rest();
    list_tree(listing, owner, tree->right);
}

/* A request has the number of the lock in its way, unless that has just gone: then it is about to look again. */
static void list_waits(struct listing *listing, const struct lock_owner *blocker)
{
    for (const struct lock_wait *wait = waits; wait != NULL && blocker->waiting > 0; wait = wait->next) {
        const struct held *held = wait->blocker == blocker ? in_the_way(blocker->tree, &wait->request) : NULL;

        if (held != NULL)
            listing->visit(held->number, blocker->node, &wait->request, true, listing->data);
        point_of_rest();
    }
}

void locks_each(lock_visit visit, void *data)
{
    struct listing listing = { visit, data, 0 };

    may_sleep();
    mutex_take(&locks_lock);
    for (const struct lock_owner *owner = owners; owner != NULL && !signal_kills(current_thread());
         owner = owner->older) {
        list_tree(&listing, owner, owner->tree);
        list_waits(&listing, owner);
    }
    mutex_drop(&locks_lock);
}

/* ---- Checking --------------------------------------------------------------------------------------------------- */

static bool tree_ok(const struct held *tree, const struct held **last)
{
    if (tree == NULL)
        return true;
    if (!tree_ok(tree->left, last) || tree->first > tree->last)
        return false;
    if (*last != NULL && ((*last)->last >= tree->first ||
                          ((*last)->last + 1 == tree->first && (*last)->kind == tree->kind)))
        return false;                                                   /* L1 */
    *last = tree;
    return tree_ok(tree->right, last);
}

static bool tree_free_of(struct node *node, const struct lock_owner *owner, const struct held *tree)
{
    struct lock_request request = { .owner = owner->owner, .world = owner->world };
    struct held        *held;

    if (tree == NULL)
        return true;
    request.kind  = tree->kind;
    request.first = tree->first;
    request.last  = tree->last;
    return find_conflict(node, &request, &held) == NULL &&
           tree_free_of(node, owner, tree->left) && tree_free_of(node, owner, tree->right);             /* L2 */
}

bool locks_ok(struct node *node)
{
    bool ok = true;

    may_sleep();
    mutex_take(&locks_lock);
    for (const struct lock_owner *owner = node->locks; owner != NULL && ok; owner = owner->next) {
        const struct held *last = NULL;

        ok = tree_ok(owner->tree, &last) && tree_free_of(node, owner, owner->tree) &&
             (owner->tree != NULL || owner->waiting > 0);  /* L3 */
    }
    mutex_drop(&locks_lock);
    return ok;
}
