/*
 * sys.h - /sys: the machine's processors and what programs look for of memory, in the words of Linux's sysfs(5).
 *
 * One processor, no devices that programs drive, no control groups: folders that list such things are there and empty,
 * and what Linux leaves out of /sys where a machine lacks it is left out here. Nothing can be written.
 */
#ifndef QUIRE_FILES_SYS_H
#define QUIRE_FILES_SYS_H

#include "files/core/file.h"

/* The one /sys there is; NULL without memory. */
struct file_system *sys_new(void);

#endif
