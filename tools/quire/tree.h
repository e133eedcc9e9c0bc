/*
 * tree.h - the files a guest will have: paths there, and where their contents are here.
 *
 * A path is absolute and plain: one slash between names, no `.` or `..`. Folders above
 * what is added come by themselves (mode 755). Where a link to a folder is in the way, what
 * is added below it goes where the link points; a link that leads nowhere but round in circles gives way to a folder.
 * The last one added wins.
 *
 * Ownership   the tree copies all text and bytes it is given; files are only named, and read when the tree is packed.
 *             A folder that files come from is held open until tree_free(), and they are reached below its descriptor
 *             (beneath.h): what somebody puts in their place meanwhile cannot lead out of it.
 */
#ifndef QUIRE_TREE_H
#define QUIRE_TREE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/types.h>

enum tree_kind { TREE_FOLDER, TREE_FILE, TREE_BYTES, TREE_LINK };

/* A folder of this machine. */
struct tree_source {
    struct tree_source *next;
    int                 folder;     /* its descriptor                       */
    char               *name;       /* for people: what it was opened as    */
};

struct tree_node {
    char          *path;
    enum tree_kind kind;
    mode_t         mode;            /* permission bits */
    time_t         time;            /* last modification */
    char          *content;         /* file: its path here, below `source`; bytes: themselves; link: its target */
    uint64_t       size;            /* bytes of content; of a file, when it was added */
    const struct tree_source *source;   /* NULL: the path here was named by somebody, and its links are followed */
};

struct tree {
    void  *by_path;                 /* of tsearch(3) */
    size_t count;
    struct tree_source *sources;
    char  *culprit;                 /* which file the last error is about, or NULL */
};

void tree_free(struct tree *tree);

/*
 * The node with this very path; or the one to which links of the tree lead from it, which is never a link. NULL: none.
 */
const struct tree_node *tree_find(const struct tree *tree, const char *path);
const struct tree_node *tree_follow(const struct tree *tree, const char *path);

void tree_add_folder(struct tree *tree, const char *path, mode_t mode);
void tree_add_bytes(struct tree *tree, const char *path, const void *bytes, size_t size, mode_t mode);
void tree_add_link(struct tree *tree, const char *path, const char *target);

/*
 * A folder of this machine from which files will come; links in its name are followed. NULL and errno when it is none.
 */
const struct tree_source *tree_hold(struct tree *tree, const char *folder);

/* One file, below a source or (NULL) as named. Returns 0, or an errno when `here` is no file that can be read. */
int tree_add_file(struct tree *tree, const char *path, const struct tree_source *source, const char *here);

/*
 * What `here` names, with all below it: files, folders, and links, which stay links. Pipes, sockets and devices below
 * it are left out: their other end is on this machine. Returns 0 or an errno; tree->culprit says of which file.
 */
int tree_add_all(struct tree *tree, const char *path, const char *here);
/* The same for the folder `below` of a source, whose own place in the guest is `start`. */
int tree_add_below(struct tree *tree, const char *start, const struct tree_source *source, const char *below);

/* The contents of a file, open for reading, and what it is now; or -1 and errno. */
int tree_open(const struct tree_node *node, struct stat *status);

/* Where a file of the tree is on this machine, for people. The caller frees it. */
char *tree_origin(const struct tree_node *node);

/* Bytes of all contents, as they were when they were added. */
uint64_t tree_size(const struct tree *tree);

/* Every node, each folder before what is in it. */
void tree_walk(const struct tree *tree, void (*visit)(const struct tree_node *node, void *with), void *with);

/* `path` seen from the folder `from`, made absolute and plain. The caller frees it. */
char *plain_path(const char *from, const char *path);

#endif
