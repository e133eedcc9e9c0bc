/*
 * descriptor.c - a process's numbers for open files.
 *
 * The files lie in an array; beside it two sets of numbers say which are open and which close on exec, so that the
 * lowest free number is found without a look at each, however many are open.
 *
 *   D1  a number is in the set of open ones if and only if its slot has a file, or a call has reserved it
 *   D2  a number that closes on exec is open
 *   D3  both sets are sound (base/bitset.h)
 *
 * A program decides how many numbers there are, so no stretch under the lock goes over all of them: copying, growing
 * and searching take the lock anew for each NUMBERS_A_STRETCH.
 */
#include "files/core/descriptor_table.h"

#include "base/check.h"
#include "base/error.h"
#include "base/string.h"
#include "files/core/lock.h"
#include "files/ipc/socket.h"
#include "memory/heap/heap.h"

/* A stretch: 2 KiB of slots to copy, or 512 words of a set to search (numbers of 32 * 512). Less costs more locking. */
enum { FIRST_ROOM = BITSET_WORD, NUMBERS_A_STRETCH = 512, SEARCHED_A_STRETCH = 512 * BITSET_WORD };

/* ---- The table ------------------------------------------------------------------------------ */

static bool table_make(struct table *table, uint32_t room)
{
    size_t    words = BITSET_WORDS(room);
    uint32_t *sets;

    assert(room >= FIRST_ROOM && room % BITSET_WORD == 0);
    table->room  = room;
    table->slots = heap_alloc(room * sizeof *table->slots + 2 * words * sizeof *sets, HEAP_ZERO);
    if (table->slots == NULL)
        return false;
    sets = (uint32_t *)(table->slots + room);
    table->open          = bitset_in(sets, room);
    table->close_on_exec = bitset_in(sets + words, room);
    return true;
}

/* Numbers [first, end), whole words; both tables have room for them, and in `to` none of them is open. */
static void table_copy(struct table *to, const struct table *from, uint32_t first, uint32_t end)
{
    assert(first < end && end <= to->room && end <= from->room && end - first <= NUMBERS_A_STRETCH);
    memcpy(to->slots + first, from->slots + first, (end - first) * sizeof *to->slots);
    bitset_copy(&to->open, &from->open, first, end);
    bitset_copy(&to->close_on_exec, &from->close_on_exec, first, end);
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

/* Give a number another file, or with NULL free it. Returns the file it had. */
static struct file *table_set(struct table *table, uint32_t number, struct file *file, bool close_on_exec)
{
    struct file *old;

    assert(number < table->room && (file != NULL || !close_on_exec));
    old = table->slots[number];
    table->slots[number] = file;
    if (file != NULL)
        bitset_add(&table->open, number);
    else
        bitset_remove(&table->open, number);
    table_flag(table, number, close_on_exec);
    return old;
}

/*
 * Look for the highest open number below *top, at most a stretch further down. *top becomes the end of the word that
 * has it, or the end of the numbers not looked at yet. True when the search is over.
 */
static bool table_find_top(const struct table *table, uint32_t *top)
{
    uint32_t word = *top / BITSET_WORD, until = 0;

    if (word > SEARCHED_A_STRETCH / BITSET_WORD)
        until = word - SEARCHED_A_STRETCH / BITSET_WORD;
    while (word > until && table->open.bits[word - 1] == 0)     /* bound: 512 words */
        word--;
    *top = word * BITSET_WORD;
    return word == 0 || table->open.bits[word - 1] != 0;
}

static const char *table_broken(const struct table *table, uint32_t reserved)
{
    uint32_t bare = 0;

    if (!bitset_ok(&table->open) || !bitset_ok(&table->close_on_exec))
        return "D3";
    for (uint32_t number = 0; number < table->room; number++) {
        bool open = bitset_has(&table->open, number);

        if (!open && table->slots[number] != NULL)
            return "D1";
        bare += open && table->slots[number] == NULL;
        if (!open && bitset_has(&table->close_on_exec, number))
            return "D2";
    }
    return bare != reserved ? "D1" : NULL;
}

const char *files_broken(struct files *files)
{
    lock_state  state  = lock_take(&files->lock);
    const char *broken = table_broken(&files->table, files->reserved);

    lock_drop(&files->lock, state);
    return broken;
}

/* ---- All descriptors of a process ----------------------------------------------------------- */

/* As table_set(), also in the table that is about to take this one's place. The lock is held. */
static struct file *files_set(struct files *files, uint32_t number, struct file *file, bool close_on_exec)
{
    deep_assert(lock_held(&files->lock));
    if (number < files->copied)
        (void)table_set(files->larger, number, file, close_on_exec);
    return table_set(&files->table, number, file, close_on_exec);
}

static struct files *files_with(uint32_t room)
{
    struct files *files = heap_alloc(sizeof *files, 0);

    if (files == NULL)
        return NULL;
    *files = (struct files){ .references = 1, .lock = LOCK("descriptors", RANK_OBJECT),
                              .growth = MUTEX("descriptors") };
    if (!table_make(&files->table, room)) {
        heap_free_sized(files, sizeof *files);
        return NULL;
    }
    return files;
}

struct files *files_new(void) { return files_with(FIRST_ROOM); }

void files_hold(struct files *files) { __atomic_add_fetch(&files->references, 1, __ATOMIC_RELAXED); }

/* The room that the open numbers need. */
static uint32_t room_in_use(struct files *files)
{
    uint32_t top = UINT32_MAX, room = FIRST_ROOM;
    bool     found;

    do {                                        /* bound: the lock is dropped in each step */
        lock_state state = lock_take(&files->lock);

        if (top > files->table.room)
            top = files->table.room;
        found = table_find_top(&files->table, &top);
        lock_drop(&files->lock, state);
    } while (!found);
    while (room < top)
        room *= 2;
    return room;
}

/* Copy the open numbers of a stretch, each with a reference. No other thread sees the copy yet. Returns its end. */
static uint32_t copy_stretch(struct files *copy, struct files *files, uint32_t first)
{
    uint32_t   end   = first + NUMBERS_A_STRETCH < copy->table.room ? first + NUMBERS_A_STRETCH : copy->table.room;
    lock_state state = lock_take(&files->lock);

    deep_assert(first < copy->table.room && copy->references == 1);
    table_copy(&copy->table, &files->table, first, end);
    for (uint32_t n = first; (n = bitset_next_below(&copy->table.open, n, end)) < end; n++)    /* bound: a stretch */
        if (copy->table.slots[n] != NULL)
            file_hold(copy->table.slots[n]);
        else
            bitset_remove(&copy->table.open, n);        /* reserved in the original */
    lock_drop(&files->lock, state);
    return end;
}

/* A number that another thread opens or closes meanwhile may be open in the copy or not. */
struct files *files_copy(struct files *files)
{
    struct files *copy = files_with(room_in_use(files));

    if (copy == NULL)
        return NULL;
    for (uint32_t n = 0; n < copy->table.room; )
        n = copy_stretch(copy, files, n);
    deep_assert(files_ok(copy));
    return copy;
}

/* The table no longer knows the file: the process's locks on it go, and its reference. */
static void drop_descriptor_file(struct files *files, struct file *file)
{
    deep_assert(!lock_held(&files->lock));
    locks_drop_owner(file->node, files);
    file_release(file);
}

void files_release(struct files *files)
{
    bool put_off;

    may_sleep();
    if (__atomic_sub_fetch(&files->references, 1, __ATOMIC_ACQ_REL) > 0)
        return;
    assert(files->larger == NULL && files->reserved == 0);
    put_off = sockets_put_off();
    for (uint32_t n = 0; (n = bitset_next_below(&files->table.open, n, files->table.room)) < files->table.room; n++) {
        drop_descriptor_file(files, files->table.slots[n]);
        point_of_rest();
    }
    sockets_search(put_off);
    heap_free(files->table.slots);
    heap_free_sized(files, sizeof *files);
}

/*
 * The lowest number of one of the sets at or above `from`, within a stretch. The lock is held. Returns the number, with
 * *found; else the number to go on from, or FILES_END.
 */
enum { FILES_END = 0x7FFFFFFF };
static uint32_t find_next(const struct files *files, const struct bitset *set, uint32_t from, bool *found)
{
    uint32_t room = files->table.room, end = room;
    uint32_t number;

    deep_assert(lock_held(&files->lock));
    *found = false;
    if (from >= room)
        return FILES_END;
    if (room - from > SEARCHED_A_STRETCH)
        end = from + SEARCHED_A_STRETCH;
    number = bitset_next_below(set, from, end);       /* bound: 512 words, by 32 */
    *found = number < end;
    return number;
}

void files_close_on_exec(struct files *files)
{
    bool put_off = sockets_put_off();

    may_sleep();
    for (uint32_t n = 0; n < FILES_END; ) {     /* bound: the lock is dropped in each step */
        lock_state   state = lock_take(&files->lock);
        struct file *file  = NULL;
        bool         found;

        n = find_next(files, &files->table.close_on_exec, n, &found);
        if (found)
            file = files_set(files, n, NULL, false);
        lock_drop(&files->lock, state);
        if (file != NULL)
            drop_descriptor_file(files, file);
        point_of_rest();
    }
    sockets_search(put_off);
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

struct node *descriptor_node(struct files *files, int number, uint32_t *flags)
{
    lock_state   state = lock_take(&files->lock);
    struct file *file  = table_file(&files->table, number);

    if (file != NULL) {
        node_hold(file->node);
        *flags = file->flags;
    }
    lock_drop(&files->lock, state);
    return file != NULL ? file->node : NULL;
}

struct file *descriptor_peek(const struct files *files, int number)
{
    deep_assert(files_are_own(files));
    return table_file(&files->table, number);
}

bool files_are_own(const struct files *files) { return __atomic_load_n(&files->references, __ATOMIC_RELAXED) == 1; }

/*
 * Copy the next stretch to the larger table; after the last it replaces the old table, which *old then is, to be freed.
 */
static void __attribute__((cold)) grow_stretch(struct files *files, struct table *larger, struct table *old)
{
    lock_state state = lock_take(&files->lock);
    uint32_t   first = files->copied, end = first + NUMBERS_A_STRETCH;

    deep_assert(mutex_held(&files->growth));
    if (end > files->table.room)
        end = files->table.room;
    table_copy(larger, &files->table, first, end);
    files->larger = larger;
    files->copied = end;
    if (end == files->table.room) {
        *old          = files->table;
        files->table  = *larger;
        files->larger = NULL;
        files->copied = 0;
    }
    lock_drop(&files->lock, state);
}

static int __attribute__((cold)) grow_descriptors(struct files *files, uint32_t room)
{
    struct table larger, old = { .slots = NULL };

    assert(mutex_held(&files->growth) && room >= files->table.room);
    if (room == files->table.room)
        return 0;                               /* another thread has made room first */
    if (!table_make(&larger, room))
        return -ENOMEM;
    while (old.slots == NULL)
        grow_stretch(files, &larger, &old);
    heap_free(old.slots);
    return 0;
}

/* Make room for a number. The lock is not held. */
static int __attribute__((noinline, cold)) make_descriptor_room(struct files *files, uint32_t number)
{
    uint32_t room;
    int      err;

    deep_assert(!lock_held(&files->lock));
    mutex_take(&files->growth);
    room = files->table.room;
    while (room <= number)
        room *= 2;
    err = grow_descriptors(files, room);
    mutex_drop(&files->growth);
    return err;
}

/* bound: a word of 1024 numbers each, so 1024 and a few for the most there may be (1048576). */
static uint32_t lowest_free(const struct table *table, uint32_t from)
{
    deep_assert(from <= table->room || from < DESCRIPTORS_MOST);
    return from < table->room ? bitset_next_free(&table->open, from) : from;
}

/* Open, without a file yet. */
static void reserve_number(struct files *files, uint32_t number)
{
    deep_assert(lock_held(&files->lock));
    if (number < files->copied)
        bitset_add(&files->larger->open, number);
    bitset_add(&files->table.open, number);
    files->reserved++;
}

/* With the lock held. Returns the number, -EMFILE, or -EAGAIN when the table must first have room for *number. */
static int add_descriptor(struct files *files, struct file *file, int from, bool close_on_exec, uint32_t limit,
                          uint32_t *number)
{
    deep_assert(lock_held(&files->lock));
    *number = lowest_free(&files->table, (uint32_t)from);
    if (*number >= limit)
        return -EMFILE;
    if (*number >= files->table.room)
        return -EAGAIN;
    if (file != NULL)
        (void)files_set(files, *number, file, close_on_exec);
    else
        reserve_number(files, *number);
    return (int)*number;
}

int descriptor_add(struct files *files, struct file *file, int from, bool close_on_exec, uint32_t limit)
{
    int err;

    may_sleep();
    assert(from >= 0 && limit <= DESCRIPTORS_MOST);
    do {                                        /* bound: the lock is dropped in each step */
        lock_state state = lock_take(&files->lock);
        uint32_t   number;
        int        added = add_descriptor(files, file, from, close_on_exec, limit, &number);

        lock_drop(&files->lock, state);
        if (added != -EAGAIN)
            return added;
        err = make_descriptor_room(files, number);
    } while (err == 0);
    return err;
}

void descriptor_settle(struct files *files, int number, struct file *file, bool close_on_exec)
{
    lock_state state = lock_take(&files->lock);

    assert(files->reserved > 0 && files->table.slots[number] == NULL);
    files->reserved--;
    if (file == NULL || close_on_exec || (uint32_t)number < files->copied)
        (void)files_set(files, (uint32_t)number, file, close_on_exec);
    else
        files->table.slots[number] = file;      /* the sets say so already */
    lock_drop(&files->lock, state);
}

int descriptor_put(struct files *files, int number, struct file *file, bool close_on_exec, uint32_t limit)
{
    struct file *old = NULL;
    bool         put = false;
    int          err = 0;

    may_sleep();
    assert(file != NULL && limit <= DESCRIPTORS_MOST);
    if ((unsigned)number >= limit)
        return -EBADF;
    while (err == 0 && !put) {                  /* bound: the lock is dropped in each step */
        lock_state state = lock_take(&files->lock);

        put = (unsigned)number < files->table.room;
        if (put && files->table.slots[number] == NULL && bitset_has(&files->table.open, (uint32_t)number))
            err = -EBUSY;
        else if (put)
            old = files_set(files, (uint32_t)number, file, close_on_exec);
        lock_drop(&files->lock, state);
        if (!put)
            err = make_descriptor_room(files, (uint32_t)number);
    }
    if (old != NULL)
        drop_descriptor_file(files, old);
    return err;
}

int descriptor_withdraw(struct files *files, int number, const struct file *only)
{
    lock_state   state = lock_take(&files->lock);
    struct file *file  = table_file(&files->table, number);

    if (only != NULL && file != only)
        file = NULL;
    if (file != NULL)
        (void)files_set(files, (uint32_t)number, NULL, false);
    lock_drop(&files->lock, state);
    if (file == NULL)
        return -EBADF;
    drop_descriptor_file(files, file);
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
    lock_state   state = lock_take(&files->lock);
    struct file *file  = table_file(&files->table, number);

    if (file != NULL)
        (void)files_set(files, (uint32_t)number, file, close_on_exec);
    lock_drop(&files->lock, state);
    return file != NULL ? 0 : -EBADF;
}

uint32_t files_room(const struct files *files) { return files->table.room; }

int descriptor_next(struct files *files, int from)
{
    uint32_t number = (uint32_t)from;
    bool     found  = false;

    assert(from >= 0);
    while (!found && number < FILES_END) {      /* bound: the lock is dropped in each step */
        lock_state state = lock_take(&files->lock);

        number = find_next(files, &files->table.open, number, &found);
        if (found && files->table.slots[number] == NULL) {
            found = false;                      /* reserved */
            number++;
        }
        lock_drop(&files->lock, state);
    }
    return found ? (int)number : -1;
}
