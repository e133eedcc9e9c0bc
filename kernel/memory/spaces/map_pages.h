/*
 * map_pages.h - the pat layout's own mmap: pages at an address, at once, from the pool or of a given physical place.
 *
 *     address = map_pages(space, start, physical, bytes, &status);
 *
 * With physical 0 each page is the next available one, all zero, and the program's alone (K20). With an address
 * the pages from there on are shown, and not marked in use (K19). The length is rounded up to pages. Returns start,
 * with *status 0; or 0, with *status a negative errno, and nothing has changed (K21):
 *
 *   -EINVAL  start or physical not aligned, no bytes, or the range wraps around
 *   -EFAULT  (programs) not all of it lies in user space: the first 4 MiB, or past its end (K22)
 *   -EEXIST  something is mapped there already
 *   -EPERM   a physical page that may not be shown (below)
 *   -ENOMEM  too few pages, no room on the heap, or the program's limits; -EAGAIN that of locked memory
 *
 * For the kernel itself a space or range of the wrong kind is a mistake in the kernel: it stops (K22). A program gets
 * -EFAULT, from try_map_pages().
 *
 * Which physical pages may be shown. "Not marked in use" leaves the page to its owner. If that were the pool, the pool
 * could give the page to another program while this one still shows it; if it were a program, this one would show that
 * program's memory. So a page must be one that is never handed out: not RAM by the memory map, or RAM that the
 * document holds back. For programs the page must also lie between 640 KiB and 1 MiB, where a PC has screens and ROMs:
 * a device that is told addresses could be told the kernel's. Such pages are not counted (frame_show()), are not
 * inherited by a child, and go with munmap or the program.
 *
 * Locking  takes the space's map lock as the writer, and may sleep. Pages of the pool are then brought in one by one,
 *          as by faults, with points of rest without that lock. Should another thread of the program take the pages
 *          away meanwhile, the answer may be -EFAULT, and what it has mapped in their place goes as well.
 * Cost     that of a fault for each page, without the trap.
 * Source   claims K18..K22; docs/claims.md has what was seen.
 */
#ifndef QUIRE_MEMORY_MAP_PAGES_H
#define QUIRE_MEMORY_MAP_PAGES_H

#include "base/types.h"

struct space;

vaddr_t map_pages(struct space *space, vaddr_t start, paddr_t physical, size_t bytes, int *status);
vaddr_t try_map_pages(struct space *space, vaddr_t start, paddr_t physical, size_t bytes, int *status);

#endif
