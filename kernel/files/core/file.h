/*
 * file.h - nodes, open files and descriptors.
 *
 *   node        a file as the file system knows it: regular, folder, link, pipe, device, socket. Counted.
 *   open file   what open() made: a node, a position, flags. Counted; shared by dup() and fork().
 *   descriptor  a small number of a process that names an open file, with its close-on-exec flag.
 *
 * A node answers through its operations; those it lacks have a sensible default (the error Linux gives).
 * Paths are walked in path/walk.c alone. Names are bytes, at most NAME_LONGEST, never empty.
 *
 * Locking  node->lock (a mutex) around contents, size and folder entries; file->lock around the position.
 *          A folder's lock is taken before those of its entries; two folders' by address. read, write and
 *          resize of regular files are called with node->lock held, those of other nodes without.
 *          file->lock is taken before all others. None is held while a call waits for what another program does:
 *          waiting for a lock does not end by a signal.
 * Owning   a node and an open file live as long as they have references; an open file holds one to its node, a node's
 *          own part ends with operations->release(), an open file's with close().
 * Errors   negative errno, as Linux gives for the same call.
 */
#ifndef QUIRE_FILES_FILE_H
#define QUIRE_FILES_FILE_H

#include "base/poll.h"
#include "base/types.h"
#include "memory/spaces/buffer.h"
#include "memory/spaces/object.h"
#include "memory/spaces/user.h"
#include "process/parts.h"              /* node_use(), a reference that counts as a use, and node_add_runner() */
#include "process/schedule.h"

enum { NAME_LONGEST = 255, PATH_LONGEST = 4096, LINKS_FOLLOWED = 40 };

/* File types in st_mode, and open flags: Linux's numbers on i386. */
enum {
    S_FMT = 0170000, S_SOCKET = 0140000, S_LINK = 0120000, S_REGULAR = 0100000, S_BLOCK = 0060000,
    S_FOLDER = 0040000, S_CHARACTER = 0020000, S_PIPE = 0010000,
};
enum {
    O_ACCMODE = 3, O_RDONLY = 0, O_WRONLY = 1, O_RDWR = 2, O_CREAT = 0100, O_EXCL = 0200, O_NOCTTY = 0400,
    O_TRUNC = 01000, O_APPEND = 02000, O_NONBLOCK = 04000, O_DSYNC = 010000, O_DIRECT = 040000, O_LARGEFILE = 0100000,
    O_DIRECTORY = 0200000, O_NOFOLLOW = 0400000, O_NOATIME = 01000000, O_CLOEXEC = 02000000, O_SYNC = 04010000,
    O_PATH = 010000000, O_TMPFILE = 020200000,
};

struct node;
struct file;

/* How a name is changed. WHITEOUT: a character device of number 0 takes the old name. EXCHANGE goes with no other. */
enum { RENAMING_NOREPLACE = 1, RENAMING_EXCHANGE = 2, RENAMING_WHITEOUT = 4, RENAMING_KNOWN = 7 };

/* One entry of a folder listing; returns false when there is no more room. */
typedef bool (*folder_visit)(void *data, const char *name, size_t length, uint64_t inode, uint32_t mode, uint64_t next);

/* A receiver of lines of text, each with its end. */
struct fact_lines {
    void (*add)(struct fact_lines *to, const char *line, size_t length);
};

/* How a node's bytes behave. */
enum {
    NODE_STREAM = 1,                /* a stream: no position, seeking and pread() fail with -ESPIPE         */
    NODE_SEEKLESS = 2,              /* a position that is always 0: /dev/null                               */
    NODE_ZEROS    = 4,              /* mapping it gives fresh memory: /dev/zero                             */
    NODE_STANDS   = 8,              /* a stream in which seeking does nothing, where others refuse it       */
    NODE_WHOLE    = 16,             /* a read is one thing of its own size, however it is cut in pieces     */
    NODE_FLEETING = 32,             /* each look-up makes a node of its own, so nothing is mounted on one   */
};

struct node_operations {
    unsigned traits;
    /* contents */
    long (*read)(struct file *file, struct buffer *to, uint64_t at);
    long (*write)(struct file *file, struct buffer *from, uint64_t at);
    int  (*resize)(struct node *node, uint64_t bytes);
    long (*control)(struct file *file, unsigned request, user_t argument);         /* ioctl */
    unsigned (*poll)(struct file *file, struct wait_queue **queue);                /* POLL* now; where to wait */
    int  (*open)(struct node *node, struct file *file);
    void (*close)(struct file *file);                                              /* last reference of an open file */
    struct object *(*object)(struct node *node);                                   /* for mmap; NULL: -ENODEV */
    int  (*sync)(struct node *node);
    uint64_t (*pages)(struct node *node);                                          /* frames it holds, for st_blocks */
    /* folders; the node's lock is held */
    int  (*look_up)(struct node *folder, const char *name, size_t length, struct node **out);
    int  (*create)(struct node *folder, const char *name, size_t length, uint32_t mode, uint32_t device,
                   struct node **out);
    int  (*link)(struct node *folder, const char *name, size_t length, struct node *node);
    int  (*remove)(struct node *folder, const char *name, size_t length, bool folder_wanted);
    /* rename: both nodes' locks, and no folder comes into itself, or goes with the other in it */
    int  (*rename)(struct node *from, const char *name, size_t length, struct node *to, const char *new_name,
                   size_t new_length, unsigned flags);
    int  (*list)(struct node *folder, uint64_t from, folder_visit visit, void *data);
    int  (*symlink)(struct node *folder, const char *name, size_t length, const char *target, struct node **out);
    /* links */
    long (*read_link)(struct node *node, char *to, size_t size);
    int  (*follow)(struct node *node, struct node **out);       /* /proc/self/exe and friends: straight to a node */
    void (*release)(struct node *node);                 /* the last reference is gone; may sleep */
    /* The folder that holds the node (borrowed) and its name there; NULL when it is in none any more. */
    struct node *(*whereabouts)(struct node *node, const char **name, size_t *length);
    /* Text for a node that is in no folder: "pipe:[7]". Returns the length. */
    int  (*describe)(struct node *node, char *to, size_t size);
    const char *kind;                                   /* for unnamed_describe() */
    /* Lines of /proc/PID/fdinfo beyond those that every open file has. */
    void (*facts)(struct file *file, struct fact_lines *to);
};

struct usage {                      /* for statfs(2): in blocks of PAGE_SIZE                */
    uint64_t blocks, blocks_free, files, files_free;
};

struct file_system {
    const char         *type, *source;
    char               *named;      /* the source that mount(2) was given, owned; NULL: `source` is a constant */
    uint32_t            magic;      /* statfs(2)'s f_type                                   */
    uint32_t            device;     /* st_dev, given by path_mount() or system_start()      */
    uint32_t            flags;      /* MS_*                                                 */
    struct node        *root;
    struct node        *covers;     /* the folder below the root, NULL for the first of all */
    struct file_system *next;       /* in the list of mounts, oldest first                  */
    struct mutex        moves;      /* held while a folder changes its parent               */
    uint64_t            last_inode;
    uint32_t            users;      /* [a] open files, running programs, mappings, working folders: busy */
    uint32_t            writers;    /* [a] open files that write: it cannot become read-only */
    uint32_t            nodes;      /* [a] with the last one a system that is gone is freed */
    bool                leaving;    /* about to be unmounted                               */
    bool                gone;       /* unmounted: it ends with its last user               */
    bool                ended;      /* has let go of all entries; who was on the way to one may still come to use it */
    bool                expiring;   /* [a] umount2(MNT_EXPIRE) has been here since it was used */
    void              (*end)(struct file_system *system);      /* let go of all entries and of the root, once */
    void              (*usage)(struct file_system *system, struct usage *out);
};

struct node {
    const struct node_operations *operations;
    struct file_system *system;
    struct node   *mounted;         /* the root that covers this folder, NULL if none              */
    uint32_t       references;      /* [a]                                                          */
    struct mutex   lock;
    uint64_t       inode;
    uint32_t       mode, links, uid, gid;
    uint64_t       bytes;           /* size                                                         */
    uint32_t       device;          /* of device nodes, Linux's encoding                            */
    uint64_t       accessed, modified, changed;     /* nanoseconds since 1970                       */
    struct wait_queue ready;        /* woken when poll()'s answer may have changed                  */
    uint8_t        seals;           /* [lock] SEAL_*: changes of its contents that are forbidden    */
    bool           linkable;        /* has no name, but may get one (O_TMPFILE)                     */
    int32_t        writers;         /* [a] open files that write it; below 0: programs that run it forbid that */
    struct lock_owner *locks;       /* owners of locks on it, files/core/lock.c                          */
    void          *own;             /* the file system's                                            */
};

struct file {
    uint32_t       references;      /* [a]                                                          */
    uint32_t       in_flight;       /* [a] of them in messages between sockets, files/ipc/socket_passed.c */
    struct node   *node;
    const struct node_operations *operations;
    uint32_t       flags;           /* O_*                                                          */
    int8_t         counts;          /* 1: among the node's writers, -1: among those that run it     */
    uint64_t       at;
    struct mutex   lock;
    struct epoll_item *watchers;    /* epolls that watch it, files/core/epoll_set.h                      */
    void          *own;             /* set by open() and gone with close(): preadv2() reads with a copy of this */
};

/* With access mode 3 (O_ACCMODE), which is good for ioctl() alone, an open file neither reads nor writes. */
static inline bool flags_read(uint32_t flags)
{
    return (flags & O_ACCMODE) == O_RDONLY || (flags & O_ACCMODE) == O_RDWR;
}
static inline bool flags_write(uint32_t flags)
{
    return (flags & O_ACCMODE) == O_WRONLY || (flags & O_ACCMODE) == O_RDWR;
}
static inline bool file_reads(const struct file *file)  { return flags_read(file->flags); }
static inline bool file_writes(const struct file *file) { return flags_write(file->flags); }

/* The seals of a file in memory, Linux's numbers; SEAL_NEVER: this node cannot be sealed. */
enum {
    SEAL_SEAL = 1, SEAL_SHRINK = 2, SEAL_GROW = 4, SEAL_WRITE = 8, SEAL_FUTURE_WRITE = 16, SEAL_EXECUTE = 32,
    SEALS_ALL = 63, SEALS_OF_WRITING = SEAL_WRITE | SEAL_FUTURE_WRITE, SEAL_NEVER = 128,
};

/* The restrictions of a mount: Linux's MS_* in file_system.flags. */
enum {
    MOUNT_READ_ONLY = 1, MOUNT_NO_SUID = 2, MOUNT_NO_DEVICES = 4, MOUNT_NO_EXECUTE = 8, MOUNT_SYNC = 16,
    MOUNT_NO_ACCESS_TIME = 1024, MOUNT_NO_FOLDER_ACCESS_TIME = 2048,
    MOUNT_KEPT = MOUNT_READ_ONLY | MOUNT_NO_SUID | MOUNT_NO_DEVICES | MOUNT_NO_EXECUTE | MOUNT_SYNC |
                 MOUNT_NO_ACCESS_TIME |
                 MOUNT_NO_FOLDER_ACCESS_TIME,
};

/* A node begins: one reference, no links, times now, a new inode number of its system. */
void node_start(struct node *node, const struct node_operations *operations, struct file_system *system, uint32_t mode);
void system_start(struct file_system *system, const char *type, uint32_t magic);
/*
 * One more user of a system (struct file_system's users); node_unuse() makes it one less. NULL, of a node in no system:
 * nothing happens.
 */
void system_enter(struct file_system *system);
/* What was unmounted and has no users any more ends, unless it has ended already. */
void system_end(struct file_system *system);
/* Free a system, now or with its last node. */
void system_free(struct file_system *system);
void node_hold(struct node *node);
void node_release(struct node *node);
void file_hold(struct file *file);
void file_release(struct file *file);
/* Takes over the caller's reference on the node, unless there is no memory: NULL. */
struct file *file_make(struct node *node, const struct node_operations *operations, uint32_t flags);
/* The same in memory of sizeof(struct file), got before a step that cannot be taken back; NULL: then NULL. */
struct file *file_make_in(struct file *room, struct node *node, const struct node_operations *operations,
                          uint32_t flags);
void file_abandon(struct file *file);       /* free one whose open() failed; drops the node */

/*
 * An open file that nothing can open again (eventfd, epoll and others): starts the node, whose release() frees it, also
 * where this fails. flags: O_NONBLOCK. NULL without memory.
 */
struct file *unnamed_make(struct node *node, const struct node_operations *operations, uint32_t flags);
int unnamed_describe(struct node *node, char *to, size_t size);     /* "anon_inode:[kind]" */

/* poll()'s answer may have changed: wake the threads and epolls that wait on node->ready. */
void node_notify(struct node *node);
/* The same for events that are known (POLL_*): an epoll that asked for none of them is not woken. */
void node_notify_of(struct node *node, unsigned bits);

/* For a read that must wait: drop node->lock, sleep until node->ready is woken, take it again. 0 or -ERESTARTSYS. */
int node_wait(struct node *node) MUST_CHECK;

/*
 * A program that runs cannot be written, a file that is written cannot run: a regular file has either writers (open
 * files, and shared mappings that may write) or runners. Each call that succeeds is paired with its end. 0 or -ETXTBSY;
 * node_add_writer() also -EROFS.
 */
int  node_add_writer(struct node *node) MUST_CHECK;
void node_end_writer(struct node *node);
int  file_run(struct file *file) MUST_CHECK;        /* as long as this open file lives, it forbids writing */

uint32_t user_acting(void), group_acting(void);     /* whose rights count: process/credentials.h, `files`   */
void node_own(struct node *node);                   /* it belongs to whose rights count, who makes it       */
bool     acts_in_group(uint32_t gid);               /* that one, or a supplementary group                   */
bool     acts_as_owner(const struct node *node);    /* the file's owner, or CAP_FOWNER                      */

/*
 * A file, folder or link of a file system that may not be changed: -EROFS. Devices and pipes are written all the same.
 */
bool node_is_read_only(const struct node *node);
bool node_never_executes(const struct node *node);  /* a regular file of a system that was mounted with MS_NOEXEC */

/* Whether the current thread may read (4), write (2), execute or search (1) it: 0, -EROFS or -EACCES. */
int node_allows(const struct node *node, unsigned wanted) MUST_CHECK;
/*
 * Change the size. Growing beyond the process's limit is SIGXFSZ and -EFBIG; -EPERM when a seal forbids it; -EISDIR;
 * -EINVAL for other nodes than regular files. Takes node->lock.
 */
int node_resize(struct node *node, uint64_t bytes) MUST_CHECK;

/*
 * fallocate(2): room for bytes [from, end) of a regular file, or with `clear` zeros in them, or with `punch` a hole.
 * Room is not set aside, only looked for (-ENOSPC): memory is there or not when it is written. `keep`: the size stays.
 * Else as node_resize(), and -ENOMEM. The caller knows that the range is not empty and the file regular.
 */
struct allocation { uint64_t from, end; bool keep, punch, clear; };
int node_allocate(struct node *node, const struct allocation *what) MUST_CHECK;

/* fcntl(2)'s F_ADD_SEALS: -EPERM when sealing is sealed, -EBUSY when a mapping may still write, -EINVAL, -ENOMEM. */
int node_seal(struct node *node, unsigned seals) MUST_CHECK;

/*
 * Read and write at the file's position, or at a given one, for read(2), pread(2) and so on. Return the bytes moved, or
 * a negative errno: -EBADF for a file that is not open for that, -ESPIPE for a position in a stream. All may sleep.
 * file_seek() returns 0 with the new position in *out, or a negative errno.
 */
int  file_may_move(const struct file *file, bool writing);      /* -EBADF, or -EINVAL for what has no such call */
long file_read(struct file *file, struct buffer *to);
long file_write(struct file *file, struct buffer *from);
long file_read_at(struct file *file, struct buffer *to, uint64_t at);
long file_write_at(struct file *file, struct buffer *from, uint64_t at);
long file_seek(struct file *file, int64_t offset, int whence, uint64_t *out);
/* POLL_* now, and where to wait for others; NULL: it is always ready. A file's poll may take mutexes. */
unsigned file_poll(struct file *file, struct wait_queue **queue);

/* The largest file: what page numbers of 32 bits can name, as on Linux i386. */
#define FILE_LARGEST 0xFFFFFFFF000ull

#endif
