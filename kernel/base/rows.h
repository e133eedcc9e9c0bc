/*
 * rows.h - tables whose rows are in several places.
 *
 * A table such as that of the console's commands has rows of the kernel's own, and rows that a layout adds. Each place
 * has a set: an array of rows that ends with an empty row. The table is a list of pointers to sets, ended by NULL,
 * which the build makes for each layout (sources.mk: tables, adds_WORD). A row begins with its name, a text.
 */
#ifndef QUIRE_BASE_ROWS_H
#define QUIRE_BASE_ROWS_H

#include "base/types.h"

/* for (row of every set of the table) ...: the sets one after the other, the rows of each in order. */
#define EACH_ROW(row, table)                                                                                  \
    for (__typeof__(&(table)[0]) row##_set = (table); *row##_set != NULL; row##_set++)                        \
        for (__typeof__(&**row##_set) row = *row##_set; *(const char *const *)(const void *)row != NULL; row++)

#endif
