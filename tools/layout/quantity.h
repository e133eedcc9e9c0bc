/*
 * quantity.h - addresses, sizes and rights: read from cells, written for people.
 *
 *   address   0x0006_0000, hexadecimal, at most 0xFFFFFFFF
 *   size      `128 KiB`, `3.5 GiB less 64 KiB`, `8 KiB and 12 B`: exact or refused
 *   rights    `rw-`, `r-x`, `---`
 *
 * Readers return false when the text has another form; they do not complain.
 */
#ifndef QUIRE_LAYOUT_QUANTITY_H
#define QUIRE_LAYOUT_QUANTITY_H

#include "source.h"

bool read_address(const char *text, uint64_t *out);
bool read_size(const char *text, uint64_t *out);
bool read_count(const char *text, uint64_t *out);
bool read_rights(const char *text, unsigned *out);

/* The shortest exact way to write a size that read_size() reads back. */
const char *size_text(struct source *s, uint64_t bytes);
const char *rights_text(unsigned rights);       /* one of eight constants */

#endif
