/*
 * emit.h - what a good document becomes. Each writes one file; d must have passed its checks.
 */
#ifndef QUIRE_LAYOUT_EMIT_H
#define QUIRE_LAYOUT_EMIT_H

#include "document.h"

void emit_constants(const struct document *d, FILE *out);       /* layout.h   */
void emit_tables(const struct document *d, FILE *out);          /* layout.c   */
void emit_linker_script(const struct document *d, FILE *out);   /* kernel.ld  */
void emit_boot_tables(const struct document *d, FILE *out);     /* tables.S   */

/*
 * The image's distance as a number that 64-bit sums agree with: it is below 0 where the image lies lower than in
 * memory.
 */
const char *distance_text(const struct document *d);

/* All of them and the picture (layout.txt), into a directory that exists. 0 or an errno. */
int emit_all(const struct document *d, const char *directory);

#endif
