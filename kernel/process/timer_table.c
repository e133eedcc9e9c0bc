/*
 * timer_table.c - see timer_table.h.
 */
#include "process/timer_table.h"

#include "base/check.h"
#include "base/error.h"
#include "memory/heap/heap.h"

/* The first leaf with room, whose pointer may still be NULL; TIMER_BRANCH when all leaves are full. */
static unsigned leaf_with_room(const struct timer_table *table)
{
    unsigned n = 0;

    while (n < TIMER_BRANCH && table->leaf[n] != NULL && table->leaf[n]->count == TIMER_BRANCH)
        n++;
    return n;
}

static unsigned free_place(const struct timer_leaf *leaf)
{
    unsigned n = 0;

    while (leaf->place[n] != NULL)              /* ends before TIMER_BRANCH: there is room */
        n++;
    return n;
}

int timer_table_add(struct timer_table *table, void *what)
{
    unsigned           at = leaf_with_room(table), place;
    struct timer_leaf *leaf;

    assert(what != NULL);
    if (at == TIMER_BRANCH)
        return -EAGAIN;
    leaf = table->leaf[at];
    if (leaf == NULL && (leaf = heap_alloc(sizeof *leaf, HEAP_ZERO)) == NULL)
        return -ENOMEM;
    table->leaf[at] = leaf;
    place = free_place(leaf);
    leaf->place[place] = what;
    leaf->count++;
    table->count++;
    return (int)(at * TIMER_BRANCH + place);
}

void *timer_table_find(const struct timer_table *table, int number)
{
    const struct timer_leaf *leaf;

    if (number < 0 || number >= TIMERS_A_PROCESS)
        return NULL;
    leaf = table->leaf[number / TIMER_BRANCH];
    return leaf != NULL ? leaf->place[number % TIMER_BRANCH] : NULL;
}

void timer_table_remove(struct timer_table *table, int number)
{
    struct timer_leaf **leaf = &table->leaf[number / TIMER_BRANCH];

    assert(timer_table_find(table, number) != NULL);
    (*leaf)->place[number % TIMER_BRANCH] = NULL;
    table->count--;
    if (--(*leaf)->count > 0)
        return;
    heap_free_sized(*leaf, sizeof **leaf);
    *leaf = NULL;
}

static uint32_t places_taken(const struct timer_leaf *leaf)
{
    uint32_t count = 0;

    for (unsigned n = 0; n < TIMER_BRANCH; n++)
        count += leaf->place[n] != NULL;
    return count;
}

const char *timer_table_broken(const struct timer_table *table)
{
    uint32_t sum = 0;

    for (unsigned n = 0; n < TIMER_BRANCH; n++) {
        const struct timer_leaf *leaf = table->leaf[n];

        if (leaf != NULL && leaf->count == 0)
            return "I2";
        if (leaf != NULL && places_taken(leaf) != leaf->count)
            return "I1";
        sum += leaf != NULL ? leaf->count : 0;
    }
    return sum == table->count ? NULL : "I1";
}
