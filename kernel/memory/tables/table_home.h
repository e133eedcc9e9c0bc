/*
 * table_home.h - the addresses at which a space's tables are kept, in layouts that give them any.
 *
 * Most layouts need no such thing: a table is wherever its frame is, and table.c sees it through the self-map, the
 * direct map or a slot. Where the document's table access is `window` or `tracked`, each table of a process has
 * a permanent kernel address of its own; then the file of that strategy (layouts/movos/tables.c,
 * layouts/tracker/tables.c) answers these calls, and `struct table_home` (space.h) is what it remembers of a space.
 * General code includes table_access.h instead, where these calls do nothing if the layout has no such strategy.
 *
 * Order    table_home_start() when the space has its root; for each batch of new tables once
 *          table_home_reserve(), which alone may fail, then table_home_enter() for each of them before the entry
 *          that leads to it is written; table_home_leave() after such an entry was emptied and before the flush;
 *          table_home_end() when only the tables are left that table_home_start() made. table_home_stays()
 *          (layouts/tracker/tables.h) names the tables that stay although they are empty, because
 *          table_home_start() made them and table_home_end() gives them back; table_home_is_bare() says whether a space
 *          has none but these, with nothing in them.
 * Locking  the space's tables lock is held, but in table_home_start() and table_home_end(): no other code knows
 *          the space then.
 *          Kernel space has no homes: these calls are made for processes only.
 */
#ifndef QUIRE_MEMORY_TABLE_HOME_H
#define QUIRE_MEMORY_TABLE_HOME_H

#include "mmu.h"

struct space;
struct audit_report;

/* Once, when the pool has just been opened. Returns 0 or -ENOMEM. */
int  table_homes_start(void) MUST_CHECK;

/* The space has a root and nothing else yet; tables made here are counted in table_frames. Returns 0 or -ENOMEM. */
int  table_home_start(struct space *space) MUST_CHECK;
void table_home_end(struct space *space);

/* Before `tables` tables of the span are entered. Returns 0, or -ENOMEM and nothing has changed. */
int  table_home_reserve(struct space *space, struct span span, size_t tables) MUST_CHECK;

/* The entry of `level` for `page` is about to lead to this table, of the level below; or has just ceased to. */
void table_home_enter(struct space *space, page_t page, unsigned level, frame_t table);
void table_home_leave(struct space *space, page_t page, unsigned level, frame_t table);

/* The invariants of the strategy: all of them, or the n-th piece, from 0 on. True when that was the last piece. */
void table_homes_audit(struct audit_report *report);
bool table_homes_audit_part(uint32_t n, struct audit_report *report);

/* Where the entries of a process's table are: of the table of `level` that translates `page`. */
entry_t *table_home_entries(const struct space *space, page_t page, unsigned level);

#endif
