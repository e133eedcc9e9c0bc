/*
 * test_virtio_block.c - the driver of the block device, with a device that says what it likes.
 */
#include "support.h"

#include "base/block.h"
#include "base/error.h"
#include "devices/virtio.h"
#include "devices/virtio_block.h"
#include "memory/layout.h"

enum { PIECES = BLOCK_PAGES + 2, ENTRIES = 128, GOES_ON = 1, DEVICE_WRITES = 2 };

struct descriptor { uint64_t at; uint32_t bytes; uint16_t flags, next; };

static struct descriptor *descriptors;
static uint16_t          *available, *used;
static uint16_t           seen, told;                   /* how far the device is in either ring */
static uint8_t            status;
static uint64_t           sectors = 8 * 100;
static uint16_t           most = 128;
static unsigned           kicks;
static void             (*interrupt)(void *);
static uint8_t            page[BLOCK_REQUESTS][PAGE_SIZE];

static void *there(paddr_t at) { return pointer_to((vaddr_t)(at + layout.kernel_offset)); }

static uint32_t features(struct virtio_device *d, unsigned word) { (void)d; return word == 1; }
static void accept(struct virtio_device *d, unsigned word, uint32_t value) { (void)d; (void)word; (void)value; }
static void set_status(struct virtio_device *d, uint8_t value) { (void)d; status = value; }
static uint8_t get_status(struct virtio_device *d) { (void)d; return status; }
static uint16_t queue_most(struct virtio_device *d, unsigned queue) { (void)d; return queue == 0 ? most : 0; }
static void place(struct virtio_device *d, unsigned queue, uint16_t entries, paddr_t a, paddr_t b, paddr_t c)
{
    (void)d;
    assert_true(queue == 0 && entries == ENTRIES);
    descriptors = there(a);
    available   = there(b);
    used        = there(c);
    memset(used, 0, 4);
    memset(available, 0, 4);
    seen = told = 0;                            /* what the ring has from an earlier start counts no more */
}
static void notify(struct virtio_device *d, unsigned queue) { (void)d; (void)queue; kicks++; }
static void acknowledge(struct virtio_device *d) { (void)d; }
static uint32_t setting(struct virtio_device *d, unsigned at) { (void)d; return (uint32_t)(sectors >> 8 * at); }

static const struct virtio_transport transport = { features, accept, set_status, get_status, queue_most, place, notify,
                                                   acknowledge, setting };

int virtio_mmio_find(struct virtio_device *d, uint32_t kind, const char *line)
{
    (void)d, (void)kind, (void)line;
    return -ENODEV;
}

int virtio_pci_find(struct virtio_device *d, uint32_t kind)
{
    (void)d, (void)kind;
    return -ENODEV;
}

static bool line_is_free = true;

bool interrupt_is_free(unsigned line) { return line_is_free && line < 16; }

void interrupt_handle(unsigned line, void (*handler)(void *), void *argument)
{
    (void)line, (void)argument;
    interrupt = handler;
}

static int start(void)
{
    struct virtio_device device = { .transport = &transport };

    return block_start_device(&device);
}

/* The next request that the device has been given: its first entry. */
static uint16_t next_request(void) { return available[2 + seen++ % ENTRIES]; }

static void say(uint32_t id, uint32_t bytes)
{
    uint32_t *entry = (uint32_t *)(void *)(used + 2) + 2 * (told++ % ENTRIES);

    entry[0] = id;
    entry[1] = bytes;
    used[1]  = told;
}

static void answer(uint16_t id, uint8_t how, uint32_t bytes)
{
    *(uint8_t *)there(descriptors[id + 2].at) = how;
    say(id, bytes);
    interrupt(NULL);
}

static struct block_request request(uint32_t at, bool write)
{
    return (struct block_request){ .frames = { frame_of((paddr_t)(address_of(page[0]) - layout.kernel_offset)) },
                                   .page = at, .count = 1, .write = write };
}

static void a_request_is_a_chain_of_three(void **state)
{
    struct block_request read = request(7, false), write = request(99, true);
    struct { uint32_t kind, unused; uint64_t sector; } *wanted;
    uint16_t id;

    (void)state;
    assert_int_equal(start(), 0);
    assert_int_equal(block_device.pages, 100);
    block_device.start(&read);
    id     = next_request();
    wanted = there(descriptors[id].at);
    assert_true(wanted->kind == 0 && wanted->sector == 56 && descriptors[id].bytes == 16);
    assert_true(descriptors[id].flags == GOES_ON && descriptors[id].next == id + 1);
    assert_true(descriptors[id + 1].flags == (GOES_ON | DEVICE_WRITES) && descriptors[id + 1].bytes == PAGE_SIZE);
    assert_true(descriptors[id + 1].at == frame_address(read.frames[0]) && descriptors[id + 1].next == id + 2);
    assert_true(descriptors[id + 2].flags == DEVICE_WRITES && descriptors[id + 2].bytes == 1);
    block_device.start(&write);
    answer(id, 0, PAGE_SIZE + 1);
    assert_int_equal(block_wait(&read), 0);
    id     = next_request();
    wanted = there(descriptors[id].at);
    assert_true(wanted->kind == 1 && wanted->sector == 792 && descriptors[id + 1].flags == GOES_ON);
    answer(id, 0, 1);
    assert_int_equal(block_wait(&write), 0);
}

static void several_pages_are_one_chain(void **state)
{
    struct block_request read = request(92, false), again = request(92, false);
    uint16_t id;

    (void)state;
    assert_int_equal(start(), 0);
    read.count = again.count = BLOCK_PAGES;
    for (unsigned i = 1; i < BLOCK_PAGES; i++)
        read.frames[i] = again.frames[i] = (frame_t){ read.frames[0].no + 2 * i };
    block_device.start(&read);
    id = next_request();
    for (unsigned i = 0; i < BLOCK_PAGES; i++) {
        assert_true(descriptors[id + 1 + i].at == frame_address(read.frames[i]));
        assert_true(descriptors[id + 1 + i].bytes == PAGE_SIZE && descriptors[id + 1 + i].next == id + 2 + i);
        assert_true(descriptors[id + 1 + i].flags == (GOES_ON | DEVICE_WRITES));
    }
    assert_true(descriptors[id + 1 + BLOCK_PAGES].flags == DEVICE_WRITES);
    *(uint8_t *)there(descriptors[id + 1 + BLOCK_PAGES].at) = 0;
    say(id, BLOCK_PAGES * PAGE_SIZE + 1);
    interrupt(NULL);
    assert_int_equal(block_wait(&read), 0);
    block_device.start(&again);                 /* a page less than was wanted is an error */
    id = next_request();
    *(uint8_t *)there(descriptors[id + 1 + BLOCK_PAGES].at) = 0;
    say(id, (BLOCK_PAGES - 1) * PAGE_SIZE + 1);
    interrupt(NULL);
    assert_int_equal(block_wait(&again), -EIO);
}

static void what_the_device_says_is_not_trusted(void **state)
{
    static const struct { uint8_t how; uint32_t bytes; } bad[] = { { 1, PAGE_SIZE + 1 }, { 2, PAGE_SIZE + 1 },
                                                                  { 255, PAGE_SIZE + 1 }, { 0, 0 }, { 0, PAGE_SIZE } };
    static const uint32_t ids[] = { 1, 2, 30, 31, 32, 65536, UINT32_MAX };

    (void)state;
    assert_int_equal(start(), 0);
    for (unsigned i = 0; i < COUNT_OF(bad); i++) {
        struct block_request read = request(1, false);

        block_device.start(&read);
        answer(next_request(), bad[i].how, bad[i].bytes);
        assert_int_equal(block_wait(&read), -EIO);
    }
    for (unsigned i = 0; i < 4; i++) {
        struct block_request read = request(1, false);
        uint16_t             id;

        block_device.start(&read);
        id = next_request();
        say(ids[i], 99);                        /* of no request */
        interrupt(NULL);
        assert_false(completion_happened(&read.done));
        answer(id, 0, PAGE_SIZE + 1);
        answer(id, 0, PAGE_SIZE + 1);           /* twice */
        assert_int_equal(block_wait(&read), 0);
    }
    for (unsigned i = 4; i < COUNT_OF(ids); i++) {
        struct block_request read = request(1, false);

        assert_int_equal(start(), 0);
        block_device.start(&read);
        say(ids[i], 99);                        /* beyond the ring: nothing that follows is heard */
        interrupt(NULL);
        assert_int_equal(block_wait(&read), -EIO);
    }
    assert_int_equal(start(), 0);
    used[1] = (uint16_t)(told + 1000);          /* more than there can be */
    interrupt(NULL);
    interrupt(NULL);
}

static void a_device_that_is_gone_fails_all_requests(void **state)
{
    struct block_request some[BLOCK_REQUESTS], late = request(1, true);

    (void)state;
    for (unsigned way = 0; way < 2; way++) {
        assert_int_equal(start(), 0);
        for (unsigned i = 0; i < BLOCK_REQUESTS; i++) {
            some[i] = request(i, i % 2);
            block_device.start(&some[i]);
        }
        if (way == 0) {
            status |= 64;                       /* needs a reset */
            interrupt(NULL);
        }
        for (unsigned i = 0; i < BLOCK_REQUESTS; i++)
            assert_int_equal(block_wait(&some[i]), -EIO);
        assert_int_equal(status, 0);            /* reset: it leaves memory alone */
        late.done = (struct completion){ 0 };
        kicks     = 0;
        block_device.start(&late);
        assert_int_equal(block_wait(&late), -EIO);
        assert_int_equal(kicks, 0);
        interrupt(NULL);
    }
}

static void a_device_that_cannot_be_used_is_refused(void **state)
{
    (void)state;
    sectors = 7;
    assert_int_equal(start(), -ENODEV);
    sectors = UINT64_MAX;
    assert_int_equal(start(), 0);
    assert_int_equal(block_device.pages, INT32_MAX);
    sectors = 800;
    most    = 16;
    assert_int_equal(start(), -ENODEV);
    most    = 128;
    line_is_free = false;
    assert_int_equal(start(), -ENODEV);
    line_is_free = true;
    assert_int_equal(block_start(""), -ENODEV);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_request_is_a_chain_of_three),
        cmocka_unit_test(several_pages_are_one_chain),
        cmocka_unit_test(what_the_device_says_is_not_trusted),
        cmocka_unit_test(a_device_that_is_gone_fails_all_requests),
        cmocka_unit_test(a_device_that_cannot_be_used_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
