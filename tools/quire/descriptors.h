/*
 * descriptors.h - standard descriptors that whoever started us has closed.
 *
 * The next file that anybody opens would get such a number, and be written to as if it were standard output. So they
 * are opened on /dev/null before anything else is. The program finds them closed, as it would here.
 */
#ifndef QUIRE_DESCRIPTORS_H
#define QUIRE_DESCRIPTORS_H

#include <stdbool.h>

/* First of all. False: that cannot be done, and there may be nobody to tell. */
bool descriptors_open(void);

/* Whether standard descriptor `number` was closed when we began. */
bool descriptor_was_closed(int number);

#endif
