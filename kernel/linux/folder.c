/*
 * folder.c - reading folders: getdents and getdents64.
 */
#include "base/check.h"
#include "base/error.h"
#include "base/string.h"
#include "linux/calls.h"
#include "linux/files.h"

struct entry64 {
    uint64_t inode;
    int64_t  next;
    uint16_t size;
    uint8_t  type;
    char     name[];
} __attribute__((packed));

struct entry32 {
    uint32_t inode, next;
    uint16_t size;
    char     name[];                /* behind NUL and padding, in the last byte: the type */
} __attribute__((packed));

_Static_assert(offsetof(struct entry64, name) == 19 && offsetof(struct entry32, name) == 10,
               "struct linux_dirent64, struct linux_dirent");

/* Linux's d_type is the file type of st_mode, shifted. */
static uint8_t type_of(uint32_t mode) { return (uint8_t)((mode & S_FMT) >> 12); }

struct listing {
    user_t   to;
    size_t   used, size;
    uint64_t next;                  /* the next call's position           */
    int      problem;
};

/* LISTED_MOST: what one call lists, however much room a program has, as it goes over all of it in one stretch. */
enum { ENTRY_LONGEST = 19 + NAME_LONGEST + 1 + 7, LISTED_MOST = 65536 };

/* Write an entry if there is room for it. */
static bool hand_over_entry(struct listing *listing, const void *entry, size_t size, uint64_t next)
{
    deep_assert(listing != NULL && entry != NULL);
    if (size > listing->size - listing->used)
        listing->problem = -EINVAL;         /* the call's result only if this is the first entry */
    else
        listing->problem = user_write(listing->to + listing->used, entry, size);
    if (listing->problem != 0)
        return false;
    listing->used += size;
    listing->next  = next;
    return true;
}

static bool add_entry64(void *data, const char *name, size_t length, uint64_t inode, uint32_t mode, uint64_t next)
{
    uint64_t        block[ENTRY_LONGEST / 8 + 1];
    struct entry64 *entry = (struct entry64 *)block;
    size_t          size  = (sizeof *entry + length + 1 + 7) & ~(size_t)7;

    deep_assert(data != NULL && name != NULL);
    block[size / 8 - 1] = 0;
    entry->inode = inode;
    entry->next  = (int64_t)next;
    entry->size  = (uint16_t)size;
    entry->type  = type_of(mode);
    memcpy(entry->name, name, length);
    return hand_over_entry(data, entry, size, next);
}

static bool add_entry32(void *data, const char *name, size_t length, uint64_t inode, uint32_t mode, uint64_t next)
{
    uint32_t        block[ENTRY_LONGEST / 4 + 1];
    struct entry32 *entry = (struct entry32 *)block;
    size_t          size  = (sizeof *entry + length + 2 + 3) & ~(size_t)3;

    deep_assert(data != NULL && name != NULL);
    block[size / 4 - 1] = 0;
    entry->inode = (uint32_t)inode;
    entry->next  = (uint32_t)next;
    entry->size  = (uint16_t)size;
    memcpy(entry->name, name, length);
    entry->name[length] = '\0';
    ((char *)entry)[size - 1] = (char)type_of(mode);
    return hand_over_entry(data, entry, size, next);
}

static long fill_listing(struct file *file, struct listing *listing, folder_visit visit)
{
    struct node *node;
    int          err;

    deep_assert(file != NULL && listing != NULL);
    node = file->node;
    if (node->links == 0)
        return -ENOENT;
    mutex_take(&node->lock);
    listing->next = file->at;
    err = node->operations->list(node, file->at, visit, listing);
    node->accessed = clock_wall();
    mutex_drop(&node->lock);
    if (err == 0 && listing->used == 0)
        err = listing->problem;
    return err;
}

static long list_folder(int descriptor, user_t to, size_t size, folder_visit visit)
{
    struct listing listing = { .to = to, .size = size < LISTED_MOST ? size : LISTED_MOST };
    struct file   *file    = file_of(descriptor);
    long           err;

    if (file == NULL)
        return -EBADF;
    mutex_take(&file->lock);
    if (file->flags & O_PATH)
        err = -EBADF;
    else if (file->node->operations->list == NULL)
        err = -ENOTDIR;
    else
        err = fill_listing(file, &listing, visit);
    if (err == 0)
        file->at = listing.next;
    mutex_drop(&file->lock);
    file_release(file);
    return err != 0 ? err : (long)listing.used;
}

SYSTEM_CALL(getdents, int, descriptor, user_t, to, unsigned,
            bytes) { return list_folder(descriptor, to, bytes, add_entry32); }
SYSTEM_CALL(getdents64, int, descriptor, user_t, to, unsigned,
            bytes) { return list_folder(descriptor, to, bytes, add_entry64); }
