/*
 * block_file.c - /dev/vda: page by page through a frame. See block_file.h.
 */
#include "files/core/block_file.h"

#include "base/block.h"
#include "base/check.h"
#include "base/error.h"
#include "memory/frames/frame.h"
#include "memory/pageout/transfer.h"

enum { GET_READ_ONLY = 0x125E, GET_SECTORS = 0x1260, FLUSH = 0x1261, GET_SECTOR_BYTES = 0x1268 };
#define GET_BYTES 0x80041272u

static struct mutex turn = MUTEX("block file");         /* one request at a time (BLOCK_REQUESTS) */

static int transfer_page(frame_t frame, uint32_t page, bool write)
{
    struct block_request request = { .frames = { frame }, .page = page, .count = 1, .write = write };

    assert(mutex_held(&turn));
    block_device.start(&request);
    return block_wait(&request);
}

static int read_part(frame_t frame, struct buffer *to, uint64_t at, size_t bytes)
{
    int err = transfer_page(frame, (uint32_t)(at / PAGE_SIZE), false);

    if (err == 0 && buffer_put_frame(to, frame, at % PAGE_SIZE, bytes) < bytes)
        err = -EFAULT;
    return err;
}

/* What is not written of a page keeps what it was. */
static int write_part(frame_t frame, struct buffer *from, uint64_t at, size_t bytes)
{
    uint32_t page = (uint32_t)(at / PAGE_SIZE);
    int      err  = bytes < PAGE_SIZE ? transfer_page(frame, page, false) : 0;

    if (err == 0 && buffer_get_frame(from, frame, at % PAGE_SIZE, bytes) < bytes)
        err = -EFAULT;
    if (err == 0 && swap_device_is_on())
        err = -EBUSY;
    return err != 0 ? err : transfer_page(frame, page, true);
}

static long move_parts(struct buffer *buffer, uint64_t at, int (*part)(frame_t, struct buffer *, uint64_t, size_t))
{
    uint64_t end  = (uint64_t)block_device.pages * PAGE_SIZE;
    frame_t  frame;
    long     done = 0;
    int      err  = frame_get(OWNER_PROCESS, 0, &frame);

    if (err != 0)
        return err;
    mutex_take(&turn);
    while (err == 0 && buffer->bytes > 0 && at < end) {         /* bound: sleeps in each step */
        size_t bytes = PAGE_SIZE - at % PAGE_SIZE;

        if (bytes > buffer->bytes)
            bytes = buffer->bytes;
        err = part(frame, buffer, at, bytes);
        if (err != 0)
            break;
        at   += bytes;
        done += (long)bytes;
        err   = schedule_between();
    }
    mutex_drop(&turn);
    frame_put(frame);
    return done > 0 ? done : err;
}

static long block_read(struct file *file __attribute__((unused)), struct buffer *to, uint64_t at)
{
    return move_parts(to, at, read_part);
}

static long block_write(struct file *file __attribute__((unused)), struct buffer *from, uint64_t at)
{
    if (at >= (uint64_t)block_device.pages * PAGE_SIZE)
        return from->bytes > 0 ? -ENOSPC : 0;
    return move_parts(from, at, write_part);
}

/* Its size is known when it is open: lseek() goes by that of the node. */
static int block_open(struct node *node, struct file *file __attribute__((unused)))
{
    node->bytes = (uint64_t)block_device.pages * PAGE_SIZE;
    return 0;
}

static long block_control(struct file *file __attribute__((unused)), unsigned request, user_t argument)
{
    uint64_t bytes    = (uint64_t)block_device.pages * PAGE_SIZE;
    uint32_t sectors  = (uint32_t)(bytes / BLOCK_SECTOR);
    int32_t  zero     = 0, sector = BLOCK_SECTOR;

    switch (request) {
    case GET_READ_ONLY:    return user_write(argument, &zero, sizeof zero);
    case GET_SECTORS:      return user_write(argument, &sectors, sizeof sectors);
    case GET_SECTOR_BYTES: return user_write(argument, &sector, sizeof sector);
    case GET_BYTES:        return user_write(argument, &bytes, sizeof bytes);
    case FLUSH:            return 0;
    default:               return -ENOTTY;
    }
}

const struct node_operations block_operations = {
    .open = block_open, .read = block_read, .write = block_write, .control = block_control,
};
