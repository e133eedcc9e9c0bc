/*
 * virtio_block.c - pages to a virtio block device and back. See virtio_block.h.
 */
#include "devices/virtio_block.h"

#include "arch/contract.h"
#include "base/block.h"
#include "base/check.h"
#include "base/error.h"
#include "base/lock.h"
#include "cpu.h"
#include "devices/virtio.h"
#include "memory/layout.h"

enum { PIECES = BLOCK_PAGES + 2, ENTRIES = 128, SHARED_BYTES = 4096, SECTORS_A_PAGE = PAGE_SIZE / BLOCK_SECTOR };
enum { READ = 0, WRITE = 1, SUCCESS = 0, NO_ANSWER = 255 };
enum { NEEDS_RESET = 64 };
_Static_assert(BLOCK_REQUESTS * PIECES <= ENTRIES, "each request has entries of its own");

/* What the device reads and writes, apart from pages: in the image, where physical addresses are known. */
static struct {
    uint8_t ring[VIRTIO_RING_BYTES(ENTRIES)] __attribute__((aligned(16)));
    struct { uint32_t kind, unused; uint64_t sector; } wanted[BLOCK_REQUESTS];
    volatile uint8_t answers[BLOCK_REQUESTS];
} shared __attribute__((aligned(SHARED_BYTES)));
_Static_assert(sizeof shared <= SHARED_BYTES, "a page is enough, and physically in one piece");

static struct lock           lock = LOCK("block device", RANK_CHANNEL);
static struct virtio_device  device;
static struct virtio_queue   queue;
static struct block_request *under_way[BLOCK_REQUESTS];         /* [lock] NULL: none */
static bool                  dead;                              /* [lock] given up   */

static paddr_t physical_address(const volatile void *shared_bytes)
{
    return (paddr_t)(address_of((const void *)shared_bytes) - layout.kernel_offset);
}

static void finish_request(struct block_request *request, int result)
{
    request->result = result;
    completion_happen(&request->done);
}

static void take_answer(uint16_t number, uint32_t bytes)
{
    unsigned              at = number / PIECES;
    struct block_request *request;

    assert(lock_held(&lock));
    if (number % PIECES != 0 || at >= BLOCK_REQUESTS || (request = under_way[at]) == NULL)
        return;
    under_way[at] = NULL;
    finish_request(request, shared.answers[at] == SUCCESS && (request->write || bytes > request->count * PAGE_SIZE)
                                ? 0 : -EIO);
}

static void take_answers(void)
{
    uint16_t number;
    uint32_t bytes;

    for (unsigned n = 0; n < BLOCK_REQUESTS && virtio_take(&queue, &number, &bytes); n++)       /* bound: as it says */
        take_answer(number, bytes);
}

/* The device is reset first: it then leaves memory alone. */
static void end_all(void)
{
    assert(lock_held(&lock));
    dead = true;
    device.transport->set_status(&device, 0);
    for (unsigned i = 0; i < BLOCK_REQUESTS; i++) {     /* bound: BLOCK_REQUESTS */
        struct block_request *request = under_way[i];

        under_way[i] = NULL;
        if (request != NULL)
            finish_request(request, -EIO);
    }
}

static void block_interrupt(void *unused __attribute__((unused)))
{
    lock_state state;

    device.transport->acknowledge(&device);
    state = lock_take(&lock);
    take_answers();
    if (!dead && (device.transport->status(&device) & NEEDS_RESET))
        end_all();
    lock_drop(&lock, state);
}

static void block_give_up(void)
{
    lock_state state = lock_take(&lock);

    end_all();
    lock_drop(&lock, state);
}

static void send_request(struct block_request *request, unsigned at)
{
    struct virtio_piece pieces[PIECES], *piece = pieces;

    *piece++ = (struct virtio_piece){ physical_address(&shared.wanted[at]), sizeof shared.wanted[at] };
    for (unsigned i = 0; i < request->count; i++)       /* bound: BLOCK_PAGES */
        *piece++ = (struct virtio_piece){ frame_address(request->frames[i]), PAGE_SIZE };
    *piece = (struct virtio_piece){ physical_address(&shared.answers[at]), 1 };
    under_way[at]            = request;
    shared.wanted[at].kind   = request->write ? WRITE : READ;
    shared.wanted[at].sector = (uint64_t)request->page * SECTORS_A_PAGE;
    shared.answers[at]       = NO_ANSWER;
    virtio_give_chain(&queue, pieces, request->count + 2, request->write ? 1 : request->count + 1,
                      (uint16_t)(at * PIECES));
    virtio_kick(&queue);
}

static void block_send(struct block_request *request)
{
    lock_state state = lock_take(&lock);
    unsigned   at    = 0;

    assert(request->page < block_device.pages);
    deep_assert(request->count - 1 < BLOCK_PAGES && request->count <= block_device.pages - request->page);
    while (under_way[at] != NULL) {             /* bound: BLOCK_REQUESTS */
        at++;
        assert(at < BLOCK_REQUESTS);
    }
    if (dead)
        finish_request(request, -EIO);
    else
        send_request(request, at);
    lock_drop(&lock, state);
}

int block_start_device(struct virtio_device *found)
{
    uint64_t sectors;
    int      err;

    device = *found;
    dead   = false;
    err    = virtio_begin(&device, 0);
    if (err == 0)
        err = virtio_queue_start(&queue, &device, 0, ENTRIES, shared.ring, physical_address(shared.ring));
    if (err != 0)
        return err;
    sectors = device.transport->setting(&device, 0) | (uint64_t)device.transport->setting(&device, 4) << 32;
    if (sectors / SECTORS_A_PAGE == 0 || !interrupt_is_free(device.line))
        return -ENODEV;
    interrupt_handle(device.line, block_interrupt, NULL);
    virtio_ready(&device);
    sectors /= SECTORS_A_PAGE;
    block_device = (struct block_device){ sectors < INT32_MAX ? (uint32_t)sectors : INT32_MAX, block_send,
                                          block_give_up };
    return 0;
}

int block_start(const char *command_line)
{
    struct virtio_device found;
    int                  err = virtio_find(&found, VIRTIO_BLOCK, command_line);

    return err != 0 ? err : block_start_device(&found);
}
