/*
 * descriptor.c - a process's numbers for open files.
 *
 * The files lie in an array; beside it two sets of numbers say which are open and which close on exec, so that the
 * lowest free number is found without a look at each, however many are open.
 *
 *   D1  a number is in the set of open ones if and only if its slot has a file
 *   D2  a number that closes on exec is open
 *   D3  both sets are sound (base/bitset.h)
 */
#include "files/core/descriptor.h"

#include "base/bitset.h"
#include "base/check.h"
#include "base/error.h"
#include "base/lock.h"
#include "base/string.h"
#include "files/core/lock.h"
#include "memory/heap/heap.h"

enum { FIRST_ROOM = BITSET_WORD };

struct table {
    uint32_t      room;                 /* numbers there are: FIRST_ROOM, doubled                 */
    struct file **slots;                /* the start of one block of memory, with the sets behind */
    struct bitset open, close_on_exec;
};

struct files {
    uint32_t     references;            /* [a]    */
    struct lock  lock;
    struct table table;                 /* [lock] */
};

/* ---- The table ------------------------------------------------------------------------------ */

static bool table_make(struct table *table, uint32_t room)
{
    size_t    words = BITSET_WORDS(room);
    uint32_t *sets;

    table->room  = room;
    table->slots = heap_alloc(room * sizeof *table->slots + 2 * words * sizeof *sets, HEAP_ZERO);
    if (table->slots == NULL)
        return false;
    sets = (uint32_t *)(table->slots + room);
    table->open          = bitset_in(sets, room);
    table->close_on_exec = bitset_in(sets + words, room);
    return true;
}

/* As much of it as there is room for; nothing beyond is open. */
static void table_copy(struct table *to, const struct table *from)
{
    uint32_t least = to->room < from->room ? to->room : from->room;

    memcpy(to->slots, from->slots, least * sizeof *to->slots);
    bitset_copy(&to->open, &from->open);
    bitset_copy(&to->close_on_exec, &from->close_on_exec);
}

static struct file *table_file(const struct table *table, int number)
{
    return (unsigned)number < table->room ? table->slots[number] : NULL;
}

static void table_flag(struct table *table, uint32_t number, bool close_on_exec)
{
    if (close_on_exec)
        bitset_add(&table->close_on_exec, number);
    else
        bitset_remove(&table->close_on_exec, number);
}

/* A number gets another file. NULL: it is free from now on. Returns the file it had. */
static struct file *table_set(struct table *table, uint32_t number, struct file *file, bool close_on_exec)
{
    struct file *old = table->slots[number];

    table->slots[number] = file;
    if (file != NULL)
        bitset_add(&table->open, number);
    else
        bitset_remove(&table->open, number);
    table_flag(table, number, close_on_exec);
    return old;
}

/* The room that what is open needs. */
static uint32_t table_room_in_use(const struct table *table)
{
    uint32_t words = table->room / BITSET_WORD, room = FIRST_ROOM;

    while (words > 1 && table->open.bits[words - 1] == 0)
        words--;
    while (room < words * BITSET_WORD)
        room *= 2;
    return room;
}

static bool table_ok(const struct table *table)
{
    for (uint32_t number = 0; number < table->room; number++) {
        bool open = bitset_has(&table->open, number);

        if (open != (table->slots[number] != NULL))                         /* D1 */
            return false;
        if (!open && bitset_has(&table->close_on_exec, number))             /* D2 */
            return false;
    }
    return bitset_ok(&table->open) && bitset_ok(&table->close_on_exec);     /* D3 */
}

bool files_ok(struct files *files)
{
    lock_state state = lock_take(&files->lock);
    bool       ok    = table_ok(&files->table);

    lock_drop(&files->lock, state);
    return ok;
}

/* ---- All descriptors of a process ----------------------------------------------------------- */

static struct files *files_with(uint32_t room)
{
    struct files *files = heap_alloc(sizeof *files, 0);

    if (files == NULL)
        return NULL;
    *files = (struct files){ .references = 1, .lock = LOCK("descriptors", RANK_OBJECT) };
    if (!table_make(&files->table, room)) {
        heap_free_sized(files, sizeof *files);
        return NULL;
    }
    return files;
}

struct files *files_new(void) { return files_with(FIRST_ROOM); }

void files_hold(struct files *files) { __atomic_add_fetch(&files->references, 1, __ATOMIC_RELAXED); }

struct files *files_copy(struct files *files)
{
    struct files *copy;
    lock_state    state = lock_take(&files->lock);
    uint32_t      room  = table_room_in_use(&files->table);

    for (;;) {
        lock_drop(&files->lock, state);
        copy = files_with(room);
        if (copy == NULL)
            return NULL;
        state = lock_take(&files->lock);
        room  = table_room_in_use(&files->table);
        if (room <= copy->table.room)
            break;
        lock_drop(&files->lock, state);         /* it has grown meanwhile */
        files_release(copy);
        state = lock_take(&files->lock);
    }
    table_copy(&copy->table, &files->table);
    for (uint32_t n = 0; (n = bitset_next(&copy->table.open, n)) < copy->table.room; n++)
        file_hold(copy->table.slots[n]);
    lock_drop(&files->lock, state);
    return copy;
}

/* The table no longer knows the file: the process's locks on it go, and its reference. */
static void let_go(struct files *files, struct file *file)
{
    locks_drop_owner(file->node, files);
    file_release(file);
}

void files_release(struct files *files)
{
    if (__atomic_sub_fetch(&files->references, 1, __ATOMIC_ACQ_REL) > 0)
        return;
    for (uint32_t n = 0; (n = bitset_next(&files->table.open, n)) < files->table.room; n++)
        let_go(files, files->table.slots[n]);
    heap_free(files->table.slots);
    heap_free_sized(files, sizeof *files);
}

void files_close_on_exec(struct files *files)
{
    for (uint32_t n = 0;; n++) {
        lock_state   state = lock_take(&files->lock);
        struct file *file  = NULL;

        n = bitset_next(&files->table.close_on_exec, n);
        if (n < files->table.room)
            file = table_set(&files->table, n, NULL, false);
        lock_drop(&files->lock, state);
        if (file == NULL)
            return;
        let_go(files, file);
    }
}

/* ---- One descriptor --------------------------------------------------------------------------- */

struct file *descriptor_file(struct files *files, int number)
{
    lock_state   state = lock_take(&files->lock);
    struct file *file  = table_file(&files->table, number);

    if (file != NULL)
        file_hold(file);
    lock_drop(&files->lock, state);
    return file;
}

struct file *descriptor_peek(const struct files *files, int number) { return table_file(&files->table, number); }
bool files_are_own(const struct files *files) { return __atomic_load_n(&files->references, __ATOMIC_RELAXED) == 1; }

/*
 * Make room for a number. The lock is held, and dropped meanwhile, as the heap's rank allows; another thread
 * may have made room first.
 */
static int make_room(struct files *files, uint32_t number, lock_state *state)
{
    struct table table, spare;
    uint32_t     room = files->table.room;
    bool         made;

    while (room <= number)
        room *= 2;
    if (room == files->table.room)
        return 0;
    lock_drop(&files->lock, *state);
    made   = table_make(&table, room);
    *state = lock_take(&files->lock);
    if (!made)
        return -ENOMEM;
    spare = table;
    if (room > files->table.room) {
        table_copy(&table, &files->table);
        spare        = files->table;
        files->table = table;
    }
    lock_drop(&files->lock, *state);
    heap_free(spare.slots);
    *state = lock_take(&files->lock);
    return 0;
}

static uint32_t lowest_free(const struct table *table, uint32_t from)
{
    return from < table->room ? bitset_next_free(&table->open, from) : from;
}

int descriptor_add(struct files *files, struct file *file, int from, bool close_on_exec, uint32_t limit)
{
    lock_state state = lock_take(&files->lock);
    uint32_t   number;
    int        err;

    for (;;) {
        number = lowest_free(&files->table, (uint32_t)from);
        err    = number >= limit ? -EMFILE : 0;
        if (err != 0 || number < files->table.room)
            break;
        err = make_room(files, number, &state);
        if (err != 0)
            break;
    }
    if (err == 0) {
        table_set(&files->table, number, file, close_on_exec);
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
    while (err == 0 && (unsigned)number >= files->table.room)
        err = make_room(files, (uint32_t)number, &state);
    if (err == 0)
        old = table_set(&files->table, (uint32_t)number, file, close_on_exec);
    lock_drop(&files->lock, state);
    if (old != NULL)
        let_go(files, old);
    return err;
}

int descriptor_close(struct files *files, int number)
{
    lock_state   state = lock_take(&files->lock);
    struct file *file  = table_file(&files->table, number);

    if (file != NULL)
        table_set(&files->table, (uint32_t)number, NULL, false);
    lock_drop(&files->lock, state);
    if (file == NULL)
        return -EBADF;
    let_go(files, file);
    return 0;
}

int descriptor_flag(struct files *files, int number)
{
    lock_state state = lock_take(&files->lock);
    int        flag  = -EBADF;

    if (table_file(&files->table, number) != NULL)
        flag = bitset_has(&files->table.close_on_exec, (uint32_t)number);
    lock_drop(&files->lock, state);
    return flag;
}

int descriptor_set_flag(struct files *files, int number, bool close_on_exec)
{
    lock_state state = lock_take(&files->lock);
    bool       open  = table_file(&files->table, number) != NULL;

    if (open)
        table_flag(&files->table, (uint32_t)number, close_on_exec);
    lock_drop(&files->lock, state);
    return open ? 0 : -EBADF;
}

int descriptor_next(struct files *files, int from)
{
    lock_state state  = lock_take(&files->lock);
    uint32_t   number = bitset_next(&files->table.open, (uint32_t)from);

    if (number >= files->table.room)
        number = (uint32_t)-1;
    lock_drop(&files->lock, state);
    return (int)number;
}
