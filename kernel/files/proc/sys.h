/*
 * sys.h - /sys: the machine's processors and the files about memory that programs look for, as Linux's sysfs(5).
 *
 * There is one processor, and there are no devices that programs drive and no control groups: their folders are there
 * and empty. Files that Linux leaves out of /sys where a machine lacks the device are left out here. Nothing can be
 * written.
 */
#ifndef QUIRE_FILES_SYS_H
#define QUIRE_FILES_SYS_H

#include "files/core/file.h"

/* The one /sys there is; NULL without memory. */
struct file_system *sys_new(void);

#endif
