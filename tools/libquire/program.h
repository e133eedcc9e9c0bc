/*
 * program.h - adding a program and all files that it needs to a tree.
 *
 * A script gets its interpreter, and for `#!/usr/bin/env NAME` also NAME. A dynamic program gets its PT_INTERP and,
 * library by library, what DT_NEEDED names, found as ld.so(8) would: DT_RPATH, LD_LIBRARY_PATH, DT_RUNPATH (with
 * $ORIGIN), then the loader's own folders. With glibc comes libgcc_s, which it loads by itself when a thread ends or is
 * cancelled. Files that a program loads by dlopen(3) are not found here; --file adds them.
 *
 * find.h decides where these files come from: a file that a program names is looked for in the tree and the root, and
 * on the host only near a program of the host that the user named.
 */
#ifndef QUIRE_PROGRAM_H
#define QUIRE_PROGRAM_H

#include "find.h"

struct program {
    struct places places;
    const char   *directory;        /* the program's working directory in the guest, for relative names */
    bool          lenient;          /* missing files are no error                      */
};

/*
 * Add the program called `name` (in the guest's or the host's PATH, or a path) with all files
 * that it needs. Returns 0 and its path in the guest (the caller frees it), or, after a
 * complaint, an exit status of sandbox.h.
 */
int program_add(struct program *program, const char *name, char **path);

/* Add the files that programs and libraries of the tree need. A missing file is no error. */
void program_add_needs(struct program *program);

#endif
