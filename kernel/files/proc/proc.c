/*
 * proc.c - the tree of /proc, whose nodes are made when they are looked up.
 */
#include "files/proc/proc.h"

#include "base/check.h"
#include "base/error.h"
#include "base/print.h"
#include "base/string.h"
#include "files/path/path.h"
#include "files/proc/proc_node.h"
#include "memory/heap/heap.h"
#include "process/process.h"

enum { PROC_MAGIC = 0x9FA0, NUMBER_LONGEST = 10, NUMBERS_FROM = 256, FIRST_ROOM = 1024, LINE_LONGEST = 512,
       STORE_MOST = 256 };
enum { ROOT_INODE = 1, DESCRIPTOR_LINK_BYTES = 64 };     /* what Linux tells of /proc/PID/fd/N */

/* ---- Text ------------------------------------------------------------------------------------- */

bool text_reserve(struct text *text, size_t count)
{
    size_t room = text->room;
    char  *bytes;

    if (room > 0 && room - text->length >= count)
        return true;
    for (room = room == 0 ? FIRST_ROOM : room; room - text->length < count; )
        room *= 2;
    bytes = text->failed ? NULL : heap_resize(text->bytes, room);
    text->failed = bytes == NULL;
    if (text->failed)
        return false;
    text->bytes = bytes;
    text->room  = room;
    return true;
}

void text_add_bytes(struct text *text, const void *bytes, size_t count)
{
    if (!text_reserve(text, count))
        return;
    memcpy(text->bytes + text->length, bytes, count);
    text->length += count;
}

/* In place: the line is not copied. */
void text_add(struct text *text, const char *format, ...)
{
    va_list list;
    int     length;

    if (!text_reserve(text, LINE_LONGEST))
        return;
    va_start(list, format);
    length = format_list(text->bytes + text->length, LINE_LONGEST, format, list);
    va_end(list);
    text->length += (size_t)length < LINE_LONGEST ? (size_t)length : LINE_LONGEST - 1;
}

void text_add_escaped(struct text *text, const char *bytes, const char *escaped)
{
    for (;; bytes++) {
        size_t plain = 0;

        while (bytes[plain] != '\0' && strchr(escaped, bytes[plain]) == NULL)
            plain++;
        text_add_bytes(text, bytes, plain);
        bytes += plain;
        if (*bytes == '\0')
            return;
        text_add(text, "\\%03o", (unsigned)(unsigned char)*bytes);
    }
}

void text_pad(struct text *text, size_t line, size_t column)
{
    size_t count = text->length - line < column ? column - (text->length - line) : 0;

    assert(line <= text->length);
    if (!text_reserve(text, count))
        return;
    memset(text->bytes + text->length, ' ', count);
    text->length += count;
}

void text_add_set(struct text *text, const char *name, uint64_t set)
{
    char line[NUMBER_MOST], *end = format_number(line, set, 16, 16);

    *end++ = '\n';
    text_add_bytes(text, name, strlen(name));
    text_add_bytes(text, line, (size_t)(end - line));
}

void text_add_kilobytes(struct text *text, const char *name, unsigned long kilobytes)
{
    enum { NAME_WIDTH = 16, NUMBER_WIDTH = 8 };
    char   number[NUMBER_MOST], *end = format_number(number, kilobytes, 10, 1);
    size_t line = text->length, length = strlen(name), digits = (size_t)(end - number);
    size_t column = name[length - 1] == '\t' || length > NAME_WIDTH ? length : NAME_WIDTH;

    text_add_bytes(text, name, length);
    if (digits < NUMBER_WIDTH)
        text_pad(text, line, column + NUMBER_WIDTH - digits);
    text_add_bytes(text, number, digits);
    text_add_bytes(text, " kB\n", 4);
}

/* ---- Files --------------------------------------------------------------------------------------- */

/* file->own, made by open(), is the text since the last read from the start. The node's lock is held. */
static int write_file_text(struct file *file)
{
    struct proc_node *self = proc_of(file->node);
    struct text      *text = file->own;
    int               err;

    deep_assert((file->node->mode & S_FMT) == S_REGULAR);
    text->length = 0;
    text->failed = false;
    if (self->entry->fixed != NULL) {
        text_add_bytes(text, self->entry->fixed, strlen(self->entry->fixed));
        err = 0;
    } else {
        err = self->entry->text(text, self);
    }
    return err != 0 ? err : text->failed ? -ENOMEM : 0;
}

static long proc_read(struct file *file, struct buffer *to, uint64_t at)
{
    struct proc_node *self = proc_of(file->node);
    struct text      *text = file->own;
    size_t            left, put;
    int               err;

    if (self->entry->move != NULL)
        return self->entry->move(self, to, at, false);
    if (self->entry->text == NULL && self->entry->fixed == NULL)
        return -EINVAL;
    err = at == 0 || text->bytes == NULL ? write_file_text(file) : 0;
    if (err != 0)
        return err;
    if (at >= text->length)
        return 0;
    left = text->length - (size_t)at;
    if (left > to->bytes)
        left = to->bytes;
    put = buffer_put(to, text->bytes + at, left);
    return put > 0 || left == 0 ? (long)put : -EFAULT;
}

static long proc_write(struct file *file, struct buffer *from, uint64_t at)
{
    struct proc_node *self = proc_of(file->node);
    char              bytes[STORE_MOST + 1];
    size_t            asked = from->bytes, count = asked, got;
    int               err;

    if (self->entry->move != NULL)
        return self->entry->move(self, from, at, true);
    if (self->entry->store == NULL)
        return -EINVAL;
    if (count > STORE_MOST)                     /* nothing that is taken is as long; as on Linux, the rest is dropped */
        count = STORE_MOST;
    got = buffer_get(from, bytes, count);
    if (got < count)
        return -EFAULT;
    bytes[got] = '\0';
    err = self->entry->store(self, bytes);
    return err != 0 ? err : (long)asked;
}

/* Where another's files are, whatever the way to them, and in them, and what it maps: for its owner, and itself. */
static bool may_look_into(const struct proc_node *self)
{
    return acts_as_owner(&self->node) || self->process == current_process()->id;
}

/* A file of /sys that cannot be written is not even opened for writing, as on Linux. */
static int proc_open(struct node *node, struct file *file)
{
    const struct proc_node *self = proc_of(node);

    if (node->system->magic != PROC_MAGIC && self->entry->store == NULL && file_writes(file))
        return -EACCES;
    if ((self->entry->text == proc_maps || self->entry->text == proc_smaps ||
         self->entry->text == proc_smaps_rollup || self->kind == PROC_DESCRIPTOR_INFO) && !may_look_into(self))
        return -EACCES;
    if (self->entry->text == NULL && self->entry->fixed == NULL)
        return 0;
    file->own = heap_alloc(sizeof(struct text), HEAP_ZERO);
    return file->own != NULL ? 0 : -ENOMEM;
}

static void proc_close(struct file *file)
{
    struct text *text = file->own;

    if (text == NULL)
        return;
    heap_free(text->bytes);
    heap_free_sized(text, sizeof *text);
}

static int proc_resize(struct node *node __attribute__((unused)), uint64_t bytes __attribute__((unused))) { return 0; }

static void proc_release(struct node *node)
{
    struct proc_node *self = proc_of(node), *above = self->above;

    heap_free_sized(self, sizeof *self);
    if (above != NULL)
        node_release(&above->node);
}

static struct node *proc_whereabouts(struct node *node, const char **name, size_t *length)
{
    struct proc_node *self = proc_of(node);

    if (self->above == NULL)
        return NULL;
    *name   = self->kind == PROC_STATIC ? self->entry->name : self->number;
    *length = strlen(*name);
    return &self->above->node;
}

/* ---- Links ------------------------------------------------------------------------------------------ */

static int proc_follow(struct node *node, struct node **out)
{
    struct proc_node *self = proc_of(node);

    deep_assert((node->mode & S_FMT) == S_LINK);
    if (!may_look_into(self))
        return -EACCES;
    *out = self->entry->target(self);
    return *out != NULL ? 0 : -ENOENT;
}

static long proc_read_link(struct node *node, char *to, size_t size)
{
    struct node *target;
    long         length = proc_follow(node, &target);

    if (length != 0)
        return length;
    length = path_describe(current_process()->fs, target, to, size);
    node_release(target);
    return length;
}

/* "self" and "thread-self" are links by text, with a number in them. */
static long read_link_text(struct node *node, char *to, size_t size)
{
    struct proc_node *self = proc_of(node);
    struct text       text = { 0 };
    long              length = self->entry->text(&text, self);

    if (length == 0 && text.failed)
        length = -ENOMEM;
    if (length == 0) {
        length = (long)(text.length < size ? text.length : size);
        memcpy(to, text.bytes, (size_t)length);
    }
    heap_free(text.bytes);
    return length;
}

/* ---- Nodes ----------------------------------------------------------------------------------------------- */

static const struct node_operations folder_operations, file_operations, link_operations, text_link_operations;

static const struct node_operations *proc_operations_of(const struct proc_entry *entry)
{
    switch (entry->mode & S_FMT) {
    case S_FOLDER: return &folder_operations;
    case S_LINK:   return entry->target != NULL ? &link_operations : &text_link_operations;
    default:       return &file_operations;
    }
}

/* What a process has that has had other rights is root's to others, but for folders that all may read; as on Linux. */
static bool is_its_own(const struct proc_node *node, const struct process *process)
{
    return process->memory == NULL || process->memory->dumpable || process == current_process() ||
           node->entry->mode == (S_FOLDER | 0555);
}

static struct proc_node *make_proc_node(struct proc_node *above, const struct proc_entry *entry)
{
    struct proc_node *self = heap_alloc(sizeof *self, HEAP_ZERO);
    struct process   *process;

    assert(above != NULL && entry != NULL);
    if (self == NULL)
        return NULL;
    node_start(&self->node, proc_operations_of(entry), above->node.system, entry->mode);
    self->node.links = (entry->mode & S_FMT) == S_FOLDER ? 2 : 1;
    if ((entry->mode & S_FMT) == S_REGULAR && above->node.system->magic != PROC_MAGIC)
        self->node.bytes = PAGE_SIZE;           /* of a file of /sys this is said, whatever is in it */
    self->entry      = entry;
    self->above      = above;
    self->process    = above->process;
    self->thread     = above->thread;
    self->born       = above->born;
    node_hold(&above->node);
    process = proc_process(self);
    if (process != NULL && is_its_own(self, process)) {
        self->node.uid = process->credentials->user.effective;
        self->node.gid = process->credentials->group.effective;
    }
    return self;
}

static bool read_name_number(const char *name, size_t length, int32_t *out)
{
    int32_t number = 0;

    if (length == 0 || length > NUMBER_LONGEST - 1 || (name[0] == '0' && length > 1))
        return false;
    for (size_t i = 0; i < length; i++) {
        if (name[i] < '0' || name[i] > '9')
            return false;
        number = number * 10 + (name[i] - '0');
    }
    *out = number;
    return true;
}

/* What numbers mean in a folder: processes in the root, threads in task, descriptors in fd and fdinfo. */
static enum proc_kind numbers_in(const struct proc_node *folder)
{
    static const struct { const char *name; enum proc_kind kind; } folders[] = {
        { "task", PROC_TASK }, { "fd", PROC_DESCRIPTOR }, { "fdinfo", PROC_DESCRIPTOR_INFO },
    };

    if (folder->above == NULL)
        return folder->entry->children == proc_root_entries ? PROC_PROCESS : PROC_STATIC;
    for (unsigned i = 0; i < COUNT_OF(folders); i++)
        if (folder->kind == PROC_STATIC && folder->process != 0 && strcmp(folder->entry->name, folders[i].name) == 0)
            return folders[i].kind;
    return PROC_STATIC;
}

static int32_t next_number(const struct proc_node *folder, enum proc_kind kind, int32_t from)
{
    assert(from >= 0);
    switch (kind) {
    case PROC_PROCESS:    return proc_next_process(from);
    case PROC_TASK:       return proc_next_thread(folder->process, from);
    case PROC_DESCRIPTOR: case PROC_DESCRIPTOR_INFO:
        return proc_next_descriptor(folder->process, from);
    default:              return -1;
    }
}

/* Threads may be named in the root as well, though the root does not list them. */
static bool number_exists(const struct proc_node *folder, enum proc_kind kind, int32_t number)
{
    return (kind == PROC_PROCESS && thread_find(number) != NULL) || next_number(folder, kind, number) == number;
}

static int look_up_number(struct proc_node *folder, int32_t number, struct node **out)
{
    static const struct proc_entry *const entries[] = {
        [PROC_PROCESS] = &proc_process_entry, [PROC_TASK] = &proc_task_entry,
        [PROC_DESCRIPTOR] = &proc_descriptor_entry, [PROC_DESCRIPTOR_INFO] = &proc_descriptor_info_entry,
    };
    enum proc_kind    kind = numbers_in(folder);
    struct proc_node *self;

    if (kind == PROC_STATIC || !number_exists(folder, kind, number))
        return -ENOENT;
    self = make_proc_node(folder, entries[kind]);
    if (self == NULL)
        return -ENOMEM;
    self->kind = kind;
    format_text(self->number, sizeof self->number, "%d", number);
    if (kind == PROC_PROCESS) {
        const struct thread *thread = thread_find(number);

        self->process = process_find(number) != NULL ? number : thread->process->id;
        self->born    = process_find(self->process)->start_time;
    } else if (kind == PROC_TASK) {
        self->thread = number;
    } else {
        self->descriptor = number;
        if (kind == PROC_DESCRIPTOR) {
            self->node.bytes = DESCRIPTOR_LINK_BYTES;
            self->node.mode  = proc_descriptor_mode(self);
        }
    }
    self->node.inode = proc_number_number(folder, kind, kind == PROC_PROCESS ? self->process : number);
    *out = &self->node;
    return 0;
}

static int proc_look_up(struct node *node, const char *name, size_t length, struct node **out)
{
    struct proc_node *self = proc_of(node), *found;
    int32_t           number;

    if (length == 2 && name[0] == '.' && name[1] == '.') {
        node_hold(*out = self->above != NULL ? &self->above->node : node);
        return 0;
    }
    if (self->process != 0 && proc_process(self) == NULL)
        return -ENOENT;
    if (read_name_number(name, length, &number))
        return look_up_number(self, number, out);
    for (const struct proc_entry *entry = self->entry->children; entry->name != NULL; entry++) {
        if (strlen(entry->name) != length || memcmp(entry->name, name, length) != 0)
            continue;
        found = make_proc_node(self, entry);
        if (found == NULL)
            return -ENOMEM;
        found->node.inode = proc_entry_number(self, entry);
        *out = &found->node;
        return 0;
    }
    return -ENOENT;
}

static uint32_t mode_of(enum proc_kind kind)
{
    return kind == PROC_DESCRIPTOR ? S_LINK : kind == PROC_DESCRIPTOR_INFO ? S_REGULAR : S_FOLDER;
}

/* Places in a listing: 0 and 1 for the dots, then the entries, then NUMBERS_FROM + number. */
static int proc_list(struct node *node, uint64_t from, folder_visit visit, void *data)
{
    struct proc_node *self = proc_of(node);
    enum proc_kind    kind = numbers_in(self);
    uint64_t          at   = 2;
    int32_t           number;

    if (self->process != 0 && proc_process(self) == NULL)
        return -ENOENT;
    if (kind == PROC_DESCRIPTOR_INFO && !may_look_into(self))
        return -EACCES;                         /* though its rights look otherwise, as on Linux */
    if (from > INT32_MAX)
        return 0;                               /* where lseek() led, and no number does */
    if (from == 0 && !visit(data, ".", 1, node->inode, S_FOLDER, 1))
        return 0;
    if (from <= 1 && !visit(data, "..", 2, self->above != NULL ? self->above->node.inode : node->inode, S_FOLDER, 2))
        return 0;
    for (const struct proc_entry *entry = self->entry->children; entry->name != NULL; entry++, at++)
        if (at >= from &&
            !visit(data, entry->name, strlen(entry->name), proc_entry_number(self, entry), entry->mode, at + 1))
            return 0;
    number = from > NUMBERS_FROM ? (int32_t)(from - NUMBERS_FROM) : 0;
    for (; (number = next_number(self, kind, number)) >= 0; number++) {
        char name[NUMBER_LONGEST + 1];
        int  length = format_text(name, sizeof name, "%d", number);

        if (!visit(data, name, (size_t)length, proc_number_number(self, kind, number), mode_of(kind),
                   (uint64_t)number + NUMBERS_FROM + 1))
            return 0;
    }
    return 0;
}

/* A name that is not there cannot come to be: the look-up fails before the right to make one is asked about. */
static int refuse_name(struct node *folder __attribute__((unused)), const char *name __attribute__((unused)),
                       size_t length __attribute__((unused)), uint32_t mode __attribute__((unused)),
                       uint32_t device __attribute__((unused)), struct node **out __attribute__((unused)))
{
    return -ENOENT;
}

static int refuse_link(struct node *folder __attribute__((unused)), const char *name __attribute__((unused)),
                       size_t length __attribute__((unused)), struct node *node __attribute__((unused)))
{
    return -ENOENT;
}

static int refuse_symlink(struct node *folder __attribute__((unused)), const char *name __attribute__((unused)),
                          size_t length __attribute__((unused)), const char *target __attribute__((unused)),
                          struct node **out __attribute__((unused)))
{
    return -ENOENT;
}

static const struct node_operations folder_operations = {
    .traits = NODE_FLEETING, .look_up = proc_look_up, .list = proc_list, .create = refuse_name, .link = refuse_link,
    .symlink = refuse_symlink, .release = proc_release, .whereabouts = proc_whereabouts,
};
static const struct node_operations file_operations = {
    .read = proc_read, .write = proc_write, .open = proc_open, .close = proc_close, .resize = proc_resize,
    .release = proc_release, .whereabouts = proc_whereabouts,
};
static const struct node_operations link_operations = {
    .read_link = proc_read_link, .follow = proc_follow, .release = proc_release,
};
static const struct node_operations text_link_operations = { .read_link = read_link_text, .release = proc_release };

/* ---- The root ------------------------------------------------------------------------------------------- */

static void proc_end(struct file_system *system)
{
    node_release(system->root);
    system_free(system);
}

struct file_system *proc_system(const struct proc_entry *root, const char *type, uint32_t magic)
{
    struct file_system *system = heap_alloc(sizeof *system, 0);
    struct proc_node   *self   = heap_alloc(sizeof *self, HEAP_ZERO);

    if (system == NULL || self == NULL) {
        heap_free(system);
        heap_free(self);
        return NULL;
    }
    system_start(system, type, magic);
    node_start(&self->node, &folder_operations, system, root->mode);
    self->node.inode = ROOT_INODE;
    self->node.links = 2;
    self->entry  = root;
    system->root = &self->node;
    system->end  = proc_end;
    return system;
}

struct file_system *proc_new(void)
{
    static const struct proc_entry root = { .mode = S_FOLDER | 0555, .children = proc_root_entries };

    return proc_system(&root, "proc", PROC_MAGIC);
}
