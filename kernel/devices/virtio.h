/*
 * virtio.h - devices of a virtual machine, and the rings through which buffers go to them and back.
 *
 * A transport finds the device's registers (virtio_mmio.c, virtio_pci.c); this part runs the split rings
 * on top. Buffers are physical memory; a ring entry is one buffer, never a chain.
 *
 * Owning   a queue's ring is memory of its own, from the pool; buffers are the driver's.
 * Locking  none here: each driver serialises the use of its queues.
 * Source   Virtual I/O Device (VIRTIO) Version 1.1, sections 2.6 "Split Virtqueues", 3.1 "Device Initialization".
 */
#ifndef QUIRE_DEVICES_VIRTIO_H
#define QUIRE_DEVICES_VIRTIO_H

#include "base/types.h"

enum { VIRTIO_CONSOLE = 3 };
enum { VIRTIO_RING = 128 };             /* most entries we use; a legacy device may insist on its own number */

struct virtio_device;

/* What a transport answers. */
struct virtio_transport {
    uint32_t (*features)(struct virtio_device *device, unsigned word);
    void     (*accept)(struct virtio_device *device, unsigned word, uint32_t features);
    void     (*status)(struct virtio_device *device, uint8_t status);
    uint8_t  (*read_status)(struct virtio_device *device);
    uint16_t (*queue_size)(struct virtio_device *device, unsigned queue);      /* 0: there is no such queue */
    void     (*queue_place)(struct virtio_device *device, unsigned queue, uint16_t size, paddr_t descriptors,
                            paddr_t available, paddr_t used);
    void     (*notify)(struct virtio_device *device, unsigned queue);
    void     (*acknowledge)(struct virtio_device *device);                     /* an interrupt has been seen */
};

struct virtio_device {
    const struct virtio_transport *transport;
    volatile uint8_t *registers;        /* memory-mapped transports             */
    uint16_t          port;             /* others                               */
    uint8_t           line;             /* interrupt line                       */
    bool              modern;           /* feature VERSION_1 is there to accept */
};

struct virtio_queue {
    struct virtio_device *device;
    unsigned              number;
    uint16_t              size;
    volatile struct virtio_descriptor *descriptors;
    volatile uint16_t    *available;    /* flags, index, ring[] */
    volatile uint16_t    *used;         /* flags, index, ring of { id, length } */
    uint16_t              next_available, next_used, free_count;
};

/* Reset, agree on nothing but the version, set DRIVER. Returns 0, -ENODEV. */
int  virtio_begin(struct virtio_device *device) __attribute__((warn_unused_result));
int  virtio_queue_start(struct virtio_queue *queue, struct virtio_device *device, unsigned number) __attribute__((warn_unused_result));
void virtio_ready(struct virtio_device *device);

/* Give a buffer to the device; false when the ring is full. `tag` comes back with it. */
bool virtio_give(struct virtio_queue *queue, paddr_t buffer, uint32_t bytes, bool device_writes, uint16_t tag);
void virtio_kick(struct virtio_queue *queue);
/* Take back a buffer the device is done with; false when there is none. */
bool virtio_take(struct virtio_queue *queue, uint16_t *tag, uint32_t *bytes);
/* Whether the device is to interrupt when it is done with buffers. */
void virtio_interrupts(struct virtio_queue *queue, bool wanted);

/*
 * The first device of a kind: among those the command line announces (`virtio_mmio.device=SIZE@ADDRESS:LINE`,
 * as QEMU's microvm writes it), else on the PCI bus. Returns 0 or -ENODEV.
 */
int  virtio_find(struct virtio_device *device, uint32_t kind, const char *command_line) __attribute__((warn_unused_result));
int  virtio_mmio_find(struct virtio_device *device, uint32_t kind, const char *command_line) __attribute__((warn_unused_result));
int  virtio_pci_find(struct virtio_device *device, uint32_t kind) __attribute__((warn_unused_result));

#endif
