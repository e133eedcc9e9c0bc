/*
 * master.h - kernel space's own page-table object: complete, and at a fixed place.
 *
 * Where page tables are tracked objects, kernel space has all the tables there can be from the start. They
 * lie in the document's physical row `master`, which is mapped at its own address: a struct page_table_info
 * whose entries are those of *all* pages, so the entry of page P is entries[P]. Every entry names the frame of its own
 * page, entry P frame P, whether it is present or not. One that is not present is of kind ENTRY_IDENTITY: in kernel
 * space it stands for an empty page, and the cursor writes it where it removes a page. The price is 4 MiB and 4 KiB of
 * RAM. In return no kernel table is ever missing: mapping a kernel page needs no new table, and no root gets a new
 * entry.
 *
 * Order    The design document says in which order paging comes to life (T18). Paging is on already when C code of
 *          the kernel runs, by the boot code's tables; the order is kept for the master table: a page of
 *          trackers, the table, its tracker, the first megabyte present, then the pages up to the end of the direct
 *          map, then CR3. Pages that the document has as a hole stay absent in both. After each step the state is
 *          looked at and noted: master_history().
 * Source   claims T5 to T8, T18.
 */
#ifndef QUIRE_MEMORY_MASTER_H
#define QUIRE_MEMORY_MASTER_H

#include "layouts/tracker/tables.h"

struct memmap;

static inline struct page_table_info *master_table(void) { return pointer_to((vaddr_t)layout.master); }

/*
 * Take the master table's frames, which must be RAM, and one for the first page of trackers, before anything else is
 * placed. Returns 0; -ENOMEM when there is no frame for the trackers; -EEXIST when the frames are in use, by a boot
 * module for example.
 */
int master_prepare(struct memmap *map) MUST_CHECK;

/* Fill the master table and make it current. Called once by space_start(), with the boot code's tables in CR3. */
void master_start(frame_t *root);

enum master_step {
    MASTER_TRACKERS, MASTER_TABLE, MASTER_LINKED, MASTER_LOW, MASTER_STRUCTURES, MASTER_ACTIVE, MASTER_STEPS
};

/* The state after a step, as it was seen then. */
struct master_sight {
    bool     trackers;              /* the first page of trackers has no garbage in it      */
    bool     table;                 /* every directory entry leads to its table             */
    bool     linked;                /* the first tracker points to the table                */
    uint32_t low, structures;       /* present pages of the first MiB, and of the next 31   */
    bool     active;                /* CR3 names the table                                  */
};

const struct master_sight *master_history(enum master_step step);

#endif
