/*
 * region_world.h - for tests of the region tree: a tree that is made of a picture, and drawn as one.
 *
 * A picture is a universe: one letter a region, one column a page, a dot for nothing.
 * Neighbouring regions need different letters; a region is known by its letter. Included once by each test program.
 */
#ifndef QUIRE_TESTS_REGION_WORLD_H
#define QUIRE_TESTS_REGION_WORLD_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/error.h"
#include "memory/audit.h"
#include "memory/spaces/region.h"

enum { WORLD_PAGES = 64, WORLD_FIRST = 0x100 };     /* page 0 of a picture is page 0x100 of the space */

/* A tree and its nodes in one block, so that a copy of the bytes is a copy of the world. */
struct world {
    struct region_tree tree;
    struct region      nodes[26];                   /* by letter; in use while height > 0 */
    char               names[26][2];
};
static struct world world;

static inline struct region *node_of(char letter) { return &world.nodes[letter - 'A']; }

static inline struct span columns(size_t first, size_t pages) { return span_of(WORLD_FIRST + first, pages); }

static inline void assert_sound(void)
{
    struct audit_report report = { 0 };

    region_tree_audit(&world.tree, &report);
    if (report.failed)
        fail_msg("%s: %s", report.failures[0].id, report.failures[0].text);
    assert_true(region_tree_ok(&world.tree));
}

static inline int insert(char letter, size_t first, size_t pages)
{
    struct region *node = node_of(letter);

    snprintf(world.names[letter - 'A'], 2, "%c", letter);
    node->name = world.names[letter - 'A'];
    node->span = columns(first, pages);
    return region_insert(&world.tree, node);
}

static inline void world_of_size(size_t pages)
{
    memset(&world, 0, sizeof world);
    region_tree_start(&world.tree, columns(0, pages));
}

static inline void world_of(const char *picture)
{
    world_of_size(strlen(picture));
    for (size_t i = 0; picture[i]; ) {
        size_t run = strspn(picture + i, (char[]){ picture[i], 0 });

        if (picture[i] != '.')
            assert_int_equal(insert(picture[i], i, run), 0);
        i += run;
    }
    assert_sound();
}

static inline void draw(char *picture)
{
    size_t pages = span_pages(world.tree.limits);

    memset(picture, '.', pages);
    picture[pages] = 0;
    for (int i = 0; i < 26; i++)
        if (world.nodes[i].height > 0)
            memset(picture + (world.nodes[i].span.first - WORLD_FIRST), 'A' + i,
                   span_pages(world.nodes[i].span));
}

static inline void assert_world(const char *expected)
{
    char picture[WORLD_PAGES + 1];

    draw(picture);
    assert_string_equal(picture, expected);
    assert_sound();
}

#endif
