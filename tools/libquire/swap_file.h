/*
 * swap_file.h - the file that a machine swaps to: without a name, sparse, gone with the machine.
 */
#ifndef QUIRE_SWAP_FILE_H
#define QUIRE_SWAP_FILE_H

#include <stdint.h>

/* How much a machine may be given: what the kernel has numbers for. */
#define SWAP_LEAST (64ull << 10)
#define SWAP_MOST  (512ull << 20)

/*
 * Make the file in $TMPDIR, or /tmp: so many bytes for pages, in whole pages, behind the header of a swap area. Returns
 * 0 and *fd, which the caller closes, and *size, the file's; or, after a complaint, an exit status.
 */
int swap_file_make(uint64_t bytes, int *fd, uint64_t *size);

#endif
