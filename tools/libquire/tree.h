/*
 * tree.h - the files of a guest: their paths in the guest, and their contents on the host.
 *
 * A path is absolute and plain: one slash between names, no `.` or `..`. Folders above an added file are added with it
 * (mode 755). A file below a link to a folder is added where the link points; a link that leads in a circle is replaced
 * by a folder. Of two files with one path the last one added wins.
 *
 * Ownership   the tree copies all text and bytes it is given; files are only named, and read when the tree is packed.
 *             All of it is of the thread's arena (arena.h).
 *             A folder that files come from is held open until tree_free(), and they are reached below its descriptor
 *             (beneath.h): a link that is put there meanwhile cannot lead out of it.
 */
#ifndef QUIRE_TREE_H
#define QUIRE_TREE_H

#include "arena.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/types.h>

enum tree_kind { TREE_FOLDER, TREE_FILE, TREE_BYTES, TREE_LINK };

/* A folder of the host. */
struct tree_source {
    struct tree_source *next;
    int                 folder;     /* its descriptor                       */
    struct held        *held;
    char               *name;       /* for messages: its path when opened    */
};

struct tree_node {
    char          *path;
    enum tree_kind kind;
    mode_t         mode;            /* permission bits */
    time_t         time;            /* last modification */
    char          *content;         /* file: host path, below `source`; bytes: the contents; link: its target */
    uint64_t       size;            /* bytes of content; of a file, when it was added */
    const struct tree_source *source;   /* NULL: the user named the host's path, and its links are followed */
};

struct tree {
    void **by_path;                 /* a tree of tsearch(3), or NULL         */
    struct held *order;             /* its nodes, which are not ours         */
    size_t count;
    struct tree_source *sources;
    char  *culprit;                 /* the file of the last error, or NULL */
};

void tree_free(struct tree *tree);

/*
 * The node with exactly this path; or the node to which the tree's links lead from it, which is never a link. NULL:
 * none.
 */
const struct tree_node *tree_find(const struct tree *tree, const char *path);
const struct tree_node *tree_follow(const struct tree *tree, const char *path);

void tree_add_folder(struct tree *tree, const char *path, mode_t mode);
void tree_add_bytes(struct tree *tree, const char *path, const void *bytes, size_t size, mode_t mode);
void tree_add_link(struct tree *tree, const char *path, const char *target);

/*
 * Open a folder of the host for files; links in its name are followed. NULL and errno when it is none.
 */
const struct tree_source *tree_hold(struct tree *tree, const char *folder);

/* Add one file, below a source or (NULL) as named. Returns 0, or an errno when `here` is no readable file. */
int tree_add_file(struct tree *tree, const char *path, const struct tree_source *source, const char *here);

/*
 * Add the file or folder `here`, with all below it: files, folders, and links, which stay links. Pipes, sockets and
 * devices below it are left out: their other end is on the host. Returns 0 or an errno, with its file in tree->culprit.
 */
int tree_add_all(struct tree *tree, const char *path, const char *here);
/* The same for the folder `below` of a source; the source's path in the guest is `start`. */
int tree_add_below(struct tree *tree, const char *start, const struct tree_source *source, const char *below);

/* Open a file's contents for reading, and fill its stat; or -1 and errno. */
int tree_open(const struct tree_node *node, struct stat *status);

/* The path of a file of the tree on the host, for messages. The caller frees it. */
char *tree_origin(const struct tree_node *node);

/* Bytes of all contents, at the time when they were added. */
uint64_t tree_size(const struct tree *tree);

/* Visit every node, each folder before the nodes in it. */
void tree_walk(const struct tree *tree, void (*visit)(const struct tree_node *node, void *with), void *with);

/* `path`, relative to the folder `from`, made absolute and plain. The caller frees it. */
char *plain_path(const char *from, const char *path);

#endif
