/*
 * table_access.h - what the document's table access adds to the life of page tables: chosen when a file is compiled.
 *
 * Where tables are reached through the self-map, the direct map or slots, these calls do nothing, and cost nothing:
 * so a file that includes this is compiled for each layout (sources.mk lists those files). The contracts are in
 * table_home.h, layouts/movos/tables.h and layouts/tracker/tables.h, master.h and out.h.
 */
#ifndef QUIRE_MEMORY_TABLE_ACCESS_H
#define QUIRE_MEMORY_TABLE_ACCESS_H

#include <layout.h>

#include "memory/spaces/space.h"
#include "memory/tables/cursor.h"

/* ---- Permanent addresses of a space's tables ------------------------------------------------- */

#ifdef LAYOUT_TABLE_HOMES
#include "memory/tables/table_home.h"

enum { TABLE_HOMES = true };

/* table_home_leave() flushes some page: the processor has then forgotten the entry that led to the table. */
enum { TABLE_HOME_FLUSHES = true };
#else
enum { TABLE_HOMES = false, TABLE_HOME_FLUSHES = false };

static inline void table_homes_audit(struct audit_report *report)                  { (void)report; }
static inline bool table_homes_audit_part(uint32_t n, struct audit_report *report)
{
    (void)n, (void)report;
    return true;
}
static inline int  table_homes_start(void)                                         { return 0; }
static inline int  table_home_start(struct space *space)                          { (void)space; return 0; }
static inline void table_home_end(struct space *space)                            { (void)space; }
static inline int  table_home_reserve(struct space *space, struct span span, size_t tables)
{
    (void)space, (void)span, (void)tables;
    return 0;
}
static inline void table_home_enter(struct space *space, page_t page, unsigned level, frame_t table)
{
    (void)space, (void)page, (void)level, (void)table;
}
static inline void table_home_leave(struct space *space, page_t page, unsigned level, frame_t table)
{
    (void)space, (void)page, (void)level, (void)table;
}
static inline entry_t *table_home_entries(const struct space *space, page_t page, unsigned level)
{
    (void)space, (void)page, (void)level;
    return NULL;
}
#endif

/* ---- Table access `self` ------------------------------------------------------------------------- */

#ifdef LAYOUT_ACCESS_SELF
/* All tables of the root in use show in one range of addresses. */
enum { TABLES_IN_SELF_MAP = true };
#else
enum { TABLES_IN_SELF_MAP = false };
#endif

/* ---- Table access `window` --------------------------------------------------------------------- */

#ifdef LAYOUT_ACCESS_WINDOW
#include "layouts/movos/tables.h"
#else
static inline void table_home_keep(struct space *space, const void *registers, size_t bytes)
{
    (void)space, (void)registers, (void)bytes;
}
#define table_home_root(of_space) ((of_space)->root)
#endif

/* ---- Table access `tracked` -------------------------------------------------------------------- */

#ifdef LAYOUT_ACCESS_TRACKED
#include "layouts/tracker/master.h"

/* Kernel space has every table there can be, and where it has no page an entry that names the page's own frame. */
enum { KERNEL_HAS_MASTER = true };

/* Tables of programs leave memory: an entry that leads to one is of kind SWAP then. */
enum { TABLES_GO_OUT = true };
#else
enum { KERNEL_HAS_MASTER = false };
enum { TABLES_GO_OUT = false };

static inline bool table_home_is_out(const struct space *space, page_t page) { (void)space, (void)page; return false; }
static inline uint32_t table_home_bring_in(struct space *space, page_t page, frame_t table)
{
    (void)space, (void)page, (void)table;
    return 0;
}
static inline entry_t table_home_entry(const struct space *space, page_t page)
{
    (void)space, (void)page;
    return entry_empty();
}
static inline page_t table_home_drop(struct space *space, page_t first, page_t end, const struct page_choice *choice)
{
    (void)space, (void)first, (void)choice;
    return end;
}

static inline bool table_home_stays(page_t page, unsigned level)
{
    (void)page, (void)level;
    return false;
}

static inline bool table_home_is_bare(const struct space *space) { return space->table_frames == 1; }

static inline int master_prepare(struct memmap *map)
{
    (void)map;
    return 0;
}
static inline void master_start(frame_t *root) { (void)root; }
#endif

#endif
