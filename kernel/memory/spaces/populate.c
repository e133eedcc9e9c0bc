/*
 * populate.c - memory for a new process, page by page and chunk by chunk.
 */
#include "memory/spaces/populate.h"

#include "base/check.h"
#include "base/error.h"
#include "base/string.h"
#include "cpu.h"
#include "memory/tables/cursor.h"
#include "memory/frames/frame.h"
#include "memory/tables/slot.h"

static void populate_notify(struct populate_watch *watch, enum populate_step step, page_t page, frame_t frame)
{
    if (watch != NULL)
        watch->see(watch, step, page, frame);
}

/* The rest of an image from its page-th page on. */
static struct populate_image image_from(struct populate_image image, size_t page)
{
    size_t skip = page * PAGE_SIZE;

    if (skip >= image.count)
        return (struct populate_image){ NULL, 0 };
    return (struct populate_image){ (const char *)image.bytes + skip, image.count - skip };
}

/* A frame with the first page of the image in it. */
static int take_page(struct populate_image image, frame_t *out)
{
    size_t        bytes = image.count < PAGE_SIZE ? image.count : PAGE_SIZE;
    unsigned long state;
    int           err   = frame_get(OWNER_USER, FRAME_ZERO, out);

    if (err != 0 || bytes == 0)
        return err;
    state = interrupts_off();                   /* so that no other code of this CPU takes the slot */
    memcpy(frame_view(*out, SLOT_TO), image.bytes, bytes);
    interrupts_restore(state);
    return 0;
}

/* ---- Single pages (M10) ------------------------------------------------------------------------- */

static int add_page(struct space *space, page_t page, struct rights rights, struct populate_image image,
                    struct populate_watch *watch)
{
    struct cursor c;
    frame_t       frame;
    int           err = take_page(image, &frame);

    if (err != 0)
        return err;
    populate_notify(watch, POPULATE_PAGE_TAKEN, page, frame);
    err = cursor_open(&c, space, span_of(page, 1), CURSOR_BUILD);
    if (err != 0) {
        frame_put(frame);
        return err;
    }
    cursor_map(&c, page, frame, rights, CACHE_BACK);
    cursor_close(&c);
    populate_notify(watch, POPULATE_PAGE_MAPPED, page, frame);
    return 0;
}

static void populate_discard(struct space *space, struct span span)
{
    struct cursor c;
    int           err;

    if (span_empty(span))
        return;
    err = cursor_open(&c, space, span, 0);
    assert(err == 0);                           /* without CURSOR_BUILD nothing can fail */
    cursor_discard_span(&c, span);
    cursor_close(&c);
}

/* ---- A chunk (M15) -------------------------------------------------------------------------------- */

/* No space has the table yet, so no lock is needed. The view is used only while an entry is written. */
static void put_entry(frame_t table, page_t page, entry_t entry)
{
    unsigned long state = interrupts_off();
    entry_t      *view  = frame_view(table, SLOT_TABLE);

    deep_assert(frame_references(table) == 1 && entry_present(entry));
    entry_write(&view[mmu_index(page, 1)], entry);
    interrupts_restore(state);
}

static entry_t get_entry(frame_t table, page_t page)
{
    unsigned long  state = interrupts_off();
    const entry_t *view  = frame_view(table, SLOT_TABLE);
    entry_t        entry = entry_read(&view[mmu_index(page, 1)]);

    interrupts_restore(state);
    return entry;
}

/* Give back a table that was never hung in, and the pages [first, end) that it shows. */
static void drop_chunk(frame_t table, page_t first, page_t end)
{
    for (page_t page = first; page < end; page++)
        frame_put(entry_frame(get_entry(table, page)));
    frame_put(table);
}

static int populate_hang(struct space *space, page_t first, frame_t table)
{
    struct cursor c;
    int           err = cursor_open(&c, space, span_of(first, MMU_ENTRIES), CURSOR_BUILD | CURSOR_LARGE);

    deep_assert(first % MMU_ENTRIES == 0 && frame_owner(table) == OWNER_TABLES);
    if (err != 0)
        return err;
    err = cursor_hang(&c, first, table);
    cursor_close(&c);
    return err;
}

int populate_chunk(struct space *space, page_t first, struct rights rights, struct populate_image image,
                   struct populate_watch *watch)
{
    page_t  end = first + MMU_ENTRIES;
    frame_t table, frame;
    int     err;

    assert(first % MMU_ENTRIES == 0 && space != &kernel_space);
    err = frame_get(OWNER_TABLES, FRAME_ZERO, &table);
    if (err != 0)
        return err;
    populate_notify(watch, POPULATE_TABLE_TAKEN, first, table);
    for (page_t page = first; page < end; page++) {
        err = take_page(image_from(image, page - first), &frame);
        if (err != 0) {
            drop_chunk(table, first, page);
            return err;
        }
        put_entry(table, page, entry_leaf(frame, rights, CACHE_BACK, false, 1));
        populate_notify(watch, POPULATE_CHUNK_PAGE, page, frame);
    }
    err = populate_hang(space, first, table);
    if (err != 0) {
        drop_chunk(table, first, end);
        return err;
    }
    populate_notify(watch, POPULATE_CHUNK_LINKED, first, table);
    return 0;
}

/* ---- Both ---------------------------------------------------------------------------------------- */

/* Whether a whole chunk begins here. With one level of tables there are no chunks: no table can be built beside it. */
static bool is_chunk(page_t page, page_t end)
{
    return MMU_LEVELS > 1 && page % MMU_ENTRIES == 0 && end - page >= MMU_ENTRIES;
}

int populate_span(struct space *space, struct span span, struct rights rights, struct populate_image image,
                  struct populate_watch *watch)
{
    for (page_t page = span.first; page < span.end; ) {
        struct populate_image rest  = image_from(image, page - span.first);
        bool                chunk = is_chunk(page, span.end);
        int err = chunk ? populate_chunk(space, page, rights, rest, watch) : add_page(space, page, rights, rest, watch);

        if (err != 0) {
            populate_discard(space, (struct span){ span.first, page });
            return err;
        }
        page += chunk ? MMU_ENTRIES : 1;
    }
    return 0;
}
