/*
 * find.h - where a file of the guest comes from.
 */
#ifndef QUIRE_FIND_H
#define QUIRE_FIND_H

#include "tree.h"

/*
 * The file here that will be `path` in the guest: the tree's, else the root's, else this
 * machine's. NULL when there is none. The caller frees it.
 */
char *find_file(const struct tree *tree, const char *root, const char *path);

/*
 * Put that file into the tree, with the links that lead to it in the root. Returns where
 * it is here, or NULL; the caller frees it.
 */
char *provide_file(struct tree *tree, const char *root, const char *path);

#endif
