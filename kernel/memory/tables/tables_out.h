/*
 * tables_out.h - tables of programs that leave memory, in layouts that let them.
 *
 * A table all of whose pages are out may go after them. Under most layouts tables stay, and tables_stay.c answers: no
 * table goes, and none is out. layouts/tracker/out.h says how others do it.
 */
#ifndef QUIRE_MEMORY_TABLES_OUT_H
#define QUIRE_MEMORY_TABLES_OUT_H

#include "memory/tables/cursor.h"

/*
 * Let the table that translates a page go, if it may: its space is not current. True if it has gone. The map lock is
 * held, so that its writer knows that none goes meanwhile; takes the space's tables lock. Does not sleep.
 */
bool table_home_go(struct space *space, page_t page);

/*
 * Look at the entries of [first, end), in one table, that are not EMPTY, in order, if that table is out; false if it is
 * not. The space's tables lock is held. Cost: some ten instructions for each entry of the table.
 */
bool table_home_look(const struct space *space, page_t first, page_t end, page_visitor visit, void *with);

#endif
