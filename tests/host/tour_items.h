/*
 * tour_items.h - a list of nine items for tests of tours; each has a letter. Included once by each test program.
 */
#ifndef QUIRE_TESTS_TOUR_ITEMS_H
#define QUIRE_TESTS_TOUR_ITEMS_H

#include "process_notes.h"

#include "process/tour.h"

enum { ITEMS = 9 };

struct item {
    struct list link;
    char        letter;
};

static struct list head;
static struct item items[ITEMS];

/* Items a, b, c ... i. */
static void fill_list(void)
{
    list_start(&head);
    for (unsigned i = 0; i < ITEMS; i++) {
        items[i].letter = (char)('a' + i);
        list_insert(&head, &items[i].link);
    }
    order[0] = 0;
}

#endif
