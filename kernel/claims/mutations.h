/*
 * mutations.h - changing an entry of kernel space for a while, for the mutations of one layout's claims.
 */
#ifndef QUIRE_CLAIMS_MUTATIONS_H
#define QUIRE_CLAIMS_MUTATIONS_H

#include "memory/spaces/space.h"

/* The last entry for a page of kernel space; no large page covers it. */
entry_t get_entry(page_t page);

/* Put another entry there until restore_entry(). One at a time. */
bool change_entry(page_t page, entry_t to);
void restore_entry(void);

#endif
