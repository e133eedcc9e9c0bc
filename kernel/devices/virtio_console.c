/*
 * virtio_console.c - a port of the machine's virtio console. See virtio_console.h.
 */
#include "devices/virtio_console.h"

#include "arch/contract.h"
#include "base/check.h"
#include "base/error.h"
#include "base/lock.h"
#include "cpu.h"
#include "devices/virtio.h"
#include "memory/frames/frame.h"
#include "memory/layout.h"

enum { FEATURE_MANY_PORTS = 2, PORT = 1 };
enum { QUEUE_ANSWERS = 2, QUEUE_CONTROLS = 3, QUEUE_IN = 2 + 2 * PORT, QUEUE_OUT = 3 + 2 * PORT };
enum { DEVICE_READY = 0, PORT_READY = 3, PORT_OPEN = 6 };       /* control events */
enum { FEW = 4, PAGES_OUT = 16, ANSWER_BYTES = 32, CONTROLS = 3, IN_BYTES = 3072 };

struct control { uint32_t port; uint16_t event, value; };

#define RING(name, entries) uint8_t name[VIRTIO_RING_BYTES(entries)] __attribute__((aligned(16)))

/* What the device reads and writes, apart from output: in the image, where physical addresses are known. */
static struct {
    RING(answers_ring, FEW);
    RING(controls_ring, FEW);
    RING(in_ring, FEW);
    RING(out_ring, PAGES_OUT);
    struct control controls[CONTROLS];
    uint8_t answers[FEW][ANSWER_BYTES];
    uint8_t in[IN_BYTES];
} shared __attribute__((aligned(PAGE_SIZE)));
_Static_assert(sizeof shared <= PAGE_SIZE, "a page is enough, and physically in one piece");

enum page_state { PAGE_READY, PAGE_CLAIMED, PAGE_SENT };

static struct lock          lock = LOCK("console port", RANK_CHANNEL);
static struct virtio_device device;
static struct virtio_queue  answers, controls, in, out;
static struct {
    frame_t         frame;              /* NO_FRAME: not needed so far */
    enum page_state state;
} pages[PAGES_OUT];                     /* [lock] */
static unsigned pages_sent;             /* [lock] */
static bool     room_wanted;            /* [lock] */
static void   (*on_received)(const uint8_t *bytes, size_t count);
static void   (*on_room)(void);

static paddr_t physical_address(const volatile void *shared_bytes)
{
    return (paddr_t)(address_of((const void *)shared_bytes) - layout.kernel_offset);
}

/* ---- Output ------------------------------------------------------------------------------- */

/* Take back the pages that the host has finished. The lock is held. */
static void take_pages_back(void)
{
    uint16_t tag;
    uint32_t bytes;

    assert(lock_held(&lock));
    for (unsigned n = 0; n < PAGES_OUT && virtio_take(&out, &tag, &bytes); n++) {       /* bound: PAGES_OUT */
        if (!expect(pages[tag].state == PAGE_SENT))
            continue;
        pages[tag].state = PAGE_READY;
        pages_sent--;
    }
}

/* A free page that has a frame; with `fresh`, one without. PAGES_OUT: there is none. The lock is held. */
static unsigned find_page(bool fresh)
{
    assert(lock_held(&lock));
    for (unsigned i = 0; i < PAGES_OUT; i++)    /* bound: PAGES_OUT */
        if (pages[i].state == PAGE_READY && frame_exists(pages[i].frame) != fresh)
            return i;
    return PAGES_OUT;
}

bool console_port_claim(struct console_page *page)
{
    lock_state state = lock_take(&lock);
    unsigned   i;

    take_pages_back();
    i = find_page(false);
    if (i == PAGES_OUT && (i = find_page(true)) != PAGES_OUT && frame_get(OWNER_PROCESS, 0, &pages[i].frame) != 0)
        i = PAGES_OUT;
    if (i != PAGES_OUT) {
        pages[i].state = PAGE_CLAIMED;
        *page = (struct console_page){ .frame = pages[i].frame, .tag = (uint16_t)i };
    }
    lock_drop(&lock, state);
    return i != PAGES_OUT;
}

void console_port_unclaim(const struct console_page *page)
{
    lock_state state  = lock_take(&lock);
    bool       wanted = room_wanted;

    assert(page->tag < PAGES_OUT && pages[page->tag].state == PAGE_CLAIMED);
    pages[page->tag].state = PAGE_READY;
    lock_drop(&lock, state);
    if (wanted)
        on_room();
}

void console_port_send(const struct console_page *page, uint32_t bytes)
{
    lock_state state = lock_take(&lock);

    assert(page->tag < PAGES_OUT);
    assert(pages[page->tag].state == PAGE_CLAIMED);
    pages[page->tag].state = PAGE_SENT;
    pages_sent++;
    virtio_give(&out, frame_address(page->frame), bytes, false, page->tag);
    lock_drop(&lock, state);
}

void console_port_notify(void)
{
    lock_state state = lock_take(&lock);

    virtio_kick(&out);
    lock_drop(&lock, state);
}

bool console_port_want_room(bool wanted)
{
    lock_state state = lock_take(&lock);
    bool       room;

    room_wanted = wanted;
    virtio_interrupts(&out, wanted);
    take_pages_back();
    room = find_page(false) != PAGES_OUT;
    lock_drop(&lock, state);
    return room;
}

bool console_port_is_empty(void)
{
    lock_state state = lock_take(&lock);
    bool       empty;

    take_pages_back();
    empty = pages_sent == 0;
    lock_drop(&lock, state);
    return empty;
}

/* ---- Input, and the interrupt ---------------------------------------------------------------- */

static void offer_input_buffer(void)
{
    virtio_give(&in, physical_address(shared.in), IN_BYTES, true, 0);
    virtio_kick(&in);
}

static void port_interrupt(void *unused)
{
    uint16_t   tag;
    uint32_t   bytes;
    lock_state state;
    bool       room;

    (void)unused;
    device.transport->acknowledge(&device);
    /* bound: FEW. A further piece came after the acknowledgement: it raises an interrupt of its own. */
    for (unsigned n = 0; n < FEW && virtio_take(&in, &tag, &bytes); n++) {
        on_received(shared.in, bytes < IN_BYTES ? bytes : IN_BYTES);
        offer_input_buffer();
    }
    state = lock_take(&lock);
    take_pages_back();
    room = room_wanted && find_page(false) != PAGES_OUT;
    if (room) {
        room_wanted = false;
        virtio_interrupts(&out, false);
    }
    lock_drop(&lock, state);
    if (room)
        on_room();
}

/* ---- The start --------------------------------------------------------------------------------- */

static int start_queues(void)
{
    int err = virtio_queue_start(&answers, &device, QUEUE_ANSWERS, FEW, shared.answers_ring,
                                 physical_address(shared.answers_ring));

    if (err == 0)
        err = virtio_queue_start(&controls, &device, QUEUE_CONTROLS, FEW, shared.controls_ring,
                                 physical_address(shared.controls_ring));
    if (err == 0)
        err = virtio_queue_start(&in, &device, QUEUE_IN, FEW, shared.in_ring, physical_address(shared.in_ring));
    if (err == 0)
        err = virtio_queue_start(&out, &device, QUEUE_OUT, PAGES_OUT, shared.out_ring,
                                 physical_address(shared.out_ring));
    return err;
}

/* The driver is ready, it knows the port, and the port is open: one notification for all three. */
static void introduce_ourselves(void)
{
    shared.controls[0] = (struct control){ 0, DEVICE_READY, 1 };
    shared.controls[1] = (struct control){ PORT, PORT_READY, 1 };
    shared.controls[2] = (struct control){ PORT, PORT_OPEN, 1 };
    for (uint16_t i = 0; i < FEW; i++)
        virtio_give(&answers, physical_address(shared.answers[i]), ANSWER_BYTES, true, i);
    for (uint16_t i = 0; i < CONTROLS; i++)
        virtio_give(&controls, physical_address(&shared.controls[i]), sizeof shared.controls[i], false, i);
    virtio_kick(&answers);
    virtio_kick(&controls);
}

int console_port_start(const char *command_line, void (*received)(const uint8_t *bytes, size_t count),
                       void (*room)(void))
{
    int err = virtio_find(&device, VIRTIO_CONSOLE, command_line);

    if (err == 0)
        err = virtio_begin(&device, FEATURE_MANY_PORTS);
    if (err == 0)
        err = start_queues();
    if (err != 0)
        return err;
    for (unsigned i = 0; i < PAGES_OUT; i++)
        pages[i].frame = NO_FRAME;
    if (frame_get(OWNER_PROCESS, 0, &pages[0].frame) != 0)
        return -ENOMEM;
    on_received = received;
    on_room     = room;
    virtio_interrupts(&answers, false);
    virtio_interrupts(&controls, false);
    virtio_interrupts(&out, false);
    interrupt_handle(device.line, port_interrupt, NULL);
    virtio_ready(&device);
    offer_input_buffer();
    introduce_ourselves();
    return 0;
}
