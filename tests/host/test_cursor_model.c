/*
 * test_cursor_model.c - the cursor against a plain array of pages.
 *
 * The array says what each page should be. After every step the tables must say the same through the cursor,
 * and hardware must obey: loads and stores at both privileges give the contents or the fault that
 * the array predicts, and no cached translation is stale (C4).
 */
#include "cursor_world.h"

#include <stdlib.h>

#include "base/string.h"

static const struct rights nothing = { 0, 0 };

enum { PAGES = 48, FRAMES = 4096 };

enum kind { NOTHING, PRESENT, BLOCKED, MARK };

static struct page {
    enum kind     kind;
    uint32_t      frame;                /* PRESENT, BLOCKED; the number of a MARK        */
    struct rights rights;               /* as asked                                      */
} model[PAGES];

static uint32_t contents[FRAMES], references[FRAMES], next_word;

/* Two stretches, each across the border of two tables, with a wide gap between. */
static page_t page_at(unsigned i) { return i < PAGES / 2 ? USER_PAGE(0x7F4) + i : USER_PAGE(0x2BF4) + (i - PAGES / 2); }

static const struct rights choices[] = {
    { 0, 0 }, { READ, READ }, { READ | WRITE, READ | WRITE }, { READ, 0 }, { READ | WRITE, 0 },
    { READ, READ | RUN },
};

static unsigned dice(unsigned sides) { return (unsigned)rand() % sides; }

/* A new frame, or one more reference to a frame that some page has. */
static frame_t pick_frame(void)
{
    const struct page *other = &model[dice(PAGES)];
    frame_t            frame;

    if (dice(4) == 0 && (other->kind == PRESENT || other->kind == BLOCKED)) {
        frame = (frame_t){ other->frame };
        frame_share(frame);
    } else {
        frame = new_frame(++next_word);
        contents[frame.no] = next_word;
    }
    references[frame.no]++;
    return frame;
}

static void set_page(struct page *page, frame_t frame, struct rights rights)
{
    *page = (struct page){ (rights.kernel | rights.user) != 0 ? PRESENT : BLOCKED, frame.no, rights };
}

static bool has_frame(const struct page *page) { return page->kind == PRESENT || page->kind == BLOCKED; }

static void edit(struct cursor *c, unsigned i)
{
    struct page  *page   = &model[i];
    page_t        at     = page_at(i);
    struct rights rights = choices[dice(COUNT_OF(choices))];

    switch (dice(6)) {
    case 0: case 1:
        if (!has_frame(page)) {
            frame_t frame = pick_frame();

            cursor_map(c, at, frame, rights, CACHE_BACK);
            set_page(page, frame, rights);
        }
        break;
    case 2:
        cursor_protect(c, at, rights);
        if (has_frame(page))
            set_page(page, (frame_t){ page->frame }, rights);
        break;
    case 3:
        if (page->kind == PRESENT && (rights.kernel | rights.user) != 0) {
            frame_t frame = pick_frame();
            frame_t old   = cursor_replace(c, at, frame, rights);

            assert_int_equal(old.no, page->frame);
            c->freed[c->freed_count++] = old;           /* as copy-on-write does: dropped after the flush */
            references[old.no]--;
            set_page(page, frame, rights);
        }
        break;
    case 4:
        if (!has_frame(page)) {
            bool mark = dice(2);

            cursor_put(c, at, mark ? entry_absent(ENTRY_GUARD, i, rights) : entry_empty());
            *page = (struct page){ mark ? MARK : NOTHING, i, rights };
        }
        break;
    default:
        if (has_frame(page))
            references[page->frame]--;
        cursor_discard(c, at);
        page->kind = NOTHING;
    }
}

static void check_page(unsigned i)
{
    const struct page   *page    = &model[i];
    entry_t              e       = entry_of(page_at(i));
    struct rights        allowed = page->kind == PRESENT ? mmu_allow(page->rights) : nothing;
    vaddr_t              at      = page_address(page_at(i));
    struct machine_fault fault;
    uint32_t             value;

    switch (page->kind) {
    case NOTHING: assert_int_equal(e.raw, 0); break;
    case PRESENT: assert_int_equal(entry_kind(e, 1), ENTRY_PRESENT); break;
    case BLOCKED: assert_int_equal(entry_kind(e, 1), ENTRY_BLOCKED); break;
    case MARK:    assert_int_equal(e.raw, entry_absent(ENTRY_GUARD, i, page->rights).raw); break;
    }
    if (has_frame(page)) {
        assert_int_equal(entry_frame(e).no, page->frame);
        assert_int_equal(frame_references((frame_t){ page->frame }), references[page->frame]);
    }
    for (int user = 0; user < 2; user++) {
        unsigned may = user ? allowed.user : allowed.kernel;

        assert_int_equal(machine_load(&space, at, user, &value, &fault), (may & READ) != 0);
        if (may & READ)
            assert_int_equal(value, contents[page->frame]);
        else
            assert_int_equal(fault.present, page->kind == PRESENT);
        if (dice(2)) {
            bool stored = machine_store(&space, at, user, next_word + 1, &fault);

            assert_int_equal(stored, (may & WRITE) != 0);
            if (stored)
                contents[page->frame] = ++next_word;
        }
    }
}

static void check_next(void)
{
    struct cursor c;
    page_t        at = page_at(0);
    struct span   span = { page_at(0), page_at(PAGES - 1) + 1 };

    assert_int_equal(cursor_open(&c, &space, span, 0), 0);
    for (unsigned i = 0; i < PAGES; i++)
        if (model[i].kind != NOTHING) {
            at = cursor_next(&c, at);
            assert_int_equal(at, page_at(i));
            at++;
        }
    assert_int_equal(cursor_next(&c, at), span.end);
    cursor_close(&c);
}

static uint32_t distinct_frames(void)
{
    uint32_t count = 0;

    for (unsigned i = 0; i < FRAMES; i++)
        count += references[i] > 0;
    return count;
}

static void one_step(void)
{
    unsigned      first = dice(PAGES), count = 1 + dice(PAGES - first);
    struct cursor c;

    open(&c, page_at(first), page_at(first + count - 1) + 1);
    for (unsigned edits = dice(8); edits > 0; edits--)
        edit(&c, first + dice(count));
    cursor_close(&c);
}

static void edits_leave_what_an_array_would_hold(void **state)
{
    (void)state;
    srand(2);
    memset(model, 0, sizeof model);
    memset(references, 0, sizeof references);
    next_word = 0;
    start();
    for (unsigned step = 0; step < 600; step++) {
        if (dice(8) == 0)
            space_activate(dice(2) ? &space : &kernel_space);
        one_step();
        assert_true(machine_tlb_ok());
        for (unsigned i = 0; i < PAGES; i++)
            check_page(i);
        if (step % 16 == 0) {
            check_next();
            check_all();
            assert_int_equal(owned(OWNER_TEST), distinct_frames());
        }
    }
    end();                      /* space_destroy() gives everything back */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(edits_leave_what_an_array_would_hold),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
