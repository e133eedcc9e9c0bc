/*
 * inside.h - what `quire map` and `quire debug` use of the library beside libquire.h: the description itself, for
 * snapshots of memory and for a debugger. Not installed.
 */
#ifndef LIBQUIRE_INSIDE_H
#define LIBQUIRE_INSIDE_H

#include "libquire.h"

struct sandbox;

/* The object's description, to be changed before quire_start(); its snapshot is there afterwards. */
struct sandbox *quire_inside(struct quire *q);

#endif
