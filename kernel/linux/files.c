/*
 * files.c - descriptors, and paths copied in from programs. See files.h.
 */
#include "linux/files.h"

#include "base/check.h"
#include "base/error.h"
#include "base/string.h"
#include "memory/heap/heap.h"
#include "process/process.h"

enum { SHORT_PATH = 200 };

/* Most paths fit into this buffer; longer paths need pages of the heap. */
int text_in(user_t from, char **out)
{
    size_t size = SHORT_PATH;

    deep_assert(out != NULL);
    for (;;) {
        char *text = heap_alloc(size, 0);
        long  length;

        if (text == NULL)
            return -ENOMEM;
        length = user_read_text(text, from, size);
        if (length >= 0) {
            *out = text;
            return 0;
        }
        heap_free(text);
        if (length != -ENAMETOOLONG || size == PATH_LONGEST)
            return (int)length;
        size = PATH_LONGEST;
    }
}

/* A process of one thread needs no lock: no other thread can close the file before it is held. */
struct file *file_of(int descriptor)
{
    const struct process *process = current_process();
    struct file          *file;

    if (process->thread_count > 1 || !files_are_own(process->files))
        return descriptor_file(process->files, descriptor);
    file = descriptor_peek(process->files, descriptor);
    if (file != NULL)
        file_hold(file);
    return file;
}

struct file *whole_file_of(int descriptor)
{
    struct file *file = file_of(descriptor);

    if (file == NULL || !(file->flags & O_PATH))
        return file;
    file_release(file);
    return NULL;
}

static int start_of_path(int folder, const char *path, struct node **out)
{
    struct file *file;

    deep_assert(path != NULL && out != NULL);
    *out = NULL;
    if (path[0] == '/' || folder == AT_FDCWD)
        return 0;
    file = file_of(folder);
    if (file == NULL)
        return -EBADF;
    *out = file->node;
    node_hold(*out);
    file_release(file);
    return 0;
}

int named_start(struct named *named, int folder)
{
    int err;

    deep_assert(named != NULL);
    err = start_of_path(folder, named->path, &named->start);
    if (err == 0 && named->start != NULL && named->path[0] != '\0' && (named->start->mode & S_FMT) != S_FOLDER)
        err = -ENOTDIR;
    if (err != 0 && named->start != NULL)
        node_release(named->start);
    return err;
}

int named_begin_or_empty(struct named *named, int folder, user_t path, bool may_be_empty)
{
    int err;

    deep_assert(named != NULL);
    err = text_in(path, &named->path);
    if (err != 0)
        return err;
    err = named->path[0] == '\0' && !may_be_empty ? -ENOENT : named_start(named, folder);
    if (err != 0)
        heap_free(named->path);
    return err;
}

int named_begin(struct named *named, int folder, user_t path)
{
    return named_begin_or_empty(named, folder, path, false);
}

void named_end(struct named *named)
{
    deep_assert(named != NULL);
    if (named->start != NULL)
        node_release(named->start);
    heap_free(named->path);
}

int node_of(int folder, user_t path, unsigned flags, struct node **out)
{
    struct named named;
    int          err;

    deep_assert(out != NULL);
    err = named_begin_or_empty(&named, folder, path, (flags & AT_EMPTY_PATH) != 0);
    if (err != 0)
        return err;
    err = path_find(current_process()->fs, named.start, named.path,
                    (flags & AT_SYMLINK_NOFOLLOW ? PATH_NO_FOLLOW : 0) |
                    (flags & AT_EMPTY_PATH ? PATH_EMPTY_IS_START : 0), out);
    named_end(&named);
    return err;
}

static int add_lowest(struct file *file, bool close_on_exec)
{
    const struct process *process = current_process();

    return descriptor_add(process->files, file, 0, close_on_exec, (uint32_t)process->limits[RLIMIT_NOFILE].soft);
}

long new_descriptor(struct file *file, bool close_on_exec)
{
    int number;

    deep_assert(file != NULL);
    number = add_lowest(file, close_on_exec);
    if (number < 0)
        file_release(file);
    return number;
}

long reserve_descriptor(void) { return add_lowest(NULL, false); }

long settle_descriptor(long number, long err, struct file *file, bool close_on_exec)
{
    descriptor_settle(current_process()->files, (int)number, err == 0 ? file : NULL, err == 0 && close_on_exec);
    return err == 0 ? number : err;
}

long new_descriptor_pair(struct file *first, struct file *second, bool close_on_exec, user_t to)
{
    struct files *files = current_process()->files;
    int32_t       pair[2];
    int           err;

    file_hold(first);                           /* no other open file gets their addresses before they are looked for */
    file_hold(second);
    pair[0] = (int32_t)new_descriptor(first, close_on_exec);
    pair[1] = (int32_t)new_descriptor(second, close_on_exec);
    err = pair[0] < 0 ? pair[0] : pair[1] < 0 ? pair[1] : user_write(to, pair, sizeof pair);
    if (err != 0) {
        if (pair[0] >= 0)
            descriptor_withdraw(files, pair[0], first);
        if (pair[1] >= 0)
            descriptor_withdraw(files, pair[1], second);
    }
    file_release(first);
    file_release(second);
    return err;
}

int mask_for_call(user_t mask, size_t bytes)
{
    struct thread *self = current_thread();
    uint64_t       wanted;

    if (bytes != sizeof wanted)
        return -EINVAL;
    if (user_read(&wanted, mask, sizeof wanted) != 0)
        return -EFAULT;
    if (!self->restore_mask)                    /* a call that found no memory is made again: dispatch.c */
        self->saved_mask = self->mask;
    self->restore_mask = true;
    signal_set_mask(wanted);
    return 0;
}

int structure_in(void *out, size_t size, user_t from, size_t given)
{
    size_t   part;
    uint64_t more;

    deep_assert(out != NULL);
    if (given > PAGE_SIZE)
        return -E2BIG;
    for (size_t at = size; at < given; at += part) {
        part = given - at < sizeof more ? given - at : sizeof more;
        more = 0;
        if (user_read(&more, from + at, part) != 0)
            return -EFAULT;
        if (more != 0)
            return -E2BIG;
    }
    memset(out, 0, size);
    return user_read(out, from, given < size ? given : size);
}
