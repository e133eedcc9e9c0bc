/*
 * facts.h - a document as lines for programs: NAME=VALUE, one fact a line.
 *
 *   name=quire                      the document, its title, its file
 *   user.start=0x00010000           each region and, with `physical.` before it, each physical row: start, end
 *   user.end=0xE0000000             (the first byte behind it), backing or use, rights and the row's line; a
 *                                   border that floats has no line
 *   policy.search=fullest           each policy, as the document words it
 *   stacks.count=4096               how many pieces the region's window holds
 *   bitmap.bytes=131072             where the document fixes them
 *   pool.start=0x00400000           the first byte above 1 MiB that may be handed out; no line when that border floats
 *   lowest.mapped=0x00010000        no space maps a page below
 *   claim.A9.shown=kernel           the kernel or test that shows it
 *   claim.A9.text=In the raw ...    and the sentence
 *
 * Numbers are hexadecimal with 0x, or decimal. Tests read these lines, so that the values they expect come
 * from the document. A region of kernel space alone has `kernel.` before its name.
 */
#ifndef QUIRE_LAYOUT_FACTS_H
#define QUIRE_LAYOUT_FACTS_H

#include "document.h"

void facts_text(const struct document *d, FILE *out);

#endif
