/*
 * tree.h - the files a guest will have: paths there, and where their contents are here.
 *
 * A path is absolute and plain: one slash between names, no `.` or `..`. Folders above
 * what is added come by themselves (mode 755). Where a link to a folder is in the way, what
 * is added below it goes where the link points. The last one added wins.
 *
 * Ownership   the tree copies all text and bytes it is given; files are only named, and
 *             read when the tree is packed.
 */
#ifndef QUIRE_TREE_H
#define QUIRE_TREE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum tree_kind { TREE_FOLDER, TREE_FILE, TREE_BYTES, TREE_LINK };

struct tree_node {
    char          *path;
    enum tree_kind kind;
    mode_t         mode;            /* permission bits */
    time_t         time;            /* last modification */
    char          *content;         /* file: its path here; bytes: themselves; link: its target */
    uint64_t       size;            /* bytes of content; of a file, when it was added */
};

struct tree {
    void  *by_path;                 /* of tsearch(3) */
    size_t count;
};

void tree_free(struct tree *tree);

const struct tree_node *tree_find(const struct tree *tree, const char *path);

void tree_add_folder(struct tree *tree, const char *path, mode_t mode);
void tree_add_bytes(struct tree *tree, const char *path, const void *bytes, size_t size, mode_t mode);
void tree_add_link(struct tree *tree, const char *path, const char *target);

/* One file. Returns 0, or an errno when `host` is no readable file. */
int tree_add_file(struct tree *tree, const char *path, const char *host);

/* What `host` names, with all below it; links below it stay links. Returns 0 or an errno. */
int tree_add_all(struct tree *tree, const char *path, const char *host);

/* Every node, each folder before what is in it. */
void tree_walk(const struct tree *tree, void (*visit)(const struct tree_node *node, void *with), void *with);

/* `path` seen from the folder `from`, made absolute and plain. The caller frees it. */
char *plain_path(const char *from, const char *path);

#endif
