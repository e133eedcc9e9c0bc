/*
 * proc_contents.c - /proc/PID/mem and /proc/PID/pagemap: another's memory itself, and where it is.
 *
 * Places are addresses (mem), or eight bytes for each page (pagemap). A place outside of user space, or where nothing
 * is mapped, is EIO in mem and the end of the file in pagemap. What the process itself may not read or write cannot be
 * read or written here either; Linux lets a debugger do that.
 */
#include "base/check.h"
#include "base/error.h"
#include "cpu.h"
#include "files/proc/proc_node.h"
#include "memory/frames/frame.h"
#include "memory/heap/heap.h"
#include "memory/pageout/swap.h"
#include "memory/spaces/space.h"
#include "memory/spaces/user.h"
#include "memory/tables/table.h"
#include "process/family.h"

/* ---- mem ------------------------------------------------------------------------------------- */

/* One piece within a page, all of it or nothing: returns whether it went through. */
static bool move_piece(struct space *space, struct buffer *buffer, vaddr_t at, size_t bytes, bool writing,
                       char *between)
{
    if (writing)
        return buffer_get(buffer, between, bytes) == bytes && user_write_in(space, at, between, bytes) == 0;
    return user_read_in(space, between, at, bytes) == 0 && buffer_put(buffer, between, bytes) == bytes;
}

static long move_memory_pieces(struct space *space, struct buffer *buffer, uint64_t at, bool writing, char *between)
{
    long moved = 0;

    while (buffer->bytes > 0 && at <= UINTPTR_MAX) {
        size_t part = PAGE_SIZE - (size_t)(at % PAGE_SIZE);

        if (part > buffer->bytes)
            part = buffer->bytes;
        if (!move_piece(space, buffer, (vaddr_t)at, part, writing, between))
            break;
        moved += (long)part;
        at    += part;
        point_of_rest();
    }
    return moved;
}

long proc_move_memory(struct proc_node *node, struct buffer *buffer, uint64_t at, bool writing)
{
    int                  err;
    struct shared_space *memory;
    char                *between;
    long                 moved;

    may_sleep();
    if (buffer->bytes == 0)
        return 0;
    memory = proc_memory(node, &err);
    if (memory == NULL)
        return err;
    between = heap_alloc(PAGE_SIZE, 0);
    moved   = between != NULL ? move_memory_pieces(&memory->space, buffer, at, writing, between) : -ENOMEM;
    heap_free(between);
    memory_release(memory);
    return moved != 0 ? moved : -EIO;
}

/* ---- pagemap ----------------------------------------------------------------------------------- */

/* Linux's bits, Documentation/admin-guide/mm/pagemap.rst. */
#define PAGE_IS_PRESENT (1ull << 63)
#define PAGE_IS_OUT     (1ull << 62)
#define PAGE_IS_FILE    (1ull << 61)
#define PAGE_IS_SOLE    (1ull << 56)
enum { WORD = 8 };

static uint64_t pagemap_word(struct space *space, page_t page)
{
    lock_state state = lock_take(&space->tables_lock);
    unsigned   level;
    entry_t    entry = table_lookup(space, page, &level);
    uint64_t   word  = 0;

    assert(page < layout.user.end);
    if (level == 1 && entry_present(entry)) {
        frame_t frame = entry_frame(entry);
        bool    own   = frame_owner(frame) == OWNER_USER;

        word = PAGE_IS_PRESENT | (own ? 0 : PAGE_IS_FILE) | frame.no;
        if (frame_references(frame) == (own ? 1u : 2u))
            word |= PAGE_IS_SOLE;
    }
    if (level == 1 && entry_kind(entry, 1) == ENTRY_SWAP)       /* device 0 or 1, and the slot from bit 5 on */
        word = PAGE_IS_OUT | slot_is_on_device(entry_slot_number(entry)) |
               (uint64_t)(entry_slot_number(entry) % SLOT_DEVICE) << 5;
    lock_drop(&space->tables_lock, state);
    return word;
}

static long put_words(struct space *space, struct buffer *buffer, uint64_t at)
{
    long put = 0;

    assert(at % WORD == 0);
    for (uint64_t page = at / WORD; page < layout.user.end && buffer->bytes >= WORD; page++) {
        uint64_t word = pagemap_word(space, (page_t)page);

        if (buffer_put(buffer, &word, WORD) < WORD)
            return put > 0 ? put : -EFAULT;
        put += WORD;
        point_of_rest();
    }
    return put;
}

long proc_move_pagemap(struct proc_node *node, struct buffer *buffer, uint64_t at, bool writing)
{
    int                  err;
    struct shared_space *memory;
    long                 put;

    may_sleep();
    if (writing || at % WORD != 0 || buffer->bytes % WORD != 0)
        return -EINVAL;
    memory = proc_memory(node, &err);
    if (memory == NULL)
        return err;
    put = put_words(&memory->space, buffer, at);
    memory_release(memory);
    return put;
}
