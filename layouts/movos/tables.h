/*
 * tables.h - processes' structures and page tables in a window of kernel space, a page each.
 *
 * Where the document's table access is `window` there is a region `bookkeeping`: one directory entry of kernel
 * space, MMU_ENTRIES pages, which the movos design document puts from 4 to 8 MiB (M13). Each process has there
 *
 *     1 page   its structure: struct bookkeeping, below
 *     1 page   its directory
 *     x pages  its page tables
 *
 * (M14). The frames behind them come from the pool: the structure's has the owner PROCESS, the others TABLES. A page of
 * the window is named by its *place*, 1 for the first one; 0 is none. Which place shows the table behind which
 * directory entry is written in the structure, and nowhere else.
 *
 * Full     each process takes three pages at least, so the window ends at about 340 processes, 200 to 250 of ordinary
 *          Linux programs. Then space_create() and cursor_open() say -ENOMEM, as they do without frames.
 * Locking  a space's tables lock for its structure; inside it the window's own lock (RANK_HOMES) for the places, and
 *          kernel space's tables lock for the window's entries, one after the other.
 * Cost     a table: a place found in a bitmap, and a cursor on kernel space for one page. Reaching an entry: one
 *          look into the structure.
 * Source   claims M8, M9, M13, M14.
 *
 * Invariants (table_homes_audit)
 *   W1  a place is taken if and only if it shows the structure, the directory or a table of one space
 *   W2  the place of a directory entry shows the very table that the entry leads to, and there is none where there
 *       is no table
 *   W3  a space's structure and directory are where it says, the directory shown is its root, and so is what its
 *       register set has for CR3
 *   W4  places taken, free and promised add up to the window
 */
#ifndef QUIRE_MEMORY_TABLE_WINDOW_H
#define QUIRE_MEMORY_TABLE_WINDOW_H

#include "mmu.h"

struct space;

_Static_assert(MMU_LEVELS == 2, "the window shows a directory and the tables right below it");

/*
 * The set of registers of a process that does not run: those of its thread that ran last, or is to run first. The
 * directory's address is loaded from here when the process gets its turn.
 */
enum { PROGRAM_WORDS = 19 };            /* as many as a program has in the port's trap frame   */
struct kept_registers {
    uint32_t root;                      /* CR3: the physical address of the directory          */
    uint32_t program[PROGRAM_WORDS];    /* in the order of the trap frame                      */
};

/* The first page of a process. Half of it is the list of the tables' places. */
struct bookkeeping {
    uint16_t tables[MMU_ENTRIES];       /* place of the table behind each directory entry     */
    uint16_t structure, directory;      /* places of this very page, and of the directory     */
    uint32_t count;                     /* tables: entries above that are not 0               */
    const struct space *space;          /* the process's                                      */
    struct kept_registers registers;    /* [interrupts off]                                   */
};

/*
 * A process's set of registers, in its structure (M8): store the program's, when it loses the processor or is made;
 * and the root to be loaded for the process, which in all other layouts is the space's root.
 */
void    table_home_keep(struct space *space, const void *registers, size_t bytes);
frame_t table_home_root(const struct space *space);

uint32_t table_window_free(void);       /* places not taken and not promised */

#endif
