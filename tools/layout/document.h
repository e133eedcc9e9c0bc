/*
 * document.h - a layout document in the compiler's memory.
 *
 * read.c fills it from the document's tables, check*.c find contradictions,
 * emit_*.c and picture*.c write files from it. All memory belongs to the source.
 *
 * Ranges are half open here, in bytes, in 64 bits: 4 GiB is an ordinary number.
 * Enumerators have the names of kernel/memory/layout.h, so the compiler checks
 * the emitted tables.
 */
#ifndef QUIRE_LAYOUT_DOCUMENT_H
#define QUIRE_LAYOUT_DOCUMENT_H

#include "source.h"

#define SPACE_END UINT64_C(0x100000000)    /* the first byte past a 32-bit address space */
#define PAGE      UINT64_C(4096)
#define TABLE     (1024 * PAGE)         /* bytes that one directory entry maps */

/* Constants of the kernel for the checks; layout.c asserts that they equal the kernel's. */
enum { STANDING_MOST = 32, PROCESSORS_MOST = 4, SLOTS_EACH = 7, MAGAZINE_FRAMES_MOST = 64,
       PHYSICAL_ROWS_MOST = 48 };
#define STACK_MOST    UINT64_C(0x10000)
#define RECORDS_LEAST (SPACE_END / PAGE * 8)
#define HEAP_LEAST    UINT64_C(0x100000)

/* Where every PC has video memory and ROMs, whatever else it has. */
#define LEGACY_START UINT64_C(0xA0000)
#define LEGACY_END   UINT64_C(0x100000)

enum { MAY_READ = 1, MAY_WRITE = 2, MAY_EXECUTE = 4 };

enum section {
    SECTION_BOOT, SECTION_TEXT, SECTION_RODATA, SECTION_DATA,
    SECTION_ORIGINAL, SECTION_STACK, SECTION_SHARED,    /* in a document that packs them; see docs/layouts.md */
    SECTION_COUNT,
    SECTION_LAST = SECTION_COUNT,                       /* `end of image`, until it is known which is the last */
};

enum backing {
    BACKING_NONE, BACKING_FIXED, BACKING_IMAGE, BACKING_DEMAND, BACKING_DEVICE, BACKING_TABLES,
    BACKING_SLOTS, BACKING_WINDOW, BACKING_ALIAS, BACKING_OBJECTS, BACKING_USER,
};

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

enum scope        { SCOPE_ALL, SCOPE_PROCESS, SCOPE_KERNEL, SCOPE_NOTHING };
enum physical_use { PHYSICAL_KERNEL, PHYSICAL_HARDWARE, PHYSICAL_BOOT, PHYSICAL_IMAGE, PHYSICAL_BITMAP, PHYSICAL_MASTER,
                    PHYSICAL_POOL };
enum polarity     { ONE_IS_USED, ONE_IS_FREE };
enum bitmap_at    { BITMAP_FIXED, BITMAP_FIRST_FIT, BITMAP_AFTER_IMAGE };
enum unlisted     { UNLISTED_USED, UNLISTED_MARKED };
enum search       { SEARCH_FIRST, SEARCH_NEXT, SEARCH_FULLEST };
enum zeroing      { ZERO_USER, ZERO_ALL };
enum exhaustion   { EXHAUSTION_ERROR, EXHAUSTION_PANIC };
enum table_access { ACCESS_IDENTITY, ACCESS_SELF, ACCESS_WINDOW, ACCESS_TRACKED, ACCESS_DIRECT, ACCESS_SLOTS };
enum claim_where  { CLAIM_KERNEL, CLAIM_BUILD, CLAIM_HOST, CLAIM_SYSTEM, CLAIM_LATER };
enum structure_of { STRUCTURE_TSS, STRUCTURE_GDT, STRUCTURE_IDT, STRUCTURE_COUNT };

/* A border between two ranges: a number, or where the linker ends a section. */
struct border {
    bool         floats;
    uint64_t     at;                    /* not floats */
    enum section after;                 /* floats     */
};

/* The columns of every table of ranges. */
struct place {
    const char   *name;
    uint32_t      line;
    struct border start, end;
    bool          broken;               /* a cell is wrong: the checks skip this row */
    bool          size_floats;          /* the Size cell says `floats` */
    uint64_t      size;                 /* its value otherwise         */
    const char   *size_words;           /* and its text                */
    const char   *claims;
    const char   *note;
};

struct region {
    struct place  place;
    unsigned      kernel, user;         /* MAY_*                                        */
    bool          same_rights;          /* the cell says `same`: an alias               */
    enum purpose  purpose;
    enum scope    scope;
    enum backing  backing;
    struct border physical;             /* BACKING_FIXED: the region's first physical byte */
    enum section  section;              /* BACKING_IMAGE                                */
    const char   *alias;                /* BACKING_ALIAS: a region's name               */
    const struct region *aliased;       /*   and that region, once checked              */
    uint64_t      unit, maximum, guard; /* bytes, 0 where the document says none        */
    bool          each;                 /* the unit is that of equal pieces: `SIZE each` */
    const char   *no_guard;             /* the reason, where the document gives one     */
};

struct physical {
    struct place      place;
    enum physical_use use;
};

/* One of the processor's tables at a fixed physical place. */
struct structure {
    struct place      place;
    enum structure_of which;
};

/* A part of a built-in application's memory, from the bottom up. */
enum part_of { PART_HEAP, PART_GUARD, PART_STACK, PART_SHARED, PART_COUNT };

struct part {
    uint32_t     line;
    bool         broken;
    enum part_of which;
    bool         floats;                /* as long as the linker makes it   */
    uint64_t     first, size;           /* bytes: mapped at first, and room */
    unsigned     user;                  /* MAY_*                            */
    const char  *claims;
};

struct boot_map {
    uint32_t line;
    bool     broken;
    uint64_t virtual, physical, size;
    bool     keep;
};

struct claim {
    uint32_t         line;
    const char      *id, *text;
    const char      *shown;             /* the cell: what shows it, and which tests        */
    enum claim_where where;             /* the kernel, if it is one of them; else the first */
};

struct policies {
    enum polarity     polarity;
    enum bitmap_at    bitmap_at;
    enum unlisted     unlisted;
    enum search       search;
    enum zeroing      zeroing;
    enum exhaustion   exhaustion;
    enum table_access access;
    uint64_t          magazine;
    uint64_t          start;            /* where flat programs start, if the document says so */
};

enum policy_key {
    POLICY_POLARITY, POLICY_BITMAP, POLICY_UNLISTED, POLICY_SEARCH, POLICY_ZEROING, POLICY_EXHAUSTION,
    POLICY_MAGAZINE, POLICY_ACCESS, POLICY_START, POLICY_COUNT,
};

struct document {
    struct source    *source;
    const char       *name, *title;

    struct region    *regions;      uint32_t region_count;      /* what every space has, then kernel space's own */
    struct region    *own;          uint32_t own_count;         /* these, while they are being read              */
    uint32_t          common_count;                             /* of the regions, those that every space has    */
    struct physical  *physical;     uint32_t physical_count;
    struct structure *structures;   uint32_t structure_count;
    struct part      *parts;        uint32_t part_count;
    struct boot_map  *boot_maps;    uint32_t boot_map_count;
    struct claim     *claims;       uint32_t claim_count;
    struct policies   policy;
    uint32_t          policy_line[POLICY_COUNT];    /* 0: the document does not say */
    const char       *policy_claims[POLICY_COUNT];
    bool              policy_unknown, claim_unknown;    /* a row could not be read  */

    /* What check.c derives; sound only in a document without errors. */
    struct region    *purpose[PURPOSE_COUNT];       /* PURPOSE_PLAIN: always NULL   */
    struct physical  *image, *bitmap, *boot, *master;   /* physical rows                */
    enum section      last;                         /* the image's last section     */
    uint64_t kernel_offset; /* virtual minus physical of the image, modulo 2^64: the image may lie
                                                     * at lower virtual than physical addresses */
};

/*
 * Read the tables. False when a heading, column, row or table is missing or unknown; the
 * document cannot be checked then. Rows with wrong cells are marked as broken, and are no
 * reason for false.
 */
bool document_read(struct document *d, struct source *s);

/* Read a document, and check it. True when there was no complaint. */
bool document_compile(struct document *d, struct source *s);

/* The end of what a floating or fixed row may grow to: the next fixed border; and the fixed border at or below it. */
uint64_t region_limit(const struct document *d, const struct region *r);
uint64_t region_base(const struct document *d, const struct region *r);

/* The physical border that `b`, a border of the image's neighbourhood, shows. */
struct border border_physical(const struct document *d, struct border b);

#endif
