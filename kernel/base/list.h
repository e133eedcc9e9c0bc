/*
 * list.h - structures linked in a ring, by a member of their own.
 *
 * A head and its items are all struct list. An item that is in no list points at itself, so it can be removed at
 * any time, also twice. Nothing is allocated. Locking: the caller's. Cost: all but LIST_EACH O(1).
 *
 *   L1  next->previous and previous->next are the item itself
 *
 * list_ok() checks L1 of every item.
 */
#ifndef QUIRE_BASE_LIST_H
#define QUIRE_BASE_LIST_H

#include "base/types.h"

struct list { struct list *next, *previous; };

static inline void list_start(struct list *list)          { list->next = list->previous = list; }
static inline bool list_is_empty(const struct list *list) { return list->next == list; }

/* Insert `item` before `place`: at the end of the list when `place` is the head. */
static inline void list_insert(struct list *place, struct list *item)
{
    item->next           = place;
    item->previous       = place->previous;
    item->next->previous = item->previous->next = item;
}

static inline void list_remove(struct list *item)
{
    item->next->previous = item->previous;
    item->previous->next = item->next;
    list_start(item);
}

/* The structure of which `item` is the member. */
#define LIST_ITEM(item, type, member) CONTAINER_OF(item, type, member)

/* `at` is a struct list *; the list must not change meanwhile. */
#define LIST_EACH(at, head) for (at = (head)->next; at != (head); at = at->next)

static inline bool list_ok(const struct list *list)
{
    const struct list *at = list;

    do {
        if (at->next->previous != at || at->previous->next != at)       /* L1 */
            return false;
        at = at->next;
    } while (at != list);
    return true;
}

#endif
