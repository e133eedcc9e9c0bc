/*
 * signal_file.h - signalfd: signals that are read and waited for. Source: signalfd(2).
 *
 * A thread that reads or polls gets the signals that wait for itself and for its process. Each signal that is kept
 * wakes all threads that wait for a file of this kind, and they look again.
 */
#ifndef QUIRE_FILES_SIGNAL_FILE_H
#define QUIRE_FILES_SIGNAL_FILE_H

#include "files/core/file.h"

/* `signals`: bit n-1 for signal n. NULL without memory. flags: O_NONBLOCK. */
struct file *signal_file_make(uint64_t signals, uint32_t flags);
bool         file_is_signal(const struct file *file);
void         signal_file_set(struct file *file, uint64_t signals);      /* change the set */

#endif
