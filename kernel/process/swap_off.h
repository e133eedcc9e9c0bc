/*
 * swap_off.h - the swap device is put to use, and its use ends.
 *
 * While swap_off() is under way no page goes to the device, and those that are there come back, process by process, and
 * then object by object.
 * Where that fails, or the caller is killed, the device is in use as before. Here is as well what gives back the tables
 * of slots that swap.h leaves over (swap_leaves_frames()).
 *
 * Locking  a mutex inside: one such call at a time, and who waits for another's is not interrupted, not by SIGKILL
 *          either; inside it locks that sleep (memory/pageout/transfer.h). Both may sleep.
 * Cost     swap_on(): the frames of all transfers, one by one; swap_off(): those, and one read of the device for each
 *          page that is there.
 */
#ifndef QUIRE_PROCESS_SWAP_OFF_H
#define QUIRE_PROCESS_SWAP_OFF_H

int swap_on(void);              /* swap_device_on()'s answers */

/* Returns 0; -EINVAL: it is not in use; -ENOMEM: the pages have no room in memory; -EIO; -EINTR: to be killed. */
int swap_off(void);

#endif
