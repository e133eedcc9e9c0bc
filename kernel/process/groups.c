/*
 * groups.c - the supplementary groups of processes: counted lists of numbers, ascending.
 */
#include "process/groups.h"

#include "base/check.h"
#include "memory/heap/heap.h"

struct groups *groups_new(uint32_t count)
{
    struct groups *groups = heap_alloc(sizeof *groups + count * sizeof groups->gid[0], 0);

    assert(count <= GROUPS_MOST);
    if (groups != NULL)
        *groups = (struct groups){ .references = 1, .count = count };
    return groups;
}

struct groups *groups_hold(struct groups *groups)
{
    if (groups != NULL)
        __atomic_add_fetch(&groups->references, 1, __ATOMIC_RELAXED);
    return groups;
}

void groups_release(struct groups *groups)
{
    if (groups != NULL && __atomic_sub_fetch(&groups->references, 1, __ATOMIC_ACQ_REL) == 0)
        heap_free(groups);
}

bool groups_have(const struct groups *groups, uint32_t gid)
{
    uint32_t low = 0, high = groups != NULL ? groups->count : 0;

    while (low < high) {
        uint32_t middle = low + (high - low) / 2;

        if (groups->gid[middle] == gid)
            return true;
        if (groups->gid[middle] < gid)
            low = middle + 1;
        else
            high = middle;
    }
    return false;
}

static void swap_numbers(uint32_t *a, uint32_t *b)
{
    uint32_t kept = *a;

    *a = *b;
    *b = kept;
}

/* In the heap of `count` numbers, of which the largest is the first, this one may be too small for its place. */
static void sift_down(uint32_t *gid, uint32_t at, uint32_t count)
{
    for (uint32_t child; (child = 2 * at + 1) < count; at = child) {
        if (child + 1 < count && gid[child + 1] > gid[child])
            child++;
        if (gid[at] >= gid[child])
            return;
        swap_numbers(&gid[at], &gid[child]);
    }
}

/* Heapsort: whatever a program hands in, it costs count * log(count). */
void groups_sort(struct groups *groups)
{
    uint32_t *gid = groups->gid, count = groups->count;

    for (uint32_t i = count / 2; i-- > 0;)
        sift_down(gid, i, count);
    for (uint32_t i = count; i-- > 1;) {
        swap_numbers(&gid[0], &gid[i]);
        sift_down(gid, 0, i);
    }
}
