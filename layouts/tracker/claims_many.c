/*
 * claims_many.c - the claims of layouts/tracker/layout.md whose probes need many address spaces.
 *
 * The spaces are made, and ended before the probe ends.
 */
#include "claims/probe.h"
#include "layouts/tracker/claims.h"

#include "base/error.h"
#include "cpu.h"
#include "memory/audit.h"
#include "memory/tables/cursor.h"
#include "memory/heap/heap.h"
#include "memory/tables/slot.h"
#include "memory/pageout/swap.h"
#include "layouts/tracker/out.h"
#include "layouts/tracker/tracker.h"
#include "memory/spaces/user.h"

struct crowd {
    struct space  *spaces;
    struct region *regions;             /* one for each, all of user space; NULL: not wanted */
    uint32_t       wanted, made;
};

enum { SPARE_FRAMES = 64 };             /* for trackers, the list, and the heap's own needs */

/* A space is a directory and a table (T3), and a page in a region if it is to have one. False: the result says it. */
static bool crowd_start(struct claim_result *result, struct crowd *crowd, uint32_t wanted, bool with_regions)
{
    size_t each = sizeof *crowd->spaces + (with_regions ? sizeof *crowd->regions : 0);

    if (!claim_has_frames(result, wanted * (with_regions ? 3 : 2) + pages_for(wanted * each) + SPARE_FRAMES))
        return false;
    *crowd = (struct crowd){ .wanted = wanted, .spaces = heap_alloc(wanted * sizeof *crowd->spaces, 0) };
    if (with_regions)
        crowd->regions = heap_alloc(wanted * sizeof *crowd->regions, 0);
    if (crowd->spaces != NULL && (crowd->regions != NULL || !with_regions))
        return true;
    heap_free(crowd->regions);
    heap_free(crowd->spaces);
    claim_saw(result, false, "no memory to remember %u spaces", wanted);
    return false;
}

/* Make spaces until so many trackers are in use, or memory ends. */
static void crowd_fill(struct crowd *crowd, uint32_t until)
{
    while (crowd->made < crowd->wanted && crowd->made < until && space_create(&crowd->spaces[crowd->made]) == 0)
        crowd->made++;
}

static void crowd_leave(struct crowd *crowd)
{
    while (crowd->made > 0) {
        struct space *space = &crowd->spaces[--crowd->made];

        if (space->map.count > 0)
            region_remove(&space->map, &crowd->regions[crowd->made]);
        space_destroy(space);
    }
}

static void crowd_end(struct crowd *crowd)
{
    crowd_leave(crowd);
    heap_free(crowd->regions);
    heap_free(crowd->spaces);
}

static uint32_t spaces_alive(void)
{
    uint32_t count = 0;

    for (const struct space *s = space_after(&kernel_space); s != NULL; s = space_after(s))
        count++;
    return count;
}

/* ---- T10 --------------------------------------------------------------------------------------------- */

/* What the list says is at an address of page tables; 0 where the page of the list is out. */
static uint32_t listed_at(vaddr_t table)
{
    vaddr_t pointer = T_LIST + 4 * ((table - T_OBJECTS) / T_PLACE);

    return frame_exists(t_shown(pointer)) ? t_word(pointer) : 0;
}

/* Whether there is an object here, and none of its tables is in memory: no page behind its directory shows a frame. */
static bool is_asleep(uint32_t object)
{
    bool there = false;

    for (const struct space *s = space_after(&kernel_space); s != NULL; s = space_after(s))
        there |= address_of(s->home.info) == object;
    for (vaddr_t page = object; there && page < T_OBJECTS_END && listed_at(page) == object; page += PAGE_SIZE)
        if (page != object && frame_exists(t_shown(page)))
            return false;
    return there;
}

/* The pins that a page of the list should have: its pointers, but for those to objects that need it not. */
static uint32_t pins_needed(vaddr_t list)
{
    uint32_t pins = 0, last = 0;
    bool     needed = false;

    for (uint32_t i = 0; i < T_POINTERS; i++) {
        uint32_t object = t_word(list + 4 * i);

        if (object != last)
            needed = object != 0 && !is_asleep(object);
        last  = object;
        pins += needed;
    }
    return pins;
}

/* Pages of the list whose pins are not those, or that have none; *pages: how many there are. */
static uint32_t wrongly_pinned(uint32_t *pages)
{
    uint32_t wrong = 0;

    *pages = 0;
    for (vaddr_t at = T_LIST; at < T_USER; at += PAGE_SIZE) {
        uint32_t pins;

        if (!frame_exists(t_shown(at)))
            continue;
        pins = pins_needed(at);
        (*pages)++;
        wrong += frame_link(t_shown(at)) != pins || pins == 0;
    }
    return wrong;
}

/*
 * A table for the last page of user space makes an object so long that it is moved, to a part of the list of its own.
 * The page is out, so that the table may go.
 */
static int make_long(struct space *space)
{
    const uint8_t contents = 10;
    struct cursor c;
    entry_t       entry;
    uint32_t      slot;

    if (swap_store(&contents, sizeof contents, &slot) != 0)
        return -ENOMEM;
    if (cursor_open(&c, space, span_of(layout.user.end - 1, 1), CURSOR_BUILD) != 0) {
        swap_put(slot);
        return -ENOMEM;
    }
    entry = entry_absent(ENTRY_SWAP, slot, (struct rights){ 0, 0 });
    cursor_copy_in(&c, layout.user.end - 1, &entry, (struct cursor_run){ .count = 1, .filled = 1, .swapped = 1 });
    cursor_close(&c);
    return 0;
}

/* Make a long object, and another space. False without memory: then neither is made. */
static bool make_pair(struct space *one, struct space *behind)
{
    if (space_create(one) != 0)
        return false;
    if (space_create(behind) == 0) {
        if (make_long(one) == 0)
            return true;
        space_destroy(behind);
    }
    space_destroy(one);
    return false;
}

/* Ask a page of the list to go, on behalf of nobody. */
static int ask_to_go(vaddr_t list)
{
    lock_state state;
    int        err = 0;

    if (!span_has(layout.purpose[PURPOSE_TRACKERS]->span, page_of(list)))
        return 0;
    state = lock_take(&trackers_lock);
    err   = pinned_page_out(page_of(list));
    lock_drop(&trackers_lock, state);
    return err;
}

/* The list's page is there, and names the object, or is not. */
static bool lists(vaddr_t list, uint32_t object)
{
    bool there = frame_exists(t_shown(list));

    return object == 0 ? !there : there && t_word(list) == object;
}

/* The tables of the object go, one after the other, and the page of the list with the last; then one comes back. */
static bool goes_and_returns(struct space *space, vaddr_t list)
{
    vaddr_t      tracker = T_TRACKERS + 8 * space->home.tracker;
    uint32_t     object  = (uint32_t)address_of(space->home.info), count = t_word(tracker + 4);
    bool         right   = table_home_go(space, layout.user.end - 1) && lists(list, object) &&
                           ask_to_go(list) == -EBUSY;
    struct cursor c;

    right = right && table_home_go(space, layout.user.first) && lists(list, 0) && ask_to_go(list) == -ENOENT;
    right = right && t_word(tracker) == object && t_word(tracker + 4) == count;
    if (cursor_open(&c, space, span_of(layout.user.end - 1, 1), CURSOR_BUILD) != 0)
        return false;
    right = right && entry_kind(cursor_read(&c, layout.user.end - 1), 1) == ENTRY_SWAP;
    cursor_close(&c);
    return right && lists(list, object) && ask_to_go(list) == -EBUSY;
}

void t10_pins(struct claim_result *result)
{
    struct space one, behind;
    vaddr_t      list, object;
    uint32_t     pages, wrong;
    int          out;
    bool         there, returned, gone;

    if (!make_pair(&one, &behind))
        return claim_saw(result, false, "no memory for a long object and a space");
    object   = address_of(one.home.info);
    list     = T_LIST + 4 * ((object - T_OBJECTS) / T_PLACE);
    out      = ask_to_go(list);
    there    = lists(list, (uint32_t)object);
    returned = there && goes_and_returns(&one, list);
    wrong    = wrongly_pinned(&pages);
    space_destroy(&one);
    gone = !frame_exists(t_shown(list)) || t_word(list) == 0;
    space_destroy(&behind);
    claim_saw(result, out == -EBUSY && there && returned && gone && wrong == 0,
              "a page of the list would not go while 0x%08lx was needed (error %d), %s with its tables; %u pages, %u "
              "wrongly pinned",
              (unsigned long)object, -out, returned ? "went and came back" : "did not go and come back", pages, wrong);
}

/* ---- T11 --------------------------------------------------------------------------------------------- */

/* Each space gets a region, a page in it, and a number in that page. */
static bool many_settle(struct space *space, struct region *region, uint32_t number)
{
    const struct rights both = { MAY_READ | MAY_WRITE, MAY_READ | MAY_WRITE };
    struct cursor       c;
    frame_t             frame;
    unsigned long       state;

    *region = (struct region){ .span = span_of(page_of(T_USER), 1), .rights = both, .backing = BACKING_USER,
                               .name = "one page", .home = layout_region_of(page_of(T_USER)) };
    if (!page_is_users(page_of(T_USER)) || region_insert(&space->map, region) != 0 ||
        frame_get(OWNER_USER, FRAME_ZERO, &frame) != 0)
        return false;
    if (cursor_open(&c, space, region->span, CURSOR_BUILD) != 0) {
        frame_put(frame);
        return false;
    }
    cursor_map(&c, page_of(T_USER), frame, both, CACHE_BACK);
    cursor_close(&c);
    state = interrupts_off();
    *(uint32_t *)frame_view(frame, SLOT_TO) = number;
    interrupts_restore(state);
    return true;
}

static uint32_t audit_failures(void)
{
    static struct audit_report report;

    audit_full(&report);
    return report.failed;
}

/* Errors of a single space are other claims', and so is the freeing of pages of trackers (T17). */
void t11_thousands(struct claim_result *result)
{
    struct crowd crowd;
    uint32_t     before, taken, right = 0, wrong, alone, one, back;
    uint64_t     ticks;

    if (!crowd_start(result, &crowd, T_MANY, true))
        return;
    alone = audit_failures();
    before = frames_free() + frames_owned(OWNER_TRACKERS);
    crowd_fill(&crowd, 1);
    one = audit_failures();
    ticks = cpu_ticks();
    crowd_fill(&crowd, T_MANY);
    ticks = (cpu_ticks() - ticks) / T_MANY;
    for (uint32_t i = 0; i < crowd.made; i++)
        if (!many_settle(&crowd.spaces[i], &crowd.regions[i], i + 1))
            break;
    taken = before - frames_free();
    for (uint32_t i = 0; i < crowd.made; i++)
        right += t_program_word(&crowd.spaces[i], T_USER) == i + 1;
    wrong = audit_failures();
    crowd_leave(&crowd);
    back = frames_free() + frames_owned(OWNER_TRACKERS);
    crowd_end(&crowd);
    claim_saw(
        result, right == T_MANY && (wrong <= alone || one > alone) && back == before,
        "%u spaces at once, each with its own page: %u frames for all; %u audit failures; all came back; %u ticks each",
        right, taken, wrong - alone, (uint32_t)ticks);
}

/* ---- T16, T17 ------------------------------------------------------------------------------------------ */

/* The number of a page's trackers that have a pointer. */
static uint32_t in_use(vaddr_t page)
{
    uint32_t count = 0;

    for (uint32_t i = 0; i < T_A_PAGE; i++)
        count += t_word(page + 8 * i) != 0;
    return count;
}

void t16_a_page_of_trackers(struct claim_result *result)
{
    struct crowd crowd;
    uint32_t     here = 0, next = 0, last = 0;

    if (!crowd_start(result, &crowd, T_A_PAGE, false))
        return;
    crowd_fill(&crowd, T_A_PAGE - 1 - spaces_alive());
    here = in_use(T_TRACKERS);
    last = t_word(T_TRACKERS + 4088);
    next = frame_exists(t_shown(T_TRACKERS + PAGE_SIZE)) ? in_use(T_TRACKERS + PAGE_SIZE) : 0;
    claim_saw(result, here == T_A_PAGE && last != 0 && next == 0 && frame_owner(t_shown(T_TRACKERS)) == OWNER_TRACKERS,
              "%u page tables have their trackers in one page at 0x%08x, from its first byte to its last", here,
              T_TRACKERS);
    crowd_end(&crowd);
}

void t17_further_pages(struct claim_result *result)
{
    struct crowd crowd;
    bool         before, at_512, at_513, after;
    uint32_t     first = 0, alive = spaces_alive();

    if (!crowd_start(result, &crowd, T_A_PAGE + 1, false))
        return;
    before = frame_exists(t_shown(T_TRACKERS + PAGE_SIZE));
    crowd_fill(&crowd, T_A_PAGE - 1 - alive);
    at_512 = frame_exists(t_shown(T_TRACKERS + PAGE_SIZE));
    crowd_fill(&crowd, T_A_PAGE - alive);
    at_513 = frame_exists(t_shown(T_TRACKERS + PAGE_SIZE));
    first  = at_513 ? t_word(T_TRACKERS + PAGE_SIZE) : 0;
    at_513 = at_513 && first == address_of(crowd.spaces[crowd.made - 1].home.info);
    crowd_end(&crowd);
    after = frame_exists(t_shown(T_TRACKERS + PAGE_SIZE));
    claim_saw(result, !before && !at_512 && at_513 && !after,
              "a second page of trackers: %s with 512 page tables, %s with the 513th (at 0x%08x), %s after it",
              at_512 ? "there" : "none", at_513 ? "there" : "none", first, after ? "there" : "none");
}
