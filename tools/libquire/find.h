/*
 * find.h - finding a file of the guest: in the tree, the root, and the host, in that order.
 *
 * A file that the user named may come from anywhere on the host. A name in a *file* (a program's loader and libraries,
 * a script's interpreter) may be an attempt to read a file of the host, so it is looked for in the tree and the root
 * only; for a program of the host that the user named there are two places more (REACH_NEAR). docs/run.md describes
 * this for users.
 *
 * The root is read through its descriptor. Its links, also absolute ones, lead to files in the root.
 */
#ifndef QUIRE_FIND_H
#define QUIRE_FIND_H

#include "tree.h"

enum reach {
    REACH_INSIDE,       /* not on the host                                                                */
    REACH_NEAR,         /* in and below the program's folder on the host, and in the system's libraries   */
    REACH_NAMED,        /* at this path of the host, which the user named                                 */
};

struct places {
    struct tree *tree;
    const struct tree_source *root;     /* NULL: none                                              */
    const char  *near;                  /* the named program's folder on the host, or NULL         */
    const char  *library_path;          /* LD_LIBRARY_PATH in the guest, or NULL: folders that the user named */
};

/* A file that was found, open, so that the file that is read is the one that is packed. */
struct found {
    enum { FOUND_IN_TREE, FOUND_IN_ROOT, FOUND_HERE } from;
    int         fd;
    struct held *held;                      /* the descriptor */
    struct stat status;
    char       *path;                       /* in the guest */
    const struct tree_source *source;       /* on the host; NULL in the tree, and for a path that the user named */
    char       *below;
};

/* Find the file that `path` will be in the guest. True: found_free() must follow. */
bool find_file(const struct places *places, const char *path, enum reach reach, struct found *found);
void found_free(struct found *found);

/* Add the file to the tree at its path, with the root's links that lead to it. Returns 0 or an errno. */
int provide(const struct places *places, const struct found *found);

/* A library of the host whose loader has other folders than the guest's: found at `here`, added at `path`. */
bool find_foreign(const char *path, const char *here, struct found *found);

/*
 * Add a path of the root with all files below it, and the links that lead to it. Its last part may be a pattern as in a
 * shell (`python3.*`). Returns 0 or an errno: ENOENT when no file matches.
 */
int provide_all(const struct places *places, const char *said);

/* Add the links to folders at the root's top, as in a system that has its folders below /usr. */
void provide_top_links(const struct places *places);

#endif
