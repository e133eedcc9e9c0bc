/*
 * proc.h - /proc: processes and the machine as text files, in the words of Linux's proc(5).
 *
 * A file's text is written when it is read from its start, and kept until the open file ends or
 * is read from its start again. Our own additions lie in /proc/quire: frames, layout, audit, map.
 */
#ifndef QUIRE_FILES_PROC_H
#define QUIRE_FILES_PROC_H

#include "files/file.h"

/* The one /proc there is; NULL without memory. */
struct file_system *proc_new(void);

#endif
