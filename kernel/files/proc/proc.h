/*
 * proc.h - /proc: processes and the machine as text files, in the words of Linux's proc(5).
 *
 * A file's text is written when it is read from its start, and kept until the open file ends or
 * is read from its start again. Quire's own files lie in /proc/quire: frames, heap, takers, layout, audit,
 * map, stretch, and crash, which stops the kernel on purpose where that was asked for at boot.
 */
#ifndef QUIRE_FILES_PROC_H
#define QUIRE_FILES_PROC_H

#include "files/core/file.h"

/* A /proc to be mounted: all of them show the same processes. NULL without memory. */
struct file_system *proc_new(void);

#endif
