/*
 * transfer.h - pages on their way to the swap device and back.
 *
 * A *transfer* is a frame that a page is copied through, a request to the device (base/block.h), and a reference to the
 * slot, which the audit counts (X5): while a page is read or written its slot needs no entry, and cannot be taken for
 * another page. One that reads may do so for a group of TRANSFER_PAGES slots behind each other, and then has as many
 * frames and references. There are TRANSFERS of them, whose frames the kernel has while a device is in use; so paging
 * out needs no memory. TRANSFERS_IN of them are never used for writing: what is read ends a wait, and frees its
 * transfer.
 *
 *     out:  transfer_write() with the page's bytes;  transfer_wait();  transfer_take_slot() where the entry, or an
 *           object's index, is written;
 *           transfer_put()
 *     in:   transfer_read() where the entry is locked;  transfer_wait() without locks;  look again: if the entry names
 *           the slot still, transfer_frame() has its contents, and so for others of its group;  transfer_put()
 *
 * Who wants to read a slot that is being read shares the transfer. What was read stays as long as somebody uses it, so
 * each who has waited finds it, or the error.
 *
 * Owning   each user of a transfer ends with transfer_put(); the last one frees it. A slot that could not be written is
 *          bad from then on, and is not used again.
 * Locking  the lock of swap slots (RANK_SWAP) inside, and RANK_CHANNEL. transfer_wait() may sleep; locks of
 *          base/rwlock.h may be held (base/block.h). transfer_await_free() may sleep for long, without such locks. No
 *          other call sleeps; they may be made with the tables locked.
 * Cost     a copy of a page, and a step for each of TRANSFERS, and of TRANSFER_PAGES.
 */
#ifndef QUIRE_MEMORY_TRANSFER_H
#define QUIRE_MEMORY_TRANSFER_H

#include "base/block.h"
#include "base/types.h"

enum { TRANSFERS = 8, TRANSFERS_IN = 2, TRANSFERS_OUT = TRANSFERS - TRANSFERS_IN, TRANSFER_PAGES = BLOCK_PAGES };

struct transfer;

/*
 * Begin to write a page of a space or of an object, which is `whose`; its bytes are copied. Returns 0; -EBUSY: no
 * transfer is free; -ENOSPC: there is no device, or no room on it.
 */
int transfer_write(const void *whose, uint64_t page, const void *bytes, struct transfer **out) MUST_CHECK;

/* Whether that page is being written: it is not to go out a second time meanwhile. */
bool transfer_is_of(const void *whose, uint64_t page);

/* The slot that was written, with its reference, for the entry or the index that is to name it. */
uint32_t transfer_take_slot(struct transfer *transfer);

/*
 * Begin to read a slot of the device, which has a reference, or join who does. With `group`, where the slot that was
 * read last lies near, the group of TRANSFER_PAGES around it as well, whose slots that are in use get a reference too;
 * one that has failed is for none of them, and from then on each slot is read alone. NULL: no transfer is free.
 */
struct transfer *transfer_read(uint32_t slot, bool group);
bool             transfer_is_for(const struct transfer *transfer, uint32_t slot);
bool             transfer_is_single(const struct transfer *transfer);

/* Wait until it is done. 0 or -EIO, which the other call returns when that was waited for. */
int     transfer_wait(struct transfer *transfer);
int     transfer_result(const struct transfer *transfer);
frame_t transfer_frame(const struct transfer *transfer, uint32_t slot);
void    transfer_put(struct transfer *transfer);

/* Wait until a transfer is free, or may be. */
void transfer_await_free(void);

/* For X5: each slot that a transfer has a reference to. */
void transfers_each(void (*visit)(void *data, uint32_t slot), void *data);

/* ---- The device as a whole ------------------------------------------------------------------------------- */

/*
 * Put the machine's block device to use, if its first page is the header of a swap area (mkswap). Returns 0; -EBUSY: it
 * is in use; -EINVAL: there is none, it is no swap area, or too small for its header; -EIO; -ENOMEM. May sleep. One
 * at a time, this and swap_device_off().
 */
int swap_device_on(void) MUST_CHECK;
bool     swap_device_is_on(void);
uint32_t swap_room(void);               /* pages that the device has for slots; 0: it is not in use */

/*
 * No page goes to the device from now on (`leaving`), or again. swap_device_off() ends its use: false where a slot or
 * a transfer is still in use.
 */
void swap_device_leave(bool leaving);
bool swap_device_off(void) MUST_CHECK;

#endif
