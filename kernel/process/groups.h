/*
 * groups.h - supplementary groups.
 *
 * Owning   a list is counted: groups_new() hands out one reference, groups_hold() one more. What several credentials
 *          share is never changed.
 * Locking  counts are atomic.
 * Cost     groups_have(): O(log count). groups_sort(): O(count * log(count)).
 */
#ifndef QUIRE_PROCESS_GROUPS_H
#define QUIRE_PROCESS_GROUPS_H

#include "base/types.h"

/* Ascending, once they are sorted. NULL stands for none. */
enum { GROUPS_MOST = 65536 };
struct groups {
    uint32_t references, count;
    uint32_t gid[];
};
struct groups *groups_new(uint32_t count);              /* to be filled in; NULL without memory                   */
struct groups *groups_hold(struct groups *groups);      /* returns it                                             */
void groups_release(struct groups *groups);
void groups_sort(struct groups *groups);
bool groups_have(const struct groups *groups, uint32_t gid);

#endif
