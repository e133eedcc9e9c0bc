/*
 * space.h - address spaces; the kernel's own is one of them.
 *
 * A space is a tree of regions (what ranges mean) and a set of page tables (what pages are now). Kernel space holds the
 * document's regions by name, and inside its windows (heap, stacks, devices) the regions carved out while running.
 * Every other space shares the kernel part of the root table, entry by entry: the space in use gets a new kernel table
 * at once, others when they are next used. Not shared are the root's reference to itself and, where the document says
 * so, the window of kernel stacks.
 *
 * Locking  a program's map lock sleeps (RWLOCK_MAP): a fault reads, what changes the map writes; kernel space's regions
 *          have a spin lock (RANK_MAP). Inside it the tables lock (RANK_TABLES; kernel space's RANK_KERNEL), in
 *          cursors. The list of spaces has its own (RANK_SPACES). Outside of a program's map lock is that of its break.
 *
 * Invariants (space_ok, and the auditor over all spaces):
 *   S1  every present kernel entry lies in a region, with no more rights than mmu_allow() of the region's
 *   S2  no kernel entry is writable and executable where the hardware can tell
 *   S3  every present user entry lies in a region with no more rights
 *   S4  table frames, present user pages and SWAP entries counted by walking equal space->table_frames, ->resident and
 *       ->swapped, and the pages of locked regions space->locked
 *   S5  guards, holes and the original of shared variables are not mapped
 */
#ifndef QUIRE_MEMORY_SPACE_H
#define QUIRE_MEMORY_SPACE_H

#include "base/lock.h"
#include "base/rwlock.h"
#include "memory/frames/owner.h"
#include "memory/spaces/region.h"
#include "mmu.h"

/* What a program may have; set by exec and setrlimit (memory/spaces/map.h says more). In bytes. */
struct map_limits {
    vaddr_t break_start, break_end;         /* the break: where it starts, and is now [break_lock] */
    vaddr_t map_end;                        /* mappings without an address are placed below      */
    size_t  stack, data, whole;             /* RLIMIT_STACK, RLIMIT_DATA, RLIMIT_AS; SIZE_MAX: none */
    size_t  locked;                         /* bytes mlock() may lock: RLIMIT_MEMLOCK; SIZE_MAX: all      */
    vaddr_t break_most;                     /* the break is never above it; 0: what `data` allows   */
    size_t  stack_gap;                      /* kept free below a stack; 0: what Linux keeps         */
    bool    stack_by_write;                 /* a stack grows when it is written to, not when read   */
};

/* Where tables of processes have permanent addresses (tables/table_home.h): what that strategy remembers of a space. */
struct table_home {
    union {
        struct bookkeeping     *structure;  /* table access `window`: in the window              */
        struct page_table_info *info;       /* table access `tracked`: the page-table object (T4) */
    };
    uint32_t tracker : 20, out : 12;        /* table access `tracked`: which tracker is its own; tables that are out */
};

struct space {
    struct space      *next, *previous;     /* [list lock] all spaces but the kernel's   */
    frame_t            root;                /* [c] root table                            */
    struct rwlock      map_lock;            /* not kernel space's: kernel_map_lock       */
    struct rwlock      break_lock;          /* outside of map_lock                       */
    struct lock        tables_lock;
    struct region_tree map;                 /* [map lock]                                */
    uint32_t           table_frames;        /* [tables lock] root included               */
    uint32_t           resident;            /* [tables lock] present pages, user part    */
    uint32_t           swapped;             /* [tables lock] SWAP entries               */
    uint32_t           peak;                /* [tables lock] the most there were when some went away: space_peak() */
    struct region     *recent;              /* [map lock] where the last fault was, or NULL */
    struct region     *spare;               /* [map lock] the node of one that went, for one that comes, or NULL */
    size_t             pages;               /* [map lock] of all regions of the program  */
    size_t             charged;             /* [map lock] of them, counted as committed  */
    size_t             locked;              /* [map lock] of them, those of regions that are locked */
    size_t             most_pages;          /* [map lock] what `pages` was at most, when it last shrank */
    uint8_t            barriers;            /* [a] membarrier(2): what was registered for, Linux's bits */
    uint8_t            lock_future;         /* [map lock] REGION_LOCKED* for new regions: mlockall() */
    struct map_limits  limits;              /* numbers, written without a lock: exec, prlimit, the break */
    struct stack_pool *stacks;              /* [stacks lock] in use here (stack.c); NULL: none */
    uint32_t           seen;                /* changes of kernel space's root that its own has, interrupts off */
    struct table_home  home;                /* [tables lock] of the layout's table access */
};

extern struct space kernel_space;
extern struct lock  kernel_map_lock;        /* RANK_MAP: the regions of kernel space */

/*
 * To look at the regions of a space without sleeping: with a spin lock held, in a probe, in the audit. In
 * kernel space they take its lock. A program's map changes only between two points of rest of a thread (base/rwlock.h),
 * which no other thread sees while one CPU runs the kernel: code that does not sleep sees it sound, as the last point
 * of rest left it, perhaps in the middle of a long operation. Interrupts are off in between.
 */
lock_state space_look(const struct space *space) MUST_CHECK;
void       space_look_end(const struct space *space, lock_state state);

/* The most pages of the program that were present at one time, up to now: ru_maxrss, VmHWM. */
static inline uint32_t space_peak(const struct space *space)
{
    return space->resident > space->peak ? space->resident : space->peak;
}

/*
 * Take over from the boot tables: the document's regions become regions of kernel space, the image gets its rights,
 * mappings that only the boot needed are removed: kernel memory is as the document says. `root` is the boot directory.
 * Called once, before the pool is open: new tables are taken from the map. Returns 0, or -ENOMEM without RAM for them.
 */
struct memmap;
int space_start(frame_t root, struct memmap *map) MUST_CHECK;

/*
 * How many frames of tables space_start() takes in a machine whose RAM goes up to a frame; *shown: how far the direct
 * map then goes. Nothing is changed. Cost: the root's entries of fixed regions.
 */
uint32_t space_start_needs(uint32_t ram_end, paddr_t *shown);

/*
 * Where the kernel has a space of its own: its root, until now the boot directory, becomes a page of the pool, and
 * current (K13, K15). Once, when the pool is open and has a page free, and page faults are handled (K14).
 */
void space_take_over(void);

/* Take the right to write from the page of the image at this address, for good: the guard below the boot stack. */
void space_guard(vaddr_t address);

/*
 * All spaces one by one: kernel_space after NULL, then the others, then NULL. Takes the list lock inside; the caller
 * sees to it that the space it holds is not destroyed meanwhile.
 */
struct space *space_after(const struct space *space);

/*
 * True for the space whose tables this CPU uses now; kernel space always counts as in use. Where the kernel has a
 * space of its own, no other is ever in use while the kernel runs: the return to a program loads that program's root,
 * and with that the processor forgets all entries that it had cached. Kernel space's pages are never global then
 * (page_may_be_global()).
 */
bool space_is_current(const struct space *space);

/* The space whose tables this CPU uses now. */
struct space *space_active(void);

/* A new space: empty where programs are, else the kernel's. Returns 0 or -ENOMEM. */
int  space_create(struct space *space) MUST_CHECK;

/*
 * Give back every table and every frame its entries hold. The space must be neither current nor program_space, no stack
 * of its own in use; a program's regions are gone (map_clear()). Cost: what its tables still have.
 */
void space_destroy(struct space *space);

/*
 * Let the program that this CPU is about to run see this space. Its tables are the processor's from now on; or, where
 * the kernel has a space of its own, from the return to the program until the next trap (K17).
 */
void space_activate(struct space *space);

/*
 * The same for a caller that loads the root itself, together with another stack: returns the root to be loaded,
 * NO_FRAME where there is nothing to load.
 */
frame_t space_enter(struct space *space) MUST_CHECK;

/* The space activated last: the program's. kernel_space where there is none. */
extern struct space *program_space;
static inline struct space *space_of_program(void) { return program_space; }

/*
 * Called by the cursor when an entry of kernel space's root has changed, with its tables lock: all roots have the entry
 * as soon as they are used, unless programs have that part. Cost: does not grow with the spaces there are.
 */
void space_share_entry(page_t page);
/* Bring a root up to that, for who looks at it although it is not in use. */
void space_catch_up(struct space *space);

/*
 * Carve a named region out of a kernel window (a region of the document) and map it: kernel_map() with frames of the
 * pool, `pages` of them, `guard` pages more below are kept free; kernel_map_device() with the pages of a device. The
 * region object is the caller's. Return 0; -ENOMEM: no frames, or no room in the window; kernel_map_device() -EINVAL
 * where the range is no address of the machine, or has RAM in it.
 */
int  kernel_map(struct region *region, enum purpose window, const char *name, size_t pages, size_t guard,
                enum owner owner) MUST_CHECK;
int  kernel_map_device(struct region *region, const char *name, paddr_t start, size_t bytes,
                       enum cache cache) MUST_CHECK;
/* Whether the heap has more frames than its document's `at most`: the taker of the last ones then gives them back. */
bool kernel_heap_is_over(void);
/* Undo kernel_map() or kernel_map_device(): unmap, flush, give back the frames of the pool. */
void kernel_unmap(struct region *region);

/* The most pages a program has had mapped: VmPeak. By space_look(). */
size_t space_most_pages(struct space *space);

struct audit_report;
void space_audit(const struct space *space, struct audit_report *report);      /* S1..S5, C1..C3 */
/* One part of it, for the auditor's slices: S1..S3, S5 for the entries of `part`, which upper entries begin and end. */
void space_audit_part(const struct space *space, struct span part, struct audit_report *report);
bool space_ok(const struct space *space);

#endif
