/*
 * test_map_random.c - programs' memory against an array of pages, and every allocation made to fail.
 *
 * The model knows pages only: mapped or not, rights, what they belong to, and the word each holds. Two spaces, the
 * second a child of the first, do random things. Calls must answer as the model says, regions must be the
 * longest runs of pages that mean the same, and every page must read as the model does; all of memory is
 * audited in between, and disturbed (memory/check/disturb.h). Any call may find that memory has run out: then nothing
 * has changed.
 */
#include "map_world.h"

#include "memory/check/disturb.h"
#include "memory/spaces/object.h"

enum { PAGES = 48, OBJECTS = 4096, OBJECT_PAGES = 64, FILES = 2, STEPS = 6000, ANONYMOUS = -1 };
enum { MAY_MOVE = 1, MOVE_FIXED = 2, DONT_NEED = 4 };

struct model_page {
    bool     mapped, shared, own;       /* own: a private copy, or private memory written to */
    uint8_t  rights;
    int      object;                    /* number, or ANONYMOUS */
    uint32_t index;                     /* page of the object   */
    uint32_t value;                     /* of a private page    */
};

static struct model {
    struct space     *space;
    bool              alive;
    struct model_page pages[PAGES];
} models[2];

static uint32_t words[OBJECTS][OBJECT_PAGES], lengths[OBJECTS];
static int      objects_made;
static struct object *files[FILES];
static struct space   child_space;

static uint64_t seed = 0x2545F4914F6CDD1Dull;

static uint32_t any(uint32_t below)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return (uint32_t)((seed >> 32) * below >> 32);
}

/* ---- What the model expects ------------------------------------------------------------------------ */

static bool alike(const struct model_page *lower, const struct model_page *upper)
{
    return lower->mapped && upper->mapped && lower->rights == upper->rights && lower->shared == upper->shared &&
           lower->object == upper->object && (lower->object == ANONYMOUS || lower->index + 1 == upper->index);
}

static unsigned runs(const struct model *m)
{
    unsigned count = 0;

    for (unsigned n = 0; n < PAGES; n++)
        count += m->pages[n].mapped && (n == 0 || !alike(&m->pages[n - 1], &m->pages[n]));
    return count;
}

static bool one_run(const struct model *m, unsigned first, unsigned count)
{
    for (unsigned n = first; n < first + count; n++)
        if (!m->pages[n].mapped || (n > first && !alike(&m->pages[n - 1], &m->pages[n])))
            return false;
    return true;
}

/* What a read gives: 0 and the word, or a signal's code as a positive number (7 for SIGBUS). */
static int expected(const struct model_page *page, bool write, uint32_t *value)
{
    if (!page->mapped)
        return 1;
    if (page->rights == 0 || (write && !(page->rights & W)))
        return 2;
    if (page->object != ANONYMOUS && page->index >= lengths[page->object] && !page->own)
        return 7;
    *value = page->own ? page->value : page->object != ANONYMOUS ? words[page->object][page->index] : 0;
    return 0;
}

static int fault_code(int err)
{
    assert_int_equal(err, -EFAULT);
    return verdict.signal == 7 ? 7 : verdict.code;
}

static void check_pages(struct model *m)
{
    for (unsigned n = 0; n < PAGES; n++) {
        uint32_t is = 0, should = 0;
        int      err, code = expected(&m->pages[n], false, &should);
        bool     good = access_word(m->space, column(n), false, &is, &err);

        if ((good ? 0 : fault_code(err)) != code || (good && is != should))
            fail_msg("page %u of space %d: is %x (%d), should be %x (%d)", n, (int)(m - models), is, err, should, code);
    }
}

static void check_regions(const struct model *m)
{
    size_t pages = 0;

    for (unsigned n = 0; n < PAGES; n++) {
        const struct region *r = region_find(&m->space->map, page_of(column(n)));

        assert_int_equal(r != NULL, m->pages[n].mapped);
        pages += r != NULL;
        if (r != NULL)
            assert_true(r->rights.user == m->pages[n].rights && r->shared == m->pages[n].shared);
    }
    assert_int_equal(m->space->pages, pages);
    assert_int_equal(m->space->map.count, runs(m));
}

/* ---- Steps ------------------------------------------------------------------------------------------- */

/* Some step may find no memory, now or a little later. */
static bool armed;

static void arm(void)
{
    armed = any(4) == 0;
    if (!armed)
        return;
    if (any(2))
        frame_fail_at(1 + any(4));
    else
        heap_fail_at(1 + any(4));
}

/* True when the call has failed for lack of memory, which is no one's fault. */
static bool ran_out(int err)
{
    frame_fail_at(0);
    heap_fail_at(0);
    return armed && err == -ENOMEM;
}

static uint8_t any_rights(void)
{
    static const uint8_t rights[] = { 0, R, R | W, R | W, R | X };

    return rights[any(COUNT_OF(rights))];
}

static void any_range(unsigned *first, unsigned *count)
{
    *first = any(PAGES);
    *count = 1 + any(PAGES - *first < 12 ? PAGES - *first : 12);
}

static void forget(struct model *m, unsigned first, unsigned count)
{
    memset(&m->pages[first], 0, count * sizeof m->pages[0]);
}

static void step_map(struct model *m)
{
    struct model_page  page = { .mapped = true, .rights = any_rights(), .object = ANONYMOUS, .shared = any(3) == 0 };
    struct map_request wanted;
    unsigned           first, count;
    vaddr_t            out;
    int                err;

    any_range(&first, &count);
    wanted = request(column(first), count, page.rights, MAP_IS_FIXED | (page.shared ? MAP_IS_SHARED : 0));
    if (any(2)) {
        page.object   = (int)any(FILES);
        page.index    = any(8);
        wanted.object = files[page.object];
        wanted.offset = page.index;
    } else if (page.shared) {
        assert_true(objects_made < OBJECTS);
        page.object = objects_made;
    }
    arm();
    err = map_create(m->space, &wanted, &out);
    if (ran_out(err))
        return;
    assert_int_equal(err, 0);
    if (page.object == objects_made) {
        memset(words[objects_made], 0, sizeof words[0]);
        lengths[objects_made++] = count;
    }
    forget(m, first, count);
    for (unsigned n = first; n < first + count; n++, page.index++)
        m->pages[n] = page;
}

static void step_unmap(struct model *m)
{
    unsigned first, count;
    int      err;

    any_range(&first, &count);
    arm();
    err = map_remove(m->space, column(first), count * PAGE_SIZE);
    if (ran_out(err))
        return;
    assert_int_equal(err, 0);
    forget(m, first, count);
}

/* A call over several regions may end in the middle, for a hole or for memory: below it has happened. */
static void step_protect(struct model *m)
{
    unsigned first, count, n;
    uint8_t  rights = any_rights();
    int      err;

    any_range(&first, &count);
    arm();
    err = map_protect(m->space, column(first), count * PAGE_SIZE, rights);
    for (n = first; n < first + count && m->pages[n].mapped; n++) {
        const struct region *r = region_find(&m->space->map, page_of(column(n)));

        if (r->rights.user != rights)
            break;
        m->pages[n].rights = rights;
    }
    if (!ran_out(err))
        assert_int_equal(err, n == first + count ? 0 : -ENOMEM);
    if (err == 0 || !armed)
        assert_true(n == first + count || !m->pages[n].mapped);
}

static void step_move(struct model *m)
{
    struct model_page moved[PAGES];
    unsigned          from, old, new, to;
    vaddr_t           out;
    int               err, should = 0;

    any_range(&from, &old);
    any_range(&to, &new);
    if (!one_run(m, from, old < new ? old : new))       /* pages beyond the new size are unmapped in any state */
        should = -EFAULT;
    if (m->pages[from].mapped && to < from + old && from < to + new)
        should = -EINVAL;
    arm();
    err = map_move(m->space, column(from), old * PAGE_SIZE, new * PAGE_SIZE, MAY_MOVE | MOVE_FIXED, column(to), &out);
    if (ran_out(err)) {                 /* Linux's promise is no better: what was at the new place may be gone */
        for (unsigned n = to; n < to + new; n++)
            if (should == 0 && region_find(&m->space->map, page_of(column(n))) == NULL)
                forget(m, n, 1);
        return;
    }
    assert_int_equal(err, should);
    if (err != 0)
        return;
    for (unsigned n = 0; n < new; n++) {
        moved[n] = m->pages[n < old ? from + n : from];
        if (n >= old) {
            moved[n].own   = false;
            moved[n].index = m->pages[from].index + n;
        }
    }
    forget(m, from, old);
    memcpy(&m->pages[to], moved, new * sizeof moved[0]);
}

static void step_advise(struct model *m)
{
    unsigned first, count;
    bool     hole = false;
    int      err;

    any_range(&first, &count);
    err = map_advise(m->space, column(first), count * PAGE_SIZE, DONT_NEED);
    for (unsigned n = first; n < first + count; n++) {
        hole |= !m->pages[n].mapped;
        m->pages[n].own = false;
    }
    assert_int_equal(err, hole ? -ENOMEM : 0);
}

static void step_write(struct model *m)
{
    unsigned           n    = any(PAGES);
    struct model_page *page = &m->pages[n];
    uint32_t           value = any(UINT32_MAX), ignored;
    int                err, code = expected(page, true, &ignored);
    bool               good;

    arm();
    good = access_word(m->space, column(n), true, &value, &err);
    if (ran_out(err))
        return;
    assert_int_equal(good ? 0 : fault_code(err), code);
    if (!good)
        return;
    if (page->shared) {
        words[page->object][page->index] = value;
    } else {
        page->own   = true;
        page->value = value;
    }
}

static void end_child(void)
{
    map_clear(&child_space);
    if (space_is_current(&child_space))
        space_activate(&program);
    space_destroy(&child_space);
    models[1].alive = false;
}

static void step_fork(void)
{
    int err;

    if (models[1].alive)
        end_child();
    assert_int_equal(space_create(&child_space), 0);
    arm();
    err = map_copy(&child_space, &program);
    if (ran_out(err)) {
        assert_true(child_space.map.count == 0 && child_space.pages == 0 && child_space.resident == 0);
        space_destroy(&child_space);
        return;
    }
    assert_int_equal(err, 0);
    models[1] = models[0];
    models[1].space = &child_space;
}

static void step_truncate(void)
{
    unsigned file = any(FILES), length = any(16);

    object_resize(files[file], length);
    for (unsigned n = length; n < OBJECT_PAGES; n++)
        words[file][n] = 0;
    for (int i = 0; i < 2; i++)
        for (unsigned n = 0; n < PAGES; n++)
            if (models[i].pages[n].object == (int)file && models[i].pages[n].mapped &&
                models[i].pages[n].index >= length)
                models[i].pages[n].own = false;
    lengths[file] = length;
}

static void step(void)
{
    struct model *m = &models[models[1].alive && any(2)];

    switch (any(20)) {
    case 0: case 1: case 2: step_map(m);     break;
    case 3: case 4:         step_unmap(m);   break;
    case 5: case 6: case 7: step_protect(m); break;
    case 8: case 9:         step_move(m);    break;
    case 10:                step_advise(m);  break;
    case 11:                step_fork();     break;
    case 12:                step_truncate(); break;
    default:                step_write(m);   break;
    }
}

static uint32_t live_blocks(void)
{
    struct heap_sums sums;

    heap_sums(&sums);
    return sums.live_blocks;
}

/* What the model does not know, as no program can see it: pages leave, frames move, entries go. */
static unsigned evicted, moved, dropped;

static void disturb(void)
{
    static page_t at[2];
    struct space *space = models[models[1].alive && any(2)].space;

    switch (any(4)) {
    case 0: evicted += disturb_evict(space, &at[0]); break;
    case 1: moved   += disturb_move(space, &at[1]);  break;
    case 2: dropped += disturb_entries(space);       break;
    }
}

static void random_programs_see_what_the_model_says(void)
{
    uint32_t blocks = live_blocks();

    models[0] = (struct model){ .space = &program, .alive = true };
    models[1].alive = false;
    objects_made = FILES;
    for (int i = 0; i < FILES; i++) {
        assert_non_null(files[i] = object_create(OWNER_FILE, 12));
        lengths[i] = 12;
    }
    for (unsigned n = 0; n < STEPS; n++) {
        step();
        disturb();
        for (int i = 0; i < 2; i++)
            if (models[i].alive) {
                check_regions(&models[i]);
                if (n % 16 == 0)
                    check_pages(&models[i]);
            }
        if (n % 64 == 0)
            assert_clean();
    }
    assert_true(evicted > STEPS / 100 && moved > STEPS / 100 && dropped > STEPS / 100);
    if (models[1].alive)
        end_child();
    map_clear(&program);
    for (int i = 0; i < FILES; i++)
        object_release(files[i]);
    assert_int_equal(live_blocks(), blocks);
    assert_int_equal(frames_owned(OWNER_FILE), 0);
}

/* ---- Each call, each allocation ------------------------------------------------------------------------- */

struct state {
    uint32_t blocks, user, tables, shared, file, resident;
    size_t   pages, charged, committed;
    char     picture[256];
};

/* A node that the space keeps (map_node_kept()) counts as none. */
static struct state state_now(void)
{
    struct state now = { .blocks = live_blocks() - (program.spare != NULL), .user = frames_owned(OWNER_USER),
                         .tables = frames_owned(OWNER_TABLES), .file = frames_owned(OWNER_FILE),
                         .resident = program.resident, .pages = program.pages, .charged = program.charged,
                         .committed = map_committed };

    draw(&program, 64, now.picture);
    return now;
}

static void assert_same(const struct state *a, const struct state *b)
{
    assert_string_equal(a->picture, b->picture);
    assert_int_equal(a->blocks, b->blocks);
    assert_int_equal(a->user, b->user);
    assert_int_equal(a->tables, b->tables);
    assert_int_equal(a->file, b->file);
    assert_int_equal(a->resident, b->resident);
    assert_int_equal(a->pages, b->pages);
    assert_int_equal(a->charged, b->charged);
    assert_int_equal(a->committed, b->committed);
}

static struct object *file;

static void prepare(void)
{
    map_clear(&program);
    set_limits(&program);
    paint("wwwwwwww..rrrr..wwww");
    for (size_t n = 0; n < 8; n += 3)
        assert_true(writes(&program, column(n), n));
}

static int call_create(void)
{
    struct map_request wanted = request(column(2), 3, R, MAP_IS_FIXED);
    vaddr_t            out;

    return map_create(&program, &wanted, &out);
}

static int call_create_shared(void)
{
    struct map_request wanted = request(0, 3, R | W, MAP_IS_SHARED);
    vaddr_t            out;

    return map_create(&program, &wanted, &out);
}

static int call_remove(void)  { return unmap(2, 3); }
static int call_protect(void) { return protect(2, 3, R); }

static int call_move(void)
{
    vaddr_t out;

    return map_move(&program, column(1), 4 * PAGE_SIZE, 6 * PAGE_SIZE, MAY_MOVE, 0, &out);
}

/* On success the child goes again: only failures are compared. */
static int call_fork(void)
{
    int err = space_create(&child_space);

    if (err != 0)
        return err;
    err = map_copy(&child_space, &program);
    map_clear(&child_space);
    space_destroy(&child_space);
    return err;
}

static int call_break(void)
{
    vaddr_t start = program.limits.break_start;

    return map_break(&program, start + 5000) == start ? -ENOMEM : 0;
}

static int call_zero(void)      { return space_fault(&program, column(1), MAY_WRITE, &verdict); }
static int call_zero_far(void)  { return space_fault(&program, 0x2FFFF000, MAY_WRITE, &verdict); }
static int call_lock(void)      { return map_lock(&program, column(2), PAGE_SIZE, true); }
static int call_object(void)    { return space_fault(&program, column(32), MAY_READ, &verdict); }

/* Advice has an errno of its own for this, as on Linux. */
static int call_dont_fork(void)
{
    int err = map_advise(&program, column(2), PAGE_SIZE, 10);

    return err == -EAGAIN ? -ENOMEM : err;
}

static void prepare_far(void)
{
    struct map_request wanted = request(0x2FFFF000, 1, R | W, MAP_IS_FIXED);
    vaddr_t            out;

    prepare();
    assert_int_equal(map_create(&program, &wanted, &out), 0);
}

static void prepare_object(void)
{
    struct map_request wanted = request(column(32), 4, R, MAP_IS_FIXED);
    vaddr_t            out;

    prepare();
    object_resize(file, 0);
    object_resize(file, 4000);
    wanted.object = file;
    wanted.offset = 3000;
    assert_int_equal(map_create(&program, &wanted, &out), 0);
}

/* Returns how many allocations the call can do without none of. */
static unsigned sweep(void (*set)(void), int (*call)(void), void (*fail_at)(uint32_t))
{
    for (unsigned k = 1; ; k++) {
        struct state before, after;
        int          err;

        set();
        before = state_now();
        fail_at(k);
        err = call();
        fail_at(0);
        if (err == 0)
            return k - 1;
        assert_int_equal(err, -ENOMEM);
        after = state_now();
        assert_same(&before, &after);
        assert_clean();
        assert_true(k < 64);
    }
}

static void without_memory_nothing_changes(void)
{
    static const struct {
        void   (*set)(void);
        int    (*call)(void);
        unsigned at_least;                      /* allocations it needs, of frames and blocks */
    } cases[] = {
        { prepare, call_create, 2 },        { prepare, call_create_shared, 2 }, { prepare, call_remove, 1 },
        { prepare, call_protect, 2 },       { prepare, call_move, 3 },          { prepare, call_fork, 4 },
        { prepare, call_break, 1 },         { prepare, call_zero, 1 },          { prepare_far, call_zero_far, 2 },
        { prepare, call_dont_fork, 2 },     { prepare_object, call_object, 2 },  { prepare, call_lock, 2 },
    };

    assert_non_null(file = object_create(OWNER_FILE, 4000));
    for (unsigned i = 0; i < COUNT_OF(cases); i++) {
        unsigned failures = sweep(cases[i].set, cases[i].call, frame_fail_at) +
            sweep(cases[i].set, cases[i].call, heap_fail_at);

        if (failures < cases[i].at_least)
            fail_msg("case %u failed only %u times", i, failures);
    }
    map_clear(&program);
    object_release(file);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        on_machine(random_programs_see_what_the_model_says),
        on_machine(without_memory_nothing_changes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
