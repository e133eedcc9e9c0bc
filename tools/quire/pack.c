/* pack.c - writing the archive, with libarchive. See pack.h. */
#define _FILE_OFFSET_BITS 64
#include "pack.h"
#include "sandbox.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <fcntl.h>
#include <search.h>
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
    struct archive *archive;
    void           *twins;          /* a tree of tsearch(3) */
    uint32_t        numbers;        /* inode numbers given out so far */
    char           *portion;
    int             fd;
    uint64_t        offset;         /* bytes of the archive that are written   */
    int             status;         /* exit status of the first error, or 0     */
};

static bool is_zero(const char *bytes, size_t size)
{
    return bytes[0] == '\0' && memcmp(bytes, bytes + 1, size - 1) == 0;
}

/* Long runs of zeros are not written, so that they are holes of the file and cost no memory of the host. */
static la_ssize_t write_out(struct archive *archive, void *with, const void *bytes, size_t size)
{
    struct packing *p = with;
    bool zeros = size >= PACK_PAGE && is_zero(bytes, size) && lseek(p->fd, (off_t)size, SEEK_CUR) >= 0;
    ssize_t done = zeros ? (ssize_t)size : write(p->fd, bytes, size);

    if (done < 0)
        archive_set_error(archive, errno, "%s", strerror(errno));
    else
        p->offset += (uint64_t)done;
    return done;
}

static void pack_fail(struct packing *p, const char *what, const char *why)
{
    if (p->status == 0)
        p->status = tell(SANDBOX_FAILED, "%s: %s", what, why);
}

/* What an entry's header says of a file, beside its path. */
struct header {
    mode_t      type, mode;
    time_t      time;
    uint64_t    size;
    const char *target;             /* a link's target                               */
    uint32_t    number, names;      /* 0: the entry gets a new number, for one name    */
};

static void write_header(struct packing *p, const char *path, struct header header)
{
    struct archive_entry *entry = archive_entry_new();

    if (entry == NULL) {
        pack_fail(p, path, "out of memory");
        return;
    }
    archive_entry_set_pathname(entry, path);
    archive_entry_set_filetype(entry, header.type);
    archive_entry_set_perm(entry, header.mode);
    archive_entry_set_ino(entry, header.number != 0 ? header.number : ++p->numbers);
    archive_entry_set_nlink(entry, header.names != 0 ? header.names : 1);
    archive_entry_set_mtime(entry, header.time, 0);
    archive_entry_set_size(entry, (int64_t)header.size);
    if (header.target != NULL)
        archive_entry_set_symlink(entry, header.target);
    if (archive_write_header(p->archive, entry) < ARCHIVE_WARN)
        pack_fail(p, path, archive_error_string(p->archive));
    archive_entry_free(entry);
}

static void write_bytes(struct packing *p, const char *path, const void *bytes, uint64_t size)
{
    if (p->status == 0 && size > 0 && archive_write_data(p->archive, bytes, size) != (la_ssize_t)size)
        pack_fail(p, path, archive_error_string(p->archive));
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
    write_header(p, PACK_PADDING, (struct header){ .type = AE_IFREG, .mode = 0400, .size = room });
    write_bytes(p, PACK_PADDING, zeros, room);
    archive_write_finish_entry(p->archive);
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
    found = tsearch(twin, &p->twins, by_inode);
    if (found == NULL)
        exit(tell(SANDBOX_FAILED, "out of memory"));
    *first = *found == twin;
    if (*first)
        p->numbers++;
    else
        free(twin);
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
            write_bytes(p, name, p->portion, (uint64_t)got);
        done += (uint64_t)(got > 0 ? got : 0);
    }
}

/* A file may have changed since it was added: its size when it is opened now counts. */
static void write_open_file(struct packing *p, const struct tree_node *node, const char *path, const char *name, int fd,
                            const struct stat *status)
{
    struct header header = { .type = AE_IFREG,
                             .mode = node->mode,
                             .time = node->time,
                             .size = (uint64_t)status->st_size };
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
    write_header(p, path, header);
    copy_contents(p, name, fd, header.size);
}

static void write_file(struct packing *p, const struct tree_node *node, const char *path)
{
    char *name = tree_origin(node);
    struct stat status;
    int fd = tree_open(node, &status);

    if (fd >= 0) {
        write_open_file(p, node, path, name, fd, &status);
        close(fd);
    } else {
        bool replaced = errno == ELOOP || errno == ENOTDIR || errno == EINVAL || errno == EISDIR;

        pack_fail(p, name, replaced ? "is no file any more, but was one when it was found" : strerror(errno));
    }
    free(name);
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
    struct header header = { .mode = node->mode, .time = node->time };
    struct packing *p = with;
    const char *path = node->path + 1;

    if (p->status == 0 && has_long_name(path))
        pack_fail(p, node->path, "is too long a path for the guest");
    if (p->status != 0)
        return;
    switch (node->kind) {
    case TREE_FOLDER:
        header.type = AE_IFDIR;
        write_header(p, path, header);
        break;
    case TREE_LINK:
        header.type   = AE_IFLNK;
        header.target = node->content;
        write_header(p, path, header);
        break;
    case TREE_BYTES:
        header.type = AE_IFREG;
        header.size = node->size;
        write_header(p, path, header);
        write_bytes(p, path, node->content, node->size);
        break;
    case TREE_FILE:
        write_file(p, node, path);
        break;
    }
    /* Only after this does p->offset count the whole entry. */
    if (p->status == 0 && archive_write_finish_entry(p->archive) != ARCHIVE_OK)
        pack_fail(p, path, archive_error_string(p->archive));
}

int pack(const struct tree *tree, int *fd, uint64_t *size)
{
    struct packing p = { .fd = memfd_create("quire-archive", MFD_CLOEXEC) };

    if (p.fd < 0)
        return tell(SANDBOX_FAILED, "no memory for the archive: %s", strerror(errno));
    p.portion = grown(NULL, PORTION, 1);
    p.archive = archive_write_new();
    if (p.archive == NULL || archive_write_set_format_cpio_newc(p.archive) != ARCHIVE_OK ||
        archive_write_set_bytes_per_block(p.archive, 0) != ARCHIVE_OK ||
        archive_write_open(p.archive, &p, NULL, write_out, NULL) != ARCHIVE_OK)
        pack_fail(&p, "archive", p.archive != NULL ? archive_error_string(p.archive) : "out of memory");
    else
        tree_walk(tree, write_node, &p);
    if (p.archive != NULL) {
        if (archive_write_close(p.archive) != ARCHIVE_OK)
            pack_fail(&p, "archive", archive_error_string(p.archive));
        archive_write_free(p.archive);
    }
    if (p.status == 0 && ftruncate(p.fd, (off_t)p.offset) != 0)
        pack_fail(&p, "archive", strerror(errno));
    tdestroy(p.twins, free);
    free(p.portion);
    if (p.status != 0) {
        close(p.fd);
        return p.status;
    }
    *fd = p.fd;
    *size = p.offset;
    return 0;
}
