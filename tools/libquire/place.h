/*
 * place.h - the place in a machine's RAM where its guest wants input (WANT in kernel/devices/channel.h).
 *
 * QEMU takes 4 096 bytes at a time from a socket, and goes once round its loop for each of them. Where there may be
 * much input the machine's RAM is therefore a file without a name that this process has too, and writes input into.
 *
 * The guest is not trusted: a place is taken only if all of it is in the file, and nothing of the RAM is read. It is
 * written to by pwrite(2), not shown in this process's memory: whatever QEMU does to the file, that can only fail.
 */
#ifndef QUIRE_PLACE_H
#define QUIRE_PLACE_H

#include "../../kernel/devices/channel.h"
#include "stream.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { PLACE_BYTES = CHANNEL_PLACE_PAGE * CHANNEL_PLACE_MOST };         /* the longest place */

struct place {
    int      ram;                       /* the file, or -1: it is not shared     */
    uint64_t memory;                    /* its bytes                             */
    uint32_t pages[CHANNEL_PLACE_MOST];
    size_t   length;                    /* bytes of the place; 0: there is none */
};

/*
 * A file of `memory` bytes for the RAM of a machine with this input, for the caller to close; -1: sharing is not worth
 * it, or not possible.
 */
int place_ram(uint64_t memory, const struct input *input);

/* Take the list of a WANT. False: it is none, or not all of it is in the file; then there is no place. */
bool place_take(struct place *place, const uint8_t *list, size_t length);

/* Write bytes to the beginning of the place, which has room for them. False: errno says why. */
bool place_write(const struct place *place, const uint8_t *bytes, size_t count);

#endif
