/*
 * pipe_ring.h - the pages of a pipe. Internal to pipe*.c.
 *
 * Bytes [from, to) of a stream are in the pipe; byte n lies in page (n / PAGE_SIZE) % slots, at n % PAGE_SIZE. A page
 * may be closed before it is full: by a packet (a write with O_DIRECT), which has pages of its own. Then the numbers
 * go on at the next page, and those between belong to no byte. Numbers are modulo 2^32, which any capacity divides.
 *
 *   R1  from <= to, and both in the pages that the capacity has room for
 *   R2  a slot has a frame if and only if bytes of the pipe, or the room behind the last of them, are in it
 *   R3  with the pipe empty, from and to are equal and begin a page
 *
 * Locking  the node's lock, held by all callers; filling and emptying may sleep in a program's page faults. What waits
 *          for another program does not hold it: a splice, while it moves a page to or from the other file, has the
 *          pipe's one end to itself (`emptying`, `filling`), and who wants that end waits as if there were no bytes, or
 *          no room, so that a signal ends the wait.
 */
#ifndef QUIRE_FILES_PIPE_RING_H
#define QUIRE_FILES_PIPE_RING_H

#include "files/ipc/pipe.h"

enum { FIRST_SLOTS = PIPE_CAPACITY / PAGE_SIZE };

struct pipe_page {
    frame_t  frame;                         /* NO_FRAME: none                                */
    uint16_t end;                           /* bytes in a page that is closed; 0: it is open */
    bool     packet;                        /* a read ends with it                           */
};

struct pipe {
    uint32_t          from, to;             /* the next bytes to be read, and written */
    uint32_t          readers, writers;     /* open files                             */
    uint32_t          readings, writings;   /* opened so far, for threads in open()   */
    uint32_t          capacity;             /* bytes, a power of two of pages         */
    bool              emptying, filling;    /* a splice has this end                  */
    struct pipe_page *pages;                /* slots                                  */
    frame_t           spare;                /* an empty page kept, or NO_FRAME        */
    struct pipe_page  first_pages[FIRST_SLOTS];
};

static inline struct pipe *pipe_of(const struct node *node) { return node->own; }

struct pipe *pipe_new(void);                /* empty, without open files; NULL without memory */
void pipe_free(struct pipe *pipe);

static inline bool pipe_is_empty(const struct pipe *pipe) { return pipe->from == pipe->to; }

/* Whether there are bytes for who reads; whether there are none, and none will come. */
static inline bool pipe_readable(const struct pipe *pipe) { return pipe->from != pipe->to && !pipe->emptying; }
static inline bool pipe_at_end(const struct pipe *pipe)   { return pipe->writers == 0 && !pipe->emptying; }

/*
 * Bytes that can be added now: room for a packet is in whole pages. It is counted in pages that can still be begun, so
 * that a byte's slot is its own: the page that `from` lies in counts in full.
 */
static inline size_t pipe_room(const struct pipe *pipe, bool packet)
{
    uint32_t begin = packet ? (pipe->to + PAGE_SIZE - 1) & ~(uint32_t)(PAGE_SIZE - 1) : pipe->to;

    return pipe->filling ? 0 : pipe->capacity - (begin - (pipe->from & ~(uint32_t)(PAGE_SIZE - 1)));
}
/* Whether the next byte to be read begins, or goes on in, a packet. */
bool pipe_brings_packet(const struct pipe *pipe);
/* Room comes in whole pages, or with the pipe empty: a waiting writer can go on when this becomes true. */
static inline bool pipe_writable(const struct pipe *pipe) { return pipe_room(pipe, false) >= PIPE_ATOMIC; }
/* Bytes in the pipe. O(pages). */
size_t pipe_bytes(const struct pipe *pipe);

/* Bytes to the buffer, up to the end of a packet, whose rest is lost. Returns how many, or -EFAULT for none. */
long pipe_take(struct pipe *pipe, struct buffer *to);
/*
 * Bytes from the buffer, as many as there is room for; a packet is a page of them. Returns how many, -EFAULT or
 * -ENOMEM.
 */
long pipe_add(struct pipe *pipe, struct buffer *from, bool packet);
/* Memory for the next PAGE_SIZE bytes of the kernel's that are added, as far as there is room: 0 or -ENOMEM. */
int pipe_reserve(struct pipe *pipe) MUST_CHECK;

/* Bytes from *at on, as far as their page goes, to a buffer of the kernel; they stay. *at moves on. 0 at the end. */
size_t pipe_peek(const struct pipe *pipe, uint32_t *at, struct buffer *to);
/* Drop the first `bytes` bytes, which pipe_peek() has given. */
void   pipe_drop(struct pipe *pipe, size_t bytes);

/* Change the capacity. Returns 0, -EBUSY when the pipe holds more, or is about to, or -ENOMEM. */
int pipe_change_capacity(struct pipe *pipe, uint32_t capacity) MUST_CHECK;

bool pipe_ring_ok(const struct pipe *pipe);

/* pipe.c: the writer of a pipe without readers gets SIGPIPE. Returns -EPIPE. */
long pipe_broken(void);

#endif
