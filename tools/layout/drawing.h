/*
 * drawing.h - what the drawings of documents (picture.h) and of running machines (map/draw.h) share: looks, text in
 * SVG, paragraphs, and boxes of characters in the manner of the seeds.
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

/* The fill of what is never mapped, and of an alias. To be put inside <defs>. */
extern const char svg_patterns[];

/* The first `length` bytes of a text, with what means something in XML escaped. */
void svg_escaped(FILE *out, const char *text, int length);
/* `text`, or the first `length` bytes of it, at a place. */
void svg_text(FILE *out, double x, double y, const char *class, const char *text);
void svg_text_part(FILE *out, double x, double y, const char *class, const char *text, int length);

/* ---- Characters. `width`: between the bars. ---- */

/* +-- title ----+ label; the title may be "". */
void character_border(FILE *out, int width, const char *title, const char *label);
/* One line between bars, or between others; cut when it is too long. */
void character_line(FILE *out, int width, char bar, const char *text, int length);
/* As many lines as it takes, broken at blanks. */
void character_paragraph(FILE *out, int width, char bar, const char *text);

#endif
