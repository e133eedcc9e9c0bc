/*
 * block.c - waiting for a block device, which may never answer.
 */
#include "base/block.h"

#include "base/check.h"
#include "base/lock.h"

struct block_device block_device;

/* Twice half of the time: a machine that stood still for long gives the device a chance when it goes on. */
int block_wait(struct block_request *request)
{
    may_sleep();
    if (!completion_wait_for(&request->done, BLOCK_PATIENCE / 2) &&
        !completion_wait_for(&request->done, BLOCK_PATIENCE / 2))
        block_device.give_up();
    assert(completion_happened(&request->done));
    return request->result;
}
