/*
 * virtio_pci.c - virtio devices on the PCI bus, through the ports of the legacy interface.
 *
 * QEMU's pc machine offers every transitional device that way, which needs no memory window.
 *
 * Source   VIRTIO 1.1, section 4.1.4.8 "Legacy Interfaces: A Note on PCI Device Layout".
 */
#include "base/check.h"
#include "base/error.h"
#include "devices/pci.h"
#include "devices/virtio.h"
#include "io.h"
#include "pci_ports.h"

enum { DEVICE_FEATURES = 0, DRIVER_FEATURES = 4, QUEUE_FRAME = 8, QUEUE_SIZE = 12, QUEUE = 14, NOTIFY = 16, STATUS = 18, INTERRUPT = 19 };
enum { VENDOR = 0x1AF4, LEGACY_FIRST = 0x1000, LEGACY_CONSOLE = 0x1003, COMMAND = 4, BAR_0 = 16, INTERRUPT_LINE = 60 };
enum { COMMAND_PORTS = 1, COMMAND_MASTER = 4, BAR_IS_PORTS = 1 };

static uint32_t features(struct virtio_device *d, unsigned word) { return word == 0 ? port_read32(d->port + DEVICE_FEATURES) : 0; }

static void accept(struct virtio_device *d, unsigned word, uint32_t value)
{
    if (word == 0)
        port_write32(d->port + DRIVER_FEATURES, value);
}

static void    status(struct virtio_device *d, uint8_t value) { port_write8(d->port + STATUS, value); }
static uint8_t read_status(struct virtio_device *d)           { return port_read8(d->port + STATUS); }

static uint16_t queue_size(struct virtio_device *d, unsigned queue)
{
    port_write16(d->port + QUEUE, (uint16_t)queue);
    return port_read16(d->port + QUEUE_SIZE);
}

static void queue_place(struct virtio_device *d, unsigned queue, uint16_t size, paddr_t descriptors, paddr_t available, paddr_t used)
{
    (void)size, (void)available, (void)used;    /* follow from the first by the legacy layout */
    port_write16(d->port + QUEUE, (uint16_t)queue);
    port_write32(d->port + QUEUE_FRAME, (uint32_t)(descriptors >> PAGE_SHIFT));
}

static void notify(struct virtio_device *d, unsigned queue) { port_write16(d->port + NOTIFY, (uint16_t)queue); }
static void acknowledge(struct virtio_device *d)            { (void)port_read8(d->port + INTERRUPT); }

static const struct virtio_transport transport = {
    features, accept, status, read_status, queue_size, queue_place, notify, acknowledge
};

struct pci_search {
    uint16_t              wanted;
    struct virtio_device *device;
    bool                  found;
};

static void look_at(void *context, const struct pci_function *f)
{
    struct pci_search       *search = context;
    const struct pci_access *pci    = pci_ports();
    uint32_t                 bar;

    if (search->found || f->vendor != VENDOR || f->device != search->wanted)
        return;
    bar = pci->read(f->where, BAR_0);
    if (!(bar & BAR_IS_PORTS))
        return;
    pci->write(f->where, COMMAND, (pci->read(f->where, COMMAND) & 0xFFFF) | COMMAND_PORTS | COMMAND_MASTER);
    *search->device = (struct virtio_device){ .transport = &transport, .port = (uint16_t)(bar & ~3u),
                                              .line = (uint8_t)pci->read(f->where, INTERRUPT_LINE) };
    search->found = true;
}

int virtio_pci_find(struct virtio_device *device, uint32_t kind)
{
    struct pci_search search = { .device = device };

    if (kind != VIRTIO_CONSOLE || pci_ports() == NULL)
        return -ENODEV;
    search.wanted = LEGACY_CONSOLE;
    pci_each(pci_ports(), look_at, &search);
    return search.found ? 0 : -ENODEV;
}
