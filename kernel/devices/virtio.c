/*
 * virtio.c - split rings.
 */
#include "devices/virtio.h"

#include "base/check.h"
#include "base/error.h"
#include "base/string.h"
#include "memory/frame.h"
#include "memory/heap.h"
#include "memory/slot.h"
#include "memory/space.h"

struct virtio_descriptor {
    uint64_t address;
    uint32_t bytes;
    uint16_t flags, next;
};

enum { STATUS_ACKNOWLEDGE = 1, STATUS_DRIVER = 2, STATUS_READY = 4, STATUS_FEATURES = 8 };
enum { DEVICE_WRITES = 2, NO_INTERRUPT = 1, FEATURE_VERSION_1 = 1 };        /* of the second word */
enum { RING_FRAMES_ALIGN = 1 };

/* A ring in the legacy form's fixed arrangement, which serves the modern one as well (2.6.2). */
static size_t used_offset(uint16_t size)
{
    size_t first = size * sizeof(struct virtio_descriptor) + (3 + size) * sizeof(uint16_t);

    return (first + PAGE_SIZE - 1) & ~(size_t)(PAGE_SIZE - 1);
}

static size_t ring_bytes(uint16_t size) { return used_offset(size) + 3 * sizeof(uint16_t) + size * 8; }

int virtio_begin(struct virtio_device *device)
{
    const struct virtio_transport *t = device->transport;

    t->status(device, 0);
    t->status(device, STATUS_ACKNOWLEDGE | STATUS_DRIVER);
    t->accept(device, 0, 0);
    if (device->modern) {
        if (!(t->features(device, 1) & FEATURE_VERSION_1))
            return -ENODEV;
        t->accept(device, 1, FEATURE_VERSION_1);
        t->status(device, STATUS_ACKNOWLEDGE | STATUS_DRIVER | STATUS_FEATURES);
        if (!(t->read_status(device) & STATUS_FEATURES))
            return -ENODEV;
    }
    return 0;
}

void virtio_ready(struct virtio_device *device)
{
    device->transport->status(device, STATUS_ACKNOWLEDGE | STATUS_DRIVER | STATUS_READY | (device->modern ? STATUS_FEATURES : 0));
}

/* Frames in a row, shown in kernel space: rings are more than a page and must be physically whole. */
static void *ring_memory(size_t bytes, frame_t *first)
{
    uint32_t frames = (uint32_t)pages_for(bytes);
    char    *pointer;

    if (frame_run_get(OWNER_PROCESS, frames, RING_FRAMES_ALIGN, 0, FRAME_LOW, first) != 0)
        return NULL;
    pointer = physical_pointer(frame_address(*first), bytes);
    if (pointer == NULL)
        frame_run_put(*first, frames);
    else
        memset(pointer, 0, frames * PAGE_SIZE);
    return pointer;
}

int virtio_queue_start(struct virtio_queue *queue, struct virtio_device *device, unsigned number)
{
    uint16_t size = device->transport->queue_size(device, number);
    frame_t  first;
    char    *ring;
    paddr_t  at;

    if (size == 0)
        return -ENODEV;
    if (device->modern && size > VIRTIO_RING)
        size = VIRTIO_RING;                     /* a legacy device's size cannot be chosen */
    ring = ring_memory(ring_bytes(size), &first);
    if (ring == NULL)
        return -ENOMEM;
    at = frame_address(first);
    *queue = (struct virtio_queue){
        .device = device, .number = number, .size = size, .free_count = size,
        .descriptors = (void *)ring,
        .available   = (void *)(ring + size * sizeof(struct virtio_descriptor)),
        .used        = (void *)(ring + used_offset(size)),
    };
    device->transport->queue_place(device, number, size, at, at + size * sizeof(struct virtio_descriptor),
                                   at + used_offset(size));
    return 0;
}

/* Tags are descriptor numbers: each buffer has its own descriptor for good. */
bool virtio_give(struct virtio_queue *queue, paddr_t buffer, uint32_t bytes, bool device_writes, uint16_t tag)
{
    volatile struct virtio_descriptor *d;

    assert(tag < queue->size);
    if (queue->free_count == 0)
        return false;
    d = &queue->descriptors[tag];
    d->address = buffer;
    d->bytes   = bytes;
    d->flags   = device_writes ? DEVICE_WRITES : 0;
    queue->available[2 + queue->next_available % queue->size] = tag;
    queue->next_available++;
    queue->free_count--;
    __atomic_thread_fence(__ATOMIC_RELEASE);    /* the entry before the index that shows it */
    queue->available[1] = queue->next_available;
    return true;
}

void virtio_kick(struct virtio_queue *queue)
{
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    queue->device->transport->notify(queue->device, queue->number);
}

bool virtio_take(struct virtio_queue *queue, uint16_t *tag, uint32_t *bytes)
{
    const volatile uint32_t *entry = (const volatile uint32_t *)(queue->used + 2) + 2 * (queue->next_used % queue->size);

    if (queue->used[1] == queue->next_used)
        return false;
    __atomic_thread_fence(__ATOMIC_ACQUIRE);
    if (!expect(entry[0] < queue->size))
        return false;
    *tag   = (uint16_t)entry[0];
    *bytes = entry[1];
    queue->next_used++;
    queue->free_count++;
    return true;
}

void virtio_interrupts(struct virtio_queue *queue, bool wanted)
{
    queue->available[0] = wanted ? 0 : NO_INTERRUPT;
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
}

int virtio_find(struct virtio_device *device, uint32_t kind, const char *command_line)
{
    return virtio_mmio_find(device, kind, command_line) == 0 ? 0 : virtio_pci_find(device, kind);
}
