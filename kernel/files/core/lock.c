/*
 * lock.c - which bytes of a file somebody has locked.
 */
#include "files/core/lock.h"

#include "base/check.h"
#include "base/error.h"
#include "base/random.h"
#include "memory/heap/heap.h"
#include "process/signal.h"

/* A lock, in the tree of its owner: ordered by place, and a heap by a random priority, which keeps it flat. */
struct held {
    struct held   *left, *right;
    uint32_t       priority;
    enum lock_kind kind;
    uint64_t       first, last;
    int32_t        process;
};

struct lock_owner {
    struct lock_owner *next;            /* of the node, in order of arrival     */
    const void        *owner;
    enum lock_world    world;
    struct held       *tree;
    struct wait_queue  blocked;         /* those whose way its locks are in     */
    uint32_t           waiting;         /* how many                             */
};

/* A POSIX request that waits. */
struct lock_wait {
    struct lock_wait        *next, *next_to_visit;
    const void              *owner;
    const struct lock_owner *blocker;
    bool                     visited;
};

/* What a request may need, taken before anything changes. On the heap: others look at it while its thread sleeps. */
struct lock_supplies {
    struct held       *pieces[2];
    struct lock_owner *owner;
    struct lock_wait   wait;
};

static struct mutex      locks_lock = MUTEX("record locks");
static struct lock_wait *waits;         /* [locks_lock] */

/* ---- Trees ------------------------------------------------------------------------------------------- */

/* What ends before `place`, and the rest. */
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

/* What begins at `place` or before, and the rest. */
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
static struct held *merge(struct held *left, struct held *right)
{
    if (left == NULL || right == NULL)
        return left != NULL ? left : right;
    if (left->priority > right->priority) {
        left->right = merge(left->right, right);
        return left;
    }
    right->left = merge(left, right->left);
    return right;
}

static struct held *edge(struct held *tree, bool last)
{
    struct held *next;

    while (tree != NULL && (next = last ? tree->right : tree->left) != NULL)
        tree = next;
    return tree;
}

/* Rotations take the tree apart from the left, so that it needs no stack. */
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
        }
    }
}

/* The first lock that overlaps [first, last] and stands in the way of a request of this kind. */
static struct held *in_the_way(struct held *tree, const struct lock_request *request)
{
    struct held *found = NULL;

    if (tree == NULL)
        return NULL;
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

static struct lock_owner **place_of(struct node *node, enum lock_world world, const void *owner)
{
    struct lock_owner **at = &node->locks;

    while (*at != NULL && ((*at)->owner != owner || (*at)->world != world))
        at = &(*at)->next;
    return at;
}

/* Something of its has gone or become shared: who waits looks again. Without locks and waiters it goes. */
static void changed(struct lock_owner **at)
{
    struct lock_owner *owner = *at;

    if (owner->waiting > 0) {
        wake_all(&owner->blocked);
    } else if (owner->tree == NULL) {
        *at = owner->next;
        heap_free_sized(owner, sizeof *owner);
    }
}

static struct lock_owner *conflict(struct node *node, const struct lock_request *request, struct held **out)
{
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

    mutex_take(&locks_lock);
    owner = conflict(node, request, &held);
    if (owner != NULL)
        *out = (struct lock_request){ owner->owner, owner->world, held->kind, held->first, held->last, held->process };
    mutex_drop(&locks_lock);
    return owner != NULL;
}

/* ---- Changing: nothing here can fail --------------------------------------------------------------------- */

static struct held *piece(struct lock_supplies *supplies)
{
    struct held *piece = supplies->pieces[0] != NULL ? supplies->pieces[0] : supplies->pieces[1];

    assert(piece != NULL);
    *(piece == supplies->pieces[0] ? &supplies->pieces[0] : &supplies->pieces[1]) = NULL;
    random_bytes(&piece->priority, sizeof piece->priority);
    piece->left = piece->right = NULL;
    return piece;
}

/*
 * Of the owner's locks in the range only what reaches over its ends is left: at the end of `before`, at the start of
 * `behind`. One that reaches over both needs a piece.
 */
static void cut_out(struct held *within, const struct lock_request *range, struct lock_supplies *supplies,
                    struct held **before, struct held **behind)
{
    struct held *first = edge(within, false), *last = edge(within, true);

    if (last != NULL && last->last > range->last) {
        struct held *upper = piece(supplies);

        upper->kind    = last->kind;
        upper->process = last->process;
        upper->first   = range->last + 1;
        upper->last    = last->last;
        *behind = merge(upper, *behind);
    }
    if (first != NULL && first->first < range->first) {
        struct held *rest;

        split_starts(within, first->first, &first, &rest);
        first->last = range->first - 1;
        *before = merge(*before, first);
        within  = rest;
    }
    free_tree(within);
}

/* The new lock, joined with neighbours that are of its kind. */
static struct held *insert(struct held *before, struct held *behind, const struct lock_request *what,
                           struct lock_supplies *supplies)
{
    struct held *lower = edge(before, true), *upper = edge(behind, false), *new, *rest;

    new = piece(supplies);
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
    return merge(merge(before, new), behind);
}

static void apply(struct node *node, const struct lock_request *request, struct lock_supplies *supplies)
{
    struct lock_owner **at = place_of(node, request->world, request->owner);
    struct held        *before, *within, *behind;

    if (*at == NULL && request->kind == LOCK_NONE)
        return;
    if (*at == NULL) {
        *at = supplies->owner;
        supplies->owner = NULL;
        **at = (struct lock_owner){ .owner = request->owner, .world = request->world };
    }
    split_ends((*at)->tree, request->first, &before, &within);
    split_starts(within, request->last, &within, &behind);
    cut_out(within, request, supplies, &before, &behind);
    (*at)->tree = request->kind == LOCK_NONE ? merge(before, behind) : insert(before, behind, request, supplies);
    changed(at);
}

/* ---- Waiting ----------------------------------------------------------------------------------------------- */

static void visit(const void *owner, struct lock_wait **to_visit)
{
    for (struct lock_wait *wait = waits; wait != NULL; wait = wait->next)
        if (wait->owner == owner && !wait->visited) {
            wait->visited       = true;
            wait->next_to_visit = *to_visit;
            *to_visit = wait;
        }
}

/* Does the owner in the way, or one that it waits for, and so on, wait for `self`? */
static bool closes_circle(const void *self, const struct lock_owner *blocker)
{
    struct lock_wait *to_visit = NULL;
    bool              found    = false;

    for (struct lock_wait *wait = waits; wait != NULL; wait = wait->next)
        wait->visited = false;
    visit(blocker->owner, &to_visit);
    while (to_visit != NULL && !found) {
        const struct lock_owner *next = to_visit->blocker;

        to_visit = to_visit->next_to_visit;
        found    = next->owner == self;
        visit(next->owner, &to_visit);
    }
    return found;
}

static void enlist(struct lock_wait *wait, const void *owner, const struct lock_owner *blocker)
{
    wait->owner   = owner;
    wait->blocker = blocker;
    wait->next    = waits;
    waits = wait;
}

static void delist(struct lock_wait *wait)
{
    struct lock_wait **at = &waits;

    while (*at != wait)
        at = &(*at)->next;
    *at = wait->next;
}

/* Sleep until something of the owner in the way has changed. The lock is held, and dropped meanwhile. */
static int wait_for(struct node *node, struct lock_owner *blocker)
{
    int err;

    blocker->waiting++;
    wait_start(&blocker->blocked);
    mutex_drop(&locks_lock);
    err = wait_linked(NEVER, WAIT_SIGNALS);
    wait_end();
    mutex_take(&locks_lock);
    if (--blocker->waiting == 0 && blocker->tree == NULL)
        changed(place_of(node, blocker->world, blocker->owner));
    return err == -EINTR ? -ERESTARTSYS : 0;
}

/* Only processes wait in circles: an open file may be let go by another process that has it, too. */
static bool is_posix(const struct lock_request *request)
{
    return request->world == LOCKS_OF_RECORDS && request->process >= 0;
}

static int wait_turn(struct node *node, const struct lock_request *request, struct lock_owner *blocker,
                     struct lock_wait *wait)
{
    int err;

    if (!is_posix(request))
        return wait_for(node, blocker);
    if (closes_circle(request->owner, blocker))
        return -EDEADLK;
    enlist(wait, request->owner, blocker);
    err = wait_for(node, blocker);
    delist(wait);
    return err;
}

/* flock() lets go of what it has before it asks for another kind. */
static void let_go(struct node *node, const struct lock_request *request)
{
    struct lock_owner **at = place_of(node, request->world, request->owner);

    if (*at == NULL || (*at)->tree == NULL || (*at)->tree->kind == request->kind)
        return;
    free_tree((*at)->tree);
    (*at)->tree = NULL;
    changed(at);
}

static int set(struct node *node, const struct lock_request *request, bool wait, struct lock_supplies *supplies)
{
    struct lock_owner *blocker;
    struct held       *held;
    int                err = 0;

    if (request->world == LOCKS_OF_FLOCK)
        let_go(node, request);
    while (err == 0 && (blocker = conflict(node, request, &held)) != NULL)
        err = wait ? wait_turn(node, request, blocker, &supplies->wait) : -EAGAIN;
    if (err == 0)
        apply(node, request, supplies);
    return err;
}

static bool supply(struct lock_supplies *supplies)
{
    supplies->pieces[0] = heap_alloc(sizeof(struct held), 0);
    supplies->pieces[1] = heap_alloc(sizeof(struct held), 0);
    supplies->owner     = heap_alloc(sizeof(struct lock_owner), 0);
    return supplies->pieces[0] != NULL && supplies->pieces[1] != NULL && supplies->owner != NULL;
}

int lock_set(struct node *node, const struct lock_request *request, bool wait)
{
    struct lock_supplies *supplies = heap_alloc(sizeof *supplies, HEAP_ZERO);
    int                   err      = -ENOLCK;

    if (supplies == NULL)
        return err;
    if (supply(supplies)) {
        mutex_take(&locks_lock);
        err = set(node, request, wait, supplies);
        mutex_drop(&locks_lock);
    }
    heap_free(supplies->pieces[0]);
    heap_free(supplies->pieces[1]);
    heap_free(supplies->owner);
    heap_free(supplies);
    return err;
}

/* ---- Dropping ------------------------------------------------------------------------------------------------- */

static void drop_world(struct node *node, enum lock_world world, const void *owner)
{
    struct lock_owner **at = place_of(node, world, owner);

    if (*at == NULL || (*at)->tree == NULL)
        return;
    free_tree((*at)->tree);
    (*at)->tree = NULL;
    changed(at);
}

static void drop_all(struct node *node, const void *owner)
{
    if (node->locks == NULL)
        return;
    mutex_take(&locks_lock);
    drop_world(node, LOCKS_OF_RECORDS, owner);
    drop_world(node, LOCKS_OF_FLOCK, owner);
    mutex_drop(&locks_lock);
}

void locks_drop_owner(struct node *node, const void *owner) { drop_all(node, owner); }
void locks_drop_file(struct file *file)                     { drop_all(file->node, file); }

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

static bool free_of(struct node *node, const struct lock_owner *owner, const struct held *tree)
{
    struct held *held;

    if (tree == NULL)
        return true;
    return conflict(node, &(struct lock_request){ owner->owner, owner->world, tree->kind, tree->first, tree->last, 0 },
                    &held) == NULL &&
           free_of(node, owner, tree->left) && free_of(node, owner, tree->right);                       /* L2 */
}

bool locks_ok(struct node *node)
{
    bool ok = true;

    mutex_take(&locks_lock);
    for (const struct lock_owner *owner = node->locks; owner != NULL && ok; owner = owner->next) {
        const struct held *last = NULL;

        ok = tree_ok(owner->tree, &last) && free_of(node, owner, owner->tree) &&
             (owner->tree != NULL || owner->waiting > 0);  /* L3 */
    }
    mutex_drop(&locks_lock);
    return ok;
}
