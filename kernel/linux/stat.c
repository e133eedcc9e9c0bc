/*
 * stat.c - the state of a file, in each of the structures that Linux i386 has for it.
 *
 * Source: Linux, arch/x86/include/uapi/asm/stat.h, include/uapi/linux/stat.h, statfs.h; stat(2), statx(2).
 */
#include "base/check.h"
#include "base/error.h"
#include "base/string.h"
#include "linux/calls.h"
#include "linux/files.h"
#include "linux/structures.h"
#include "process/process.h"

enum { SECTOR = 512, SECTORS_A_PAGE = PAGE_SIZE / SECTOR };

struct stat32 {
    uint32_t device, inode;
    uint16_t mode, links, uid, gid;
    uint32_t special, bytes, block_size, blocks;
    uint32_t accessed, accessed_ns, modified, modified_ns, changed, changed_ns, unused[2];
};
_Static_assert(sizeof(struct stat32) == 64, "struct stat");

struct stat64 {
    uint64_t device;
    uint32_t pad, short_inode, mode, links, uid, gid;
    uint64_t special;
    uint32_t pad_2;
    int64_t  bytes;
    uint32_t block_size;
    uint64_t blocks;
    uint32_t accessed, accessed_ns, modified, modified_ns, changed, changed_ns;
    uint64_t inode;
} __attribute__((packed, aligned(4)));
_Static_assert(sizeof(struct stat64) == 96 && offsetof(struct stat64, bytes) == 44 &&
               offsetof(struct stat64, inode) == 88, "struct stat64");

struct statx_time { int64_t seconds; uint32_t nanoseconds, pad; };
struct statx {
    uint32_t mask, block_size;
    uint64_t attributes;
    uint32_t links, uid, gid;
    uint16_t mode, pad;
    uint64_t inode, bytes, blocks, attributes_known;
    struct statx_time accessed, born, changed, modified;
    uint32_t special_major, special_minor, device_major, device_minor;
    uint64_t mount, spare[13];
};
_Static_assert(sizeof(struct statx) == 256 && offsetof(struct statx, accessed) == 64 &&
               offsetof(struct statx, mount) == 144, "struct statx");

enum { STATX_BASIC = 0x7FF, STATX_RESERVED = 0x80000000u };

static uint64_t blocks_of(struct node *node)
{
    return node->operations->pages != NULL ? node->operations->pages(node) * SECTORS_A_PAGE : 0;
}

static uint32_t seconds(uint64_t time) { return (uint32_t)(time / NANOSECONDS); }
static uint32_t rest(uint64_t time)    { return (uint32_t)(time % NANOSECONDS); }

static uint32_t device_of(const struct node *node)
{
    deep_assert(node != NULL);
    return node->system != NULL ? node->system->device : 0;
}

/* The old structure has 32 bits for a size. */
static int write_stat32(struct node *node, user_t to)
{
    struct stat32 out = {
        .device = device_of(node), .inode = (uint32_t)node->inode, .mode = (uint16_t)node->mode,
        .links = (uint16_t)node->links, .uid = id_narrowed(node->uid), .gid = id_narrowed(node->gid),
        .special = node->device, .bytes = (uint32_t)node->bytes, .block_size = PAGE_SIZE,
        .blocks = (uint32_t)blocks_of(node), .accessed = seconds(node->accessed), .accessed_ns = rest(node->accessed),
        .modified = seconds(node->modified), .modified_ns = rest(node->modified), .changed = seconds(node->changed),
        .changed_ns = rest(node->changed),
    };

    if (node->bytes > INT32_MAX || node->inode > UINT32_MAX || node->links > UINT16_MAX)
        return -EOVERFLOW;
    return user_write(to, &out, sizeof out);
}

static int write_stat64(struct node *node, user_t to)
{
    struct stat64 out = {
        .device = device_of(node), .short_inode = (uint32_t)node->inode, .mode = node->mode, .links = node->links,
        .uid = node->uid, .gid = node->gid, .special = node->device, .bytes = (int64_t)node->bytes,
        .block_size = PAGE_SIZE, .blocks = blocks_of(node), .accessed = seconds(node->accessed),
        .accessed_ns = rest(node->accessed), .modified = seconds(node->modified), .modified_ns = rest(node->modified),
        .changed = seconds(node->changed), .changed_ns = rest(node->changed), .inode = node->inode,
    };

    return user_write(to, &out, sizeof out);
}

static struct statx_time statx_time(uint64_t time) { return (struct statx_time){ seconds(time), rest(time), 0 }; }

static int write_statx(struct node *node, user_t to)
{
    struct statx out = {
        .mask = STATX_BASIC, .block_size = PAGE_SIZE, .links = node->links, .uid = node->uid, .gid = node->gid,
        .mode = (uint16_t)node->mode, .inode = node->inode, .bytes = node->bytes, .blocks = blocks_of(node),
        .accessed = statx_time(node->accessed), .changed = statx_time(node->changed),
        .modified = statx_time(node->modified), .special_major = node->device >> 8 & 0xFFF,
        .special_minor = (node->device & 0xFF) | (node->device >> 12 & 0xFFF00), .device_minor = device_of(node),
    };

    return user_write(to, &out, sizeof out);
}

/* ---- The calls ------------------------------------------------------------------------------------- */

typedef int (*writer)(struct node *node, user_t to);

static long stat_path(int folder, user_t path, unsigned flags, writer write, user_t to)
{
    struct node *node;
    int          err = node_of(folder, path, flags, &node);

    if (err != 0)
        return err;
    err = write(node, to);
    node_release(node);
    return err;
}

static long stat_file(int descriptor, writer write, user_t to)
{
    struct file *file = file_of(descriptor);
    int          err;

    if (file == NULL)
        return -EBADF;
    err = write(file->node, to);
    file_release(file);
    return err;
}

SYSTEM_CALL(stat, user_t, path, user_t, to) { return stat_path(AT_FDCWD, path, 0, write_stat32, to); }

SYSTEM_CALL(lstat, user_t, path, user_t, to)
{
    return stat_path(AT_FDCWD, path, AT_SYMLINK_NOFOLLOW, write_stat32, to);
}

SYSTEM_CALL(fstat, int, descriptor, user_t, to) { return stat_file(descriptor, write_stat32, to); }
SYSTEM_CALL(stat64, user_t, path, user_t, to) { return stat_path(AT_FDCWD, path, 0, write_stat64, to); }

SYSTEM_CALL(lstat64, user_t, path, user_t, to)
{
    return stat_path(AT_FDCWD, path, AT_SYMLINK_NOFOLLOW, write_stat64, to);
}

SYSTEM_CALL(fstat64, int, descriptor, user_t, to) { return stat_file(descriptor, write_stat64, to); }

SYSTEM_CALL(fstatat64, int, folder, user_t, path, user_t, to, unsigned, flags)
{
    if (flags & ~(uintptr_t)(AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT | AT_EMPTY_PATH))
        return -EINVAL;
    return stat_path(folder, path, flags, write_stat64, to);
}

SYSTEM_CALL(statx, int, folder, user_t, path, unsigned, flags, unsigned, wanted, user_t, to)
{
    if ((flags & ~(uintptr_t)(AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT | AT_EMPTY_PATH | AT_STATX_SYNC_TYPE)) ||
        (wanted & STATX_RESERVED) || (flags & AT_STATX_SYNC_TYPE) == AT_STATX_SYNC_TYPE)
        return -EINVAL;
    return stat_path(folder, path, flags, write_statx, to);
}

/* ---- File systems ------------------------------------------------------------------------------------ */

struct statfs32 {
    uint32_t type, block_size, blocks, free, available, files, files_free, id[2], name_longest, fragment, flags,
        spare[4];
};
struct statfs64 {
    uint32_t type, block_size;
    uint64_t blocks, free, available, files, files_free;
    uint32_t id[2], name_longest, fragment, flags, spare[4];
} __attribute__((packed, aligned(4)));
_Static_assert(sizeof(struct statfs32) == 64 && sizeof(struct statfs64) == 84, "struct statfs, struct statfs64");

enum { FLAGS_VALID = 0x20, FLAGS_RELATIVE_TIME = 0x1000 };

/* Flags of the mount that statfs() returns: their numbers are those of mount(). */
static uint32_t mount_flags(const struct node *node)
{
    uint32_t flags;

    deep_assert(node != NULL);
    flags = node->system != NULL ? node->system->flags & MOUNT_KEPT : 0;
    return FLAGS_VALID | flags | (flags & MOUNT_NO_ACCESS_TIME ? 0 : FLAGS_RELATIVE_TIME);
}

static struct usage usage_of(const struct node *node)
{
    struct usage usage = { 0 };

    deep_assert(node != NULL);
    if (node->system != NULL && node->system->usage != NULL)
        node->system->usage(node->system, &usage);
    return usage;
}

static int write_statfs32(struct node *node, user_t to)
{
    struct usage    usage = usage_of(node);
    struct statfs32 out   = {
        .type = node->system != NULL ? node->system->magic : 0, .block_size = PAGE_SIZE,
        .blocks = (uint32_t)usage.blocks, .free = (uint32_t)usage.blocks_free,
        .available = (uint32_t)usage.blocks_free, .files = (uint32_t)usage.files,
        .files_free = (uint32_t)usage.files_free, .id = { device_of(node), 0 }, .name_longest = NAME_LONGEST,
        .fragment = PAGE_SIZE, .flags = mount_flags(node),
    };

    return user_write(to, &out, sizeof out);
}

static int write_statfs64(struct node *node, user_t to)
{
    struct usage    usage = usage_of(node);
    struct statfs64 out   = {
        .type = node->system != NULL ? node->system->magic : 0, .block_size = PAGE_SIZE, .blocks = usage.blocks,
        .free = usage.blocks_free, .available = usage.blocks_free, .files = usage.files, .files_free = usage.files_free,
        .id = { device_of(node), 0 }, .name_longest = NAME_LONGEST, .fragment = PAGE_SIZE, .flags = mount_flags(node),
    };

    return user_write(to, &out, sizeof out);
}

SYSTEM_CALL(statfs, user_t, path, user_t, to) { return stat_path(AT_FDCWD, path, 0, write_statfs32, to); }
SYSTEM_CALL(fstatfs, int, descriptor, user_t, to) { return stat_file(descriptor, write_statfs32, to); }

SYSTEM_CALL(statfs64, user_t, path, size_t, bytes, user_t, to)
{
    return bytes != sizeof(struct statfs64) ? -EINVAL : stat_path(AT_FDCWD, path, 0, write_statfs64, to);
}

SYSTEM_CALL(fstatfs64, int, descriptor, size_t, bytes, user_t, to)
{
    return bytes != sizeof(struct statfs64) ? -EINVAL : stat_file(descriptor, write_statfs64, to);
}
