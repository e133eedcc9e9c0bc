/*
 * owner.h - a `quire run` that libquire has started, and how it tells its owner what became of the run.
 *
 * What we would say on standard error is kept, since standard error is the program's. At exit, however that comes, the
 * owner gets one line "STATUS BYTES", the complaints in so many bytes, and the report if one was asked for. Then the
 * connection ends. Its own end of it is how the owner tells us that nobody is interested any more (session.h).
 */
#ifndef QUIRE_OWNER_H
#define QUIRE_OWNER_H

#include <stdbool.h>

/* From here on standard error (the FILE, not the descriptor) is kept for the owner. False: no memory. */
bool owner_begin(int connection);

/* A descriptor to write the report to, which the caller closes; -1 and errno. */
int owner_report(void);

#endif
