/*
 * block.h - the machine's block device: pages of it that are read and written, up to BLOCK_PAGES with one request.
 *
 * A driver announces the device (devices/virtio_block.h); swap (memory/pageout/transfer.h) and its file
 * (files/core/block_file.c) make requests. At most BLOCK_REQUESTS are under way at once: those of swap, and one of the
 * file.
 *
 * Owning   a request and its frames are the caller's, and stay until the request is done.
 * Locking  starting neither sleeps nor takes a lock above RANK_CHANNEL. block_wait() may sleep; locks of base/rwlock.h
 *          may be held, as the wait ends: a device that has not answered for BLOCK_PATIENCE is given up, and all its
 *          requests, now and later, fail with -EIO.
 * Cost     a request: some thousand instructions, and what the device takes.
 */
#ifndef QUIRE_BASE_BLOCK_H
#define QUIRE_BASE_BLOCK_H

#include "base/completion.h"
#include "base/types.h"

enum { BLOCK_REQUESTS = 10, BLOCK_PAGES = 8, BLOCK_SECTOR = 512 };
#define BLOCK_PATIENCE 30000000000ull           /* nanoseconds: a host that is busy may take seconds */

struct block_request {
    frame_t           frames[BLOCK_PAGES];      /* of each page                                             */
    uint32_t          page, count;              /* of the device, so many; the last below block_device.pages */
    bool              write;
    int               result;                   /* once it is done: 0 or -EIO              */
    struct completion done;                     /* zeroed at first                         */
};

struct block_device {
    uint32_t pages;                             /* whole pages that it has, 0: there is no device */
    void   (*start)(struct block_request *request);
    void   (*give_up)(void);                    /* it never answers: what is under way is done, with -EIO */
};

extern struct block_device block_device;        /* written by the driver, at the start */

/* Wait for a request that was started; returns its result. */
int block_wait(struct block_request *request);

#endif
