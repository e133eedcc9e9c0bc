/*
 * cells.h - reading the cells of each column: from a cell's text to a field.
 *
 * A cell reader complains about a cell that it cannot read, and does not change the field.
 */
#ifndef QUIRE_LAYOUT_CELLS_H
#define QUIRE_LAYOUT_CELLS_H

#include "document.h"

typedef void read_cell(struct document *d, uint32_t line, void *row, const char *text);

struct column {
    const char *title;
    bool        required;
    read_cell  *read;
};

/* A row of the Policies table on its way into struct policies. */
struct policy_row {
    uint32_t    line;
    int         key;            /* enum policy_key, -1 when the word is unknown */
    const char *choice, *claims;
};

extern const struct column region_columns[], physical_columns[], structure_columns[], part_columns[], policy_columns[],
                           boot_map_columns[], claim_columns[];

#endif
