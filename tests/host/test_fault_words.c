/*
 * test_fault_words.c - a fault of each kind at a page of each kind in each state, and what is said and done about it:
 * test_fault_words.txt.
 */
#include "map_world.h"

#include "kept_lines.h"
#include "memory/pageout/swap.h"
#include "memory/spaces/object.h"
#include "memory/spaces/fault_verdict.h"

enum { PAGE_OUT = 21, DONT_NEED = 4 };

static struct object *object;
static vaddr_t        out;

static void tell(const char *what, size_t page, uint8_t access)
{
    uint64_t            before[FAULT_ACTIONS];
    struct frame_sums   frames, after;
    const char         *action = "nothing";
    struct fault_verdict v = { 0 };
    entry_t             e;
    bool                is;
    int                 err;

    memcpy(before, fault_counts, sizeof before);
    frames_sums(&frames);
    err = space_fault(&program, column(page) + 0x123, access, &v);
    frames_sums(&after);
    for (unsigned i = 0; i < FAULT_ACTIONS; i++)
        if (fault_counts[i] != before[i])
            action = fault_action_names[i];
    e  = entry_at_page(&program, column(page));
    is = entry_present(e);
    kept_line("%s, page %zu, %s: %d, %s; entry %d, rights %x/%x, %u references; frames +%u -%u; %u resident, %u out, "
              "%zu pages, %zu charged", what, page, access == R ? "read" : access == W ? "write" : "execute", err,
              action, entry_kind(e, 1), is ? entry_rights(e).kernel : 0, is ? entry_rights(e).user : 0,
              is ? frame_references(entry_frame(e)) : 0, (unsigned)(after.gets - frames.gets),
              (unsigned)(after.puts - frames.puts), program.resident, program.swapped, program.pages, program.charged);
    if (err == -EFAULT)
        kept_line("    signal %d, code %d, at 0x%lx: %s", v.signal, v.code, (unsigned long)v.address, v.reason);
}

static void enter(size_t first, size_t pages, uint8_t rights, uint32_t flags, uint64_t offset)
{
    struct map_request wanted = request(column(first), pages, rights, MAP_IS_FIXED | flags);

    if (offset != UINT64_MAX) {
        wanted.object = object;
        wanted.offset = offset;
    }
    wanted.name = flags & MAP_GROWS_DOWN ? "[stack]" : first % 2 ? "a name" : NULL;
    assert_int_equal(map_create(&program, &wanted, &out), 0);
}

static const uint8_t accesses[] = { R, W, X };

static const struct { const char *name; uint8_t rights; uint32_t flags; bool object; } kinds[] = {
    { "private rw", R | W, 0, false }, { "private r", R, 0, false }, { "private rx", R | X, 0, false },
    { "private w", W, 0, false }, { "private none", 0, 0, false }, { "shared rw", R | W, MAP_IS_SHARED, false },
    { "file rw", R | W, 0, true }, { "file r", R, 0, true }, { "shared file rw", R | W, MAP_IS_SHARED, true },
    { "shared file r", R, MAP_IS_SHARED, true },
};

static void fresh_pages(void)
{
    for (size_t kind = 0; kind < COUNT_OF(kinds); kind++)
        for (size_t a = 0; a < COUNT_OF(accesses); a++) {
            object = object_create(OWNER_FILE, 20);
            assert_non_null(object);
            enter(5, 24, kinds[kind].rights, kinds[kind].flags, kinds[kind].object ? 3 : UINT64_MAX);
            tell(kinds[kind].name, 5, accesses[a]);
            tell(kinds[kind].name, 5, accesses[a]);
            tell(kinds[kind].name, 7, accesses[(a + 1) % 3]);
            tell(kinds[kind].name, 7, accesses[(a + 2) % 3]);
            tell(kinds[kind].name, 21, accesses[a]);    /* the last page of the object */
            tell(kinds[kind].name, 22, accesses[a]);
            tell(kinds[kind].name, 4, accesses[a]);     /* beside the region */
            tell(kinds[kind].name, 29, accesses[a]);
            map_clear(&program);
            object_release(object);
        }
}

/* Written, shared by a fork, out of reach, gone out; then touched. */
static void pages_in_each_state(void)
{
    for (unsigned how = 0; how < 6; how++)
        for (size_t a = 0; a < COUNT_OF(accesses); a++)
            for (unsigned first = 0; first < 2; first++) {
                struct space child;
                char         what[60];

                enter(0, 4, R | W, 0, UINT64_MAX);
                if (first)
                    assert_true(writes(&program, column(1), 5));
                else
                    (void)word_at(column(1));
                assert_int_equal(space_create(&child), 0);
                if (how == 1 || how == 3)
                    assert_int_equal(map_copy(&child, &program), 0);
                if (how == 2 || how == 3) {
                    assert_int_equal(protect(0, 4, 0), 0);
                    assert_int_equal(protect(0, 4, R | W), 0);
                }
                if (how == 4)
                    assert_int_equal(map_advise(&program, column(0), 4 * PAGE_SIZE, PAGE_OUT), 0);
                if (how == 5)
                    assert_int_equal(protect(0, 4, R), 0);
                snprintf(what, sizeof what, "%s, state %u", first ? "written" : "read", how);
                tell(what, 1, accesses[a]);
                tell(what, 1, accesses[a]);
                assert_clean();
                map_clear(&child);
                space_destroy(&child);
                map_clear(&program);
            }
}

/* What is brought in with a page of an object: its neighbours that are there, in the same group and region. */
static void pages_beside(void)
{
    for (size_t start = 0; start < 40; start += 7) {
        char   there[50];
        size_t count = 0;

        object = object_create(OWNER_FILE, 60);
        assert_non_null(object);
        enter(start, 33, R, 0, 10);
        for (uint64_t page = 0; page < 60; page++) {
            frame_t frame;

            if (page % 5 == 0 || page == 59)
                continue;
            assert_int_equal(object_page(object, page, true, &frame), 0);
            frame_put(frame);
        }
        tell("file r", start + 9, R);
        for (size_t n = start; n < start + 33; n++)
            there[count++] = entry_present(entry_at_page(&program, column(n))) ? 'x' : '.';
        there[count] = 0;
        kept_line("    from page %zu: %s", start, there);
        assert_clean();
        map_clear(&program);
        object_release(object);
    }
}

/* A stack grows down to the page if its limits, the gap and what lies below allow it. */
static void stacks_grow_or_do_not(void)
{
    static const struct { const char *what; size_t below, gap, stack, whole, locked; bool by_write, lock; } all[] = {
        { "a stack", 0, 0, 64, 0, 0, false, false }, { "a short stack", 0, 0, 6, 0, 0, false, false },
        { "a stack above something", 40, 16, 64, 0, 0, false, false },
        { "a stack close above something", 70, 16, 64, 0, 0, false, false },
        { "a stack in a small program", 0, 0, 64, 8, 0, false, false },
        { "a stack that must be written to", 0, 0, 64, 0, 0, true, false },
        { "a locked stack", 0, 0, 64, 0, 5, false, true }, { "a locked stack with room", 0, 0, 64, 0, 60, false, true },
    };

    for (size_t i = 0; i < COUNT_OF(all); i++)
        for (size_t a = 0; a < COUNT_OF(accesses); a++) {
            static const size_t pages[] = { 97, 96, 94, 87, 86, 85, 80, 70, 60, 35, 34 };

            set_limits(&program);
            program.limits.stack          = all[i].stack * PAGE_SIZE;
            program.limits.stack_gap      = (all[i].gap != 0 ? all[i].gap : 1) * PAGE_SIZE;
            program.limits.stack_by_write = all[i].by_write;
            if (all[i].whole != 0)
                program.limits.whole = all[i].whole * PAGE_SIZE;
            if (all[i].locked != 0)
                program.limits.locked = all[i].locked * PAGE_SIZE;
            enter(98, 3, R | W, MAP_GROWS_DOWN, UINT64_MAX);
            if (all[i].below != 0)
                enter(all[i].below - 1, 1, R, 0, UINT64_MAX);
            if (all[i].lock)
                assert_int_equal(map_lock(&program, column(98), PAGE_SIZE * 3, false), 0);
            for (size_t n = 0; n < COUNT_OF(pages); n++)
                tell(all[i].what, pages[n], accesses[a]);
            kept_line("    %zu pages, %zu locked, %zu charged, peak %zu", program.pages, program.locked,
                      program.charged, program.most_pages);
            assert_clean();
            map_clear(&program);
        }
    set_limits(&program);
}

/* What is below a stack, and how far: only another stack, or what nobody may use, may come close. */
static void what_lies_below_a_stack(void)
{
    static const char *const names[] = { "above a region", "above what nobody may use", "above a stack" };

    for (unsigned kind = 0; kind < COUNT_OF(names); kind++) {
        set_limits(&program);
        program.limits.stack_gap = 4 * PAGE_SIZE;
        enter(50, 2, R | W, MAP_GROWS_DOWN, UINT64_MAX);
        enter(20, 10, kind == 1 ? 0 : R, kind == 2 ? MAP_GROWS_DOWN : 0, UINT64_MAX);
        for (size_t page = 36; page >= 30; page--)
            tell(names[kind], page, W);
        map_clear(&program);
    }
    set_limits(&program);
}

static void faults_without_memory(void)
{
    for (uint32_t nth = 1; nth < 4; nth++) {
        object = object_create(OWNER_FILE, 20);
        assert_non_null(object);
        enter(0, 4, R | W, 0, UINT64_MAX);
        enter(10, 4, R | W, 0, 0);
        for (size_t page = 1; page < 14; page += 4)
            for (size_t a = 0; a < 2; a++) {
                frame_fail_at(nth);
                tell("without a frame", page, accesses[a]);
                frame_fail_at(0);
                tell("with it", page, accesses[a]);
                assert_int_equal(map_advise(&program, column(page), PAGE_SIZE, DONT_NEED), page < 4 || page == 13 ? 0
                                                                                                             : -ENOMEM);
            }
        assert_clean();
        map_clear(&program);
        object_release(object);
    }
}

static int run_all(void)
{
    const struct CMUnitTest tests[] = {
        on_machine(fresh_pages),
        on_machine(pages_in_each_state),
        on_machine(pages_beside),
        on_machine(stacks_grow_or_do_not),
        on_machine(what_lies_below_a_stack),
        on_machine(faults_without_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Other documents have programs elsewhere, and their tables in other places. */
int main(void) { return layout.access == ACCESS_DIRECT ? kept_run("test_fault_words", run_all) : 0; }
