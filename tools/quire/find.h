/*
 * find.h - where a file of the guest comes from: the tree, the root, this machine, in that order.
 *
 * What a person named may come from anywhere on this machine. What a *file* names (a program its loader and libraries,
 * a script its interpreter) may be somebody else's wish to see a file of ours, so it is met from the tree and the root
 * alone; only for a program that a person named, and that came from this machine, are there two places more
 * (REACH_NEAR). docs/run.md says this to users.
 *
 * The root is looked at through its descriptor. Its links, absolute ones too, lead to places in the root.
 */
#ifndef QUIRE_FIND_H
#define QUIRE_FIND_H

#include "tree.h"

enum reach {
    REACH_INSIDE,       /* not to this machine                                                            */
    REACH_NEAR,         /* to the folder of the program, what lies below it, and the system's libraries   */
    REACH_NAMED,        /* to this path, which a person named                                             */
};

struct places {
    struct tree *tree;
    const struct tree_source *root;     /* NULL: none                                              */
    const char  *near;                  /* the named program's folder on this machine, or NULL     */
    const char  *library_path;          /* LD_LIBRARY_PATH in the guest, or NULL: folders that a person named */
};

/* A file that was found, open: what is looked at is what will be packed. */
struct found {
    enum { FOUND_IN_TREE, FOUND_IN_ROOT, FOUND_HERE } from;
    int         fd;
    struct stat status;
    char       *path;                       /* in the guest */
    const struct tree_source *source;       /* on this machine: NULL in the tree, and where somebody named it */
    char       *below;
};

/* Look for what `path` will be in the guest. True: found_free() ends it. */
bool find_file(const struct places *places, const char *path, enum reach reach, struct found *found);
void found_free(struct found *found);

/* Put it into the tree at its path, with the links that lead to it in the root. Returns 0 or an errno. */
int provide(const struct places *places, const struct found *found);

/* A library of this machine whose loader looks elsewhere than the guest's: found at `here`, provided at `path`. */
bool find_foreign(const char *path, const char *here, struct found *found);

/*
 * A path of the root with all below it, and the links that lead to it. Its last part may be a pattern as in a shell
 * (`python3.*`). Returns 0 or an errno: ENOENT when nothing is there.
 */
int provide_all(const struct places *places, const char *said);

/* The root's links to folders at its top, as a system has them that keeps everything below /usr. */
void provide_top_links(const struct places *places);

#endif
