/*
 * home.h - where Quire's own files are: layouts, kernels, programs. The caller drops each path (arena.h).
 *
 * All is found from the file that this code is in, the command or the library, so a folder may be moved.
 */
#ifndef QUIRE_HOME_H
#define QUIRE_HOME_H

/*
 * A path below Quire's home: $QUIRE_HOME, or else the first that has a folder `layouts` of this code's folder, the two
 * above it, share/quire beside the installed command's bin or library's lib, and the current one. NULL when there is no
 * home.
 */
char *home_path(const char *below);

/* The kernels of an installed Quire: the folder lib/quire beside bin, or below lib. NULL: not installed. */
char *installed_path(void);

/*
 * A product of the build: in `build` unless it is NULL, else in $QUIRE_BUILD; else in the folder of this code, the one
 * above it, installed_path(), or build/ at Quire's home. NULL if `below` is not there.
 */
char *build_path(const char *build, const char *below);

/*
 * The folder of programs from Debian's packages, which `quire programs` writes: build/programs of a tree; for an
 * installed command $XDG_CACHE_HOME/quire/programs or ~/.cache/quire/programs. NULL: neither variable is set.
 */
char *programs_path(void);

/* The i386 Debian tree that `make programs` or `quire programs` fetched. NULL: no tree. */
char *fetched_root(void);

#endif
