/*
 * drawing.h - functions for the drawings of documents (picture.h) and of running machines (map/draw.h): colours, text
 * in SVG, paragraphs, and boxes of characters.
 */
#ifndef QUIRE_LAYOUT_DRAWING_H
#define QUIRE_LAYOUT_DRAWING_H

#include "document.h"

/* A light colour for the box, a darker one for its left edge: both survive a black-and-white printer. */
struct look {
    const char *fill, *edge;
};

struct look look_of_region(enum purpose purpose, enum backing backing);
struct look look_of_use(enum physical_use use);

/* How many characters of `text` fit into one line, broken at a blank where there is one; how many lines it takes. */
int line_length(const char *text, int limit);
int line_count(const char *text, int limit);

/* ---- SVG ---- */

/* The patterns for memory that is never mapped, and for aliases. The caller writes <defs> around them. */
extern const char svg_patterns[];

/* The first `length` bytes of a text, with XML's special characters escaped. */
void svg_escaped(FILE *out, const char *text, int length);
/* Write `text`, or its first `length` bytes, at a position. */
void svg_text(FILE *out, double x, double y, const char *class, const char *text);
void svg_text_part(FILE *out, double x, double y, const char *class, const char *text, int length);

/* ---- Characters. `width`: between the bars. ---- */

/* +-- title ----+ label; the title may be "". */
void character_border(FILE *out, int width, const char *title, const char *label);
/* One line between bars, or between other characters; cut when it is too long. */
void character_line(FILE *out, int width, char bar, const char *text, int length);
/* A paragraph, broken at blanks. */
void character_paragraph(FILE *out, int width, char bar, const char *text);

#endif
