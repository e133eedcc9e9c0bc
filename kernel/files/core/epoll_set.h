/*
 * epoll_set.h - the structure of an epoll. Internal to epoll*.c; the order of the locks is in epoll.h.
 */
#ifndef QUIRE_FILES_EPOLL_SET_H
#define QUIRE_FILES_EPOLL_SET_H

#include "files/core/epoll.h"

/* Modes of an entry, beside the POLL_* that it asks for. */
#define EDGE      0x80000000u
#define ONE_SHOT  0x40000000u
#define STAY_UP   0x20000000u                   /* accepted, without effect: no machine here sleeps */
#define EXCLUSIVE 0x10000000u
#define MODES     (EDGE | ONE_SHOT | STAY_UP | EXCLUSIVE)

/* The events that an entry reports unasked; those of files open for reading, and for writing. */
enum { ALWAYS = POLL_ERR | POLL_HUP, READS = POLL_IN | POLL_RDNORM, WRITES = POLL_OUT | POLL_WRNORM };

struct epoll_item {
    struct epoll_item  *same_hash;              /* [node.lock]                                       */
    struct epoll_item  *next_ready, **to_ready; /* [node.lock] in the ready list; to_ready NULL: not  */
    struct epoll_item  *next_of_file, **to_of_file;     /* [epolls_lock] in file->watchers             */
    struct epoll_item  *next_woken;              /* [a] while `woken`                                  */
    struct epoll       *epoll;                  /* [c]                                               */
    struct file        *file;                   /* [c] no reference                                  */
    int                 number;                 /* [c]                                               */
    bool                woken;                   /* [a] on the epoll's list of those that were woken  */
    uint32_t            interest;               /* [a] POLL_* that matter; 0 when a one-shot is spent */
    struct epoll_event  event;                  /* [node.lock]                                       */
    struct waiter       waiter;
};

struct epoll {
    struct node         node;
    struct epoll_item **table;                  /* [node.lock] by hash, never NULL        */
    uint32_t            size, count;            /* [node.lock] a power of two; entries    */
    struct epoll_item  *ready, **ready_end;     /* [node.lock] may be ready, in order     */
    struct epoll_item  *woken;                   /* [a] woken since, the newest first      */
    uint32_t            search;                 /* [epolls_lock] the last that came here            */
    unsigned            depth;                  /* [epolls_lock] that it found                      */
};

extern struct mutex epolls_lock;                    /* the sets of all epolls */
extern const struct node_operations epoll_operations;

static inline bool          is_epoll(const struct file *file) { return file->operations == &epoll_operations; }
static inline struct epoll *epoll_of(const struct file *file) { return CONTAINER_OF(file->node, struct epoll, node); }

static inline uint32_t epoll_item_hash(int number, const struct file *file)
{
    return ((uint32_t)number * 2654435761u) ^ (uint32_t)((uintptr_t)file >> 5);
}

/* ---- epoll_wait.c: the epoll's node->lock is held ------------------------------------------------------- */

/*
 * Put an entry at the end of the ready list, or take it out. No change where it is in the list, or not in it, already.
 */
void epoll_ready_add(struct epoll *self, struct epoll_item *item);
void epoll_ready_remove(struct epoll *self, struct epoll_item *item);
/* Entries that were woken go to the ready list. */
void epoll_take_woken(struct epoll *self);
/*
 * The events an entry has to report now: POLL_*, 0 for none. Asks its file, which may take locks of its own and sleep.
 */
unsigned epoll_poll_item(const struct epoll_item *item);
/* The entry's waiter is called: the run queue's lock is held, and node->lock need not be. */
bool epoll_item_woken(struct waiter *waiter, unsigned bits);

/* ---- epoll_nest.c: epolls_lock is held ------------------------------------------------------------------ */

/* Whether the epoll may watch the file: 0, or -ELOOP when that would close a circle or be too deep. */
int epoll_may_nest(const struct file *epoll, const struct file *file) MUST_CHECK;
/*
 * A wake goes up all paths from a file through epolls. Whether there are few enough of them (NESTED_PATHS), counting
 * the file's entries, from it and from the files that it watches.
 */
bool epoll_few_paths(const struct file *file);
/* How deep epolls lie in this one, 0 for none; beyond NESTED_DEEPEST when `stranger` is among them. */
unsigned epoll_depth_below(struct epoll *self, const struct epoll *stranger);

#endif
