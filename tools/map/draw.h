/*
 * draw.h - the columns of column.h, drawn: as boxes of characters, DRAW_COLUMNS to a line of plain ASCII, or on sheets
 * of A4, one below the other in one SVG file.
 *
 * Sheet n of the SVG is the group `sheet-n`, and a view of the same name with `-view` behind it: a browser shows and
 * prints FILE.svg#sheet-2-view alone, and `rsvg-convert --export-id sheet-2` makes it a page of its own.
 */
#ifndef QUIRE_MAP_DRAW_H
#define QUIRE_MAP_DRAW_H

#include "column.h"

enum { DRAW_COLUMNS = 100 };

void draw_text(const struct picture *picture, FILE *out);
/* Write the SVG. A browser that shows it reads the file again after refresh_ms; 0: never. */
void draw_svg(const struct picture *picture, struct source *source, unsigned refresh_ms, FILE *out);

#endif
