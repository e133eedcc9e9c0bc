/*
 * cursor_protect.c - other rights for the pages of a span: mprotect.
 */
#include "memory/tables/cursor_tables.h"

#include "base/check.h"
#include "base/rwlock.h"
#include "memory/frames/frame.h"
#include "memory/tables/watch.h"

/* Rights, and their bits in a present entry: 0 for no rights, and where the format has no bit for them. */
struct given {
    struct rights rights;
    uint32_t      bits;
};

struct protection {
    struct given all, less;             /* the second for pages that do not get the right to write */
    bool         grants;                /* some may get it                                         */
};

static struct given give(struct rights rights)
{
    return (struct given){ rights, entry_with_rights(entry_empty(), rights).raw };
}

/* What the page of an entry gets: all, if it had the right to write, or is its program's alone. */
static inline const struct given *given_to(const struct protection *to, entry_t e)
{
    return !to->grants || (entry_rights(e).user & MAY_WRITE) || frame_is_sole(entry_frame(e), OWNER_USER) ? &to->all
                                                                                                          : &to->less;
}

/*
 * The short way, of a present entry that stays present. False where the processor has set a bit in it meanwhile. *less:
 * it has lost rights.
 */
static inline bool protect_present(struct space *space, page_t page, entry_t *at, entry_t old, uint32_t bits,
                                   bool *less)
{
    entry_t new = { entry_with_rights(old, (struct rights){ 0, 0 }).raw | bits };

    if (bits == 0 || !entry_present(old) || !entry_change(at, old, new))
        return false;
    *less = entry_loses_rights(old, new);
    entry_changed(space, page, old, new);
    return true;
}

static page_t protect_batch(struct cursor *c, page_t page, page_t end, const void *how)
{
    entry_t *at   = cursor_entry(c, page);
    size_t   left = cursor_filled(c);
    size_t   most = left < CURSOR_BATCH ? left : CURSOR_BATCH;

    deep_assert(span_has(c->in_view, page) && page < end && end <= c->in_view.end);
    /* bound: MMU_ENTRIES */
    for (; page < end && most > 0; at++, page++) {
        entry_t             e = entry_read(at);
        const struct given *given;
        bool                less;

        if (cursor_is_empty(e))
            continue;
        most--;
        if (!cursor_owns_frame(e))
            continue;
        given = given_to(how, e);
        if (!protect_present(c->space, page, at, e, given->bits, &less))
            cursor_protect(c, page, given->rights);
        else if (less)
            cursor_note_loss(c, page);
    }
    return left > CURSOR_BATCH ? page : end;
}

/* pages_protect(). False: some of the pages are left to do. */
static bool protect_few(struct space *space, struct span span, const struct protection *to)
{
    struct cursor_touch t;
    bool                done, less;

    if (!cursor_few(&t, space, span, &done))
        return done;
    done = true;
    /* bound: CURSOR_PAGES */
    for (; done && t.page < span.end; t.page++, t.at++) {
        entry_t e = entry_read(t.at);

        if (!cursor_owns_frame(e))
            continue;
        done = protect_present(space, t.page, t.at, e, given_to(to, e)->bits, &less);
        if (done && less && space_is_current(space))
            mmu_flush_page(t.page);
    }
    cursor_touch_leave(&t);
    return done;
}

void pages_protect(struct space *space, struct span span, struct rights rights, bool apart)
{
    struct protection to = { .all = give(rights), .grants = apart && (rights.user & MAY_WRITE) };

    may_sleep();
    assert(space != &kernel_space && !span_empty(span));
    rights.kernel &= ~MAY_WRITE;
    rights.user   &= ~MAY_WRITE;
    to.less = give(rights);
    if (protect_few(space, span, &to))
        point_of_rest();
    else
        cursor_edit_all(space, span, protect_batch, &to);
}
