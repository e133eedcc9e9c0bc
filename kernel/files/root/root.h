/*
 * root.h - the tree of files that programs find when they start.
 */
#ifndef QUIRE_FILES_ROOT_H
#define QUIRE_FILES_ROOT_H

#include "files/path/path.h"

/*
 * First of all: an empty root file system and the fs context that the first process gets (umask 022, here: /).
 * NULL without memory. Then archives are unpacked into it (files/root/cpio.h); then it is populated.
 */
struct fs_context *files_start(void);

/*
 * Make /dev with its devices, /proc, /tmp and other folders that programs expect, where the archive has none. 0 or
 * -ENOMEM.
 */
int files_populate(struct fs_context *fs) MUST_CHECK;

#endif
