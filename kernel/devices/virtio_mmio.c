/*
 * virtio_mmio.c - virtio devices whose registers are memory, announced on the kernel's command line.
 *
 * Source   VIRTIO 1.1, section 4.2 "Virtio Over MMIO".
 */
#include "base/check.h"
#include "base/error.h"
#include "base/number.h"
#include "base/string.h"
#include "cpu.h"
#include "devices/virtio.h"
#include "memory/spaces/space.h"

enum {
    MAGIC = 0x000, VERSION = 0x004, DEVICE = 0x008, DEVICE_FEATURES = 0x010, DEVICE_FEATURES_WORD = 0x014,
    DRIVER_FEATURES = 0x020, DRIVER_FEATURES_WORD = 0x024, QUEUE = 0x030, QUEUE_MOST = 0x034, QUEUE_SIZE = 0x038,
    QUEUE_READY = 0x044, NOTIFY = 0x050, INTERRUPT = 0x060, INTERRUPT_SEEN = 0x064, STATUS = 0x070,
    QUEUE_DESCRIPTORS = 0x080, QUEUE_AVAILABLE = 0x090, QUEUE_USED = 0x0A0, SETTINGS = 0x100,
};
enum { MAGIC_VALUE = 0x74726976, MODERN = 2, DEVICES_MOST = 8 };

static struct region windows[DEVICES_MOST];
static unsigned      window_count;

static volatile uint32_t *register_at(struct virtio_device *d, unsigned offset)
{
    return (volatile uint32_t *)(volatile void *)(d->registers + offset);
}

static uint32_t mmio_features(struct virtio_device *d, unsigned word)
{
    *register_at(d, DEVICE_FEATURES_WORD) = word;
    return *register_at(d, DEVICE_FEATURES);
}

static void mmio_accept(struct virtio_device *d, unsigned word, uint32_t value)
{
    *register_at(d, DRIVER_FEATURES_WORD) = word;
    *register_at(d, DRIVER_FEATURES) = value;
}

static void    mmio_set_status(struct virtio_device *d, uint8_t value) { *register_at(d, STATUS) = value; }
static uint8_t mmio_status(struct virtio_device *d)                    { return (uint8_t)*register_at(d, STATUS); }

static uint16_t mmio_queue_most(struct virtio_device *d, unsigned queue)
{
    uint32_t most;

    *register_at(d, QUEUE) = queue;
    most = *register_at(d, QUEUE_MOST);
    return most > 0x8000 ? 0x8000 : (uint16_t)most;
}

static void put_address(struct virtio_device *d, unsigned offset, paddr_t address)
{
    *register_at(d, offset)     = (uint32_t)address;
    *register_at(d, offset + 4) = (uint32_t)(address >> 32);
}

static void mmio_queue_place(struct virtio_device *d, unsigned queue, uint16_t entries, paddr_t descriptors,
                        paddr_t available, paddr_t used)
{
    assert(entries <= mmio_queue_most(d, queue));
    *register_at(d, QUEUE) = queue;
    *register_at(d, QUEUE_SIZE) = entries;
    put_address(d, QUEUE_DESCRIPTORS, descriptors);
    put_address(d, QUEUE_AVAILABLE, available);
    put_address(d, QUEUE_USED, used);
    *register_at(d, QUEUE_READY) = 1;
}

static void mmio_notify(struct virtio_device *d, unsigned queue) { *register_at(d, NOTIFY) = queue; }

static void mmio_acknowledge(struct virtio_device *d)
{
    *register_at(d, INTERRUPT_SEEN) = *register_at(d, INTERRUPT);
}

static uint32_t mmio_setting(struct virtio_device *d, unsigned offset)
{
    return *register_at(d, SETTINGS + offset);
}

static const struct virtio_transport transport = {
    mmio_features, mmio_accept, mmio_set_status, mmio_status, mmio_queue_most, mmio_queue_place, mmio_notify,
    mmio_acknowledge, mmio_setting
};

/* SIZE@ADDRESS:LINE, with the sizes' suffixes that Linux allows. */
static bool parse_device(const char *text, uint64_t *bytes, uint64_t *address, uint64_t *line)
{
    text = number_parse(text, bytes);
    if (text != NULL && (*text == 'K' || *text == 'k')) {
        *bytes <<= 10;
        text++;
    }
    if (text == NULL || *text != '@' || (text = number_parse(text + 1, address)) == NULL || *text != ':')
        return false;
    return number_parse(text + 1, line) != NULL && *line < 16 && *bytes >= SETTINGS + 8 && *bytes <= PAGE_SIZE;
}

static bool is_wanted_device(struct virtio_device *d, uint32_t kind)
{
    return *register_at(d, MAGIC) == MAGIC_VALUE && *register_at(d, VERSION) == MODERN &&
        *register_at(d, DEVICE) == kind;
}

static bool look_at_device(struct virtio_device *device, uint32_t kind, const char *text)
{
    uint64_t       bytes, address, line;
    struct region *window = &windows[window_count];

    if (!parse_device(text, &bytes, &address, &line) || window_count == DEVICES_MOST ||
        kernel_map_device(window, "virtio", address, (size_t)bytes, CACHE_OFF) != 0)
        return false;
    *device = (struct virtio_device){ .transport = &transport, .line = (uint8_t)line,
        .registers = (volatile uint8_t *)pointer_to(page_address(window->span.first)) + address % PAGE_SIZE };
    if (is_wanted_device(device, kind)) {
        window_count++;
        return true;
    }
    kernel_unmap(window);
    return false;
}

int virtio_mmio_find(struct virtio_device *device, uint32_t kind, const char *command_line)
{
    static const char word[] = "virtio_mmio.device=";

    for (const char *text = command_line; *text != '\0'; text++)
        if (strncmp(text, word, sizeof word - 1) == 0 && look_at_device(device, kind, text + sizeof word - 1))
            return 0;
    return -ENODEV;
}
