/*
 * block_file.h - the machine's block device (base/block.h) as a file: /dev/vda.
 *
 * Reads and writes go to the device at once, at any position and of any length; nothing of it is kept in memory. While
 * the device is in use for swap it cannot be written: -EBUSY.
 */
#ifndef QUIRE_FILES_BLOCK_FILE_H
#define QUIRE_FILES_BLOCK_FILE_H

#include "files/core/devices.h"

#define BLOCK_NUMBER DEVICE(254, 0)     /* of those that Linux gives out while it runs */
#define BLOCK_NAME   "/dev/vda"

extern const struct node_operations block_operations;

#endif
