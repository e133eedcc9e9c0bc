/*
 * program.h - a program and all it needs, put into a tree.
 *
 * A script gets its interpreter, and for `#!/usr/bin/env NAME` also NAME. A dynamic program gets its PT_INTERP and,
 * library by library, what DT_NEEDED names, found as ld.so(8) would: DT_RPATH, LD_LIBRARY_PATH, DT_RUNPATH (with
 * $ORIGIN), then the loader's own folders. With glibc comes libgcc_s, which it loads by itself when a thread ends or is
 * cancelled. What else a program loads later by dlopen(3) cannot be seen here: --file brings it.
 *
 * Where these files come from is find.h's: what a program names is looked for in the tree and the root. Near a program
 * of this machine that a person named, it is also looked for on this machine.
 */
#ifndef QUIRE_PROGRAM_H
#define QUIRE_PROGRAM_H

#include "find.h"

struct program {
    struct places places;
    const char   *directory;        /* in the guest, where it begins: relative names are seen from there */
    bool          lenient;          /* what is missing is passed over without a word  */
};

/*
 * Add the program called `name` (in the guest's or this machine's PATH, or a path) with all
 * it needs. Returns 0 and its path in the guest (the caller frees it), or an exit status of
 * sandbox.h, and has complained.
 */
int program_add(struct program *program, const char *name, char **path);

/* Add what the programs and libraries that the tree already has need; nothing is an error. */
void program_add_needs(struct program *program);

#endif
