/*
 * attend.h - a run of libquire that has this process's streams, terminal and signals.
 *
 * Signals go to the program (signals.h). On a terminal in guest mode Ctrl-C is a key like others.
 */
#ifndef QUIRE_ATTEND_H
#define QUIRE_ATTEND_H

#include "libquire/libquire.h"
#include "options.h"

/*
 * An object of what the options say, connected to this process's streams. Errors have been told, and end the process.
 * The caller frees it.
 */
struct quire *attend_new(const struct options *options);

/* Run it to its end. Returns the exit status for this process, which may also end here, by a signal. */
int attend(struct quire *q, const struct options *options);

#endif
