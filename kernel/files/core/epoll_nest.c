/*
 * epoll_nest.c - epolls that watch epolls: no circles, not too deep, and not too many paths for one wake.
 */
#include "base/check.h"
#include "base/error.h"
#include "files/core/epoll_set.h"

/* How many paths of each length may lead from a file up to an epoll that no other watches; Linux's numbers. */
enum { NESTED_LENGTHS = NESTED_DEEPEST + 1 };
static const uint32_t NESTED_PATHS[NESTED_LENGTHS] = { UINT32_MAX, 500, 100, 50, 10 };

/* Of the last search: very many paths may lead to one epoll, which is looked into once. */
static uint32_t searches;               /* [epolls_lock] */

static unsigned find_depth_below(struct epoll *self, const struct epoll *stranger, unsigned above)
{
    unsigned deepest = 0;

    if (self == stranger || above > NESTED_DEEPEST)
        return NESTED_DEEPEST + 1;
    if (self->search == searches)
        return self->depth;
    self->search = searches;
    self->depth  = NESTED_DEEPEST + 1;          /* who comes to it again from below has gone round a circle */
    for (uint32_t i = 0; i < self->size; i++)
        for (const struct epoll_item *item = self->table[i]; item != NULL; item = item->same_hash)
            if (is_epoll(item->file)) {
                unsigned depth = 1 + find_depth_below(epoll_of(item->file), stranger, above + 1);

                deepest = depth > deepest ? depth : deepest;
            }
    return self->depth = deepest;
}

unsigned epoll_depth_below(struct epoll *self, const struct epoll *stranger)
{
    deep_assert(mutex_held(&epolls_lock) || stranger == NULL);
    searches++;
    return find_depth_below(self, stranger, 0);
}

/* How deep this open file of an epoll lies in others. The caller has begun a search. */
static unsigned depth_above(const struct file *file)
{
    struct epoll *self    = epoll_of(file);
    unsigned      deepest = 0;

    deep_assert(mutex_held(&epolls_lock));
    if (self->search == searches)
        return self->depth;
    self->search = searches;
    for (const struct epoll_item *item = file->watchers; item != NULL; item = item->next_of_file) {
        const struct file *outer = item->epoll->node.own;
        unsigned           depth = 1 + depth_above(outer);

        deepest = depth > deepest ? depth : deepest;
    }
    return self->depth = deepest;
}

static bool count_paths(const struct file *file, unsigned length, uint32_t counts[NESTED_LENGTHS])
{
    deep_assert(mutex_held(&epolls_lock));
    if (length >= NESTED_LENGTHS)
        return false;
    for (const struct epoll_item *item = file->watchers; item != NULL; item = item->next_of_file) {
        const struct file *outer = item->epoll->node.own;

        if (outer->watchers != NULL ? !count_paths(outer, length + 1, counts)
                                    : ++counts[length] > NESTED_PATHS[length])
            return false;
    }
    return true;
}

/* Many paths may lead down to an epoll, which is looked into once. */
static bool few_paths_below(const struct file *file)
{
    uint32_t      counts[NESTED_LENGTHS] = { 0 };
    struct epoll *self;

    deep_assert(mutex_held(&epolls_lock));
    point_of_rest();
    if (!is_epoll(file))
        return count_paths(file, 0, counts);
    self = epoll_of(file);
    if (self->search == searches)
        return true;
    self->search = searches;
    for (uint32_t i = 0; i < self->size; i++)
        for (const struct epoll_item *item = self->table[i]; item != NULL; item = item->same_hash)
            if (!few_paths_below(item->file))
                return false;
    return true;
}

bool epoll_few_paths(const struct file *file)
{
    may_sleep();
    searches++;
    return few_paths_below(file);
}

int epoll_may_nest(const struct file *epoll, const struct file *file)
{
    unsigned below;

    deep_assert(mutex_held(&epolls_lock));
    if (!is_epoll(file))
        return 0;
    below = epoll_depth_below(epoll_of(file), epoll_of(epoll));
    if (below > NESTED_DEEPEST)
        return -ELOOP;
    searches++;
    return below + 1 + depth_above(epoll) > NESTED_DEEPEST ? -ELOOP : 0;
}
