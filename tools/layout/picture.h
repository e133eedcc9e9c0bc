/*
 * picture.h - a document as a drawing: boxes, highest address on top.
 */
#ifndef QUIRE_LAYOUT_PICTURE_H
#define QUIRE_LAYOUT_PICTURE_H

#include "document.h"

void picture_text(const struct document *d, FILE *out);
void picture_svg(const struct document *d, FILE *out);

/* Two documents side by side; in each, rows that are missing or different in the other have a thick frame. */
void picture_svg_against(const struct document *d, const struct document *other, FILE *out);

#endif
