/*
 * descriptor.h - a process's table of open files.
 *
 * Counted; shared by CLONE_FILES. Grows by doubling up to the process's limit (RLIMIT_NOFILE), never shrinks; a copy
 * has room for the numbers that are open.
 *
 * Cost     opening and closing do not cost more when many files are open; copying and releasing take a step for each
 *          open number, and one for each 32 that are not open.
 * Locking  a spin lock (RANK_OBJECT) inside, for stretches of bounded length, and a mutex around the growth of a table,
 *          so no spin lock may be held. Releasing a file may sleep.
 * Owning   a number holds one reference to its open file; files that are handed out carry one of their own.
 * Errors   negative errno: -EBADF for a number that is not open, -EMFILE, -ENOMEM.
 */
#ifndef QUIRE_FILES_DESCRIPTOR_H
#define QUIRE_FILES_DESCRIPTOR_H

#include "files/core/file.h"
#include "process/parts.h"                  /* files_copy(), files_hold(), files_release() */

struct files;

enum { DESCRIPTORS_MOST = 1048576 };        /* the highest limit there is: Linux's fs.nr_open */

struct files *files_new(void);                              /* NULL without memory                           */
void files_close_on_exec(struct files *files);
/* The first of D1 to D3 (descriptor.c) that does not hold; NULL when all do. Goes over all numbers. */
const char *files_broken(struct files *files);
static inline bool files_ok(struct files *files) { return files_broken(files) == NULL; }

/* The open file of a number, with a reference; NULL when there is none. */
struct file *descriptor_file(struct files *files, int number);
/*
 * The same without a reference, for the one thread that uses this table: no other can close the number meanwhile. The
 * caller knows that its process has one thread, and that no other process has the table (files_are_own()).
 */
struct file *descriptor_peek(const struct files *files, int number);
bool files_are_own(const struct files *files);              /* no other process shares it                    */
/*
 * The lowest free number at or above `from`, below `limit`. Takes the caller's reference on success. -EMFILE, -ENOMEM.
 * file NULL: reserve the number, for a call that leaves something behind before it has its open file. To other calls
 * the number is closed, and yet nobody gets it. The call ends with descriptor_settle().
 */
int  descriptor_add(struct files *files, struct file *file, int from, bool close_on_exec, uint32_t limit) MUST_CHECK;
/* A reserved number becomes the file's, with the caller's reference, or with NULL is free again. */
void descriptor_settle(struct files *files, int number, struct file *file, bool close_on_exec);
/*
 * dup2: this number, whose old file is closed. Takes the caller's reference on success. -EBADF beyond limit, -ENOMEM;
 * -EBUSY for one that is reserved.
 */
int  descriptor_put(struct files *files, int number, struct file *file, bool close_on_exec, uint32_t limit) MUST_CHECK;
/*
 * Close a number, whatever its file is, or only if it is `only`: a call that has made it and cannot tell the program
 * closes no file that another thread has put there meanwhile. 0 or -EBADF.
 */
int  descriptor_withdraw(struct files *files, int number, const struct file *only);
static inline int descriptor_close(struct files *files, int number) { return descriptor_withdraw(files, number, NULL); }
/*
 * The node of a number's open file, with a reference, and the open file's flags; NULL when it is not open. No open file
 * is held and released by it, which may take locks: so it is for look-ups of paths, which are made with locks held.
 */
struct node *descriptor_node(struct files *files, int number, uint32_t *flags);
int  descriptor_flag(struct files *files, int number);      /* close-on-exec: 0, 1 or -EBADF                 */
int  descriptor_set_flag(struct files *files, int number, bool close_on_exec);
/* The first open number at or above `from`, or -1: for close_range and /proc/self/fd. */
int  descriptor_next(struct files *files, int from);
uint32_t files_room(const struct files *files);             /* numbers that the table has room for           */

#endif
