/*
 * program.h - a program and all it needs, put into a tree.
 *
 * Each file is looked for in this order: what is in the tree already (--file), the root (a
 * folder with an i386 Debian tree), this machine. The last helps for a program one has
 * compiled; libraries for i386 are rarely there. What comes from the root keeps its links.
 *
 * A script gets its interpreter, and for `#!/usr/bin/env NAME` also NAME. A dynamic program
 * gets its PT_INTERP and, library by library, what DT_NEEDED names, found as ld.so(8) would:
 * DT_RPATH, LD_LIBRARY_PATH, DT_RUNPATH (with $ORIGIN), then the loader's own folders. What
 * a program loads later by dlopen(3) cannot be seen here: --file brings it.
 */
#ifndef QUIRE_PROGRAM_H
#define QUIRE_PROGRAM_H

#include "tree.h"

struct program {
    struct tree *tree;
    const char  *root;              /* NULL: none                                     */
    const char  *library_path;      /* LD_LIBRARY_PATH in the guest, or NULL          */
    bool         lenient;           /* what is missing is passed over without a word  */
};

/*
 * Add the program called `name` (in the guest's or this machine's PATH, or a path) with all
 * it needs. Returns 0 and its path in the guest (the caller frees it), or an exit status of
 * seal.h, and has complained.
 */
int program_add(struct program *program, const char *name, char **path);

/* Add what the programs and libraries that the tree already has need; nothing is an error. */
void program_add_needs(struct program *program);

#endif
