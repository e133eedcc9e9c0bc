/*
 * fuzz_cpio.c - whatever claims to be an archive, unpacking it ends, the files that it left are sound, and all goes.
 */
#include "../host/memory_source.h"
#include "../host/one_thread.h"

#include "files/root/cpio.h"
#include "files/tmpfs/tmpfs.h"
#include "machine.h"
#include "memory/frames/frame.h"
#include "memory/heap/heap.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* One page in two is a frame of its own. */
static bool take_frame(struct source *source, frame_t *out)
{
    struct memory *self = (struct memory *)source;

    if (self->left < PAGE_SIZE || self->left % 2 == 0 || frame_get(OWNER_FILE, 0, out) != 0)
        return false;
    memcpy(&machine_ram[frame_address(*out)], self->bytes, PAGE_SIZE);
    self->bytes += PAGE_SIZE;
    self->left  -= PAGE_SIZE;
    return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static bool         started;
    struct memory       memory = { { read_memory, take_frame, NULL }, data, size, SIZE_MAX };
    struct heap_sums    before, after;
    struct file_system *root;
    struct fs_context  *fs;
    const char         *why;
    int                 err;

    if (!started)
        require(machine_boot(16 * MiB) == NULL);
    started = true;
    start_thread();
    heap_sums(&before);
    root  = tmpfs_new(0755);
    fs    = fs_context_new(root->root);
    the_process.fs = fs;
    err = cpio_unpack(&memory.source, fs, &why);
    require((err == 0) == (why == NULL));
    require(tmpfs_ok(root));
    fs_context_release(fs);
    tmpfs_destroy(root);
    heap_sums(&after);
    require(before.live_blocks == after.live_blocks && frames_owned(OWNER_FILE) == 0);
    return 0;
}
