/*
 * user_page.h - pages of user space by number, wherever the layout puts it.
 *
 * USER_PAGE(n) is n pages after the border of the directory entry (4 MiB) in which user space begins, so that tests
 * can say which pages share a table. Some layouts leave the first few pages out: use none below USER_PAGE(0x100).
 */
#ifndef TESTS_USER_PAGE_H
#define TESTS_USER_PAGE_H

#include <layout.h>

#define USER_PAGE(n) ((page_t)(LAYOUT_USER_START / 0x400000 * 0x400) + (n))

#endif
