/*
 * messages.c - vectors of bytes for files of which a read, or a write, is one message, whatever the pieces.
 *
 * A socket is given the pieces. Other such files are given bytes of the kernel's, a page at a time.
 */
#include "base/check.h"
#include "base/error.h"
#include "files/ipc/pipe.h"
#include "files/ipc/socket.h"
#include "linux/files.h"
#include "memory/heap/heap.h"

bool moves_messages(struct file *file, bool writing)
{
    if (pipe_is(file))
        return writing ? (file->flags & O_DIRECT) != 0 : pipe_has_packet(file);
    return socket_is(file) || (!writing && (file->operations->traits & NODE_WHOLE));
}

/* Copy bytes of the kernel's to the pieces, or from them, and move the pieces on. Returns how many. */
static size_t move_on_pieces(struct buffer *pieces, size_t count, char *bytes, size_t length, bool writing)
{
    size_t done = 0;

    deep_assert(pieces != NULL && bytes != NULL);
    for (size_t i = 0; i < count && done < length; i++) {
        size_t part = length - done < pieces[i].bytes ? length - done : pieces[i].bytes;
        size_t got  = writing ? buffer_get(&pieces[i], bytes + done, part) : buffer_put(&pieces[i], bytes + done, part);

        done += got;
        if (got < part)
            break;
    }
    return done;
}

static struct buffer at_most_a_page(char *page, size_t bytes)
{
    return (struct buffer){ .kernel = true, .memory = page, .bytes = bytes < PAGE_SIZE ? bytes : PAGE_SIZE };
}

static long read_message(struct file *file, struct buffer *pieces, size_t count, size_t bytes, char *page)
{
    struct buffer to  = at_most_a_page(page, bytes);
    long          got = file_read(file, &to);

    return got > 0 && move_on_pieces(pieces, count, page, (size_t)got, false) < (size_t)got ? -EFAULT : got;
}

static long write_messages(struct file *file, struct buffer *pieces, size_t count, size_t bytes, char *page)
{
    long done = 0;

    while ((size_t)done < bytes) {
        struct buffer from = at_most_a_page(page, bytes - (size_t)done);
        size_t        part = from.bytes;
        long          wrote = move_on_pieces(pieces, count, page, part, true) == part ? file_write(file, &from)
                                                                                       : -EFAULT;

        if (wrote < 0)
            return done > 0 ? done : wrote;
        done += wrote;
        if ((size_t)wrote < part)
            break;
    }
    return done;
}

long move_message(struct file *file, bool writing, struct buffer *pieces, size_t count)
{
    size_t bytes = 0;
    char  *page;
    long   done;

    deep_assert(file != NULL && pieces != NULL);
    for (size_t i = 0; i < count; i++)
        bytes += pieces[i].bytes;
    if (bytes == 0)
        return 0;
    if (socket_is(file))
        return socket_move(file, writing, pieces, count);
    page = heap_alloc(PAGE_SIZE, 0);
    if (page == NULL)
        return -ENOMEM;
    done = writing ? write_messages(file, pieces, count, bytes, page) : read_message(file, pieces, count, bytes, page);
    heap_free(page);
    return done;
}
