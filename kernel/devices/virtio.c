/*
 * virtio.c - split rings. See virtio.h.
 */
#include "devices/virtio.h"

#include "base/check.h"
#include "base/error.h"

struct virtio_descriptor {
    uint64_t address;
    uint32_t bytes;
    uint16_t flags, next;
};

enum { STATUS_ACKNOWLEDGE = 1, STATUS_DRIVER = 2, STATUS_READY = 4, STATUS_FEATURES = 8 };
enum { STATUS_AGREED = STATUS_ACKNOWLEDGE | STATUS_DRIVER | STATUS_FEATURES };
enum { GOES_ON = 1, DEVICE_WRITES = 2 };        /* of a descriptor        */
enum { NO_INTERRUPT = 1 };              /* of the available ring          */
enum { FEATURE_VERSION_1 = 1 };         /* in the second word of features */
enum { FLAGS, INDEX, RING };            /* of either ring, in 16-bit words */

int virtio_begin(struct virtio_device *device, uint32_t features)
{
    const struct virtio_transport *t = device->transport;

    t->set_status(device, 0);
    t->set_status(device, STATUS_ACKNOWLEDGE | STATUS_DRIVER);
    if (!(t->features(device, 1) & FEATURE_VERSION_1) || (t->features(device, 0) & features) != features)
        return -ENODEV;
    t->accept(device, 0, features);
    t->accept(device, 1, FEATURE_VERSION_1);
    t->set_status(device, STATUS_AGREED);
    return t->status(device) & STATUS_FEATURES ? 0 : -ENODEV;
}

void virtio_ready(struct virtio_device *device)
{
    device->transport->set_status(device, STATUS_AGREED | STATUS_READY);
}

int virtio_queue_start(struct virtio_queue *queue, struct virtio_device *device, unsigned number, uint16_t entries,
                       void *ring, paddr_t physical)
{
    size_t available = entries * sizeof(struct virtio_descriptor);
    size_t used      = (available + (RING + entries + 1u) * sizeof(uint16_t) + 3) & ~(size_t)3;

    assert(entries != 0 && (entries & (entries - 1)) == 0 && (uintptr_t)ring % 16 == 0);
    if (device->transport->queue_most(device, number) < entries)
        return -ENODEV;
    *queue = (struct virtio_queue){
        .device = device, .number = number, .entries = entries,
        .descriptors = ring,
        .available   = (void *)((char *)ring + available),
        .used        = (void *)((char *)ring + used),
    };
    device->transport->queue_place(device, number, entries, physical, physical + available, physical + used);
    return 0;
}

static void describe_piece(struct virtio_queue *queue, uint16_t at, struct virtio_piece piece, uint16_t flags)
{
    volatile struct virtio_descriptor *d = &queue->descriptors[at];

    assert(at < queue->entries);
    d->address = piece.at;
    d->bytes   = piece.bytes;
    d->flags   = flags;
    d->next    = (uint16_t)(at + 1);
}

static void offer(struct virtio_queue *queue, uint16_t tag)
{
    queue->available[RING + queue->next_available % queue->entries] = tag;
    queue->next_available++;
    __atomic_thread_fence(__ATOMIC_RELEASE);    /* the entry before the index that shows it */
    queue->available[INDEX] = queue->next_available;
}

void virtio_give(struct virtio_queue *queue, paddr_t buffer, uint32_t bytes, bool device_writes, uint16_t tag)
{
    describe_piece(queue, tag, (struct virtio_piece){ buffer, bytes }, device_writes ? DEVICE_WRITES : 0);
    offer(queue, tag);
}

void virtio_give_chain(struct virtio_queue *queue, const struct virtio_piece *pieces, unsigned count, unsigned written,
                       uint16_t first)
{
    for (unsigned i = 0; i < count; i++)        /* bound: the caller's pieces */
        describe_piece(queue, (uint16_t)(first + i), pieces[i],
                 (uint16_t)((i + 1 < count ? GOES_ON : 0) | (i >= count - written ? DEVICE_WRITES : 0)));
    offer(queue, first);
}

void virtio_kick(struct virtio_queue *queue)
{
    __atomic_thread_fence(__ATOMIC_SEQ_CST);    /* the index before the device is told to look */
    queue->device->transport->notify(queue->device, queue->number);
}

bool virtio_take(struct virtio_queue *queue, uint16_t *tag, uint32_t *bytes)
{
    const volatile uint32_t *ring = (const volatile uint32_t *)(queue->used + RING);
    const volatile uint32_t *entry = ring + 2 * (queue->next_used % queue->entries);
    uint32_t id;

    if (queue->used[INDEX] == queue->next_used)
        return false;
    __atomic_thread_fence(__ATOMIC_ACQUIRE);    /* the index before the entry it shows */
    id = entry[0];                              /* once: the device may write it again */
    if (id >= queue->entries)
        return false;
    *tag   = (uint16_t)id;
    *bytes = entry[1];
    queue->next_used++;
    return true;
}

void virtio_interrupts(struct virtio_queue *queue, bool wanted)
{
    queue->available[FLAGS] = wanted ? 0 : NO_INTERRUPT;
    __atomic_thread_fence(__ATOMIC_SEQ_CST);    /* before the look at what is used already */
}

int virtio_find(struct virtio_device *device, uint32_t kind, const char *command_line)
{
    return virtio_mmio_find(device, kind, command_line) == 0 ? 0 : virtio_pci_find(device, kind);
}
