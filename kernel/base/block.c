/*
 * block.c - waiting for a block device, which may never answer.
 */
#include "base/block.h"

#include "base/check.h"
#include "base/lock.h"

struct block_device block_device;

/*
 * In small parts: where the clock jumps, as that of a machine which stood still or of an emulator that passes over idle
 * time, the device has had little time of its own, and gets the chance to answer.
 */
enum { PARTS = 1000 };

int block_wait(struct block_request *request)
{
    unsigned parts = 0;

    may_sleep();
    while (parts < PARTS && !completion_wait_for(&request->done, BLOCK_PATIENCE / PARTS))
        parts++;
    if (parts == PARTS)
        block_device.give_up();
    assert(completion_happened(&request->done));
    return request->result;
}
