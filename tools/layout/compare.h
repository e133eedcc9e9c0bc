/*
 * compare.h - two documents side by side: what is the same row in both, and whether it says the same.
 *
 * Rows are the same when they have the same name, regions also by what the kernel uses them for. Words for readers
 * (What lives there, Why, claims) make no difference; all that the kernel obeys does.
 */
#ifndef QUIRE_LAYOUT_COMPARE_H
#define QUIRE_LAYOUT_COMPARE_H

#include "document.h"

/* Whether the other document lacks the row, or says something else in it. */
bool region_differs(const struct document *other, const struct region *r);
bool physical_differs(const struct document *other, const struct physical *p);
/* Whether two documents choose otherwise, and how a choice reads: "-" where there is none. */
bool policy_differs(const struct document *other, const struct document *d, enum policy_key key);
const char *policy_choice(const struct document *d, enum policy_key key);

/* Both documents, row beside row; what differs is marked, and counted at the end. Returns how many rows differ. */
unsigned compare_text(const struct document *a, const struct document *b, FILE *out);

#endif
