/*
 * virtio_block.h - the machine's virtio block device, as base/block.h asks for it.
 *
 * A request is a chain of pieces: what is wanted, the pages, and a byte in which the device says how it went. What
 * the device says is not trusted: an answer for no request is passed over; a request succeeds only if the device says
 * so and, where it was to write pages, that it has written all of them. A device that asks to be reset, or that is
 * given up (block_wait()), is reset and used no more.
 *
 * Locking  RANK_CHANNEL inside; requests are done from the interrupt.
 * Cost     each call and interrupt goes over BLOCK_REQUESTS requests at most.
 * Source   VIRTIO 1.1, section 5.2 "Block Device".
 */
#ifndef QUIRE_DEVICES_VIRTIO_BLOCK_H
#define QUIRE_DEVICES_VIRTIO_BLOCK_H

struct virtio_device;

/*
 * Find the first such device and start it; block_device then has its size. -ENODEV: there is none, it cannot do what is
 * needed, is smaller than a page, or shares its interrupt's line with another.
 */
int block_start(const char *command_line);
int block_start_device(struct virtio_device *found);    /* the same for a device that was found */

#endif
