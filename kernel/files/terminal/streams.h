/*
 * streams.h - standard input, output and errors of a program without a terminal: the channel to the host.
 */
#ifndef QUIRE_FILES_STREAMS_H
#define QUIRE_FILES_STREAMS_H

#include "files/core/file.h"

/*
 * Open files for descriptors 0, 1 and 2, with a reference each. `free` is called each time that the last open file of
 * output and errors goes, in any thread. Returns 0 or -ENOMEM (then there are none).
 */
int  streams_open(struct file *files[3], void (*free)(void)) MUST_CHECK;
/* True while output or errors have an open file. */
bool streams_are_held(void);

#endif
