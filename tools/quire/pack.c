/* pack.c - writing the archive, with libarchive. See pack.h. */
#define _FILE_OFFSET_BITS 64
#include "pack.h"
#include "seal.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { NEWC_HEADER = 110 };

struct packing {
    struct archive *archive;
    int             fd;
    uint64_t        offset;         /* bytes of the archive that are written   */
    int             status;         /* of the first thing that went wrong, or 0 */
};

static la_ssize_t write_out(struct archive *archive, void *with, const void *bytes, size_t size)
{
    struct packing *p = with;
    ssize_t done = write(p->fd, bytes, size);

    if (done < 0)
        archive_set_error(archive, errno, "%s", strerror(errno));
    else
        p->offset += (uint64_t)done;
    return done;
}

static void fail(struct packing *p, const char *what, const char *why)
{
    if (p->status == 0)
        p->status = tell(SEAL_FAILED, "%s: %s", what, why);
}

static void write_header(struct packing *p, const char *path, mode_t type, mode_t mode, time_t time, uint64_t size,
                         const char *target)
{
    struct archive_entry *entry = archive_entry_new();

    if (entry == NULL) {
        fail(p, path, "out of memory");
        return;
    }
    archive_entry_set_pathname(entry, path);
    archive_entry_set_filetype(entry, type);
    archive_entry_set_perm(entry, mode);
    archive_entry_set_nlink(entry, 1);
    archive_entry_set_mtime(entry, time, 0);
    archive_entry_set_size(entry, (int64_t)size);
    if (target != NULL)
        archive_entry_set_symlink(entry, target);
    if (archive_write_header(p->archive, entry) < ARCHIVE_WARN)
        fail(p, path, archive_error_string(p->archive));
    archive_entry_free(entry);
}

static void write_bytes(struct packing *p, const char *path, const void *bytes, uint64_t size)
{
    if (p->status == 0 && size > 0 && archive_write_data(p->archive, bytes, size) != (la_ssize_t)size)
        fail(p, path, archive_error_string(p->archive));
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
    write_header(p, PACK_PADDING, AE_IFREG, 0400, 0, room, NULL);
    write_bytes(p, PACK_PADDING, zeros, room);
    archive_write_finish_entry(p->archive);
}

/* A file may have changed since it was added: its size now is what counts. */
static void write_file(struct packing *p, const struct tree_node *node, const char *path)
{
    int fd = open(node->content, O_RDONLY | O_CLOEXEC);
    struct stat status;
    void *bytes = NULL;

    if (fd < 0 || fstat(fd, &status) != 0) {
        fail(p, node->content, strerror(errno));
    } else if (status.st_size > UINT32_MAX) {
        fail(p, node->content, "is larger than 4 GiB");
    } else {
        if (status.st_size > 0)
            bytes = mmap(NULL, (size_t)status.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
        if (bytes == MAP_FAILED) {
            fail(p, node->content, strerror(errno));
        } else {
            if (status.st_size >= PACK_PAGE)
                align(p, path);
            write_header(p, path, AE_IFREG, node->mode, node->time, (uint64_t)status.st_size, NULL);
            write_bytes(p, node->content, bytes, (uint64_t)status.st_size);
            if (bytes != NULL)
                munmap(bytes, (size_t)status.st_size);
        }
    }
    if (fd >= 0)
        close(fd);
}

static void write_node(const struct tree_node *node, void *with)
{
    struct packing *p = with;
    const char *path = node->path + 1;

    if (p->status != 0)
        return;
    switch (node->kind) {
    case TREE_FOLDER:
        write_header(p, path, AE_IFDIR, node->mode, node->time, 0, NULL);
        break;
    case TREE_LINK:
        write_header(p, path, AE_IFLNK, node->mode, node->time, 0, node->content);
        break;
    case TREE_BYTES:
        write_header(p, path, AE_IFREG, node->mode, node->time, node->size, NULL);
        write_bytes(p, path, node->content, node->size);
        break;
    case TREE_FILE:
        write_file(p, node, path);
        break;
    }
    /* Only then has everything of this entry been counted. */
    if (p->status == 0 && archive_write_finish_entry(p->archive) != ARCHIVE_OK)
        fail(p, path, archive_error_string(p->archive));
}

int pack(const struct tree *tree, int *fd, uint64_t *size)
{
    struct packing p = { .fd = memfd_create("quire-archive", MFD_CLOEXEC) };

    if (p.fd < 0)
        return tell(SEAL_FAILED, "no memory for the archive: %s", strerror(errno));
    p.archive = archive_write_new();
    if (p.archive == NULL || archive_write_set_format_cpio_newc(p.archive) != ARCHIVE_OK ||
        archive_write_set_bytes_per_block(p.archive, 0) != ARCHIVE_OK ||
        archive_write_open(p.archive, &p, NULL, write_out, NULL) != ARCHIVE_OK)
        fail(&p, "archive", p.archive != NULL ? archive_error_string(p.archive) : "out of memory");
    else
        tree_walk(tree, write_node, &p);
    if (p.archive != NULL) {
        if (archive_write_close(p.archive) != ARCHIVE_OK)
            fail(&p, "archive", archive_error_string(p.archive));
        archive_write_free(p.archive);
    }
    if (p.status != 0) {
        close(p.fd);
        return p.status;
    }
    *fd = p.fd;
    *size = p.offset;
    return 0;
}
