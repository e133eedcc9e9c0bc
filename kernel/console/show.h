/*
 * show.h - how the console writes addresses, sizes, rights and shares.
 *
 * Each call fills a small struct, so that several fit into one print().
 */
#ifndef QUIRE_CONSOLE_SHOW_H
#define QUIRE_CONSOLE_SHOW_H

#include "memory/layout.h"
#include "memory/tables/table.h"

struct text { char text[24]; };

struct text show_address(vaddr_t address);      /* 0xC010_0000, as documents write it            */
struct text show_size(uint64_t bytes);          /* "4 KiB", "224 MiB": exact below 10000 units   */
struct text show_rights(struct rights rights);  /* "rw-", with a user's: "rw- / r--"             */
struct text show_share(uint64_t part, uint64_t whole);      /* percent with one digit: " 12.5"   */

extern const char *const cache_names[4];

/* What a page's entry is now. Takes the space's tables lock. */
entry_t look_up(const struct space *space, page_t page, unsigned *level);

#endif
