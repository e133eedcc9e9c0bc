/*
 * user_page.h - pages of user space by number, wherever the layout puts it.
 *
 * USER_PAGE(n) is n pages after the border of the directory entry (4 MiB) in which user space begins, so that tests
 * can say which pages share a table. Some layouts leave the first few pages out: use none below USER_PAGE(0x100).
 * Where a process has its first table from the start, pages are counted from the second directory entry on, so that a
 * table comes with the first of its pages and goes with the last under every layout.
 */
#ifndef TESTS_USER_PAGE_H
#define TESTS_USER_PAGE_H

#include "memory/layout.h"

/* The number of tables that a process has besides its root from the start. */
static inline page_t tables_from_the_start(void) { return layout.access == ACCESS_TRACKED ? 1 : 0; }

#define USER_PAGE(n) ((layout.user.first / 0x400 + tables_from_the_start()) * 0x400 + (n))

#endif
