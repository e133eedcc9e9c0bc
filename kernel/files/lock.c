/*
 * lock.c - which bytes of a file somebody has locked.
 */
#include "files/lock.h"

#include "base/error.h"
#include "memory/heap/heap.h"

/* One lock; node->locks is the list of all. */
struct flock_list {
    struct flock_list  *next;
    struct lock_request what;
};

static bool overlap(const struct lock_request *a, const struct lock_request *b)
{
    return a->first <= b->last && b->first <= a->last;
}

static bool same_owner(const struct lock_request *a, const struct lock_request *b)
{
    return a->world == b->world && a->owner == b->owner;
}

static struct flock_list *conflict(struct node *node, const struct lock_request *request)
{
    for (struct flock_list *at = node->locks; at != NULL; at = at->next)
        if (at->what.world == request->world && at->what.owner != request->owner && overlap(&at->what, request) &&
            (at->what.kind == LOCK_EXCLUSIVE || request->kind == LOCK_EXCLUSIVE))
            return at;
    return NULL;
}

bool lock_find(struct node *node, const struct lock_request *request, struct lock_request *out)
{
    struct flock_list *found;

    mutex_take(&node->lock);
    found = conflict(node, request);
    if (found != NULL)
        *out = found->what;
    mutex_drop(&node->lock);
    return found != NULL;
}

static void drop(struct flock_list **at)
{
    struct flock_list *gone = *at;

    *at = gone->next;
    heap_free_sized(gone, sizeof *gone);
}

/* What the owner has in the range goes; a lock that reaches over both ends needs *spare for its upper part. */
static void cut_out(struct node *node, const struct lock_request *range, struct flock_list **spare)
{
    for (struct flock_list **at = &node->locks; *at != NULL; ) {
        struct lock_request *held = &(*at)->what;

        if (!same_owner(held, range) || !overlap(held, range)) {
            at = &(*at)->next;
        } else if (held->first >= range->first && held->last <= range->last) {
            drop(at);
        } else if (held->first < range->first && held->last > range->last) {
            struct flock_list *upper = *spare;

            *spare = NULL;
            *upper = (struct flock_list){ (*at)->next, *held };
            upper->what.first = range->last + 1;
            held->last  = range->first - 1;
            (*at)->next = upper;
            return;
        } else if (held->first < range->first) {
            held->last = range->first - 1;
            at = &(*at)->next;
        } else {
            held->first = range->last + 1;
            at = &(*at)->next;
        }
    }
}

/* Join the new lock with neighbours of the same owner and kind. */
static void join(struct node *node, struct lock_request *with)
{
    for (struct flock_list **at = &node->locks; *at != NULL; ) {
        struct lock_request *held = &(*at)->what;

        if (held == with || !same_owner(held, with) || held->kind != with->kind ||
            !((held->last != UINT64_MAX && held->last + 1 == with->first) ||
              (with->last != UINT64_MAX && with->last + 1 == held->first))) {
            at = &(*at)->next;
            continue;
        }
        if (held->first < with->first)
            with->first = held->first;
        if (held->last > with->last)
            with->last = held->last;
        drop(at);
    }
}

static int set(struct node *node, const struct lock_request *request, bool wait, struct flock_list **entry,
               struct flock_list **spare)
{
    while (request->kind != LOCK_NONE && conflict(node, request) != NULL) {
        int err = wait ? node_wait(node) : -EAGAIN;

        if (err != 0)
            return err;
    }
    cut_out(node, request, spare);
    if (request->kind != LOCK_NONE) {
        **entry = (struct flock_list){ node->locks, *request };
        node->locks = *entry;
        join(node, &(*entry)->what);
        *entry = NULL;
    }
    wake_all(&node->ready);
    return 0;
}

int lock_set(struct node *node, const struct lock_request *request, bool wait)
{
    struct flock_list *entry = heap_alloc(sizeof *entry, 0), *spare = heap_alloc(sizeof *spare, 0);
    int                err   = -ENOLCK;

    if (entry != NULL && spare != NULL) {
        mutex_take(&node->lock);
        err = set(node, request, wait, &entry, &spare);
        mutex_drop(&node->lock);
    }
    heap_free(entry);
    heap_free(spare);
    return err;
}

static void drop_all(struct node *node, const void *owner)
{
    bool any = false;

    if (node->locks == NULL)
        return;
    mutex_take(&node->lock);
    for (struct flock_list **at = &node->locks; *at != NULL; ) {
        if ((*at)->what.owner == owner) {
            drop(at);
            any = true;
        } else {
            at = &(*at)->next;
        }
    }
    mutex_drop(&node->lock);
    if (any)
        wake_all(&node->ready);
}

void locks_drop_owner(struct node *node, const void *owner) { drop_all(node, owner); }
void locks_drop_file(struct file *file)                     { drop_all(file->node, file); }
