/*
 * virtio_pci.c - virtio devices on the PCI bus.
 *
 * Capabilities in configuration space say in which BAR, and where in it, each structure of registers lies.
 * The ports of the legacy interface are not used: they leave no choice of a ring's size or shape.
 *
 * Source   VIRTIO 1.1, section 4.1 "Virtio Over PCI Bus".
 */
#include "base/check.h"
#include "base/error.h"
#include "cpu.h"
#include "devices/pci.h"
#include "devices/virtio.h"
#include "memory/spaces/space.h"

/* Configuration space. */
enum { COMMAND = 4, STATUS_CAPABILITIES = 1 << 20, COMMAND_MEMORY = 2, COMMAND_MASTER = 4, BAR_0 = 16,
       CAPABILITIES = 52,
       INTERRUPT_LINE = 60 };
enum { BAR_IS_PORTS = 1, BAR_WIDE = 4, BARS = 6 };
enum { VENDOR = 0x1AF4, TRANSITIONAL_BLOCK = 0x1001, TRANSITIONAL_CONSOLE = 0x1003, MODERN_FIRST = 0x1040 };
enum { CAPABILITY_VENDOR = 9, CAPABILITIES_MOST = 48 };

/* Kinds of structures. */
enum { COMMON = 1, NOTIFICATIONS = 2, INTERRUPT = 3, SETTINGS = 4, WINDOWS = 4 };

/* The common structure. */
enum {
    DEVICE_FEATURES_WORD = 0, DEVICE_FEATURES = 4, DRIVER_FEATURES_WORD = 8, DRIVER_FEATURES = 12, STATUS = 20,
    QUEUE = 22, QUEUE_SIZE = 24, QUEUE_ENABLE = 28, QUEUE_NOTIFY = 30, QUEUE_DESCRIPTORS = 32, QUEUE_AVAILABLE = 40,
    QUEUE_USED = 48, COMMON_BYTES = 56,
};

static struct region windows[2][WINDOWS];       /* of the console, and of the block device */

static volatile uint16_t *register16(struct virtio_device *d, unsigned offset)
{
    return (volatile uint16_t *)(volatile void *)(d->registers + offset);
}

static volatile uint32_t *register32(struct virtio_device *d, unsigned offset)
{
    return (volatile uint32_t *)(volatile void *)(d->registers + offset);
}

static uint32_t pci_features(struct virtio_device *d, unsigned number)
{
    *register32(d, DEVICE_FEATURES_WORD) = number;
    return *register32(d, DEVICE_FEATURES);
}

static void pci_accept(struct virtio_device *d, unsigned number, uint32_t value)
{
    *register32(d, DRIVER_FEATURES_WORD) = number;
    *register32(d, DRIVER_FEATURES) = value;
}

static void    pci_set_status(struct virtio_device *d, uint8_t value) { d->registers[STATUS] = value; }
static uint8_t pci_status(struct virtio_device *d)                    { return d->registers[STATUS]; }

static uint16_t pci_queue_most(struct virtio_device *d, unsigned queue)
{
    *register16(d, QUEUE) = (uint16_t)queue;
    return *register16(d, QUEUE_SIZE);
}

static void put_address(struct virtio_device *d, unsigned offset, paddr_t address)
{
    *register32(d, offset)     = (uint32_t)address;
    *register32(d, offset + 4) = (uint32_t)(address >> 32);
}

static void pci_queue_place(struct virtio_device *d, unsigned queue, uint16_t entries, paddr_t descriptors,
                        paddr_t available, paddr_t used)
{
    *register16(d, QUEUE) = (uint16_t)queue;
    *register16(d, QUEUE_SIZE) = entries;
    put_address(d, QUEUE_DESCRIPTORS, descriptors);
    put_address(d, QUEUE_AVAILABLE, available);
    put_address(d, QUEUE_USED, used);
    *register16(d, QUEUE_ENABLE) = 1;
}

static void pci_notify(struct virtio_device *d, unsigned queue)
{
    uint32_t place;

    *register16(d, QUEUE) = (uint16_t)queue;
    place = *register16(d, QUEUE_NOTIFY) * d->notify_step;
    if (expect(place + 2 <= PAGE_SIZE))
        *(volatile uint16_t *)(volatile void *)(d->notifications + place) = (uint16_t)queue;
}

static void pci_acknowledge(struct virtio_device *d) { (void)*d->interrupt; }       /* reading is enough */

static uint32_t pci_setting(struct virtio_device *d, unsigned offset)
{
    return *(volatile uint32_t *)(volatile void *)(d->settings + offset);
}

static const struct virtio_transport transport = {
    pci_features, pci_accept, pci_set_status, pci_status, pci_queue_most, pci_queue_place, pci_notify, pci_acknowledge,
    pci_setting
};

/* ---- Finding the structures ------------------------------------------------------------- */

struct pci_search {
    uint16_t              transitional, modern;     /* device numbers */
    struct virtio_device *device;
    struct region        *windows;
    bool                  found;
};

/* The physical address of a BAR's memory; 0: it cannot be reached. */
static paddr_t bar_address(const struct pci_access *pci, pci_address where, unsigned bar)
{
    uint32_t low = bar < BARS ? pci->read(where, BAR_0 + 4 * bar) : BAR_IS_PORTS;

    if ((low & BAR_IS_PORTS) || ((low & BAR_WIDE) && (bar + 1 == BARS || pci->read(where, BAR_0 + 4 * bar + 4) != 0)))
        return 0;
    return low & ~15u;
}

/* Show the page that a structure begins in. */
static volatile uint8_t *map_structure(const struct pci_access *pci, pci_address where, unsigned capability,
                                       struct region *window)
{
    unsigned bar    = pci->read(where, capability + 4) & 0xFF;
    uint32_t offset = pci->read(where, capability + 8);
    paddr_t  base   = bar_address(pci, where, bar), start = base + offset;

    if (base == 0 || start < base || start % PAGE_SIZE + COMMON_BYTES > PAGE_SIZE ||
        kernel_map_device(window, "virtio", start - start % PAGE_SIZE, PAGE_SIZE, CACHE_OFF) != 0)
        return NULL;
    return (volatile uint8_t *)pointer_to(page_address(window->span.first)) + start % PAGE_SIZE;
}

static void take_structure(const struct pci_access *pci, pci_address where, unsigned capability,
                           struct virtio_device *d, struct region *shown)
{
    unsigned kind = pci->read(where, capability) >> 24;

    if (kind == COMMON && d->registers == NULL) {
        d->registers = map_structure(pci, where, capability, &shown[0]);
    } else if (kind == NOTIFICATIONS && d->notifications == NULL) {
        d->notifications = map_structure(pci, where, capability, &shown[1]);
        d->notify_step   = pci->read(where, capability + 16);
    } else if (kind == INTERRUPT && d->interrupt == NULL) {
        d->interrupt = map_structure(pci, where, capability, &shown[2]);
    } else if (kind == SETTINGS && d->settings == NULL) {
        d->settings = map_structure(pci, where, capability, &shown[3]);
    }
}

static bool take_structures(const struct pci_access *pci, pci_address where, struct virtio_device *d,
                            struct region *shown)
{
    unsigned at = pci->read(where, CAPABILITIES) & 0xFC;

    if (!(pci->read(where, COMMAND) & STATUS_CAPABILITIES))
        return false;
    for (unsigned n = 0; at != 0 && n < CAPABILITIES_MOST; n++) {
        uint32_t head = pci->read(where, at);

        if ((head & 0xFF) == CAPABILITY_VENDOR && at <= 256 - 20)
            take_structure(pci, where, at, d, shown);
        at = head >> 8 & 0xFC;
    }
    return d->registers != NULL && d->notifications != NULL && d->interrupt != NULL && d->settings != NULL;
}

static void unmap_structures(const struct virtio_device *d, struct region *shown)
{
    const volatile uint8_t *const seen[WINDOWS] = { d->registers, d->notifications, d->interrupt, d->settings };

    for (unsigned i = 0; i < WINDOWS; i++)
        if (seen[i] != NULL)
            kernel_unmap(&shown[i]);
}

static void look_at_function(void *context, const struct pci_function *f)
{
    struct pci_search       *search = context;
    const struct pci_access *pci    = pci_ports();

    if (search->found || f->vendor != VENDOR || (f->device != search->transitional && f->device != search->modern))
        return;
    *search->device = (struct virtio_device){ .transport = &transport,
                                              .line = (uint8_t)pci->read(f->where, INTERRUPT_LINE) };
    search->found = take_structures(pci, f->where, search->device, search->windows);
    if (search->found)
        pci->write(f->where, COMMAND, (pci->read(f->where, COMMAND) & 0xFFFF) | COMMAND_MEMORY | COMMAND_MASTER);
    else
        unmap_structures(search->device, search->windows);
}

int virtio_pci_find(struct virtio_device *device, uint32_t kind)
{
    bool              block  = kind == VIRTIO_BLOCK;
    struct pci_search search = { .transitional = block ? TRANSITIONAL_BLOCK : TRANSITIONAL_CONSOLE,
                                 .modern = (uint16_t)(MODERN_FIRST + kind), .device = device,
                                 .windows = windows[block] };

    if ((!block && kind != VIRTIO_CONSOLE) || pci_ports() == NULL)
        return -ENODEV;
    pci_each(pci_ports(), look_at_function, &search);
    return search.found ? 0 : -ENODEV;
}
