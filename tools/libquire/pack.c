/*
 * pack.c - writing the archive. See pack.h.
 *
 * Source   the format: Linux's Documentation/driver-api/early-userspace/buffer-format.rst.
 */
#define _FILE_OFFSET_BITS 64
#include "pack.h"
#include "arena.h"
#include "sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <search.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* The guest's limits of a path and of a name in it; and how much of a file is read at once. */
enum { NEWC_HEADER = 110, GUEST_PATH = 4096, GUEST_NAME = 255, PORTION = 1 << 20 };

/* A file of this machine that has several names, and its number in the archive. */
struct twin {
    dev_t    device;
    ino_t    inode;
    uint32_t number;
};

struct packing {
    void    **twins;                /* a tree of tsearch(3) */
    uint32_t  numbers;              /* inode numbers given out so far */
    char     *portion;
    int       fd;
    uint64_t  offset;               /* bytes of the archive that are written   */
    int       status;               /* exit status of the first error, or 0     */
};

static void pack_fail(struct packing *p, const char *what, const char *why)
{
    if (p->status == 0)
        p->status = tell(SANDBOX_FAILED, "%s: %s", what, why);
}

static bool is_zero(const char *bytes, size_t size)
{
    return bytes[0] == '\0' && memcmp(bytes, bytes + 1, size - 1) == 0;
}

/* Long runs of zeros are not written, so that they are holes of the file and cost no memory of the host. */
static void put(struct packing *p, const char *bytes, size_t size)
{
    bool hole = size >= PACK_PAGE && is_zero(bytes, size) && lseek(p->fd, (off_t)size, SEEK_CUR) >= 0;

    p->offset += size;
    while (!hole && size > 0 && p->status == 0) {
        ssize_t done = write(p->fd, bytes, size);

        if (done < 0 && errno != EINTR)
            pack_fail(p, "the archive", strerror(errno));
        bytes += done > 0 ? done : 0;
        size  -= done > 0 ? (size_t)done : 0;
    }
}

/* Zeros up to the next multiple of four bytes, where headers and contents begin. */
static void put_padding(struct packing *p)
{
    put(p, "\0\0\0", (4 - p->offset % 4) % 4);
}

/* What an entry's header says of a file, beside its path. */
struct header {
    mode_t      mode;               /* with its type                                 */
    time_t      time;
    uint64_t    size;
    uint32_t    number;             /* of the inode                                    */
    uint32_t    names;              /* 0: one                                          */
};

static uint32_t limited(int64_t number)
{
    return number < 0 ? 0 : number > UINT32_MAX ? UINT32_MAX : (uint32_t)number;
}

/* Number, mode, owner and group, names, time, size, two devices, length of the name, no checksum: hexadecimal. */
static void put_header(struct packing *p, const char *path, struct header header)
{
    char *whole = text("070701%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08zx%08x%s",
                       header.number, (unsigned)header.mode, 0, 0,
                       header.names != 0 ? header.names : 1, limited(header.time), (uint32_t)header.size, 0, 0, 0, 0,
                       strlen(path) + 1, 0, path);

    put(p, whole, NEWC_HEADER + strlen(path) + 1);
    put_padding(p);
    drop(whole);
}

/* Bytes of an entry before its contents. */
static uint64_t header_size(const char *path)
{
    return (NEWC_HEADER + strlen(path) + 1 + 3) & ~(uint64_t)3;
}

/* An entry that makes the contents of the next one, called `path`, begin at a page boundary. */
static void align(struct packing *p, const char *path)
{
    static const char zeros[PACK_PAGE];
    uint64_t end = p->offset + header_size(path);
    uint64_t room;

    if (end % PACK_PAGE == 0)
        return;
    room = (0 - (end + header_size(PACK_PADDING))) % PACK_PAGE;
    put_header(p, PACK_PADDING, (struct header){ .mode = S_IFREG | 0400, .size = room, .number = ++p->numbers });
    put(p, zeros, room);
    put_padding(p);
}

static int by_inode(const void *a, const void *b)
{
    const struct twin *left = a, *right = b;

    if (left->device != right->device)
        return left->device < right->device ? -1 : 1;
    return left->inode < right->inode ? -1 : left->inode > right->inode;
}

/* The number of a file with several names; *first: this is the first of them that is packed. */
static uint32_t number_of(struct packing *p, const struct stat *status, bool *first)
{
    struct twin *twin = grown(NULL, 1, sizeof(*twin)), **found;

    *twin = (struct twin){ status->st_dev, status->st_ino, p->numbers + 1 };
    found = tsearch(twin, p->twins, by_inode);
    if (found == NULL)
        arena_fail();
    *first = *found == twin;
    if (*first)
        p->numbers++;
    else
        drop(twin);
    return (*found)->number;
}

/* Copy as many bytes as the header says. A file that has grown since is cut; one that has shrunk is an error. */
static void copy_contents(struct packing *p, const char *name, int fd, uint64_t size)
{
    for (uint64_t done = 0; done < size && p->status == 0;) {
        ssize_t got = read(fd, p->portion, size - done < PORTION ? (size_t)(size - done) : PORTION);

        if (got <= 0)
            pack_fail(p, name, got < 0 ? strerror(errno) : "has become shorter while it was packed");
        else
            put(p, p->portion, (size_t)got);
        done += (uint64_t)(got > 0 ? got : 0);
    }
}

/* A file may have changed since it was added: its size when it is opened now counts. */
static void write_open_file(struct packing *p, const struct tree_node *node, const char *path, const char *name, int fd,
                            const struct stat *status)
{
    struct header header = { .mode = S_IFREG | node->mode, .time = node->time, .size = (uint64_t)status->st_size };
    bool first = true;

    if (status->st_size > UINT32_MAX) {
        pack_fail(p, name, "is larger than 4 GiB");
        return;
    }
    if (status->st_nlink > 1) {
        header.number = number_of(p, status, &first);
        header.names  = (uint32_t)status->st_nlink;
        header.size   = first ? header.size : 0;
    }
    if (header.size >= PACK_PAGE)
        align(p, path);
    if (header.number == 0)
        header.number = ++p->numbers;
    put_header(p, path, header);
    copy_contents(p, name, fd, header.size);
}

static void write_file(struct packing *p, const struct tree_node *node, const char *path)
{
    char *name = tree_origin(node);
    struct stat status;
    int fd = tree_open(node, &status);

    if (fd >= 0) {
        struct held *held = hold_fd(fd);

        write_open_file(p, node, path, name, fd, &status);
        let_go(held);
    } else {
        bool replaced = errno == ELOOP || errno == ENOTDIR || errno == EINVAL || errno == EISDIR;

        pack_fail(p, name, replaced ? "is no file any more, but was one when it was found" : strerror(errno));
    }
    drop(name);
}

/* True for a name that the guest cannot make: it would refuse the whole archive. */
static bool has_long_name(const char *path)
{
    for (const char *at = path; *at != '\0'; at += strcspn(at, "/"), at += *at == '/')
        if (strcspn(at, "/") > GUEST_NAME)
            return true;
    return strlen(path) >= GUEST_PATH;
}

static void write_node(const struct tree_node *node, void *with)
{
    struct header header = { .time = node->time };
    struct packing *p = with;
    const char *path = node->path + 1;

    if (p->status == 0 && has_long_name(path))
        pack_fail(p, node->path, "is too long a path for the guest");
    if (p->status != 0)
        return;
    switch (node->kind) {
    case TREE_FOLDER:
        header.mode   = S_IFDIR | node->mode;
        header.number = ++p->numbers;
        put_header(p, path, header);
        break;
    case TREE_LINK:
    case TREE_BYTES:
        header.mode = (node->kind == TREE_LINK ? S_IFLNK : S_IFREG) | node->mode;
        header.size = node->size;
        header.number = ++p->numbers;
        put_header(p, path, header);
        put(p, node->content, node->size);
        break;
    case TREE_FILE:
        write_file(p, node, path);
        break;
    }
    put_padding(p);
}

static void leave_twin(void *twin) { (void)twin; }

static void end_twins(void *root) { tdestroy(*(void **)root, leave_twin); }

int pack(const struct tree *tree, int *fd, uint64_t *size)
{
    struct packing p = { .fd = memfd_create("quire-archive", MFD_CLOEXEC) };
    struct held *archive, *twins;

    if (p.fd < 0)
        return tell(SANDBOX_FAILED, "no memory for the archive: %s", strerror(errno));
    archive   = hold_fd(p.fd);
    p.portion = grown(NULL, PORTION, 1);
    p.twins   = grown(NULL, 1, sizeof(*p.twins));
    *p.twins  = NULL;
    twins = hold(end_twins, p.twins);
    tree_walk(tree, write_node, &p);
    put_header(&p, "TRAILER!!!", (struct header){ 0 });
    if (p.status == 0 && ftruncate(p.fd, (off_t)p.offset) != 0)
        pack_fail(&p, "the archive", strerror(errno));
    keep(twins);
    tdestroy(*p.twins, drop);
    drop(p.twins);
    drop(p.portion);
    if (p.status != 0) {
        let_go(archive);
        return p.status;
    }
    keep(archive);
    *fd = p.fd;
    *size = p.offset;
    return 0;
}
