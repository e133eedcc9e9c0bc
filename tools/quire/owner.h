/*
 * owner.h - the connection of a `quire run` to libquire, its owner, which has started it.
 *
 * Complaints are kept, since standard error is the program's. At every exit the owner gets one line "STATUS BYTES", the
 * complaints in so many bytes, and the report if one was asked for. Then the connection ends. The owner ends it to say
 * that the run is not wanted any more (session.h).
 */
#ifndef QUIRE_OWNER_H
#define QUIRE_OWNER_H

#include <stdbool.h>

/* From here on standard error (the FILE, not the descriptor) is kept for the owner. False: no memory. */
bool owner_begin(int connection);

/* Make a descriptor for the report, which the caller closes; -1 and errno. */
int owner_report(void);

#endif
