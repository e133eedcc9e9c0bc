/*
 * map_contents.h - for tests of mappings of files: contents with a word in each page, and mappings of them.
 *
 * Included once by each test program.
 */
#ifndef QUIRE_TESTS_MAP_CONTENTS_H
#define QUIRE_TESTS_MAP_CONTENTS_H

#include "map_world.h"

#include "memory/spaces/object.h"

static struct object *contents;
static vaddr_t        out;

static inline int map_file(size_t first, size_t pages, uint64_t offset, uint8_t rights, uint32_t flags)
{
    struct map_request wanted = request(column(first), pages, rights, MAP_IS_FIXED | flags);

    wanted.object = contents;
    wanted.offset = offset;
    return map_create(&program, &wanted, &out);
}

/* Word 0 of page n is 50 + n; the page `hole`, if there is one, is not there. */
static inline void make_contents_but(uint64_t pages, uint64_t hole)
{
    frame_t frame;

    contents = object_create(OWNER_FILE, pages);
    assert_non_null(contents);
    for (uint64_t n = 0; n < pages; n++) {
        if (n == hole)
            continue;
        assert_int_equal(object_page(contents, n, true, &frame), 0);
        *(uint32_t *)&machine_ram[frame_address(frame)] = 50 + (uint32_t)n;
        frame_put(frame);
    }
}

#endif
