/*
 * archive.c - the archive that the boot loader left in memory.
 *
 * Frames of the module belong to BOOT until they become pages of files; those that do not are
 * given to the pool when all is read.
 */
#include "base/check.h"
#include "base/error.h"
#include "base/range.h"
#include "base/string.h"
#include "cpu.h"
#include "files/root/cpio.h"
#include "files/root/inflate.h"
#include "memory/frames/frame.h"
#include "memory/tables/slot.h"

struct module {
    struct source source;                   /* first */
    paddr_t       at, end;
};

static long module_read(struct source *source, void *to, size_t bytes)
{
    struct module *self = (struct module *)source;
    size_t         done = 0;

    if (bytes > self->end - self->at)
        bytes = (size_t)(self->end - self->at);
    while (done < bytes) {                      /* bound: a page with interrupts off */
        size_t        skew = (size_t)(self->at % PAGE_SIZE), part = PAGE_SIZE - skew;
        unsigned long interrupts;

        if (part > bytes - done)
            part = bytes - done;
        interrupts = interrupts_off();
        memcpy((char *)to + done, (const char *)frame_view(frame_of(self->at), SLOT_FROM) + skew, part);
        interrupts_restore(interrupts);
        self->at += part;
        done     += part;
    }
    return (long)done;
}

static bool module_take_frame(struct source *source, frame_t *out)
{
    struct module *self  = (struct module *)source;
    frame_t        frame = frame_of(self->at);

    assert(self->at <= self->end);
    if (!is_aligned(self->at, PAGE_SIZE) || self->end - self->at < PAGE_SIZE || frame_owner(frame) != OWNER_BOOT)
        return false;
    frame_change_owner(frame, OWNER_BOOT, OWNER_FILE);
    self->at += PAGE_SIZE;
    *out = frame;
    return true;
}

/* Whole frames of the module that no file has taken. */
static void give_module_back(paddr_t start, paddr_t end)
{
    uint32_t first = (uint32_t)((start + PAGE_SIZE - 1) >> PAGE_SHIFT), last = (uint32_t)(end >> PAGE_SHIFT);

    while (first < last) {
        uint32_t run = 0;

        while (first + run < last && frame_owner((frame_t){ first + run }) == OWNER_BOOT)
            run++;
        if (run > 0)
            frame_reclaim((frame_t){ first }, run, OWNER_BOOT);
        first += run + 1;
    }
}

int archive_unpack(paddr_t start, paddr_t end, struct fs_context *fs, const char **why)
{
    struct module  module = { .source = { module_read, module_take_frame, NULL }, .at = start, .end = end };
    struct source *inflated;
    uint8_t        magic[2];
    int            err;

    assert(start <= end);
    *why = "the archive is empty";
    if (end < start || module_read(&module.source, magic, 2) != 2)
        return -EINVAL;
    module.at = start;
    if (magic[0] == 0x1F && magic[1] == 0x8B) {
        inflated = inflate_open(&module.source);
        *why = "no memory for decompressing";
        err  = inflated == NULL ? -ENOMEM : cpio_unpack(inflated, fs, why);
        if (inflated != NULL)
            inflate_close(inflated);
    } else {
        err = cpio_unpack(&module.source, fs, why);
    }
    give_module_back(start, end);
    return err;
}
