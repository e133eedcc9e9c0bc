/*
 * parts.h - what a process has of files: its descriptors, its fs context, the file that it runs, its terminal.
 *
 * Processes hold references to these, and know nothing else of them. The calls are declared here, where they are
 * needed, and answered by kernel/files, so that includes run down.
 */
#ifndef QUIRE_PROCESS_PARTS_H
#define QUIRE_PROCESS_PARTS_H

#include "base/types.h"

struct files;
struct fs_context;
struct node;
struct process;

/*
 * The table of open files (files/core/descriptor.h): a reference more, one less, a copy for fork. NULL without memory.
 * The last reference of what is here ends what it leads to: releasing, and node_unuse(), may sleep.
 */
void          files_hold(struct files *files);
void          files_release(struct files *files);
struct files *files_copy(struct files *files);

/* Root, working directory and umask (files/path/path.h): the same. */
void               fs_context_hold(struct fs_context *fs);
void               fs_context_release(struct fs_context *fs);
struct fs_context *fs_context_copy(const struct fs_context *fs);

/*
 * The file that is run (files/core/file.h): it is kept, and not written to meanwhile. node_add_runner(): 0 or -ETXTBSY.
 */
void node_use(struct node *node);
void node_unuse(struct node *node);
int  node_add_runner(struct node *node) MUST_CHECK;
void node_end_runner(struct node *node);

/* A process ends or gives its terminal up; a session's leader takes it from the whole session. */
void terminal_leave(struct process *process);

#endif
