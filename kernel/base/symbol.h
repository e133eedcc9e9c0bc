/*
 * symbol.h - the kernel's own names for its code, for reports that people read.
 *
 * The table is made by the build from the linked kernel (tools/symbols.awk): code only,
 * sorted by address.
 */
#ifndef QUIRE_BASE_SYMBOL_H
#define QUIRE_BASE_SYMBOL_H

#include "base/types.h"

struct symbol {
    uint32_t    address;
    const char *name;
};

extern const struct symbol kernel_symbols[];
extern const uint32_t      kernel_symbol_count;

/*
 * The function that holds a code address, and how far into it the address lies;
 * NULL when the address is not code of the kernel. O(log symbols).
 */
const char *symbol_of(vaddr_t address, uint32_t *offset);

#endif
