/*
 * test_frame_threads.c - two and more CPUs in the pool at once; afterwards all adds up.
 *
 * A thread is a CPU. Frames wander: what one takes another gives back, through a small exchange of
 * atomic places. Built with the thread sanitizer this test also shows that no access races
 * (the command is in docs/frames.md).
 */
#include <pthread.h>

#include "no_document.h"
#include "support.h"

#include "memory/frames/frame_magazine.h"

enum { CPUS = MAX_CPUS < 3 ? MAX_CPUS : 3, STEPS = 60000, PLACES = 512, FRAMES = 4096 };

static uint32_t exchange[PLACES];           /* [a] frame + 1, 0: empty */
static uint32_t *in_use;                    /* [a] by frame: how many holders think it theirs */
static uint32_t refused[MAX_CPUS];

static uint32_t random_of(uint64_t *seed, uint32_t limit)
{
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;
    return (uint32_t)((*seed >> 32) * limit >> 32);
}

/* Put a frame into a place; what was there before comes out. */
static uint32_t swap(uint32_t place, uint32_t value)
{
    return __atomic_exchange_n(&exchange[place], value, __ATOMIC_ACQ_REL);
}

static void release(uint32_t value)
{
    if (value != 0) {
        __atomic_sub_fetch(&in_use[value - 1], 1, __ATOMIC_RELAXED);
        frame_put((frame_t){ value - 1 });
    }
}

static void *cpu(void *number)
{
    uint64_t seed = 88172645463325252ull + (uintptr_t)number;

    host_cpu = (unsigned)(uintptr_t)number;
    for (uint32_t step = 0; step < STEPS; step++) {
        uint32_t place = random_of(&seed, PLACES), what = random_of(&seed, 100);
        frame_t frame;

        if (what < 55) {
            if (frame_get((enum owner)(OWNER_TABLES + what % 5), what % 4 ? 0 : FRAME_ZERO, &frame) != 0) {
                refused[host_cpu]++;
                continue;
            }
            if (__atomic_add_fetch(&in_use[frame.no], 1, __ATOMIC_RELAXED) != 1)
                abort();                                    /* handed out twice */
            memset(frame_words(frame), (int)step, 64);
            release(swap(place, frame.no + 1));
        } else if (what < 90) {
            release(swap(place, 0));
        } else if (what < 95) {
            uint32_t value = swap(place, 0);

            if (value != 0) {                               /* two holders; who drops last frees it */
                frame_share((frame_t){ value - 1 });
                frame_put((frame_t){ value - 1 });
                release(swap(place, value));
            }
        } else if (what < 97) {
            if (frame_run_get(OWNER_STACK, 4, 2, 0, 0, &frame) == 0)
                frame_run_put(frame, 4);
        } else {
            frames_idle();
        }
    }
    return NULL;
}

static void run_all(const struct layout_policy *policy)
{
    pthread_t threads[MAX_CPUS];
    struct frame_sums sums;
    struct frame_runs runs;
    uint32_t held = 0;

    open_frames_flat(policy, FRAMES);
    in_use = calloc(FRAMES, sizeof *in_use);
    memset(exchange, 0, sizeof exchange);
    for (uintptr_t n = 1; n < CPUS; n++)
        assert_int_equal(pthread_create(&threads[n], NULL, cpu, (void *)n), 0);
    cpu((void *)0);
    for (uint32_t n = 1; n < CPUS; n++)
        pthread_join(threads[n], NULL);

    for (uint32_t n = 0; n < PLACES; n++)
        held += exchange[n] != 0;
    frames_sums(&sums);
    assert_int_equal(sums.owned[OWNER_FREE] + held, FRAMES);
    assert_int_equal(sums.gets - sums.puts, held);
    assert_true(sums.peak_used >= held);
    assert_int_equal(sums.misuses, 0);
    check_frames();
    for (uint32_t n = 0; n < PLACES; n++)
        release(swap(n, 0));
    frames_drain();
    frames_sums(&sums);
    assert_int_equal(sums.owned[OWNER_FREE], FRAMES);
    frames_runs(&runs);
    assert_int_equal(runs.largest, FRAMES);
    check_frames();
    free(in_use);
    close_frames();
}

static void cpus_with_magazines_add_up(void **state)
{
    (void)state;
    run_all(&(struct layout_policy){ .search = SEARCH_FULLEST, .magazine = 64 });
    run_all(&(struct layout_policy){ .search = SEARCH_NEXT, .magazine = 8, .polarity = ONE_IS_FREE });
}

static void cpus_without_magazines_add_up(void **state)
{
    (void)state;
    run_all(&(struct layout_policy){ .search = SEARCH_FIRST });
}

/* One CPU has hoarded frames that another needs: it is asked, and gives them back at its next call. */
static void a_cpu_gives_what_another_needs(void **state)
{
    static uint32_t held[FRAMES];
    uint32_t count = 0;
    frame_t frame;

    (void)state;
    open_frames_flat(&(struct layout_policy){ .search = SEARCH_FULLEST, .magazine = 64 }, FRAMES);
    host_cpu = 1;
    while (frame_get(OWNER_USER, FRAME_SPARE, &frame) == 0)
        held[count++] = frame.no;
    while (count > FRAMES - 100)
        frame_put((frame_t){ held[--count] });          /* some to the reserve, the rest to its magazine */
    assert_true(frame_magazine_count(&frame_magazines[1]) > 0);
    host_cpu = 0;
    while (frame_get(OWNER_USER, FRAME_SPARE, &frame) == 0)
        ;
    host_cpu = 1;
    frame_put((frame_t){ held[--count] });
    assert_int_equal(frame_magazine_count(&frame_magazines[1]), 0);
    host_cpu = 0;
    assert_int_equal(frame_get(OWNER_USER, FRAME_SPARE, &frame), 0);
    check_frames();
    close_frames();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cpus_with_magazines_add_up),
        cmocka_unit_test(cpus_without_magazines_add_up),
        cmocka_unit_test(a_cpu_gives_what_another_needs),
    };

    return cmocka_run_group_tests_name("frame threads", tests, NULL, NULL);
}
