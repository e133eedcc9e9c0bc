/*
 * fault.h - what a page fault means: decided first, by one pure function, then done.
 *
 * fault_decide() takes only facts (what the region allows, what the entry is, what was attempted) and names an action.
 * Every combination is enumerated in a host test, and the table of them is printed into the book. space_fault()
 * collects the facts, decides, and acts.
 *
 *   case  own page       behind it    access   action
 *   Z     none           nothing      write    ZERO      a fresh zero frame
 *   z     none           nothing      read     ZERO_READ the shared zero frame, read-only
 *   R     none           object page  read     SHARE     map the object's frame, read-only if private
 *   C     none           object page  write    COPY_OBJECT  private: copy it, map the copy
 *   S     none           shared obj.  write    SHARE     map it writable
 *   W     sole or sh. ro -            write    REUSE     allow writing
 *   K     counted, ro    -            write    COPY      copy it, map the copy
 *   U     the same, bl.  -            any      REUSE     the region allows again what the entry does not
 *   u     counted, bl.   -            any      REUSE_READ   the same, but for writing
 *   I     out            here         any      BRING_IN  from its swap slot, packed or read
 *   i     out            away         any      WAIT      for the swap device; then all is looked at again
 *   G     below a stack  -            any      GROW      extend the region, then as Z
 *   F     none           away         any      WAIT      for the object's pager; then all is looked at again
 *   B     none           past its end any      BUS       or the pager could not bring it
 *   b     out            lost         any      BUS       the swap device could not be read
 *   P     no right       -            any      SEGV_ACCESS
 *   N     no region      -            any      SEGV_MAP
 *
 * ro: the page is read-only. sole: its frame is private memory with one reference. counted: it has others.
 * sh.: the region is shared. bl.: the entry is BLOCKED.
 *
 * A stack grows no further than its own limit, the space's and, where it is locked, that of locked memory allow, and no
 * nearer to what lies below it than its gap (STACK_GAP). Beyond that the case is N, and so it is where no more pages
 * may be promised.
 */
#ifndef QUIRE_MEMORY_FAULT_H
#define QUIRE_MEMORY_FAULT_H

#include "memory/layout.h"
#include "memory/spaces/region.h"
#include "mmu.h"

enum fault_action {
    FAULT_DONE,             /* another thread's fault has handled it meanwhile */
    FAULT_WAIT,             /* for the pager of the object behind the page, or for the swap device */
    FAULT_ZERO, FAULT_ZERO_READ, FAULT_SHARE, FAULT_COPY_OBJECT, FAULT_REUSE, FAULT_REUSE_READ, FAULT_COPY,
    FAULT_BRING_IN, FAULT_GROW,
    FAULT_BUS, FAULT_SEGV_ACCESS, FAULT_SEGV_MAP,
    FAULT_ACTIONS
};

/* Pages that must stay free between a stack and what lies below: as many as on Linux, whose programs rely on it. */
enum { STACK_GAP = 256 };

/*
 * The page of an object: in memory, or a hole that reads as zeros; with its pager; or the pager could not bring it.
 * Of a page that is out: packed or read; on the swap device; or it could not be read.
 */
enum fault_behind { BEHIND_HERE, BEHIND_AWAY, BEHIND_LOST };

struct fault_facts {
    bool           region;          /* some region holds the page                          */
    bool           growable;        /* no region does, but a stack above may grow down to the page */
    uint8_t        allows;          /* MAY_* the region gives programs                      */
    bool           shared;          /* the region's changes are seen by all that map its object */
    bool           object;          /* the region has an object                            */
    bool           inside;          /* the page lies inside the object                     */
    enum fault_behind behind;       /* where that page is                                  */
    enum entry_kind entry;          /* EMPTY, PRESENT, ...                                 */
    uint8_t        entry_allows;    /* of a present entry                                  */
    bool           sole;            /* the frame of a present or BLOCKED entry is private memory with one reference */
    uint8_t        access;          /* one of MAY_*                                        */
};

/* What a fault that could not be handled means to a program. Numbers are Linux's. */
struct fault_verdict {
    int     signal, code;           /* SIGSEGV with SEGV_MAPERR 1 or SEGV_ACCERR 2; SIGBUS with BUS_ADRERR 2 */
    vaddr_t address;
    char    reason[160];            /* which region, neighbours, limit: for the report; perhaps empty */
};

/*
 * The words of a verdict take as many instructions as all else about a refused fault. From now on they are written only
 * if `wanted` answers true for the signal; it is asked with the map lock held. Before this call: always.
 */
void fault_words_if(bool (*wanted)(int signal));

struct space;

/*
 * Handle a fault of a program, or of the kernel on its behalf, at `address`. Returns 0: the access is to be tried
 * again. -EFAULT: *verdict says why. -ENOMEM: there was no frame for the page, its tables or the heap; the caller frees
 * memory or kills a process; nothing has changed but that a stack may have grown.
 * Locking  takes the space's map lock to read, or to write where a stack grows; inside it the object's lock, the tables
 *          lock, and the lock of map_charge(). Waits for an object's pager, and for the swap device, without any lock:
 *          other faults of the space go on meanwhile, and calls that change its map. May sleep.
 * Cost     O(log regions), O(log pages) of an object; a read of an object maps, of the 16 pages of its group, those in
 *          the region that are in memory.
 */
int space_fault(struct space *space, vaddr_t address, uint8_t access, struct fault_verdict *verdict) MUST_CHECK;

/* The faults that each action has handled, since the start. */
extern uint64_t fault_counts[FAULT_ACTIONS];
extern const char *const fault_action_names[FAULT_ACTIONS];

/* The frame of zeros, never written; its references are not counted. 0 or -ENOMEM. Callable with a cursor open. */
static inline int zero_frame(frame_t *out) MUST_CHECK;
extern frame_t zero_frame_number;               /* NO_FRAME until make_zero_frame() has made it    */
int make_zero_frame(void) MUST_CHECK;           /* the rare part: the first time                   */
static inline int zero_frame(frame_t *out)
{
    int err = frame_exists(zero_frame_number) ? 0 : make_zero_frame();

    if (err == 0)
        *out = zero_frame_number;
    return err;
}
static inline bool is_zero_frame(frame_t frame) { return frame_is(frame, zero_frame_number); }
void faults_start(void);                        /* by memory_start(): there is no zero frame yet  */

#endif
