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

/*
 * The names of functions that called each other, the innermost first: "lock_drop < cursor_close < map_discard", as many
 * as fit. The list ends with an address 0, or after `count`.
 */
void symbols_in_words(const vaddr_t *callers, unsigned count, char *out, size_t size);

#endif
