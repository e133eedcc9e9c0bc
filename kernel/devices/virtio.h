/*
 * virtio.h - devices of a virtual machine, and the rings through which buffers go to them and back.
 *
 * A transport finds the device's registers (virtio_mmio.c, virtio_pci.c); this part runs the split rings
 * on top. Buffers are physical memory; a ring entry is one buffer, or a chain of pieces (virtio_give_chain()).
 *
 * Owning   rings and buffers lie in the driver's memory; a ring is physically in one piece.
 * Locking  none here: each driver serialises the use of its queues.
 * Source   Virtual I/O Device (VIRTIO) Version 1.1, sections 2.6 "Split Virtqueues", 3.1 "Device Initialization".
 */
#ifndef QUIRE_DEVICES_VIRTIO_H
#define QUIRE_DEVICES_VIRTIO_H

#include "base/types.h"

enum { VIRTIO_BLOCK = 2, VIRTIO_CONSOLE = 3 };          /* kinds of devices (section 5, "Device Types") */

struct virtio_device;

/* The functions of a transport. */
struct virtio_transport {
    uint32_t (*features)(struct virtio_device *device, unsigned word);
    void     (*accept)(struct virtio_device *device, unsigned word, uint32_t features);
    void     (*set_status)(struct virtio_device *device, uint8_t status);
    uint8_t  (*status)(struct virtio_device *device);
    uint16_t (*queue_most)(struct virtio_device *device, unsigned queue);      /* entries; 0: there is no such queue */
    void     (*queue_place)(struct virtio_device *device, unsigned queue, uint16_t entries, paddr_t descriptors,
                            paddr_t available, paddr_t used);
    void     (*notify)(struct virtio_device *device, unsigned queue);
    void     (*acknowledge)(struct virtio_device *device);                     /* an interrupt has been handled */
    uint32_t (*setting)(struct virtio_device *device, unsigned offset);        /* of the kind's own, 4 bytes    */
};

struct virtio_device {
    const struct virtio_transport *transport;
    volatile uint8_t *registers;        /* common ones                          */
    volatile uint8_t *notifications, *interrupt, *settings;     /* PCI: elsewhere */
    uint32_t          notify_step;      /* PCI: bytes from queue to queue       */
    uint8_t           line;             /* interrupt line                       */
};

struct virtio_queue {
    struct virtio_device *device;
    unsigned              number;
    uint16_t              entries;      /* a power of two                       */
    volatile struct virtio_descriptor *descriptors;
    volatile uint16_t    *available;    /* flags, index, ring[]                 */
    volatile uint16_t    *used;         /* flags, index, ring of { id, length } */
    uint16_t              next_available, next_used;
};

/* Reset the device; accept these bits of its first word of features, and VERSION_1. Returns 0, -ENODEV. */
int  virtio_begin(struct virtio_device *device, uint32_t features) MUST_CHECK;

/* Memory for a ring: bytes, aligned to 16. */
#define VIRTIO_RING_BYTES(entries) \
    (((entries) * 16u + 6 + 2 * (entries) + 3) / 4 * 4 + (6 + 8u * (entries) + 15) / 16 * 16)

/*
 * Put a queue to use, in `ring` (zeroed), which lies at `physical`. Returns 0, or -ENODEV: the device has no such
 * queue, or not so many entries.
 */
int  virtio_queue_start(struct virtio_queue *queue, struct virtio_device *device, unsigned number, uint16_t entries,
                        void *ring, paddr_t physical) MUST_CHECK;
void virtio_ready(struct virtio_device *device);

/* Give a buffer to the device under the number `tag` (below the queue's entries, and not in use). */
void virtio_give(struct virtio_queue *queue, paddr_t buffer, uint32_t bytes, bool device_writes, uint16_t tag);
/*
 * Give several pieces as one buffer, under the number `first`: piece i takes the number first + i. The device reads
 * them, and then writes the last `written` ones.
 */
struct virtio_piece { paddr_t at; uint32_t bytes; };
void virtio_give_chain(struct virtio_queue *queue, const struct virtio_piece *pieces, unsigned count, unsigned written,
                       uint16_t first);
/* Tell the device that it has been given buffers. */
void virtio_kick(struct virtio_queue *queue);
/*
 * Take back a buffer that the device has finished, with its tag, which is below the queue's entries, and nothing more
 * is known of it; false when there is none, or what the device says makes no sense.
 */
bool virtio_take(struct virtio_queue *queue, uint16_t *tag, uint32_t *bytes);
/* Say whether the device is to interrupt when it has finished buffers. */
void virtio_interrupts(struct virtio_queue *queue, bool wanted);

/*
 * The first device of a kind: among those the command line announces (`virtio_mmio.device=SIZE@ADDRESS:LINE`,
 * as QEMU's microvm writes it), else on the PCI bus. Returns 0 or -ENODEV.
 */
int  virtio_find(struct virtio_device *device, uint32_t kind, const char *command_line) MUST_CHECK;
int  virtio_mmio_find(struct virtio_device *device, uint32_t kind, const char *command_line) MUST_CHECK;
int  virtio_pci_find(struct virtio_device *device, uint32_t kind) MUST_CHECK;

#endif
