/*
 * descriptor.c - a process's numbers for open files.
 */
#include "files/descriptor.h"

#include "base/check.h"
#include "base/error.h"
#include "base/lock.h"
#include "base/string.h"
#include "files/lock.h"
#include "memory/heap/heap.h"

enum { FIRST_ROOM = 16 };

struct slot {
    struct file *file;                  /* NULL: free                    */
    bool         close_on_exec;
};

struct files {
    uint32_t     references;            /* [a]                           */
    struct lock  lock;
    uint32_t     room;                  /* [lock] slots there are        */
    struct slot *slots;                 /* [lock]                        */
};

static struct files *files_with(uint32_t room)
{
    struct files *files = heap_alloc(sizeof *files, 0);

    if (files == NULL)
        return NULL;
    *files = (struct files){ .references = 1, .lock = LOCK("descriptors", RANK_OBJECT), .room = room,
                             .slots = heap_alloc(room * sizeof *files->slots, HEAP_ZERO) };
    if (files->slots == NULL) {
        heap_free_sized(files, sizeof *files);
        return NULL;
    }
    return files;
}

struct files *files_new(void) { return files_with(FIRST_ROOM); }

void files_hold(struct files *files) { __atomic_add_fetch(&files->references, 1, __ATOMIC_RELAXED); }

/* The room a copy needs: no less than the first, no more than up to the last number in use. The lock is held. */
static uint32_t room_in_use(const struct files *files)
{
    uint32_t room = files->room;

    while (room > FIRST_ROOM && files->slots[room / 2].file == NULL) {
        for (uint32_t i = room / 2; i < room; i++)
            if (files->slots[i].file != NULL)
                return room;
        room /= 2;
    }
    return room;
}

struct files *files_copy(struct files *files)
{
    struct files *copy;
    lock_state    state = lock_take(&files->lock);
    uint32_t      room  = room_in_use(files);

    for (;;) {
        lock_drop(&files->lock, state);
        copy = files_with(room);
        if (copy == NULL)
            return NULL;
        state = lock_take(&files->lock);
        room  = room_in_use(files);
        if (room <= copy->room)
            break;
        lock_drop(&files->lock, state);         /* it has grown meanwhile */
        files_release(copy);
        state = lock_take(&files->lock);
    }
    for (uint32_t i = 0; i < room; i++) {
        copy->slots[i] = files->slots[i];
        if (copy->slots[i].file != NULL)
            file_hold(copy->slots[i].file);
    }
    lock_drop(&files->lock, state);
    return copy;
}

void files_release(struct files *files)
{
    if (__atomic_sub_fetch(&files->references, 1, __ATOMIC_ACQ_REL) > 0)
        return;
    for (uint32_t i = 0; i < files->room; i++)
        if (files->slots[i].file != NULL) {
            locks_drop_owner(files->slots[i].file->node, files);
            file_release(files->slots[i].file);
        }
    heap_free(files->slots);
    heap_free_sized(files, sizeof *files);
}

struct file *descriptor_file(struct files *files, int number)
{
    lock_state   state = lock_take(&files->lock);
    struct file *file  = (unsigned)number < files->room ? files->slots[number].file : NULL;

    if (file != NULL)
        file_hold(file);
    lock_drop(&files->lock, state);
    return file;
}

/*
 * Make room for a number. The lock is held, and dropped meanwhile, as the heap's rank allows; another thread
 * may have made room first.
 */
static int make_room(struct files *files, uint32_t number, lock_state *state)
{
    uint32_t     room = files->room;
    struct slot *slots, *old;

    while (room <= number)
        room *= 2;
    if (room == files->room)
        return 0;
    lock_drop(&files->lock, *state);
    slots  = heap_alloc(room * sizeof *slots, HEAP_ZERO);
    *state = lock_take(&files->lock);
    if (slots == NULL)
        return -ENOMEM;
    old = slots;
    if (room > files->room) {
        memcpy(slots, files->slots, files->room * sizeof *slots);
        old          = files->slots;
        files->slots = slots;
        files->room  = room;
    }
    lock_drop(&files->lock, *state);
    heap_free(old);
    *state = lock_take(&files->lock);
    return 0;
}

static uint32_t lowest_free(const struct files *files, uint32_t from)
{
    while (from < files->room && files->slots[from].file != NULL)
        from++;
    return from;
}

int descriptor_add(struct files *files, struct file *file, int from, bool close_on_exec, uint32_t limit)
{
    lock_state state = lock_take(&files->lock);
    uint32_t   number;
    int        err;

    for (;;) {
        number = lowest_free(files, (uint32_t)from);
        err    = number >= limit ? -EMFILE : 0;
        if (err != 0 || number < files->room)
            break;
        err = make_room(files, number, &state);
        if (err != 0)
            break;
    }
    if (err == 0) {
        files->slots[number] = (struct slot){ file, close_on_exec };
        err = (int)number;
    }
    lock_drop(&files->lock, state);
    return err;
}

int descriptor_put(struct files *files, int number, struct file *file, bool close_on_exec, uint32_t limit)
{
    struct file *old = NULL;
    lock_state   state;
    int          err = 0;

    if ((unsigned)number >= limit)
        return -EBADF;
    state = lock_take(&files->lock);
    while (err == 0 && (unsigned)number >= files->room)
        err = make_room(files, (uint32_t)number, &state);
    if (err == 0) {
        old = files->slots[number].file;
        files->slots[number] = (struct slot){ file, close_on_exec };
    }
    lock_drop(&files->lock, state);
    if (old != NULL) {
        locks_drop_owner(old->node, files);
        file_release(old);
    }
    return err;
}

int descriptor_close(struct files *files, int number)
{
    lock_state   state = lock_take(&files->lock);
    struct file *file  = NULL;

    if ((unsigned)number < files->room) {
        file = files->slots[number].file;
        files->slots[number].file = NULL;
    }
    lock_drop(&files->lock, state);
    if (file == NULL)
        return -EBADF;
    locks_drop_owner(file->node, files);
    file_release(file);
    return 0;
}

int descriptor_flag(struct files *files, int number)
{
    lock_state state = lock_take(&files->lock);
    int        flag  = -EBADF;

    if ((unsigned)number < files->room && files->slots[number].file != NULL)
        flag = files->slots[number].close_on_exec;
    lock_drop(&files->lock, state);
    return flag;
}

int descriptor_set_flag(struct files *files, int number, bool close_on_exec)
{
    lock_state state = lock_take(&files->lock);
    int        err   = -EBADF;

    if ((unsigned)number < files->room && files->slots[number].file != NULL) {
        files->slots[number].close_on_exec = close_on_exec;
        err = 0;
    }
    lock_drop(&files->lock, state);
    return err;
}

int descriptor_next(struct files *files, int from)
{
    lock_state state  = lock_take(&files->lock);
    uint32_t   number = (uint32_t)from;
    int        found;

    while (number < files->room && files->slots[number].file == NULL)
        number++;
    found = number < files->room ? (int)number : -1;
    lock_drop(&files->lock, state);
    return found;
}

void files_close_on_exec(struct files *files)
{
    for (int number = 0; (number = descriptor_next(files, number)) >= 0; number++)
        if (descriptor_flag(files, number) == 1)
            descriptor_close(files, number);
}
