/*
 * firmware_world.h - the machine of the firmware design document, for tests of its exact rights.
 *
 * slot.c, table.c and cursor.c are compiled here once more, for one level and the firmware format, over the
 * software MMU. The includer says where the kernel's rows lie: rows[], whose pages show the frames of the same
 * numbers, and SLOTS, TABLES, USER and END, which are the first pages of the last three and the end.
 */
#ifndef TESTS_FIRMWARE_WORLD_H
#define TESTS_FIRMWARE_WORLD_H

static const struct layout_boot_map identity[] = { { { 0, USER }, 0, true } };

const struct layout layout = {
    .name = "firmware on its own machine", .regions = rows, .region_count = COUNT_OF(rows),
    .common_count = COUNT_OF(rows),
    .boot_maps = identity, .boot_map_count = 1, .access = ACCESS_IDENTITY,
    .purpose = { [PURPOSE_SLOTS] = &rows[8], [PURPOSE_USER] = &rows[10] },
    .policy = { .polarity = ONE_IS_USED, .search = SEARCH_FIRST }, .user = { USER, END }, .space_end = END,
};

/* ---- What space.c, kernel_space.c and audit.c are on other machines ------------------------------- */

struct space kernel_space;

static struct space *listed[4];
static unsigned      listed_count;

bool space_is_current(const struct space *space)
{
    return space == &kernel_space || frame_is(mmu_active(), space->root);
}

void space_share_entry(page_t page)
{
    entry_t entry = entry_read(entry_at(&kernel_space, page, MMU_LEVELS));

    for (unsigned i = 0; i < listed_count; i++)
        entry_write(entry_at(listed[i], page, MMU_LEVELS), entry);
}

int early_table_frame(frame_t *out)
{
    (void)out;
    return -ENOMEM;                     /* there are no tables below the root */
}

void audit_fail(struct audit_report *report, const char *id, const char *format, ...)
{
    va_list list;

    va_start(list, format);
    vprintf(format, list);
    va_end(list);
    printf(" (%s)\n", id);
    report->failed++;
}

/* ---- The machine ------------------------------------------------------------------------------- */

static uint64_t bitmap[8], summary[512];
static struct frame_record records[END];
static struct memmap map;

static uint32_t *table_words(frame_t root) { return (uint32_t *)&machine_ram[frame_address(root)]; }

static void start_pool(void)
{
    memmap_start(&map, MMU_FRAMES_END);
    memmap_add(&map, 0, END * PAGE_SIZE, true);
    memmap_own(&map, 0, SLOTS * PAGE_SIZE, OWNER_IMAGE);
    memmap_own(&map, SLOTS * PAGE_SIZE, TABLES * PAGE_SIZE, OWNER_HELD);    /* slots hide their addresses */
    memmap_own(&map, TABLES * PAGE_SIZE, (TABLES + 1) * PAGE_SIZE, OWNER_TABLES);
    assert_true(frames_bitmap_bytes(&layout.policy, END) <= sizeof bitmap);
    assert_true(frames_summary_bytes(END) <= sizeof summary);
    frames_open(&map, &layout.policy, USER, bitmap, summary, records);
}

static void map_row(const struct layout_region *row)
{
    struct cursor c;

    assert_int_equal(cursor_open(&c, &kernel_space, row->span, CURSOR_BUILD), 0);
    for (page_t page = row->span.first; page < row->span.end; page++)
        if (!entry_present(cursor_read(&c, page)))
            cursor_map(&c, page, (frame_t){ (uint32_t)page }, row->rights, CACHE_BACK);
    cursor_close(&c);
}

/* A root that maps itself, then everything else through the cursor. */
static void start(void)
{
    struct machine_config config = { .ram_bytes = END * PAGE_SIZE };
    frame_t root = { TABLES };

    machine_power_on(&config);
    table_words(root)[0] = TABLES + 1;
    table_words(root)[1 + TABLES] = entry_leaf(root, (struct rights){ RW, 0 }, CACHE_BACK, false, 1).raw;
    kernel_space = (struct space){ .root = root, .tables_lock = LOCK("tables", RANK_TABLES) };
    listed_count = 0;
    mmu_activate(root);
    slots_start(NULL);
    start_pool();
    for (unsigned i = 0; i < COUNT_OF(rows); i++)
        if (rows[i].backing != BACKING_SLOTS && rows[i].backing != BACKING_USER)
            map_row(&rows[i]);
}

static void create(struct space *space)
{
    *space = (struct space){ .tables_lock = LOCK("tables of a space", RANK_TABLES) };
    assert_int_equal(frame_get(OWNER_TABLES, FRAME_ZERO | FRAME_LOW, &space->root), 0);
    for (unsigned i = 0; i <= USER; i++)
        table_words(space->root)[i] = table_words(kernel_space.root)[i];
    for (page_t page = SLOTS; page < TABLES; page++)
        table_words(space->root)[1 + page] = 0;             /* each root shows its own */
    listed[listed_count++] = space;
}

static void destroy(struct space *space)
{
    struct cursor c;

    mmu_activate(kernel_space.root);
    assert_int_equal(cursor_open(&c, space, (struct span){ USER, END }, 0), 0);
    for (page_t page = cursor_next(&c, USER); page < END; page = cursor_next(&c, page + 1))
        cursor_discard(&c, page);
    cursor_close(&c);
    assert_int_equal(space->resident, 0);
    assert_int_equal(table_words(space->root)[0], USER);
    listed_count--;
    frame_put(space->root);
}

static void end(void)
{
    struct frame_sums sums;

    assert_true(machine_tlb_ok() && frames_ok());
    frames_sums(&sums);
    assert_int_equal(sums.owned[OWNER_TEST], 0);
    assert_int_equal(sums.owned[OWNER_TABLES], 1);
    machine_stop();
}

static void put_page(struct space *space, page_t page, struct rights rights, uint32_t word)
{
    struct cursor c;
    frame_t       frame;

    assert_int_equal(frame_get(OWNER_TEST, 0, &frame), 0);
    *(uint32_t *)&machine_ram[frame_address(frame)] = word;
    assert_int_equal(cursor_open(&c, space, span_of(page, 1), CURSOR_BUILD), 0);
    cursor_map(&c, page, frame, rights, CACHE_BACK);
    cursor_close(&c);
}

static inline void discard(struct space *space, page_t page)
{
    struct cursor c;

    assert_int_equal(cursor_open(&c, space, span_of(page, 1), 0), 0);
    cursor_discard(&c, page);
    cursor_close(&c);
}

static void protect(struct space *space, page_t page, struct rights rights)
{
    struct cursor c;

    assert_int_equal(cursor_open(&c, space, span_of(page, 1), 0), 0);
    cursor_protect(&c, page, rights);
    cursor_close(&c);
}

/* The six probes of a page: exactly what is allowed, no less and no more; what is refused changes nothing. */
static void probe(struct space *space, page_t page, struct rights allowed)
{
    vaddr_t              at = page_address(page) + 16;
    struct machine_fault fault;
    frame_t              frame = { table_words(space->root)[1 + page] >> PAGE_SHIFT };
    uint32_t             value, *word = (uint32_t *)&machine_ram[frame_address(frame) + 16];

    for (int user = 0; user < 2; user++) {
        unsigned may = user ? allowed.user : allowed.kernel;
        bool     stored;

        *word = 0x5EED;
        assert_int_equal(machine_load(space, at, user, &value, &fault), (may & R) != 0);
        if (!(may & R))
            assert_true(fault.user == user && !fault.write && !fault.fetch && fault.address == at);
        stored = machine_store(space, at, user, 0xBAD, &fault);
        assert_int_equal(stored, (may & W) != 0);
        assert_int_equal(*word, stored ? 0xBAD : 0x5EED);
        assert_int_equal(machine_fetch(space, at, user, &fault), (may & X) != 0);
    }
}

#endif
