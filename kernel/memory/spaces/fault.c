/*
 * fault.c - handling a page fault: collect the facts, decide, act.
 *
 * What takes the lock of an object comes before the entry is touched; frames are taken with the entry's table
 * locked, which neither sleeps nor has anything to undo: a fault that finds no frame has changed nothing.
 *
 * Every decision is fault_decide()'s, and each action stands here once. An action works on a cursor_touch: of the
 * page's table alone where there is one, which is the usual case, or within a cursor that has made the missing table.
 */
#include "memory/spaces/fault.h"

#include "base/check.h"
#include "base/error.h"
#include "memory/frames/frame.h"
#include "memory/pageout/page_out.h"
#include "memory/pageout/swap.h"
#include "memory/spaces/fault_decide.h"
#include "memory/spaces/fault_verdict.h"
#include "memory/spaces/map_region.h"
#include "memory/spaces/object.h"
#include "memory/spaces/space.h"
#include "memory/tables/cursor.h"
#include "memory/tables/slot.h"

/*
 * A read of a file's page brings in those of its neighbours that are in memory, up to this many in all: the next
 * reads will be there, and a fault costs as much as ten of them. A power of two; Linux takes as many.
 */
enum { FAULT_AROUND = 16 };

uint64_t fault_counts[FAULT_ACTIONS];

const char *const fault_action_names[FAULT_ACTIONS] = {
    [FAULT_DONE]        = "done",
    [FAULT_WAIT]        = "wait",
    [FAULT_ZERO]        = "zero",
    [FAULT_ZERO_READ]   = "zero-read",
    [FAULT_SHARE]       = "share",
    [FAULT_COPY_OBJECT] = "copy-object",
    [FAULT_REUSE]       = "reuse",
    [FAULT_REUSE_READ]  = "reuse-read",
    [FAULT_COPY]        = "copy",
    [FAULT_BRING_IN]    = "bring-in",
    [FAULT_GROW]        = "grow",
    [FAULT_BUS]         = "bus",
    [FAULT_SEGV_ACCESS] = "segv-access",
    [FAULT_SEGV_MAP]    = "segv-map",
};

struct fault {
    struct space         *space;
    page_t                page;
    vaddr_t               address;
    uint8_t               access;               /* one of MAY_*                                            */
    struct region        *region;               /* the one that holds the page, or NULL                    */
    uint8_t               allows;               /* MAY_* that it gives programs                            */
    bool                  writes;               /* the map lock is held to write, not to read             */
    bool                  inside;               /* the page lies inside the region's object                */
    enum fault_behind     where;                /* and where it is                                         */
    struct object        *awaited;              /* whose pager is to be waited for, referenced, or NULL    */
    uint64_t              awaited_page;         /* and for which page                                      */
    struct transfer      *transfer;             /* that has read a page from the swap device, or NULL      */
    frame_t               behind;               /* the object's frame, referenced, or NO_FRAME             */
    frame_t               replaced;             /* the page's old frame, referenced, or NO_FRAME           */
    struct span           around;               /* the pages to be mapped at once, this one among them     */
    frame_t               nearby[FAULT_AROUND]; /* behind `around` if it is several pages: referenced, or NO_FRAME */
    struct fault_verdict *verdict;
};

/* ---- Facts ---------------------------------------------------------------------------------- */

/* Several readers may set `recent` at once: each goes by what it has found itself. */
static struct region *fault_region(struct space *space, page_t page)
{
    struct region *region = __atomic_load_n(&space->recent, __ATOMIC_RELAXED);

    if (region != NULL && span_has(region->span, page))
        return region;
    region = region_find(&space->map, page);
    __atomic_store_n(&space->recent, region, __ATOMIC_RELAXED);
    return region;
}

/* The stack above a page that is in no region, or NULL. */
static struct region *stack_above(const struct fault *f)
{
    struct region *above = region_at_or_above(&f->space->map, f->page);

    return above != NULL && (above->grows & REGION_GROWS_DOWN) ? above : NULL;
}

/* Only another stack, or a region without rights, may lie closer below a stack than its gap. */
static bool keeps_its_distance(const struct fault *f, const struct region *below)
{
    return below == NULL || below->rights.user == 0 || (below->grows & REGION_GROWS_DOWN) ||
           below->span.end + fault_stack_gap(f->space) <= f->page;
}

/* Whether the stack above may be extended down to the page: its limits allow that, and the gap below it remains. */
static bool is_growable(const struct fault *f, const struct region *stack)
{
    const struct space *space = f->space;
    size_t              more;

    deep_assert(stack == NULL || f->page < stack->span.first);
    if (stack == NULL)
        return false;
    more = stack->span.first - f->page;
    return stack->span.end - f->page <= space->limits.stack / PAGE_SIZE &&
           space->pages + more <= space->limits.whole / PAGE_SIZE &&
           (stack->locked == 0 || map_may_lock(space, more)) &&
           f->page >= space->map.limits.first &&
           keeps_its_distance(f, region_before(stack)) &&
           (!space->limits.stack_by_write || f->access == MAY_WRITE);
}

/* The object's page that a page of the region shows. */
static uint64_t object_index(const struct region *region, page_t page)
{
    deep_assert(span_has(region->span, page));
    return region->offset + (page - region->span.first);
}

/*
 * Find the object's frame behind the page, before the page's entry is touched. A hole is filled unless the program
 * is about to get a copy of its own: with the shared zero frame in its place the program would not see later writes to
 * the object, and might be allowed to write to the zero frame. Returns 0 or -ENOMEM.
 */
static int look_behind(struct fault *f)
{
    bool make = f->region->shared || !(f->access & MAY_WRITE);
    int  err  = object_page_here(f->region->object, object_index(f->region, f->page), make, &f->behind);

    deep_assert(err == 0 || !frame_exists(f->behind));
    f->inside = err != -ENXIO;
    f->where  = err != -EBUSY ? BEHIND_HERE : f->where == BEHIND_HERE ? BEHIND_AWAY : f->where;
    return err == -ENXIO || err == -EBUSY ? 0 : err;
}

/* The neighbours of the page, in its region, that share its group of FAULT_AROUND pages. */
static void look_around(struct fault *f)
{
    struct span span = span_of(f->page & ~(page_t)(FAULT_AROUND - 1), FAULT_AROUND);

    if (span.first < f->region->span.first)
        span.first = f->region->span.first;
    if (span.end > f->region->span.end)
        span.end = f->region->span.end;
    if (span_pages(span) == 1)
        return;
    object_resident(f->region->object, object_index(f->region, span.first), f->nearby, span_pages(span));
    f->around = span;
}

/* Whether an entry's frame is private memory that no other entry shows. */
static bool is_sole(entry_t entry) { return frame_is_sole(entry_frame(entry), OWNER_USER); }

/* Where no region holds the page, or the region forbids the access, no other fact matters. */
static enum fault_action decide_without_entry(const struct fault *f, const struct region *stack)
{
    struct fault_facts facts = { .region = f->region != NULL, .access = f->access, .allows = f->allows };

    facts.growable = f->region == NULL && is_growable(f, stack);
    return fault_decide(&facts);
}

/* With the kind of entry known, the compiler keeps of fault_decide() what matters for it: so there are two of these. */
static enum fault_action decide_on_empty(const struct fault *f)
{
    const struct region *region = f->region;
    struct fault_facts   facts  = { .region = true, .entry = ENTRY_EMPTY, .access = f->access, .allows = f->allows };

    deep_assert(region != NULL);
    facts.shared = region->shared;
    facts.object = region->object != NULL;
    facts.inside = f->inside;
    facts.behind = f->where;
    return fault_decide(&facts);
}

/* Where a page is that is out. */
static enum fault_behind where_out(const struct fault *f, uint32_t slot)
{
    deep_assert(lock_held(&f->space->tables_lock));
    if (!slot_is_on_device(slot))
        return BEHIND_HERE;
    if (f->transfer == NULL || !transfer_is_for(f->transfer, slot))
        return BEHIND_AWAY;
    return transfer_result(f->transfer) == 0 ? BEHIND_HERE : BEHIND_LOST;
}

static enum fault_action decide_on_entry(const struct fault *f, entry_t entry)
{
    struct fault_facts facts = { .region = true, .entry = entry_kind(entry, 1) };

    if (facts.entry == ENTRY_EMPTY)
        return decide_on_empty(f);
    if (facts.entry == ENTRY_PRESENT)
        facts.entry_allows = entry_rights(entry).user;
    if (facts.entry == ENTRY_PRESENT || facts.entry == ENTRY_BLOCKED)
        facts.sole = is_sole(entry);
    if (facts.entry == ENTRY_SWAP)
        facts.behind = where_out(f, entry_slot_number(entry));
    facts.access = f->access;
    facts.allows = f->allows;
    facts.shared = f->region->shared;
    return fault_decide(&facts);
}

/* ---- Actions: each gets a cursor_touch and ends it, whether the action succeeds or not ----------------- */

/*
 * Without the right to write, and with one that the processor knows: on i386 a page that may be written can be read,
 * as on Linux (a region of PROT_WRITE).
 */
static struct rights without_write(struct rights rights)
{
    rights = mmu_allow(rights);
    return (struct rights){ .kernel = rights.kernel & ~MAY_WRITE, .user = rights.user & ~MAY_WRITE };
}

/* A frame for the program alone, with the contents of another, or zeros for NO_FRAME. Returns 0 or -ENOMEM. */
static int private_copy(frame_t of, frame_t *out)
{
    bool zeros = !frame_exists(of) || is_zero_frame(of);
    int  err   = frame_get(OWNER_USER, zeros ? FRAME_ZERO : 0, out);

    deep_assert(!frame_exists(of) || frame_references(of) > 0);
    if (err == 0 && !zeros)
        frame_copy(*out, of);
    return err;
}

static int act_zero(struct fault *f, struct cursor_touch *t)
{
    frame_t frame;
    int     err = frame_get(OWNER_USER, FRAME_ZERO, &frame);

    deep_assert(f->region->rights.user & MAY_WRITE);
    if (err != 0)
        cursor_touch_leave(t);
    else
        cursor_touch_map(t, frame, f->region->rights);
    return err;
}

static int act_zero_read(struct fault *f, struct cursor_touch *t)
{
    frame_t frame;
    int     err = zero_frame(&frame);

    if (err != 0)
        cursor_touch_leave(t);
    else
        cursor_touch_map(t, frame, without_write(f->region->rights));
    return err;
}

static struct rights rights_to_object(const struct fault *f)
{
    return f->region->shared ? f->region->rights : without_write(f->region->rights);
}

/* The reference taken in look_behind() goes to the entry. */
static int act_share(struct fault *f, struct cursor_touch *t)
{
    deep_assert(frame_exists(f->behind) && f->inside);
    cursor_touch_map(t, f->behind, rights_to_object(f));
    f->behind = NO_FRAME;
    return 0;
}

static int act_copy_object(struct fault *f, struct cursor_touch *t)
{
    frame_t frame;
    int     err = private_copy(f->behind, &frame);

    deep_assert(!f->region->shared && f->access == MAY_WRITE);
    if (err != 0)
        cursor_touch_leave(t);
    else
        cursor_touch_map(t, frame, f->region->rights);
    return err;
}

static int act_reuse(struct fault *f, struct cursor_touch *t, bool writable)
{
    cursor_touch_allow(t, writable ? f->region->rights : without_write(f->region->rights));
    return 0;
}

static int act_copy(struct fault *f, struct cursor_touch *t)
{
    frame_t frame;
    int     err = private_copy(entry_frame(t->entry), &frame);

    deep_assert(!f->region->shared && f->access == MAY_WRITE && !frame_exists(f->replaced));
    if (err != 0)
        cursor_touch_leave(t);
    else
        f->replaced = cursor_touch_replace(t, frame, f->region->rights);
    return err;
}

/* Begin to read the page's slot, or join who does; where no transfer is free, one is waited for. */
static int act_read(struct fault *f, struct cursor_touch *t)
{
    deep_assert(slot_is_on_device(entry_slot_number(t->entry)));
    if (f->transfer != NULL)
        transfer_put(f->transfer);
    f->transfer = transfer_read(entry_slot_number(t->entry), true);
    cursor_touch_leave(t);
    return -EBUSY;
}

/* No lock is held while the pager works: the object must not go, as the region that shows it may. */
static int act_wait(struct fault *f, struct cursor_touch *t)
{
    if (entry_kind(t->entry, 1) == ENTRY_SWAP)
        return act_read(f, t);
    cursor_touch_leave(t);
    deep_assert(f->awaited == NULL && f->where == BEHIND_AWAY);
    f->awaited = f->region->object;
    f->awaited_page = object_index(f->region, f->page);
    object_hold(f->awaited);
    return -EBUSY;
}

/* Returns 0, -ENOMEM, -EBUSY where the pager is to be waited for, or -EFAULT where the action is to deny. */
static int act_on_entry(struct fault *f, struct cursor_touch *t, enum fault_action action)
{
    switch (action) {
    case FAULT_ZERO:        return act_zero(f, t);
    case FAULT_ZERO_READ:   return act_zero_read(f, t);
    case FAULT_SHARE:       return act_share(f, t);
    case FAULT_COPY_OBJECT: return act_copy_object(f, t);
    case FAULT_REUSE:       return act_reuse(f, t, true);
    case FAULT_REUSE_READ:  return act_reuse(f, t, false);
    case FAULT_COPY:        return act_copy(f, t);
    case FAULT_WAIT:        return act_wait(f, t);
    case FAULT_BRING_IN:                        /* bring_in() sleeps: when the tables are not locked any more */
        cursor_touch_leave(t);
        return 0;
    default:
        cursor_touch_leave(t);
        return action == FAULT_DONE ? 0 : -EFAULT;
    }
}

/* The references taken in look_around() go to those entries that are empty. */
static void share_around(struct fault *f, struct cursor *c)
{
    deep_assert(span_has(f->around, f->page) && span_pages(f->around) <= FAULT_AROUND);
    cursor_map_run(c, f->around.first, f->nearby, span_pages(f->around), rights_to_object(f));
}

/*
 * Extend the stack above down to the page: is_growable(). False where so many pages may not be promised, which is the
 * program's fault, as on Linux: no frame has been refused, and no other process is to end for it.
 */
static bool act_grow(struct fault *f, struct region *stack)
{
    size_t more = stack->span.first - f->page;
    int    err;

    deep_assert(f->page < stack->span.first && (stack->grows & REGION_GROWS_DOWN));
    if (map_is_charged(stack) && map_charge(f->space, more) != 0)
        return false;
    err = region_resize(&f->space->map, stack, (struct span){ f->page, stack->span.end });
    assert(err == 0);
    map_count_more(f->space, stack, more);
    f->region = stack;
    f->allows = mmu_allow(stack->rights).user;
    return true;
}

/* ---- The whole ----------------------------------------------------------------------------------- */

static int fault_deny(struct fault *f, enum fault_action action)
{
    deep_assert(action == FAULT_BUS || action == FAULT_SEGV_ACCESS || action == FAULT_SEGV_MAP);
    fault_counts[action]++;
    fault_describe(f->verdict, f->space, f->address, action);
    return -EFAULT;
}

/* No region holds the page, or the region forbids the access: the page's entry does not matter. */
static int __attribute__((noinline)) handle_without_entry(struct fault *f)
{
    struct region    *stack  = f->region == NULL ? stack_above(f) : NULL;
    enum fault_action action = decide_without_entry(f, stack);

    if (action != FAULT_GROW)
        return fault_deny(f, action);
    if (!f->writes && !(f->writes = rwlock_become_writer(&f->space->map_lock)))
        return -EAGAIN;
    if (!act_grow(f, stack))
        return fault_deny(f, FAULT_SEGV_MAP);
    fault_counts[action]++;
    return 0;
}

/* The page may be elsewhere by now: then the access is merely tried again. */
static int bring_in(struct fault *f)
{
    if (f->transfer == NULL)
        return page_in(f->space, f->region, f->page);
    return page_in_read(f->space, f->region, f->page, f->transfer);
}

/* A cursor is needed only where the table is missing, or where neighbours are to be mapped as well. */
static int handle_entry(struct fault *f)
{
    bool                single = span_pages(f->around) == 1;
    bool                simple;
    enum fault_action   action;
    struct cursor_touch t;
    struct cursor       c;
    int                 err;

    deep_assert(f->region != NULL && span_has(f->region->span, f->page));
    simple = single && cursor_touch(&t, f->space, f->page);
    if (!simple) {
        err = cursor_open(&c, f->space, f->around, CURSOR_BUILD);
        if (err != 0)
            return err;
        cursor_touch_within(&t, &c, f->page);
    }
    action = decide_on_entry(f, t.entry);
    err    = act_on_entry(f, &t, action);
    if (!single && action == FAULT_SHARE)
        share_around(f, &c);
    if (!simple)
        cursor_close(&c);
    if (action == FAULT_BRING_IN)
        err = bring_in(f);
    if (err == -EFAULT)
        return fault_deny(f, action);
    if (err == 0 || err == -EBUSY)
        fault_counts[action]++;
    return err;
}

/* Drop the references that no entry has taken over, after the flush: no program reaches the replaced frame any more. */
static void drop_references(struct fault *f)
{
    if (frame_exists(f->replaced))
        frame_put(f->replaced);
    if (frame_exists(f->behind))
        frame_put(f->behind);
    if (span_pages(f->around) == 1)
        return;
    for (size_t i = 0; i < span_pages(f->around); i++)
        if (frame_exists(f->nearby[i]))
            frame_put(f->nearby[i]);
}

/* Of all that is there around a page that is read, what is behind the page itself. False: it is not there. */
static bool found_around(struct fault *f)
{
    frame_t *behind = &f->nearby[f->page - f->around.first];

    deep_assert(!frame_exists(f->behind) && span_has(f->around, f->page));
    if (span_pages(f->around) == 1 || !frame_exists(*behind))
        return false;
    f->behind = *behind;
    *behind   = NO_FRAME;
    f->inside = true;
    f->where  = BEHIND_HERE;
    return true;
}

/*
 * A page that is read is mostly there, with its neighbours: so these are looked for first, and all at once. One that is
 * not comes alone: the next read near it maps them.
 */
static int look_once(struct fault *f)
{
    if (f->access != MAY_WRITE) {
        look_around(f);
        if (found_around(f))
            return 0;
        drop_references(f);
        f->around = span_of(f->page, 1);
    }
    return look_behind(f);
}

/*
 * Each look may wait for the object, and pages be cut off meanwhile: then all is looked at again. From here to the
 * entry nothing sleeps.
 */
static int look_at_object(struct fault *f)
{
    for (;;) {
        uint32_t cuts = f->region->object->cuts;
        int      err  = look_once(f);

        if (cuts == f->region->object->cuts)
            return err;
        drop_references(f);
        f->behind = NO_FRAME;
        f->around = span_of(f->page, 1);
    }
}

/* Returns -EAGAIN, and nothing has changed, where a region is to grow and other readers are in the way. */
static int fault_handle(struct fault *f)
{
    int err = 0;

    f->region = fault_region(f->space, f->page);
    if (f->region != NULL)
        f->allows = mmu_allow(f->region->rights).user;
    else if ((err = handle_without_entry(f)) != 0)
        return err;
    if (!(f->allows & f->access))
        return handle_without_entry(f);
    if (f->region->object != NULL && (err = look_at_object(f)) != 0)
        return err;
    return handle_entry(f);
}

/* As a writer. The thread may have waited for that: all is looked at again. */
static int __attribute__((noinline)) handle_as_writer(struct fault *f)
{
    rwlock_read_drop(&f->space->map_lock);
    rwlock_write(&f->space->map_lock);
    f->writes = true;
    return fault_handle(f);
}

/* Drop what was found of the region's object, without which the page is out: it is looked for again. */
static void wait_for_device(struct fault *f)
{
    deep_assert(!frame_exists(f->replaced));
    drop_references(f);
    f->behind = NO_FRAME;
    f->around = span_of(f->page, 1);
    f->where  = BEHIND_HERE;
    f->writes = false;
    f->inside = false;
    if (f->transfer == NULL)
        transfer_await_free();
    else
        (void)transfer_wait(f->transfer);
}

/*
 * The fault waits for a pager: have the page brought in, without the map lock. True where all is to be looked at again:
 * the page is there now, or has been cut off, or the pager has failed, which is denied if it still matters then. False
 * with *err -ENOMEM.
 */
static bool __attribute__((noinline)) look_again(struct fault *f, int *err)
{
    frame_t frame;

    if (*err != -EBUSY)
        return false;
    if (f->awaited == NULL) {
        wait_for_device(f);
        return true;
    }
    deep_assert(!frame_exists(f->behind));
    *err = object_page(f->awaited, f->awaited_page, false, &frame);
    if (*err == 0 && frame_exists(frame))
        frame_put(frame);
    object_release(f->awaited);
    f->awaited = NULL;
    f->where   = *err == 0 || *err == -ENXIO ? BEHIND_HERE : BEHIND_LOST;
    f->writes  = false;
    f->inside  = false;
    return *err != -ENOMEM;
}

int space_fault(struct space *space, vaddr_t address, uint8_t access, struct fault_verdict *verdict)
{
    struct fault f;
    int          err;

    may_sleep();
    deep_assert(space != &kernel_space);
    deep_assert(access == MAY_READ || access == MAY_WRITE || access == MAY_EXECUTE);
    /* One by one: `nearby` is long, and set only for pages of an object. */
    f.space    = space;
    f.page     = page_of(address);
    f.address  = address;
    f.access   = access;
    f.allows   = 0;
    f.inside   = false;
    f.where    = BEHIND_HERE;
    f.awaited  = NULL;
    f.transfer = NULL;
    f.behind   = NO_FRAME;
    f.replaced = NO_FRAME;
    f.around   = span_of(f.page, 1);
    f.verdict  = verdict;
    f.writes   = false;
    do {
        rwlock_read(&space->map_lock);
        err = fault_handle(&f);
        if (err == -EAGAIN)
            err = handle_as_writer(&f);
        if (f.writes)
            rwlock_write_drop(&space->map_lock);
        else
            rwlock_read_drop(&space->map_lock);
    } while (err != 0 && look_again(&f, &err));
    if (f.transfer != NULL)
        transfer_put(f.transfer);
    deep_assert(err == 0 || err == -ENOMEM || err == -EFAULT);
    if (frame_exists(f.replaced) || frame_exists(f.behind) || span_pages(f.around) > 1)
        drop_references(&f);
    return err;
}
