/*
 * claims.c - the claims of layouts/tracker/layout.md about single page-table objects, each looked at; and the list of
 * all.
 */
#include "claims/probe.h"
#include "layouts/tracker/claims.h"

#include "base/error.h"
#include "cpu.h"
#include "memory/tables/cursor.h"
#include "memory/spaces/user.h"
#include "trap.h"

enum { T_STEP = 0x400000, T_VALUE = 0x7AC4E400, T_OPEN = 7 };     /* an entry is present, writable, and programs' */

frame_t t_shown(vaddr_t address)
{
    paddr_t physical;

    return physical_of(address, &physical) ? frame_of(physical) : NO_FRAME;
}

/* Where no page is mapped the claim does not hold, and its probe must not crash the kernel. */
uint32_t t_word(vaddr_t address)
{
    uint32_t word;

    return probe_read(address, &word) ? word : 0;
}

uint32_t t_program_word(struct space *space, vaddr_t user)
{
    lock_state state = interrupts_off();
    uint32_t   word  = 0;
    bool       seen;

    space_activate(space);
    seen = probe_read(user, &word);
    space_activate(&kernel_space);
    interrupts_restore(state);
    if (!seen && mmu_features.smap && user_read_in(space, &word, user, sizeof word) == 0)
        return word;
    return seen ? word : 0;
}

/* ---- A space, its object, and pages of it ------------------------------------------------------ */

static vaddr_t object_of(const struct space *space) { return address_of(space->home.info); }

/* The address of a user address's entry, by the document's sentence alone. */
static vaddr_t entry_address(const struct space *space, vaddr_t user)
{
    return object_of(space) + T_DIRECTORY + 4 * ((user - T_USER) / PAGE_SIZE);
}

/* The directory's entry for a user address. */
static uint32_t directory_word(const struct space *space, vaddr_t user)
{
    return t_word(object_of(space) + 4 * (user >> 22));
}

/* A frame that holds a word, for a program to read and write. */
static int map_word(struct space *space, vaddr_t user, uint32_t word)
{
    const struct rights both = { MAY_READ | MAY_WRITE, MAY_READ | MAY_WRITE };
    struct cursor       c;
    frame_t             frame;

    if (!page_is_users(page_of(user)))
        return -EFAULT;                 /* another document's kernel: programs are elsewhere */
    if (frame_get(OWNER_TEST, FRAME_ZERO, &frame) != 0)
        return -ENOMEM;
    if (cursor_open(&c, space, span_of(page_of(user), 1), CURSOR_BUILD) != 0) {
        frame_put(frame);
        return -ENOMEM;
    }
    cursor_map(&c, page_of(user), frame, both, CACHE_BACK);
    cursor_close(&c);
    return word != 0 ? user_write_in(space, user, &word, sizeof word) : 0;
}

static void unmap_word(struct space *space, vaddr_t user)
{
    struct cursor c;
    int           err = page_is_users(page_of(user)) ? cursor_open(&c, space, span_of(page_of(user), 1), 0) : -EFAULT;

    if (err == 0) {
        cursor_discard(&c, page_of(user));
        cursor_close(&c);
    }
}

static void no_memory(struct claim_result *result) { claim_saw(result, false, "no memory for a space"); }

/* ---- T1 to T4: the object and its first pages ---------------------------------------------------- */

/* The last entry there can be lies in the last word of 4 MiB and 4 KiB: the master table has it. */
static void t1_shape(struct claim_result *result)
{
    struct space space;
    vaddr_t      last = T_MASTER + T_DIRECTORY + 4 * 0xFFFFFu, at;
    bool         master, found;

    master = last + 4 - T_MASTER == 0x401000 && t_word(last) >> 12 == 0xFFFFF &&
             t_word(T_MASTER) >> 12 == T_MASTER / PAGE_SIZE + 1;
    if (space_create(&space) != 0)
        return no_memory(result);
    found = map_word(&space, T_USER_END - PAGE_SIZE, 0) == 0;
    at    = entry_address(&space, T_USER_END - PAGE_SIZE);
    found = found && (t_word(at) & 1) && frame_owner((frame_t){ t_word(at) >> 12 }) == OWNER_TEST &&
            object_of(&space) % PAGE_SIZE == 0 && frame_is(t_shown(object_of(&space)), space.root);
    claim_saw(result, master && found,
              "the master table's entry of the last page is at 0x%08lx, its last word; a process's "
              "last entry is %lu bytes into its object",
              (unsigned long)last, (unsigned long)(at - object_of(&space)));
    space_destroy(&space);
}

static void t2_page_a(struct claim_result *result)
{
    struct space space;
    vaddr_t      object;
    uint32_t     kernels, same = 0;

    if (space_create(&space) != 0)
        return no_memory(result);
    object = object_of(&space);
    for (uint32_t i = 0; i < 1024; i++) {
        kernels = t_word(T_MASTER + 4 * i);
        same += i << 22 >= T_USER && i << 22 < T_USER_END ? 0 : t_word(object + 4 * i) >> 12 == kernels >> 12;
    }
    claim_saw(
        result,
        frame_is(t_shown(object), space.root) && same == 1024 - (T_USER_END - T_USER) / T_STEP &&
            !frame_is(t_shown(object + PAGE_SIZE), space.root) && object >= T_OBJECTS && object < T_OBJECTS_END,
        "the object at 0x%08lx begins with frame %u, the root; it holds the directory, %u entries of it the kernel's",
        (unsigned long)object, space.root.no, same);
    space_destroy(&space);
}

static void t3_page_b(struct claim_result *result)
{
    struct space space;
    uint32_t     before = frames_owned(OWNER_TABLES), taken, word, way;
    frame_t      second;
    bool         good;

    if (space_create(&space) != 0)
        return no_memory(result);
    second = t_shown(object_of(&space) + PAGE_SIZE);
    good   = map_word(&space, T_USER + 5 * PAGE_SIZE, 0) == 0 && map_word(&space, T_USER + T_STEP - PAGE_SIZE, 0) == 0;
    taken  = frames_owned(OWNER_TABLES) - before;
    word   = t_word(object_of(&space) + T_DIRECTORY + 4 * 5);
    way    = directory_word(&space, T_USER);
    good = good && taken == 2 && way >> 12 == second.no && (way & T_OPEN) == T_OPEN && (word & T_OPEN) == T_OPEN &&
           frame_owner((frame_t){ word >> 12 }) == OWNER_TEST && t_word(object_of(&space) + T_DIRECTORY + 4 * 1023) & 1;
    space_destroy(&space);
    claim_saw(
        result, good && frames_owned(OWNER_TABLES) == before,
        "the first and the last page of 4 MiB have their entries in frame %u, right behind the directory and open to "
        "programs; %u table frames in all",
        second.no, taken);
}

static void t4_link(struct claim_result *result)
{
    struct space one;
    uint32_t     spaces = 0, right = 0;

    if (space_create(&one) != 0)
        return no_memory(result);
    for (const struct space *s = space_after(&kernel_space); s != NULL; s = space_after(s)) {
        spaces++;
        right += frame_is(t_shown(object_of(s)), s->root);
    }
    space_destroy(&one);
    claim_saw(result, spaces > 0 && right == spaces, "of %u spaces, %u link to the object that shows their directory",
              spaces, right);
}

/* ---- T9, T12: where objects are, and growing ------------------------------------------------------ */

static vaddr_t tracker_address(const struct space *space) { return T_TRACKERS + 8 * space->home.tracker; }

static void t9_lists(struct claim_result *result)
{
    struct space two[2];
    uint32_t     made = 0, places = 0, right = 0;

    while (made < 2 && space_create(&two[made]) == 0)
        made++;
    for (const struct space *s = space_after(&kernel_space); s != NULL; s = space_after(s)) {
        vaddr_t  object = t_word(tracker_address(s));
        uint32_t pages  = t_word(tracker_address(s) + 4);

        for (uint32_t n = 0; n < pages; n += 2) {
            vaddr_t pointer = T_LIST + 4 * ((object + n * PAGE_SIZE - T_OBJECTS) / T_PLACE);

            places++;
            right += frame_exists(t_shown(pointer)) && t_word(pointer) == object;
        }
    }
    for (uint32_t i = 0; i < made; i++)
        space_destroy(&two[i]);
    claim_saw(result, made == 2 && places > 0 && right == places,
              "%u of %u places of page tables are pointed to by the word that is theirs, 1024 to a page", right,
              places);
}

static void t12_growing(struct claim_result *result)
{
    struct space space;
    uint32_t     pages[5] = { 0 }, tables = 0;
    bool         good, hole = false;

    if (space_create(&space) != 0)
        return no_memory(result);
    pages[0] = t_word(tracker_address(&space) + 4);
    good     = map_word(&space, T_USER + 2 * T_STEP, 0) == 0;
    pages[1] = t_word(tracker_address(&space) + 4);
    if (good)
        hole = !frame_exists(t_shown(object_of(&space) + 2 * PAGE_SIZE)) &&
               (directory_word(&space, T_USER + T_STEP) & 1) == 0;
    good     = good && map_word(&space, T_USER + T_STEP, 0) == 0;
    tables   = space.table_frames;
    pages[2] = t_word(tracker_address(&space) + 4);
    good     = good && frame_exists(t_shown(object_of(&space) + 2 * PAGE_SIZE));
    unmap_word(&space, T_USER + 2 * T_STEP);
    pages[3] = t_word(tracker_address(&space) + 4);
    unmap_word(&space, T_USER + T_STEP);
    pages[4] = t_word(tracker_address(&space) + 4);
    space_destroy(&space);
    claim_saw(result,
              good && hole && pages[0] == 2 && pages[1] == 4 && pages[2] == 4 && pages[3] == 3 && pages[4] == 2 &&
                  tables == 4,
              "its pages: %u new, %u with a third table, %u with a second, then %u and %u; a missing table has no "
              "frame",
              pages[0], pages[1], pages[2], pages[3], pages[4]);
}

/* ---- T13, T14: moving ------------------------------------------------------------------------------ */

/* What one move concerns, read before and after it, while the space is in use. */
struct move {
    struct space mover, neighbour;
    vaddr_t      from, to;
    uint32_t     before, after;         /* sums over the directory's and the first table's words */
    uint32_t     read;                  /* by the program's address, afterwards                 */
    frame_t      loaded;                /* CR3's, afterwards                                    */
    bool         in_the_way, moved;
};

/* The words that a move must not change; accessed and dirty bits the processor may set at any time. */
static uint32_t sum_of(vaddr_t object)
{
    uint32_t sum = 0, user = T_USER >> 22;

    for (uint32_t i = 0; i < 1024; i++)
        sum = sum * 31 + (i == user + 1 ? 0 : t_word(object + 4 * i) & ~0x60u);
    for (uint32_t i = 0; i < 1024; i++)
        sum = sum * 31 + (t_word(object + T_DIRECTORY + 4 * i) & ~0x60u);
    return sum;
}

static bool make_neighbours(struct move *m)
{
    if (space_create(&m->mover) != 0)
        return false;
    if (space_create(&m->neighbour) != 0) {
        space_destroy(&m->mover);
        return false;
    }
    return true;
}

static void end_neighbours(struct move *m)
{
    space_destroy(&m->neighbour);
    space_destroy(&m->mover);
}

static bool make_move(struct move *m)
{
    lock_state state;

    if (!make_neighbours(m))
        return false;
    m->from  = object_of(&m->mover);
    m->moved = map_word(&m->mover, T_USER + 7 * PAGE_SIZE, T_VALUE) == 0;
    m->in_the_way = frame_exists(t_shown(m->from + T_PLACE));
    state = interrupts_off();
    space_activate(&m->mover);
    m->before = sum_of(m->from);
    m->moved  = m->moved && map_word(&m->mover, T_USER + T_STEP, 0) == 0;      /* the second 4 MiB */
    m->to     = object_of(&m->mover);
    m->after  = sum_of(m->to);
    m->loaded = mmu_active();
    space_activate(&kernel_space);
    interrupts_restore(state);
    m->read = t_program_word(&m->mover, T_USER + 7 * PAGE_SIZE);
    return true;
}

static void t13_moving(struct claim_result *result)
{
    static struct move m;
    bool gone;

    if (!make_move(&m))
        return no_memory(result);
    gone = !frame_exists(t_shown(m.from)) && !frame_exists(t_shown(m.from + PAGE_SIZE));
    claim_saw(
        result, m.moved && m.in_the_way && m.to != m.from && gone && m.before == m.after && m.read == T_VALUE,
        "0x%08lx, with another behind it, went to 0x%08lx: same words, the old addresses show nothing, the program "
        "reads %08x",
        (unsigned long)m.from, (unsigned long)m.to, m.read);
    end_neighbours(&m);
}

static void t14_references(struct claim_result *result)
{
    static struct move m;
    uint32_t tracked, listed, left = 0;

    if (!make_move(&m))
        return no_memory(result);
    tracked = t_word(tracker_address(&m.mover));
    listed  = t_word(T_LIST + 4 * ((m.to - T_OBJECTS) / T_PLACE));
    if (frame_exists(t_shown(T_LIST + 4 * ((m.from - T_OBJECTS) / T_PLACE))))
        left = t_word(T_LIST + 4 * ((m.from - T_OBJECTS) / T_PLACE));
    claim_saw(
        result,
        m.moved && tracked == m.to && listed == m.to && left == 0 && t_word(tracker_address(&m.mover) + 4) == 3 &&
            frame_is(m.loaded, t_shown(m.to)),
        "after a move the link, the tracker (0x%08x) and the list (0x%08x) say the new place; CR3 names frame %u, "
        "shown there",
        tracked, listed, m.loaded.no);
    end_neighbours(&m);
}

/* ---- T15 --------------------------------------------------------------------------------------------- */

/* How many pages an object has, by its directory. */
static uint32_t pages_by_directory(vaddr_t object)
{
    uint32_t last = 0;

    for (uint32_t n = 0; n < span_pages(layout.user) / (T_STEP / PAGE_SIZE); n++)
        if (t_word(object + 4 * ((T_USER >> 22) + n)) & 1)
            last = n;
    return last + 2;
}

static void t15_trackers(struct claim_result *result)
{
    struct space one;
    uint32_t     spaces = 0, right = 0;

    if (space_create(&one) != 0)
        return no_memory(result);
    for (const struct space *s = space_after(&kernel_space); s != NULL; s = space_after(s)) {
        vaddr_t object = t_word(tracker_address(s));

        spaces++;
        right += frame_is(t_shown(object), s->root) && t_word(tracker_address(s) + 4) == pages_by_directory(object);
    }
    space_destroy(&one);
    claim_saw(
        result, spaces > 0 && right == spaces && t_word(T_TRACKERS) == T_MASTER && t_word(T_TRACKERS + 4) == 0x401,
        "of %u spaces %u have a word of address and a word of pages, eight bytes by number, that are true of their "
        "object",
        spaces, right);
}

const struct claim_probe tracker_probes[] = {
    { "T1",  t1_shape },
    { "T2",  t2_page_a },
    { "T3",  t3_page_b },
    { "T4",  t4_link },
    { "T5",  t5_known_place },
    { "T6",  t6_identity },
    { "T7",  t7_firmware_present },
    { "T8",  t8_structures_present },
    { "T9",  t9_lists },
    { "T10", t10_pins },
    { "T11", t11_thousands },
    { "T12", t12_growing },
    { "T13", t13_moving },
    { "T14", t14_references },
    { "T15", t15_trackers },
    { "T16", t16_a_page_of_trackers },
    { "T17", t17_further_pages },
    { "T18", t18_order },
    { 0 },
};
