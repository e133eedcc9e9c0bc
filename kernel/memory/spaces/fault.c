/*
 * fault.c - mending a page fault: collect the facts, decide, act.
 *
 * What takes the lock of an object comes before the cursor; frames are taken with the cursor
 * open, which neither sleeps nor has anything to undo: a fault that finds no frame has changed nothing.
 */
#include "memory/spaces/fault.h"

#include "base/check.h"
#include "base/error.h"
#include "base/print.h"
#include "memory/tables/cursor.h"
#include "memory/frames/frame.h"
#include "memory/spaces/map.h"
#include "memory/spaces/object.h"
#include "memory/tables/slot.h"
#include "memory/spaces/space.h"

enum { SIGNAL_BUS = 7, SIGNAL_SEGV = 11, CODE_MAPERR = 1, CODE_ACCERR = 2, CODE_ADRERR = 2 };

/*
 * A read of a file's page brings in those of its neighbours that are in memory, up to this many in all: the next
 * reads will be there, and a fault costs as much as ten of them. A power of two; Linux takes as many.
 */
enum { FAULT_AROUND = 16 };

uint64_t fault_counts[FAULT_ACTIONS];

static struct lock zero_lock = LOCK("zero frame", RANK_ZERO);
static frame_t     zero = { UINT32_MAX };       /* [zero_lock to write] pinned: nobody counts its references */

struct fault {
    struct space         *space;
    page_t                page;
    vaddr_t               address;
    uint8_t               access;
    struct region        *region;
    frame_t               behind;               /* the object's frame, referenced, or NO_FRAME */
    struct span           around;               /* pages behind which we have looked as well   */
    frame_t               nearby[FAULT_AROUND]; /* their frames, referenced, or NO_FRAME       */
    bool                  inside;
    struct fault_verdict *verdict;
};

/* Once made it stays, so who sees it needs no lock. */
static int make_zero_frame(void)
{
    lock_state state = lock_take(&zero_lock);
    frame_t    fresh;
    int        err = 0;

    if (!frame_exists(zero)) {
        err = frame_get(OWNER_SHARED, FRAME_ZERO, &fresh);
        if (err == 0) {
            frame_pin(fresh);
            zero = fresh;
        }
    }
    lock_drop(&zero_lock, state);
    return err;
}

int zero_frame(frame_t *out)
{
    int err = frame_exists(zero) ? 0 : make_zero_frame();

    if (err == 0)
        *out = zero;
    return err;
}

void faults_start(void) { zero = NO_FRAME; }

bool is_zero_frame(frame_t frame) { return frame_is(frame, zero); }

/* ---- Facts ---------------------------------------------------------------------------------- */

static struct region *find_region(struct space *space, page_t page)
{
    if (space->recent == NULL || !span_has(space->recent->span, page))
        space->recent = region_find(&space->map, page);
    return space->recent;
}

/* The object's page that a page of the region shows. */
static uint64_t object_index(const struct region *region, page_t page)
{
    return region->offset + (page - region->span.first);
}

/*
 * What lies behind the page in its object, before the cursor is open. A hole is filled unless the program
 * is about to get a copy of its own: who shows the shared zero frame instead would miss what is written to the
 * object later, and might be allowed to write to the zeros. Returns 0 or -ENOMEM.
 */
static int look_behind(struct fault *f)
{
    bool make = f->region->shared || !(f->access & MAY_WRITE);
    int  err  = object_page(f->region->object, object_index(f->region, f->page), make, &f->behind);

    f->inside = err != -ENXIO;
    return err == -ENXIO ? 0 : err;
}

/* Private memory that nobody else shows. */
static bool is_sole(entry_t entry)
{
    frame_t frame = entry_frame(entry);

    return frame_references(frame) == 1 && frame_owner(frame) == OWNER_USER;
}

static enum fault_action decide(const struct fault *f, entry_t entry)
{
    const struct region *region = f->region;
    struct fault_facts   facts  = { .region = true, .access = f->access };

    facts.allows = mmu_allow(region->rights).user;
    facts.shared = region->shared;
    facts.object = region->object != NULL;
    facts.inside = f->inside;
    facts.entry  = entry_kind(entry, 1);
    if (facts.entry == ENTRY_PRESENT) {
        facts.entry_allows = entry_rights(entry).user;
        facts.sole = is_sole(entry);
    }
    return fault_decide(&facts);
}

/* The neighbours of the page, in its region, that share its group of FAULT_AROUND pages. */
static void look_around(struct fault *f)
{
    struct span span = span_of(f->page & ~(page_t)(FAULT_AROUND - 1), FAULT_AROUND);

    if (span.first < f->region->span.first)
        span.first = f->region->span.first;
    if (span.end > f->region->span.end)
        span.end = f->region->span.end;
    object_resident(f->region->object, object_index(f->region, span.first), f->nearby, span_pages(span));
    f->around = span;
}

/* ---- Actions, with the cursor open ------------------------------------------------------------- */

static struct rights without_write(struct rights rights)
{
    return (struct rights){ .kernel = rights.kernel & ~MAY_WRITE, .user = rights.user & ~MAY_WRITE };
}

static int act_zero(struct fault *f, struct cursor *c)
{
    frame_t frame;
    int     err = frame_get(OWNER_USER, FRAME_ZERO, &frame);

    if (err == 0)
        cursor_map(c, f->page, frame, f->region->rights, CACHE_BACK);
    return err;
}

static int act_zero_read(struct fault *f, struct cursor *c)
{
    frame_t frame;
    int     err = zero_frame(&frame);

    if (err == 0)
        cursor_map(c, f->page, frame, without_write(f->region->rights), CACHE_BACK);
    return err;
}

/* The references taken in look_behind() and look_around() go to the entries. */
static int act_share(struct fault *f, struct cursor *c)
{
    struct rights rights = f->region->shared ? f->region->rights : without_write(f->region->rights);

    cursor_map(c, f->page, f->behind, rights, CACHE_BACK);
    f->behind = NO_FRAME;
    for (page_t page = f->around.first; page < f->around.end; page++) {
        frame_t *frame = &f->nearby[page - f->around.first];

        if (!frame_exists(*frame) || entry_kind(cursor_read(c, page), 1) != ENTRY_EMPTY)
            continue;
        cursor_map(c, page, *frame, rights, CACHE_BACK);
        *frame = NO_FRAME;
    }
    return 0;
}

static int act_copy_object(struct fault *f, struct cursor *c)
{
    frame_t frame;
    int     err = frame_get(OWNER_USER, frame_exists(f->behind) ? 0 : FRAME_ZERO, &frame);

    if (err != 0)
        return err;
    if (frame_exists(f->behind))
        frame_copy(frame, f->behind);
    cursor_map(c, f->page, frame, f->region->rights, CACHE_BACK);
    return 0;
}

/* The old frame's reference comes to the caller, who drops it after the flush. */
static int act_copy(struct fault *f, struct cursor *c, entry_t entry)
{
    frame_t old   = entry_frame(entry);
    bool    zeros = is_zero_frame(old);
    frame_t frame;
    int     err = frame_get(OWNER_USER, zeros ? FRAME_ZERO : 0, &frame);

    if (err != 0)
        return err;
    if (!zeros)
        frame_copy(frame, old);
    if (frame_exists(f->behind))
        frame_put(f->behind);
    f->behind = cursor_replace(c, f->page, frame, f->region->rights);
    return 0;
}

static int act(struct fault *f, struct cursor *c, entry_t entry, enum fault_action action)
{
    switch (action) {
    case FAULT_DONE:        return 0;
    case FAULT_ZERO:        return act_zero(f, c);
    case FAULT_ZERO_READ:   return act_zero_read(f, c);
    case FAULT_SHARE:       return act_share(f, c);
    case FAULT_COPY_OBJECT: return act_copy_object(f, c);
    case FAULT_COPY:        return act_copy(f, c, entry);
    case FAULT_REUSE:
        cursor_protect(c, f->page, f->region->shared || is_sole(entry) ? f->region->rights
                                                                         : without_write(f->region->rights));
        return 0;
    default:
        return -EFAULT;
    }
}

/* ---- When it cannot be mended -------------------------------------------------------------------- */

static int describe_region(char *to, size_t size, const char *word, const struct region *region)
{
    if (region == NULL)
        return format_text(to, size, "%s: none", word);
    return format_text(to, size, "%s: %08lx-%08lx %s", word, (unsigned long)page_address(region->span.first),
                       (unsigned long)page_address(region->span.end), region->name ? region->name : "");
}

static size_t gap_below(const struct space *space)
{
    return space->limits.stack_gap != 0 ? space->limits.stack_gap / PAGE_SIZE : STACK_GAP;
}

/* Just below the most that a stack may become: what an overflow touches first. */
static bool in_guard(const struct fault *f, const struct region *stack)
{
    size_t most = f->space->limits.stack / PAGE_SIZE, below = stack->span.end - f->page;

    return below > most && below - most <= gap_below(f->space);
}

static int deny(struct fault *f, enum fault_action action)
{
    struct fault_verdict *v = f->verdict;
    const struct region  *above = region_at_or_above(&f->space->map, f->page);
    int                   used;

    v->address = f->address;
    v->signal  = action == FAULT_BUS ? SIGNAL_BUS : SIGNAL_SEGV;
    v->code    = action == FAULT_BUS ? CODE_ADRERR : action == FAULT_SEGV_ACCESS ? CODE_ACCERR : CODE_MAPERR;
    used = describe_region(v->reason, sizeof v->reason, action == FAULT_SEGV_MAP ? "no region here; next above" : "region", above);
    if (action == FAULT_SEGV_MAP && above != NULL && (above->grows & REGION_GROWS_DOWN) && (size_t)used < sizeof v->reason)
        format_text(v->reason + used, sizeof v->reason - (size_t)used, ", a stack limited to %lu KiB%s",
                    (unsigned long)(f->space->limits.stack / KiB), in_guard(f, above) ? ": stack overflow" : "");
    fault_counts[action]++;
    return -EFAULT;
}

/* ---- Stacks ---------------------------------------------------------------------------------------- */

/* Extend the stack above down to the page, inside its limit and away from what lies below. */
static int grow(struct fault *f, struct region *stack)
{
    struct space        *space = f->space;
    const struct region *below = region_before(stack);
    struct span          span  = { f->page, stack->span.end };
    size_t               more  = stack->span.first - f->page;

    if (span_pages(span) > space->limits.stack / PAGE_SIZE ||
        space->pages + more > space->limits.whole / PAGE_SIZE ||
        (below != NULL && below->rights.user != 0 && !(below->grows & REGION_GROWS_DOWN) &&
         below->span.end + gap_below(space) > f->page) ||
        (space->limits.stack_by_write && f->access != MAY_WRITE))
        return -EFAULT;
    if (map_is_charged(stack) && map_charge(space, more) != 0)
        return -ENOMEM;
    if (region_resize(&space->map, stack, span) != 0) {
        if (map_is_charged(stack))
            map_uncharge(space, more);
        return -EFAULT;
    }
    space->pages += more;
    fault_counts[FAULT_GROW]++;
    return 0;
}

static int find_or_grow(struct fault *f)
{
    struct region *above;
    int            err;

    f->region = find_region(f->space, f->page);
    if (f->region != NULL)
        return 0;
    above = region_at_or_above(&f->space->map, f->page);
    if (above == NULL || !(above->grows & REGION_GROWS_DOWN))
        return deny(f, FAULT_SEGV_MAP);
    err = grow(f, above);
    if (err != 0)
        return err == -ENOMEM ? err : deny(f, FAULT_SEGV_MAP);
    f->region = above;
    return 0;
}

/* ---- The whole --------------------------------------------------------------------------------------- */

/* The two kinds of zeros, for an empty page. */
static int touch_empty(struct fault *f, struct cursor_touch *t, enum fault_action action)
{
    struct rights rights = f->region->rights;
    frame_t       frame;
    int           err;

    err = action == FAULT_ZERO ? frame_get(OWNER_USER, FRAME_ZERO, &frame) : zero_frame(&frame);
    if (err != 0)
        cursor_touch_leave(t);
    else
        cursor_touch_map(t, frame, action == FAULT_ZERO ? rights : without_write(rights));
    return err;
}

/* The old frame's reference comes to the caller, as in act_copy(). */
static int touch_copy(struct fault *f, struct cursor_touch *t)
{
    frame_t old   = entry_frame(t->entry);
    bool    zeros = is_zero_frame(old);
    frame_t frame;
    int     err = frame_get(OWNER_USER, zeros ? FRAME_ZERO : 0, &frame);

    if (err != 0) {
        cursor_touch_leave(t);
        return err;
    }
    if (!zeros)
        frame_copy(frame, old);
    f->behind = cursor_touch_replace(t, frame, f->region->rights);
    return 0;
}

/*
 * Most faults are about private memory that has a table already: these need no cursor. Returns 0, -ENOMEM, or
 * -EAGAIN when it is not so simple. Unless it is 0 nothing has happened.
 */
static int mend_private(struct fault *f)
{
    enum fault_action   action;
    struct cursor_touch t;
    int                 err = 0;

    if (!cursor_touch(&t, f->space, f->page))
        return -EAGAIN;
    action = decide(f, t.entry);
    switch (action) {
    case FAULT_ZERO: case FAULT_ZERO_READ:
        err = touch_empty(f, &t, action);
        break;
    case FAULT_COPY:
        err = touch_copy(f, &t);
        break;
    case FAULT_REUSE:
        if (entry_present(t.entry)) {
            cursor_touch_allow(&t, f->region->rights);
            break;
        }
        __attribute__((fallthrough));       /* out of reach until now: act() knows */
    default:
        cursor_touch_leave(&t);
        return -EAGAIN;
    }
    fault_counts[action] += err == 0;
    return err;
}

static int mend(struct fault *f)
{
    enum fault_action action;
    struct cursor     c;
    entry_t           entry;
    int               err = find_or_grow(f);

    if (err != 0)
        return err;
    if (f->region->object == NULL && (err = mend_private(f)) != -EAGAIN)
        return err;
    f->around = span_of(f->page, 1);
    f->nearby[0] = NO_FRAME;
    if (f->region->object != NULL) {
        err = look_behind(f);
        if (err != 0)
            return err;
        if (f->access != MAY_WRITE && f->inside)
            look_around(f);
    }
    err = cursor_open(&c, f->space, f->around, CURSOR_BUILD);
    if (err != 0)
        return err;
    entry  = cursor_read(&c, f->page);
    action = decide(f, entry);
    err    = act(f, &c, entry, action);
    cursor_close(&c);
    if (err == -EFAULT)
        return deny(f, action);
    fault_counts[action] += err == 0;
    return err;
}

int space_fault(struct space *space, vaddr_t address, uint8_t access, struct fault_verdict *verdict)
{
    struct fault f;
    lock_state   state = lock_take(&space->map_lock);
    int          err;

    /* One by one: `nearby` is long, and only files need it. */
    f.space   = space;
    f.page    = page_of(address);
    f.address = address;
    f.access  = access;
    f.behind  = NO_FRAME;
    f.around  = (struct span){ 0, 0 };
    f.inside  = false;
    f.region  = NULL;
    f.verdict = verdict;
    err = mend(&f);

    lock_drop(&space->map_lock, state);
    if (frame_exists(f.behind))
        frame_put(f.behind);
    for (size_t i = 0; i < span_pages(f.around); i++)
        if (frame_exists(f.nearby[i]))
            frame_put(f.nearby[i]);
    return err;
}
