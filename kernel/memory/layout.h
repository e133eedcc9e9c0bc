/*
 * layout.h - what a layout document says, as the kernel reads it.
 *
 * layouts/NAME/layout.md is compiled by tools/layout into build/NAME/layout/, among others:
 *
 *   layout.h      constants (LAYOUT_*), for code that must fold them
 *   layout.c      `const struct layout layout`, the tables below
 *   kernel.ld     the linker script
 *   tables.S      the boot page tables
 *
 * Everything here is constant for the life of the kernel. Addresses in a
 * document are written [start, end] inclusive, as the design documents write them; here
 * they are half open. Rights are stored once, here; what an entry of a page
 * table may allow is always derived from the region (mmu.h, mmu_allow()).
 */
#ifndef QUIRE_MEMORY_LAYOUT_H
#define QUIRE_MEMORY_LAYOUT_H

#include "base/rights.h"

/* Where the pages of a region come from. */
enum backing {
    BACKING_NONE,       /* never mapped: a hole, a guard                         */
    BACKING_FIXED,      /* physical memory at a constant distance (.frame)       */
    BACKING_IMAGE,      /* one section of the kernel image (.section, .frame)    */
    BACKING_DEMAND,     /* frames from the pool, page by page                    */
    BACKING_DEVICE,     /* device memory, mapped window by window                */
    BACKING_TABLES,     /* the page tables themselves, by self-reference         */
    BACKING_SLOTS,      /* temporary views of single frames                      */
    BACKING_WINDOW,     /* processes' structures and tables, a page each          */
    BACKING_ALIAS,      /* the directory entries of another region (.alias)      */
    BACKING_OBJECTS,    /* the page tables of processes, each space's in a row   */
    BACKING_USER,       /* as programs ask                                       */
};

/*
 * What the kernel uses a region for; at most one region of each, but for PLAIN.
 * BOOT is the part of the image that runs before paging: no longer needed once
 * the kernel runs, and never executed through its region. A layout may do without the region.
 * ORIGINAL holds the initial contents of the shared variables, of which each process, and the kernel, has a copy
 * (layouts/firmware/shared.h): it can be reached only while a process is being made. STACK is the first kernel stack
 * and SHARED the kernel's own copy; these two are packed, see struct layout_region.
 */
enum purpose {
    PURPOSE_PLAIN,
    PURPOSE_USER,
    PURPOSE_BOOT,
    PURPOSE_TEXT,
    PURPOSE_RODATA,
    PURPOSE_DATA,
    PURPOSE_ORIGINAL,
    PURPOSE_STACK,
    PURPOSE_SHARED,
    PURPOSE_DIRECT,
    PURPOSE_RECORDS,
    PURPOSE_HEAP,
    PURPOSE_DEVICES,
    PURPOSE_STACKS,
    PURPOSE_SLOTS,
    PURPOSE_TABLES,
    PURPOSE_BOOKKEEPING,
    PURPOSE_TRACKERS,
    PURPOSE_OBJECTS,
    PURPOSE_COUNT,
};

/* The same in every space, each process's own, or kernel space's alone. */
enum scope { SCOPE_ALL, SCOPE_PROCESS, SCOPE_KERNEL };

/*
 * Borders may float: a section of the image ends where the linker ends it. The
 * constants here then hold a symbol's value, so frame numbers that may float are
 * plain uintptr_t (a paddr_t cannot be filled from a symbol on a 32-bit machine).
 *
 * A packed region ends inside a page, and its upper neighbour starts with the next byte. `span` is about pages,
 * and each page belongs to one region: the one that has its first byte. A packed region that is smaller
 * than the rest of its neighbour's last page has no page of its own. [first_byte, last_byte] is exact.
 */
struct layout_region {
    const char    *name;
    struct span    span;
    uintptr_t      first_byte, last_byte;
    struct rights  rights;          /* BACKING_ALIAS: none here, see region_of(alias)    */
    enum purpose   purpose;
    enum scope     scope;
    enum backing   backing;
    uintptr_t      frame;           /* FIXED, IMAGE: number of the frame span.first shows */
    const char    *section;         /* BACKING_IMAGE: "text", "data", ...             */
    page_t         alias;           /* BACKING_ALIAS: first page of the region it repeats */
    size_t         unit;            /* pages a growth step or a stack takes, 0 if none   */
    size_t         maximum;         /* pages at most, 0: the whole span                  */
    size_t         guard;           /* unmapped pages below each unit, 0 if none         */
    const char    *claims;          /* "A12 A13", or ""                                  */
    const char    *note;            /* the document's words for it                       */
    uint32_t       line;            /* line of the document                              */
};

/* What a physical range is for. */
enum physical_use {
    PHYSICAL_KERNEL,    /* the kernel's own structures at fixed places            */
    PHYSICAL_HARDWARE,  /* never allocated, whatever a memory map says            */
    PHYSICAL_BOOT,      /* code that runs before paging, where it has its own row */
    PHYSICAL_IMAGE,     /* kernel image and modules                               */
    PHYSICAL_BITMAP,    /* the frame bitmap                                       */
    PHYSICAL_MASTER,    /* kernel space's page tables, all of them, in a row      */
    PHYSICAL_POOL,      /* handed out, where the memory map says there is RAM     */
};

struct layout_physical {
    const char       *name;
    uintptr_t         first, end;   /* frame numbers, [first, end)                */
    enum physical_use use;
    const char       *claims;
    const char       *note;
    uint32_t          line;
};

enum polarity   { ONE_IS_USED, ONE_IS_FREE };
enum unlisted   { UNLISTED_USED, UNLISTED_MARKED };
enum search     { SEARCH_FIRST, SEARCH_NEXT, SEARCH_FULLEST };
enum exhaustion { EXHAUSTION_ERROR, EXHAUSTION_PANIC };
enum zeroing    { ZERO_USER, ZERO_ALL };
enum bitmap_at  { BITMAP_FIXED, BITMAP_FIRST_FIT, BITMAP_AFTER_IMAGE };

/* Frame pool policies. */
struct layout_policy {
    enum polarity   polarity;
    enum bitmap_at  bitmap_at;
    paddr_t         bitmap_start;   /* BITMAP_FIXED                                       */
    uint64_t        bitmap_bytes;   /* BITMAP_FIXED: exactly this; else 0: what RAM needs */
    enum unlisted   unlisted;
    enum search     search;
    enum zeroing    zeroing;
    enum exhaustion exhaustion;
    uint32_t        magazine;          /* frames each CPU's magazine may keep, 0: none       */
};

/* How page tables are reached. */
enum table_access { ACCESS_IDENTITY, ACCESS_SELF, ACCESS_WINDOW, ACCESS_TRACKED, ACCESS_DIRECT, ACCESS_SLOTS };

/* A mapping that exists when the kernel takes over from the boot code. */
struct layout_boot_map {
    struct span span;
    paddr_t     physical;
    bool        keep;               /* false: removed once paging is set up               */
};

/* A claim of the document, and where it is shown: by the kernel, perhaps among others, or elsewhere only. */
enum claim_where { CLAIM_KERNEL, CLAIM_BUILD, CLAIM_HOST, CLAIM_SYSTEM, CLAIM_LATER };

struct layout_claim {
    const char      *id;
    enum claim_where where;
    const char      *shown;         /* the document's words for it: "host some_test" */
    const char      *text;
    uint32_t         line;
};

/*
 * The memory of a built-in application, in pages: at first, and at most. All 0: the document has no applications.
 */
struct layout_application {
    size_t heap_first, heap_most, guard, stack_first, stack_most;
};

/*
 * The first `common_count` regions are those of every space, by address, covering all of it. Where kernel space has
 * regions of its own in the programs' part, they follow (SCOPE_KERNEL): by address, covering exactly the region
 * `user`. All other layouts have common_count equal to region_count.
 */
struct layout {
    const char *name, *title, *file;
    const struct layout_region   *regions;
    const struct layout_physical *physical;     /* by address                             */
    const struct layout_boot_map *boot_maps;
    const struct layout_claim    *claims;
    uint32_t region_count, common_count, physical_count, boot_map_count, claim_count;
    const struct layout_region   *purpose[PURPOSE_COUNT];   /* NULL where there is none   */
    struct layout_policy policy;
    enum table_access    access;
    struct layout_application application;
    paddr_t              tss, gdt, idt;         /* fixed physical places, 0: in the image */
    paddr_t              master;                /* ACCESS_TRACKED: the row PHYSICAL_MASTER */
    vaddr_t              start_address;         /* of programs that are built in; 0: there are none */
    vaddr_t              kernel_offset;         /* virtual minus physical of the image, modulo the address space */
    struct span          user;                  /* user space: the region `user`          */
    page_t               space_end;             /* first page past the address space      */
};

extern const struct layout layout;

/*
 * Limits that the layout compiler checks documents by (tools/layout/check_needs.c): the regions that exist from the
 * start, the pages of slots for all processors, the most frames that a magazine may keep, and rows of physical memory.
 */
enum { STANDING_REGIONS = 32, SLOT_PAGES_LEAST = 28, MAGAZINE_FRAMES_MOST = 64, PHYSICAL_ROWS_MOST = 48 };

/* The region that holds a page in the programs' spaces; every page of the address space has one. */
const struct layout_region *layout_region_of(page_t page);

/* The region that holds a page in kernel space, which may have regions of its own. */
const struct layout_region *layout_kernel_region_of(page_t page);

static inline bool layout_kernel_has_own(void) { return layout.region_count > layout.common_count; }

/* Whether a page lies in the programs' part of the address space; the kernel may lie below, above, or on both sides. */
static inline bool page_is_users(page_t page) { return span_has(layout.user, page); }

/* Whether each space has kernel stacks of its own, and this page is in the window for them. */
static inline bool stacks_are_own(void)
{
    const struct layout_region *stacks = layout.purpose[PURPOSE_STACKS];

    return stacks != NULL && stacks->scope == SCOPE_PROCESS;
}

static inline bool page_is_own_stack(page_t page)
{
    return stacks_are_own() && span_has(layout.purpose[PURPOSE_STACKS]->span, page);
}

#endif
