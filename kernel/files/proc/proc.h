/*
 * proc.h - /proc: processes and the machine as text files, in the words of Linux's proc(5).
 *
 * A file's text is written when it is first read, or read from its start, and kept until the open file ends or is read
 * from its start again. What programs have chosen, such as names, ends no line or word where Linux keeps it from that.
 * Of what is written to a file the first bytes count, more than any has a use for; the rest is dropped, as on Linux.
 * /proc/PID/mem and pagemap have no text: their places are addresses, and pages. Quire's own files lie in /proc/quire:
 * frames, heap, takers, layout, audit, map, stretch, and crash, which stops the kernel on purpose where that was asked
 * for at boot.
 *
 * Owning   each look-up makes a node of its own on the heap, which holds those of the folders above: so nothing can be
 *          mounted here. A process that has gone is -ENOENT for a look-up, and mostly -ESRCH for who has a file open.
 * Errors   -EACCES for the descriptors, their facts and the maps of a process, but for its owner and itself; -EINVAL
 *          for what a file that is written to does not understand.
 * Locking  a file is read with its node->lock, and may sleep: process_lock and a program's map lock are taken inside,
 *          for one process, thread or region at a time.
 * Cost     what is written: a text about very many regions, mounts or pages has points of rest.
 */
#ifndef QUIRE_FILES_PROC_H
#define QUIRE_FILES_PROC_H

#include "files/core/file.h"

/* A /proc to be mounted: all of them show the same processes. NULL without memory. */
struct file_system *proc_new(void);

#endif
