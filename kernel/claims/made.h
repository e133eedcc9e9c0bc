/*
 * made.h - an invented machine: its memory in many segments, devices and a module between them.
 *
 * Its tables are given to the code that reads every machine's (memory_describe(), memory/start.h), and the result for
 * each frame is compared with what the tables say of the frame (told.h). Segments are unsorted, overlap, are empty,
 * begin inside pages, wrap, and lie above what can be named; a device decodes memory that the list calls usable; a
 * module of 5 MiB lies where no document has anything.
 */
#ifndef QUIRE_CLAIMS_MADE_H
#define QUIRE_CLAIMS_MADE_H

#include "claims/told.h"

/*
 * For a probe: no frame that the tables say is of this kind would be handed out; of the kind usable, all would be.
 * NULL: so it is; or the error, in words that stay until the next call.
 */
const char *made_wrong(enum told kind);

#endif
