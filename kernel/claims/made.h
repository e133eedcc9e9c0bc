/*
 * made.h - a machine that is not at hand: its memory in many segments, devices and a module in the midst of it.
 *
 * Its tables are given to the code that reads every machine's (memory_describe(), memory/start.h), and what that makes
 * of each frame is held against what was said of it (told.h). Segments are unsorted, overlap, are empty, begin inside
 * pages, wrap, and lie above what can be named; a device decodes memory that the list calls usable; a module of 5 MiB
 * lies where no document has anything.
 */
#ifndef QUIRE_CLAIMS_MADE_H
#define QUIRE_CLAIMS_MADE_H

#include "claims/told.h"

/*
 * For a probe: of the frames that were said to be of a kind none would be handed out; or, of usable ones, all would.
 * NULL, or what is wrong, in words that stay until the next call.
 */
const char *made_wrong(enum told kind);

#endif
