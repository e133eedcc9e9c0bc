/*
 * streams.h - standard input, output and errors of a program that is no terminal's: the channel to the host.
 */
#ifndef QUIRE_FILES_STREAMS_H
#define QUIRE_FILES_STREAMS_H

#include "files/file.h"

/* Open files for descriptors 0, 1 and 2, with a reference each. Returns 0 or -ENOMEM (then there are none). */
int streams_open(struct file *files[3]) MUST_CHECK;

#endif
