/*
 * contents.h - checks before a write to a regular file, and the changes of its node after it. Internal to core/.
 *
 * Locking  node->lock is held around both calls and the write between them.
 */
#ifndef QUIRE_FILES_CONTENTS_H
#define QUIRE_FILES_CONTENTS_H

#include "files/core/file.h"

/*
 * Cut a write at `at` to the bytes that the process's limit, the largest file and the seals allow. Returns 0 with at
 * least one byte left; -EFBIG (with SIGXFSZ at the process's limit); -EPERM when a seal forbids the write.
 */
int contents_admit(const struct node *node, struct buffer *from, uint64_t at) MUST_CHECK;

/* After a change of what a file holds: set the times, and take set-user-ID and set-group-ID away from a program. */
void contents_written(struct node *node);

#endif
