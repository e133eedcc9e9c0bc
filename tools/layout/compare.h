/*
 * compare.h - two documents side by side: which rows are in both, and which of these differ.
 *
 * Rows are the same when they have the same name, regions also by what the kernel uses them for. Columns for readers
 * (What lives there, Why, claims) are not compared; all columns that the kernel obeys are.
 */
#ifndef QUIRE_LAYOUT_COMPARE_H
#define QUIRE_LAYOUT_COMPARE_H

#include "document.h"

/* Whether the row is missing or different in the other document. */
bool region_differs(const struct document *other, const struct region *r);
bool physical_differs(const struct document *other, const struct physical *p);
/* Whether two documents have different policies, and a policy's text: "-" where there is none. */
bool policy_differs(const struct document *other, const struct document *d, enum policy_key key);
const char *policy_choice(const struct document *d, enum policy_key key);

/* Write both documents, row beside row; rows that differ are marked and counted. Returns how many rows differ. */
unsigned compare_text(const struct document *a, const struct document *b, FILE *out);

#endif
