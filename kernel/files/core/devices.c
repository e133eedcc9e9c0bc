/*
 * devices.c - devices by number, and the five that need no hardware.
 */
#include "files/core/devices.h"

#include "base/block.h"
#include "base/check.h"
#include "base/error.h"
#include "base/random.h"
#include "files/core/block_file.h"
#include "files/ipc/pipe.h"
#include "process/schedule.h"

enum { DEVICES_MOST = 16, BLOCK = 64 };

static struct device {
    uint32_t                      number;
    const struct node_operations *operations;
} devices[DEVICES_MOST];
static unsigned device_count;

void device_register(uint32_t device, const struct node_operations *operations)
{
    assert(device_count < DEVICES_MOST && operations != NULL);
    devices[device_count++] = (struct device){ device, operations };
}

const struct node_operations *device_operations(uint32_t mode, uint32_t device)
{
    if ((mode & S_FMT) == S_PIPE)
        return &fifo_operations;
    if ((mode & S_FMT) == S_BLOCK)
        return device == BLOCK_NUMBER && block_device.pages > 0 ? &block_operations : NULL;
    if ((mode & S_FMT) == S_CHARACTER)
        for (unsigned i = 0; i < device_count; i++)
            if (devices[i].number == device)
                return devices[i].operations;
    return NULL;
}

/* ---- null, zero, full, random ---------------------------------------------------------------- */

#define UNUSED __attribute__((unused))

static long read_nothing(UNUSED struct file *file, UNUSED struct buffer *to, UNUSED uint64_t at) { return 0; }

static long write_null(UNUSED struct file *file, struct buffer *from, UNUSED uint64_t at)
{
    return (long)from->bytes;
}

static long refuse_for_room(UNUSED struct file *file, UNUSED struct buffer *from, UNUSED uint64_t at)
{
    return -ENOSPC;
}

/* A program may read gigabytes of these: after so many bytes other threads run, and a signal may end the read. */
enum { ZEROS_BETWEEN = 64 * 1024, RANDOM_BETWEEN = 4096 };

static long read_zeros(UNUSED struct file *file, struct buffer *to, UNUSED uint64_t at)
{
    long done = 0;

    while (to->bytes > 0 && (done == 0 || schedule_between() == 0)) {
        size_t part = to->bytes < ZEROS_BETWEEN ? to->bytes : ZEROS_BETWEEN, cleared = buffer_clear(to, part);

        done += (long)cleared;
        if (cleared < part)
            return done > 0 ? done : -EFAULT;
    }
    return done;
}

static long read_random(UNUSED struct file *file, struct buffer *to, UNUSED uint64_t at)
{
    char block[BLOCK];
    long done = 0;

    while (to->bytes > 0 && (done == 0 || done % RANDOM_BETWEEN != 0 || schedule_between() == 0)) {
        size_t part = to->bytes < BLOCK ? to->bytes : BLOCK, put;

        random_bytes(block, part);
        put = buffer_put(to, block, part);
        done += (long)put;
        if (put < part)
            return done > 0 ? done : -EFAULT;
    }
    return done;
}

static long stir_random(UNUSED struct file *file, struct buffer *from, UNUSED uint64_t at)
{
    char block[BLOCK];
    long done = 0;

    while (from->bytes > 0 && (done == 0 || done % RANDOM_BETWEEN != 0 || schedule_between() == 0)) {
        size_t part = from->bytes < BLOCK ? from->bytes : BLOCK, got = buffer_get(from, block, part);

        random_stir(block, got);
        done += (long)got;
        if (got < part)
            return done > 0 ? done : -EFAULT;
    }
    return done;
}

static const struct node_operations null_operations   = { .traits = NODE_SEEKLESS, .read = read_nothing,
                                                          .write = write_null };
static const struct node_operations zero_operations   = { .traits = NODE_SEEKLESS | NODE_ZEROS, .read = read_zeros,
                                                          .write = write_null };
static const struct node_operations full_operations   = { .traits = NODE_SEEKLESS, .read = read_zeros,
                                                          .write = refuse_for_room };
static const struct node_operations random_operations = { .traits = NODE_SEEKLESS, .read = read_random,
                                                          .write = stir_random };

void devices_start(void)
{
    assert(device_count == 0);
    device_register(DEVICE(1, 3), &null_operations);
    device_register(DEVICE(1, 5), &zero_operations);
    device_register(DEVICE(1, 7), &full_operations);
    device_register(DEVICE(1, 8), &random_operations);
    device_register(DEVICE(1, 9), &random_operations);
}
