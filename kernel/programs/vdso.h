/*
 * vdso.h - the two pages by which programs learn the time without a call; handlers of signals return into them.
 *
 * The second one is the port's shared object (arch/contract.h), which a program finds by AT_SYSINFO_EHDR; the first is
 * what the kernel writes for it (base/vdso_data.h). There is one frame of each, pages of an object of shared memory
 * that the kernel keeps, and no program can write them: a program has both as one region, readable and executable, and
 * mprotect() gives no more (Linux has a region for each, and copies the code for a program that wants to write there).
 * /proc/PID/maps has a line for each page, [vvar] and [vdso]. What a program does to its own mapping (munmap, mremap)
 * concerns itself alone. A forked child has the region, and no entry for it before its first use.
 *
 * Locking  as memory/spaces/map.h.
 */
#ifndef QUIRE_PROGRAMS_VDSO_H
#define QUIRE_PROGRAMS_VDSO_H

#include "memory/spaces/space.h"

enum { VDSO_PAGES = 2 };

/* Make the pages, once, before the first program. Without memory there are none, and programs run without them. */
void vdso_start(void);

/*
 * Map the pages from `place` on. Returns 0, with the address of the shared object in *out: 0 where there are no pages,
 * or something else is mapped there. Or why they cannot be mapped, as map_create().
 */
int vdso_map(struct space *space, vaddr_t place, vaddr_t *out) MUST_CHECK;

/* Where in the shared object programs make their calls: AT_SYSINFO. */
vaddr_t vdso_entry(vaddr_t vdso);

#endif
