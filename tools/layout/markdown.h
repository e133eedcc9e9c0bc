/*
 * markdown.h - the part of Markdown that the compiler reads: headings and pipe tables.
 *
 *   # name: title          once, before every table
 *   ## Heading             what the tables below are about; deeper headings are prose
 *   | A | B |              a table: header, a line of dashes, rows; \| is a pipe in a cell
 *   |---|---|
 *   ```                    text between fences is prose
 *
 * Everything else is prose. Emphasis and code marks around a cell's text are dropped.
 */
#ifndef QUIRE_LAYOUT_MARKDOWN_H
#define QUIRE_LAYOUT_MARKDOWN_H

#include "source.h"

struct md_row {
    uint32_t line;
    uint32_t count;
    char   **cells;             /* trimmed; "" where the cell is empty */
};

struct md_table {
    struct md_table *next;
    const char      *heading;   /* text of the `##` above, NULL before the first one */
    uint32_t         heading_line;
    struct md_row    header;
    struct md_row   *rows;
    uint32_t         row_count;
};

struct md_outline {
    const char      *title;     /* text after `# `, NULL if there is none */
    uint32_t         title_line;
    struct md_table *tables;    /* in the order of the document */
};

void markdown_read(struct source *s, struct md_outline *out);

#endif
