/*
 * flat.h - a kernel as the bytes that lie in physical memory once it is loaded.
 */
#ifndef QUIRE_FLAT_H
#define QUIRE_FLAT_H

#include <stddef.h>
#include <stdint.h>

struct flat {
    uint8_t *bytes;                 /* from the first loaded byte to the last one that is not just zero by declaration */
    uint32_t size;
    uint32_t start, end;            /* physical; end is past the last variable, a page border                         */
    uint32_t entry;
};

/* Returns 0, or an exit status of seal.h and has complained. After 0 the caller frees bytes. */
int flat_read(struct flat *flat, const char *path);

#endif
