/*
 * machine.h - a machine in plain memory: RAM, a software MMU, and boot tables.
 *
 * Physical memory is the *arena*, a memory file. Kernel virtual memory is the *mirror*, a stretch
 * of this program's address space as long as the machine's, in which nothing is mapped at first.
 * A C access to the mirror that finds nothing raises SIGSEGV. The handler walks the tables of the
 * active root in the arena as hardware would, sets accessed and dirty bits, maps
 * the frame's page of the memory file there, and the access goes on. The mirror is the processor's
 * translation cache (TLB): kernel code runs unchanged, self-map included.
 *
 * This TLB *never forgets*. Only mmu_flush_page(), mmu_flush_space(), mmu_flush_all() and mmu_activate()
 * remove translations, and upper entries are cached as well, as processors do ("paging-structure
 * caches"). A missing flush of the memory manager always has an effect: machine_tlb_audit() reports it, and
 * the kernel under test reads the wrong frame.
 *
 * A page fault is described by a struct machine_fault. A fault in the mirror ends the program with a message,
 * unless the test expects it.
 *
 * Locking  one CPU walks at a time, inside. The active root is the same for all threads.
 * Cost     a miss costs some microseconds (a signal and a mapping); RAM is taken from the host as it is
 *          touched.
 * Source   Intel SDM vol. 3A, "Paging", "Caching Translation Information".
 *
 * Invariant (cursor.h states it with the cursor's own)
 *   C4  every cached translation agrees with the tables: same frame, no more rights, dirty only if the
 *       entry is; and since power-on no access has used one that did not
 */
#ifndef QUIRE_HOST_MACHINE_H
#define QUIRE_HOST_MACHINE_H

#include <setjmp.h>
#include "boot/info.h"
#include "memory/start.h"
#include "mmu.h"

struct space;
struct audit_report;

/* ---- The machine --------------------------------------------------------------------- */

struct machine_config {
    uint64_t ram_bytes;                     /* size of the arena; page aligned                       */
    const struct boot_range *ranges;        /* firmware's ranges; NULL: 0..640 KiB, 1 MiB..ram_bytes  */
    uint32_t range_count;
    bool     no_large, no_global;           /* features this processor lacks                         */
};

/* Start only RAM and a processor without a root: for tests that make their tables themselves. */
void machine_power_on(const struct machine_config *config);

/*
 * Power on: a new arena, the image's frames (filled with a pattern), and the tables that the layout compiler
 * would have made, at the start of the image's data. `facts` is the argument for
 * memory_start(). Starting again is a power cycle: every static of the memory manager that
 * memory_start() sets is then stale until it runs again.
 *
 * Takes over SIGSEGV. cmocka takes it back at the start of each test and each fixture, so call this from the
 * test itself.
 */
void machine_start(const struct machine_config *config, struct start_facts *facts);

/* machine_start() with RAM of that size, and memory_start(); returns what the latter returns. */
const char *machine_boot(uint64_t ram_bytes);

/* True when the document's pool begins above the image, at an address that is more memory than a test can have. */
uint64_t machine_pool_start(void);

/* Release the arena and the mirror. */
void machine_stop(void);

/* Where the mirror is to be from the next power-on, whatever is there; NULL: where the host has room. */
extern char *machine_mirror;

extern uint8_t *machine_ram;                /* physical byte 0, past every MMU                       */
extern uint32_t machine_frames;             /* frames of RAM                                         */

/* ---- Accesses and faults ------------------------------------------------------------- */

struct machine_fault {
    vaddr_t address;
    bool present;                           /* the page is present, but lacks the right              */
    bool write, user, fetch;
};

/*
 * Make one aligned access of 32 bits to a space, at a privilege level. A space that is not active is
 * activated for the access, which flushes. Returns true, or false and the fault.
 */
bool machine_load(const struct space *space, vaddr_t address, bool user, uint32_t *value,
                  struct machine_fault *fault);
bool machine_store(const struct space *space, vaddr_t address, bool user, uint32_t value,
                   struct machine_fault *fault);
bool machine_fetch(const struct space *space, vaddr_t address, bool user, struct machine_fault *fault);

/*
 * True if the statement faults in the mirror; *fault then describes the fault. Locks that the statement
 * has taken stay taken.
 */
#define MACHINE_FAULTS(fault, statement)                                                            \
    (sigsetjmp(*machine_expect_fault(fault), 1) == 0                                                \
         ? ({ statement; machine_expect_fault(NULL); false; }) : true)
sigjmp_buf *machine_expect_fault(struct machine_fault *fault);

/* The message with which the statement makes the kernel stop(), or NULL. */
#define MACHINE_STOPS(statement)                                                                    \
    (sigsetjmp(*machine_expect_stop(true), 1) == 0                                                  \
         ? ({ statement; machine_expect_stop(false); (const char *)NULL; }) : machine_stopped())
sigjmp_buf *machine_expect_stop(bool on);
const char *machine_stopped(void);

/* Set a function that is called at each point of rest (base/rwlock.h), for example an audit. NULL: none. */
void machine_at_rest(void (*act)(void));

/* ---- The translation cache ------------------------------------------------------------ */

struct machine_counts {
    uint64_t walks, faults;
    uint64_t page_flushes, space_flushes, all_flushes;
    uint64_t outdated;                      /* walks for pages whose cached frame the tables no longer name */
    uint64_t user_page_flushes;             /* of the page flushes, those of user pages              */
};
extern struct machine_counts machine_counts;

/* Check C4, at any moment at which the memory manager is not changing tables. */
void machine_tlb_audit(struct audit_report *report);
bool machine_tlb_ok(void);

/* True while some cached translation of a page in `within` leads to the frame. */
bool machine_tlb_names(frame_t frame, struct span within);

/*
 * Mutation: the n-th flush from now on does nothing (1: the next; 0: none), once. And how many flushes are
 * still to come until then; 0: it has been left out.
 */
void     machine_skip_flush(uint32_t n);
uint32_t machine_skip_pending(void);
page_t   machine_skipped_page(void);        /* of the flush left out last; MMU_SPACE_END: of many pages */

/* ---- Between the port's own files ------------------------------------------------------- */

struct access {
    bool write, user, fetch;
};

/* The result of a walk of the tables for one page. */
struct translation {
    frame_t frame;
    uint8_t kernel, user;                   /* MAY_*                                                 */
    bool    global, dirty;
    bool    large;                          /* from an upper entry: each root has its own dirty bit  */
};

/*
 * The hardware's walk. With `access` it sets accessed and dirty bits and fills the cache of upper entries;
 * with NULL it only reads, and does not use that cache. False: a fault, whose kind is *present.
 */
bool mmu_walk(page_t page, const struct access *access, struct translation *out, bool *present);

/* Flush cached upper entries; and check them (C4). */
void mmu_walk_forget(void);
void mmu_walk_audit(struct audit_report *report);

/* Called by machine_start() and machine_stop(). */
void mmu_power(bool on, int memory);

#endif
