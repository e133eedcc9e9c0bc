/*
 * emit.h - writing the files that are made from a document. Each function writes one file; d must have passed its
 * checks.
 */
#ifndef QUIRE_LAYOUT_EMIT_H
#define QUIRE_LAYOUT_EMIT_H

#include "document.h"

void emit_constants(const struct document *d, FILE *out);       /* layout.h   */
void emit_tables(const struct document *d, FILE *out);          /* layout.c   */
void emit_linker_script(const struct document *d, FILE *out);   /* kernel.ld  */
void emit_boot_tables(const struct document *d, FILE *out);     /* tables.S   */

/*
 * The image's offset for 64-bit sums: negative where the image's addresses are lower than its physical addresses.
 */
const char *distance_text(const struct document *d);

/* Write all files and the picture (layout.txt) into an existing directory. 0 or an errno. */
int emit_all(const struct document *d, const char *directory);

#endif
