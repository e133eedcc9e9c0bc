/*
 * devices.h - device files: their numbers and their operations.
 *
 * Device numbers are Linux's (Documentation/admin-guide/devices.txt), in its encoding of st_rdev.
 */
#ifndef QUIRE_FILES_DEVICES_H
#define QUIRE_FILES_DEVICES_H

#include "files/core/file.h"

#define DEVICE(major, minor) ((uint32_t)(major) << 8 | (minor))

/* Announce the operations of a character device. At start only; at most DEVICES_MOST (16), each number once. */
void device_register(uint32_t device, const struct node_operations *operations);

/* The operations of a device that was announced, of fifos, and of the block device; NULL for anything else. */
const struct node_operations *device_operations(uint32_t mode, uint32_t device);

/* Announce null, zero, full, random and urandom. */
void devices_start(void);

#endif
