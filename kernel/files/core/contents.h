/*
 * contents.h - what a write may do to a regular file, and does to its node. Internal to core/.
 *
 * Locking  node->lock is held around both calls and the write between them.
 */
#ifndef QUIRE_FILES_CONTENTS_H
#define QUIRE_FILES_CONTENTS_H

#include "files/core/file.h"

/*
 * Cut a write at `at` to what the process's limit, the largest file and the seals leave of it. Returns 0 with at least
 * one byte left; -EFBIG (with SIGXFSZ where it is the process's limit); -EPERM for what is sealed.
 */
int contents_admit(const struct node *node, struct buffer *from, uint64_t at) MUST_CHECK;

/* Bytes have been written: times, and the rights of its owner that a program loses with its first change. */
void contents_written(struct node *node);

#endif
