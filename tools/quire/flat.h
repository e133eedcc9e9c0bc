/*
 * flat.h - a kernel as the bytes that lie in physical memory once it is loaded.
 *
 * Small gaps between its loaded parts are filled with zeros; a gap of FLAT_GAP or more begins a new piece, since low
 * memory, through which all pieces are loaded, is small.
 */
#ifndef QUIRE_FLAT_H
#define QUIRE_FLAT_H

#include <stddef.h>
#include <stdint.h>

#include "../../boot/bios/image.h"

enum { FLAT_GAP = 32768 };

struct flat {
    uint8_t *bytes;                 /* of all pieces, one after the other */
    uint32_t size;
    struct bios_piece piece[BIOS_PIECES];
    uint32_t piece_count;
    uint32_t start, end;            /* physical; end is past the last variable, a page border                         */
    uint32_t entry;
};

/* Returns 0, or, after a complaint, an exit status of sandbox.h. After 0 the caller frees bytes. */
int flat_read(struct flat *flat, const char *path);

#endif
