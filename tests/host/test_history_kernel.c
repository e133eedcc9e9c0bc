/*
 * test_history_kernel.c - long histories of the kernel's own memory, and a sum of what each has come to:
 * test_history_kernel.txt.
 *
 * Which block the heap hands out, which slot a stack gets, where a window has room, into which part of a frame packed
 * bytes go, how an object's index grows: all of it follows from the calls before.
 */
#include "map_world.h"

#include "kept_lines.h"
#include "map_sum.h"
#include "memory/heap/heap_slab.h"
#include "memory/heap/stack.h"
#include "memory/pageout/swap.h"
#include "memory/pageout/swap_parts.h"
#include "memory/spaces/object_parts.h"
#include "memory/tables/slot.h"

enum { HELD = 200 };

static uint64_t seed;

static uint32_t any(uint32_t below)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return (uint32_t)((seed >> 32) * below >> 32);
}

static void begin(uint64_t number)
{
    seed = 88172645463325252ull * (number + 1);
    begin_sum();
}

static void add_bytes(const void *bytes, size_t count)
{
    for (const uint8_t *at = bytes; count > 0; count--)
        sum = (sum ^ *at++) * 16777619u;
}

/* ---- The heap -------------------------------------------------------------------------------------------- */

static void *blocks[HELD];
static size_t asked[HELD];

static void add_heap(void)
{
    struct heap_sums sums;

    heap_sums(&sums);
    add_bytes(&sums, sizeof sums);
    add(heap.limit);
    add_bytes(heap.partly, sizeof heap.partly);
    add_bytes(heap.empty, sizeof heap.empty);
    add_bytes(heap.chunks, sizeof heap.chunks);
    add_bytes(heap.book, heap.limit / CHUNK_PAGES);
    for (unsigned class = 0; class < HEAP_CLASSES; class++)
        add(heap_magazines[0][class].count);
    for (const struct region *r = region_at_or_above(&kernel_space.map, 0); r != NULL; r = region_next(r)) {
        add(r->span.first);
        add(r->span.end);
        add(r->gap | (uint64_t)r->widest << 32);
        add((uint64_t)r->height | (uint64_t)r->guard << 32);
    }
}

static size_t any_size(void)
{
    return any(12) == 0 ? HEAP_SMALL - 3 + any(7) : any(6) == 0 ? any(30000) : any(3) == 0 ? any(2100) : any(200);
}

static void heap_step(bool fills)
{
    unsigned at = any(HELD);
    size_t   bytes = any_size();
    void    *moved;

    if (blocks[at] == NULL && (fills || any(3) == 0)) {
        blocks[at] = heap_alloc(bytes, any(2) ? HEAP_ZERO : 0);
        asked[at]  = bytes;
        add(blocks[at] != NULL ? address_of(blocks[at]) : 1);
    } else if (blocks[at] != NULL && any(4) == 0) {
        moved = heap_resize(blocks[at], bytes);
        add(moved != NULL ? address_of(moved) : 2);
        if (moved != NULL) {
            blocks[at] = moved;
            asked[at]  = bytes;
        }
    } else if (blocks[at] != NULL) {
        add(heap_size(blocks[at]));
        if (any(2))
            heap_free(blocks[at]);
        else
            heap_free_sized(blocks[at], asked[at]);
        blocks[at] = NULL;
    }
    if (any(150) == 0)
        heap_drain();
}

static void histories_of_the_heap(void)
{
    for (uint64_t number = 0; number < 8; number++) {
        begin(number);
        for (unsigned n = 0; n < 4000; n++) {
            if (any(90) == 0)
                heap_fail_at(1 + any(4));
            if (any(90) == 0)
                frame_fail_at(1 + any(6));
            heap_step(n / 700 % 2 == 0);
            if (n % 130 == 0)
                add_heap();
        }
        heap_fail_at(0);
        frame_fail_at(0);
        add_heap();
        kept_line("heap, %llu: %u frames; %08x", (unsigned long long)number, frames_owned(OWNER_HEAP), sum);
        for (unsigned n = 0; n < HELD; n++, blocks[n - 1] = NULL)
            heap_free(blocks[n]);
        heap_drain();
        assert_clean();
    }
}

/* ---- Windows and stacks ------------------------------------------------------------------------------------- */

static void histories_of_windows_and_stacks(void)
{
    static struct region regions[40];
    static struct stack  stacks[60];
    static bool          mapped[40], taken[60];

    for (uint64_t number = 0; number < 6; number++) {
        begin(number);
        for (unsigned n = 0; n < 900; n++) {
            unsigned at = any(40), of = any(60);
            size_t   pages = 1 + any(any(9) ? 5 : 150), guard = any(3), bytes = any(90000);
            int      err;

            if (any(60) == 0)
                frame_fail_at(1 + any(50));
            if (mapped[at]) {
                kernel_unmap(&regions[at]);
                mapped[at] = false;
            } else {
                err = any(3) ? kernel_map(&regions[at], PURPOSE_HEAP, "h", pages, guard, OWNER_TEST)
                             : kernel_map_device(&regions[at], "d", 0x80000000u + any(90) * 1000, bytes, CACHE_OFF);
                mapped[at] = err == 0;
                add((uint64_t)(int64_t)err);
                add(err == 0 ? regions[at].span.first : 0);
            }
            if (taken[of]) {
                stack_put(&stacks[of]);
                taken[of] = false;
            } else {
                taken[of] = stack_get(any(2) ? &program : &kernel_space, &stacks[of]) == 0;
                add(taken[of] ? stacks[of].slot | stacks[of].bottom << 16 : 0);
                if (taken[of])
                    stack_write(&stacks[of], &n, sizeof n);
            }
            if (n % 90 == 0)
                add_heap();
        }
        frame_fail_at(0);
        add(stacks_used(&kernel_space));
        kept_line("windows and stacks, %llu: %zu regions, %u stacks; %08x", (unsigned long long)number,
                  kernel_space.map.count, stacks_used(&program), sum);
        for (unsigned n = 0; n < 40; n++)
            if (mapped[n])
                kernel_unmap(&regions[n]);
        for (unsigned n = 0; n < 60; n++)
            if (taken[n])
                stack_put(&stacks[n]);
        memset(mapped, 0, sizeof mapped);
        memset(taken, 0, sizeof taken);
        assert_clean();
    }
}

/* ---- Swap slots ---------------------------------------------------------------------------------------------- */

/* Field by field: what lies between two of different sizes may be anything. */
static void add_swap(void)
{
    struct swap_sums sums;

    swap_sums(&sums);
    add(sums.used);
    add(sums.device);
    add(sums.written);
    add(sums.bad);
    add(sums.frames);
    add(sums.bytes);
    add(sums.out);
    add(sums.in);
    add(sums.refused);
    add(swap.packed.first_free);
    add_bytes(swap.partly, sizeof swap.partly);
}

static void histories_of_slots(void)
{
    static uint32_t slots[900];
    static bool     used[900];
    static uint8_t  bytes[SWAP_MOST], back[SWAP_MOST];

    for (uint64_t number = 0; number < 4; number++) {
        begin(number);
        for (unsigned n = 0; n < 6000; n++) {
            unsigned at = any(n / 1500 % 2 ? 100 : 900);
            size_t   count = 1 + any(any(2) ? SWAP_MOST : 300);

            if (any(200) == 0)
                frame_fail_at(1 + any(3));
            memset(bytes, (int)n, count);
            if (!used[at]) {
                used[at] = swap_store(bytes, count, &slots[at]) == 0;
                add(used[at] ? slots[at] : UINT32_MAX);
            } else if (any(5) == 0) {
                swap_share(slots[at]);
                add(swap_references(slots[at]));
                swap_put(slots[at]);
            } else {
                size_t got = swap_load(slots[at], back);

                add(got);
                add_bytes(back, got);
                swap_put(slots[at]);
                used[at] = false;
            }
            if (n % 100 == 0)
                add_swap();
        }
        frame_fail_at(0);
        kept_line("slots, %llu: %u in use, %u frames, %llu bytes; %08x", (unsigned long long)number, swap.packed.used,
                  swap.frames, (unsigned long long)swap.bytes, sum);
        for (unsigned n = 0; n < 900; n++, used[n - 1] = false)
            if (used[n])
                swap_put(slots[n]);
        assert_clean();
    }
}

/* ---- Objects -------------------------------------------------------------------------------------------------- */

static uint64_t any_page(void)
{
    uint64_t page = any(300);

    return any(3) == 0 ? page << any(26) : page;
}

static void add_frame(void *context, frame_t frame)
{
    (void)context;
    add(frame.no);
}

static void histories_of_objects(void)
{
    for (uint64_t number = 0; number < 6; number++) {
        struct object *object = object_create(OWNER_SHARED, UINT64_MAX);

        assert_non_null(object);
        begin(number);
        for (unsigned n = 0; n < 700; n++) {
            uint64_t page = any_page(), to = page + any_page();
            frame_t  frame = NO_FRAME;
            int      err = 0;

            if (any(40) == 0)
                heap_fail_at(1 + any(4));
            switch (any(9)) {
            case 0: object_punch(object, page, to); break;
            case 1: object_resize(object, any(20) ? UINT64_MAX - any(9) : page); break;
            case 2: add(object_next(object, page, any(2))); break;
            case 3: err = object_zero(object, page * 1000, page * 1000 + any(9000)); break;
            case 4:
                assert_int_equal(frame_get(OWNER_SHARED, 0, &frame), 0);
                err = object_adopt(object, page, frame);
                if (err == 0)
                    frame = NO_FRAME;
                break;
            default: err = object_page(object, page, any(4), &frame);
            }
            add((uint64_t)(int64_t)err);
            if (frame_exists(frame)) {
                add(frame.no);
                frame_put(frame);
            }
            add(object->resident | (uint64_t)object->height << 32);
            if (n % 50 == 0)
                object_holds(object, add_frame, NULL, NULL);
        }
        heap_fail_at(0);
        kept_line("objects, %llu: %u resident, height %u, %u cuts; %08x", (unsigned long long)number, object->resident,
                  object->height, object->cuts, sum);
        assert_clean();
        object_release(object);
    }
}

static int run_all(void)
{
    const struct CMUnitTest tests[] = {
        on_machine(histories_of_the_heap),
        on_machine(histories_of_windows_and_stacks),
        on_machine(histories_of_slots),
        on_machine(histories_of_objects),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Other documents have windows elsewhere. */
int main(void) { return layout.access == ACCESS_DIRECT ? kept_run("test_history_kernel", run_all) : 0; }
