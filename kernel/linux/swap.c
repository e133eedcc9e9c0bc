/*
 * swap.c - swapon(2) and swapoff(2): the machine's block device is the only thing that can be swapped to.
 */
#include "base/error.h"
#include "files/core/block_file.h"
#include "linux/calls.h"
#include "linux/files.h"
#include "process/credentials.h"
#include "process/swap_off.h"

enum { SWAP_FLAGS = 0x7FFFF };          /* priority, discard: read and ignored */

/* The node is the block device: 0, or why not. */
static int check_node(const struct node *node)
{
    switch (node->mode & S_FMT) {
    case S_FOLDER: return -EISDIR;
    case S_BLOCK:  return device_operations(node->mode, node->device) != NULL ? 0 : -ENXIO;
    default:       return -EINVAL;
    }
}

static long change_swap(user_t path, int (*change)(void))
{
    struct node *node;
    int          err;

    if (!has_capability(CAP_SYS_ADMIN))
        return -EPERM;
    err = node_of(AT_FDCWD, path, 0, &node);
    if (err != 0)
        return err;
    err = check_node(node);
    node_release(node);
    return err != 0 ? err : change();
}

SYSTEM_CALL(swapon, user_t, path, uint32_t, flags)
{
    return flags & ~(uint32_t)SWAP_FLAGS ? -EINVAL : change_swap(path, swap_on);
}

SYSTEM_CALL(swapoff, user_t, path) { return change_swap(path, swap_off); }
