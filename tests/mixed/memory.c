/* memory.c - rounds of memory: mapped, protected, moved, locked, shared with children and copied on write. */
#include "mixed.h"

enum { PAGES = 24, BYTES = PAGES * PAGE, SEGV = 11, FAULT_FLAGS = 4 };

char *map_pages(uint32_t count, long kind)
{
    return (char *)DONE(KERNEL(CALL_MMAP2, 0, (long)count * PAGE, PROT_READ | PROT_WRITE, kind | MAP_ANONYMOUS, -1, 0));
}

/* ---- A fault's handler gives the page its right back ------------------------------------------------------ */

static char *protected_page;
static volatile uint32_t faults;

static void give_right(int number, const uint32_t *info, void *context __attribute__((unused)))
{
    if (number == SEGV && (info[3] & ~(uint32_t)(PAGE - 1)) == (uint32_t)protected_page)
        KERNEL(CALL_MPROTECT, (long)protected_page, PAGE, PROT_READ | PROT_WRITE);
    else
        leave(100);
    faults++;
}

static void protect_and_fault(char *memory, uint32_t seed)
{
    uint32_t action[5] = { (uint32_t)give_right, FAULT_FLAGS, 0, 0, 0 };
    uint32_t before    = faults;

    SAME(KERNEL(CALL_RT_SIGACTION, SEGV, (long)action, 0, 8), 0);
    for (uint32_t page = 0; page < PAGES; page += 5) {
        protected_page = memory + page * PAGE;
        SAME(KERNEL(CALL_MPROTECT, (long)protected_page, PAGE, page % 2 == 0 ? PROT_READ : PROT_NONE), 0);
        *(volatile char *)(protected_page + 7) = *(volatile char *)(protected_page + 7);
    }
    SAME(faults - before, (PAGES + 4) / 5);
    SAME(bytes_hold(memory, BYTES, seed, 0), BYTES);
}

void round_memory(void)
{
    uint32_t seed = chance_word(&me->chance);
    char    *memory = map_pages(PAGES, MAP_PRIVATE), *moved;

    bytes_fill(memory, BYTES, seed, 0);
    protect_and_fault(memory, seed);
    SAME(KERNEL(CALL_MLOCK, (long)memory, BYTES), 0);
    moved = (char *)DONE(KERNEL(CALL_MREMAP, (long)memory, BYTES, 2 * BYTES, MAYMOVE));
    SAME(bytes_hold(moved, BYTES, seed, 0), BYTES);
    SAME(*(volatile int *)(moved + BYTES), 0);
    SAME(KERNEL(CALL_MUNLOCK, (long)moved, 2 * BYTES), 0);
    SAME(KERNEL(CALL_MUNMAP, (long)(moved + 8 * PAGE), 4 * PAGE), 0);               /* a hole */
    SAME(bytes_hold(moved, 8 * PAGE, seed, 0), 8 * PAGE);
    SAME(bytes_hold(moved + 12 * PAGE, BYTES - 12 * PAGE, seed, 12 * PAGE), BYTES - 12 * PAGE);
    SAME(KERNEL(CALL_MADVISE, (long)moved, 2 * PAGE, 4), 0);                        /* MADV_DONTNEED */
    SAME(*(volatile int *)moved, 0);
    SAME(bytes_hold(moved + 2 * PAGE, 6 * PAGE, seed, 2 * PAGE), 6 * PAGE);
    SAME(KERNEL(CALL_MUNMAP, (long)moved, 2 * BYTES), 0);
}

/* ---- Copies --------------------------------------------------------------------------------------------- */

enum { CHILDREN = 3, COPIED = 40 };

/* Each child sees the old contents, changes all of its copy, and writes its word into the shared page. */
static void change_copy(char *own, volatile uint32_t *together, uint32_t seed, unsigned n)
{
    SAME(bytes_hold(own, COPIED * PAGE, seed, 0), COPIED * PAGE);
    bytes_fill(own, COPIED * PAGE, seed + n + 1, 0);
    KERNEL(CALL_SCHED_YIELD, 0);
    SAME(bytes_hold(own, COPIED * PAGE, seed + n + 1, 0), COPIED * PAGE);
    together[n] = seed + n;
    leave((int)n);
}

void round_copies(void)
{
    uint32_t seed = chance_word(&me->chance);
    char    *own = map_pages(COPIED, MAP_PRIVATE);
    uint32_t *together = (uint32_t *)map_pages(1, MAP_SHARED);
    long     children[CHILDREN];

    bytes_fill(own, COPIED * PAGE, seed, 0);
    for (unsigned n = 0; n < CHILDREN; n++)
        if ((children[n] = DONE(split())) == 0)
            change_copy(own, together, seed, n);
    bytes_fill(own, PAGE, seed + 77, 0);                        /* while the children copy */
    bytes_fill(own, PAGE, seed, 0);
    for (unsigned n = 0; n < CHILDREN; n++) {
        child_ended(children[n], (int)n << 8);
        SAME(together[n], seed + n);
    }
    SAME(bytes_hold(own, COPIED * PAGE, seed, 0), COPIED * PAGE);
    SAME(KERNEL(CALL_MUNMAP, (long)own, COPIED * PAGE), 0);
    SAME(KERNEL(CALL_MUNMAP, (long)together, PAGE), 0);
}
