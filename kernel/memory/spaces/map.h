/*
 * map.h - the memory a program asks for: mmap and its relatives, on any space.
 *
 * Addresses and lengths come from programs and are not trusted. Calls decide first: what can fail does so before
 * anything visible changes, but where Linux goes through a range region by region and keeps what it did before it met
 * the first hole or refusal: mprotect, mlock, madvise. Errors are Linux's for the same mistake.
 * Neighbouring regions that mean the same are merged, as /proc/self/maps shows on Linux.
 *
 * Locking  each call but map_charge(), map_uncharge() and map_locked() takes the space's map lock, and may sleep:
 *          map_residency() and map_sync() as a reader, the others as the writer; map_break() the break lock outside it;
 *          map_copy() the parent's: no other thread can reach the child yet. Work on many pages or regions goes in
 *          batches with points of rest between them (base/rwlock.h), at which the map lock stays held. Pages that a
 *          call brings in come one by one, as by faults: others may change the map meanwhile.
 * Cost     O(log regions) for each region in the range, and for each of its pages that has an entry to change.
 * Source   Linux man-pages: mmap(2), munmap(2), mprotect(2), mremap(2), brk(2), madvise(2), msync(2).
 */
#ifndef QUIRE_MEMORY_MAP_H
#define QUIRE_MEMORY_MAP_H

#include "memory/spaces/object.h"
#include "memory/spaces/space.h"

enum {
    MAP_IS_SHARED = 1,
    MAP_IS_FIXED = 2,
    MAP_NO_REPLACE = 4,
    MAP_GROWS_DOWN = 8,
    MAP_NO_RESERVE = 16,
    MAP_POPULATE_NOW = 32,
    MAP_IS_LOCKED = 64,
};

struct map_request {
    vaddr_t        address;         /* a hint, or with MAP_IS_FIXED the place                 */
    size_t         bytes;           /* rounded up to pages                                    */
    uint8_t        rights;          /* MAY_* for the program                                  */
    uint8_t        may;             /* MAY_* that mprotect() may give later                   */
    uint32_t       flags;
    struct object *object;          /* NULL: anonymous (shared anonymous memory gets an object) */
    uint64_t       offset;          /* page of the object                                     */
    const char    *name;            /* for people and /proc/self/maps: "[stack]", or NULL     */
    void          *file;            /* struct node of the file, for /proc/self/maps and maps of exe; a reference is
                                     * taken and dropped through map_file_hold, map_file_release  */
};

/* How regions keep a file alive without knowing files; kernel/files sets them at start. */
extern void (*map_file_hold)(void *file);
extern void (*map_file_release)(void *file);

void map_start(void);                           /* by memory_start(), which has its map: nothing is promised */

int map_create(struct space *space, const struct map_request *request, vaddr_t *out) MUST_CHECK;
/* For a request that is wrong in itself: 0, or the errno of its length and place, which Linux tells first. */
int map_refusal(struct space *space, const struct map_request *request) MUST_CHECK;
int map_remove(struct space *space, vaddr_t start, size_t bytes) MUST_CHECK;
int map_protect(struct space *space, vaddr_t start, size_t bytes, uint8_t rights) MUST_CHECK;
/* The same from the start of the region on, which must be one that grows down: PROT_GROWSDOWN. */
int map_protect_growing(struct space *space, vaddr_t start, size_t bytes, uint8_t rights) MUST_CHECK;
/* These three take Linux's numbers for flags and advice. */
int map_move(struct space *space, vaddr_t old, size_t old_bytes, size_t new_bytes, uint32_t flags, vaddr_t place,
             vaddr_t *out) MUST_CHECK;
int map_advise(struct space *space, vaddr_t start, size_t bytes, int advice) MUST_CHECK;
int map_sync(struct space *space, vaddr_t start, size_t bytes, int flags) MUST_CHECK;

/*
 * mlock(2) and its relatives. Limits are space->limits.locked (0: -EPERM). Locked pages are brought in before the call
 * returns, unless on_fault. A hole is -ENOMEM: what lies below it is locked or unlocked all the same. Where a page
 * cannot be brought in, map_lock() returns -EAGAIN without memory, else -ENOMEM, and all stays locked; map_lock_all()
 * brings in what it can. Where the caller is to end no more is brought in, and map_lock() says -EINTR, as map_advise()
 * does while it populates.
 */
int    map_lock(struct space *space, vaddr_t start, size_t bytes, bool on_fault) MUST_CHECK;
int    map_unlock(struct space *space, vaddr_t start, size_t bytes) MUST_CHECK;
int    map_lock_all(struct space *space, bool now, bool future, bool on_fault) MUST_CHECK;
void   map_unlock_all(struct space *space);
static inline size_t map_locked(const struct space *space) { return space->locked; }   /* pages of locked regions */

/* For each page of a span of user space: 1 when it is in memory, for any program; else 0. -ENOMEM for a hole. */
int map_residency(struct space *space, struct span span, uint8_t *there) MUST_CHECK;

/* remap_file_pages(2): show another part of the object that a shared region shows. The range lies in one region. */
int map_show_other(struct space *space, vaddr_t start, size_t bytes, uint64_t offset) MUST_CHECK;

/* The program break: returns the break in force afterwards, which on failure is the old one. */
vaddr_t map_break(struct space *space, vaddr_t wanted);

/* fork: the child sees what the parent sees; private pages are shared until written. On error the child is empty. */
int map_copy(struct space *child, struct space *parent) MUST_CHECK;

/* Remove everything (exec, exit). Cannot fail and asks for no memory. */
void map_clear(struct space *space);

/* Commit accounting: pages promised to all spaces, and the mode (0 heuristic, 1 always, 2 never) of Linux. */
extern size_t map_committed;
extern int    map_overcommit;

/*
 * For the parts of map and fault: promise `pages` more to a space, or fewer. The space's map lock is held as the
 * writer, or no other thread can reach the space; a spin lock (RANK_COMMIT) inside. map_charge() returns 0 or -ENOMEM.
 */
int  map_charge(struct space *space, size_t pages) MUST_CHECK;
void map_uncharge(struct space *space, size_t pages);

/* Whether a region's pages are promises: private memory that may be written. */
static inline bool map_is_charged(const struct region *region)
{
    return !region->uncharged && !region->shared && (region->rights.user & MAY_WRITE);
}

/* A region's rights when the program has `rights`: the kernel may read and write where the program may. */
static inline struct rights map_rights(uint8_t rights)
{
    return (struct rights){ .kernel = rights & (MAY_READ | MAY_WRITE), .user = rights };
}

/* Whether a region shows physical pages (map_pages.h): it has no object, and all its pages are mapped at once. */
static inline bool map_is_physical(const struct region *region) { return region->shared && region->object == NULL; }

/* Those, and the pages that the kernel itself shows a program (programs/vdso.h): they neither grow nor are dropped. */
static inline bool map_is_special(const struct region *region)
{
    return map_is_physical(region) || (region->object != NULL && region->name != NULL);
}

#endif
