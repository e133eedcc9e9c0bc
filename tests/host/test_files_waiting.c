/*
 * test_files_waiting.c - who waits for files: epoll, poll, and event counters.
 */
#include "streams_world.h"

#include "files/core/epoll.h"
#include "files/core/event.h"
#include "files/core/poll_wait.h"

static struct file *reader, *writer;

/* How many events there are, the first of them in *out. */
static long events_of(struct file *epoll, struct epoll_event *out, uint64_t deadline)
{
    struct epoll_event room[4];
    struct buffer      buffer = { .kernel = true, .memory = (char *)room, .bytes = sizeof room };
    long               count;

    assert_true(epoll_ok(epoll));
    count = epoll_wait_for(epoll, &buffer, 4, deadline);
    assert_true(epoll_ok(epoll));
    *out = room[0];
    return count;
}

static void an_epoll_reports_levels_edges_and_once(void **state)
{
    struct epoll_event out, level = { POLL_IN, 1 }, edge = { POLL_IN | 0x80000000u, 2 },
        once = { POLL_IN | 0x40000000u, 3 };
    struct file       *epoll, *event;

    (void)state;
    begin();
    assert_int_equal(pipe_make(O_NONBLOCK, &reader, &writer), 0);
    epoll = epoll_make();
    event = event_make(0, O_NONBLOCK, false);
    assert_int_equal(epoll_control(epoll, EPOLL_ADD, 3, reader, &level), 0);
    assert_int_equal(epoll_control(epoll, EPOLL_ADD, 3, reader, &level), -EEXIST);
    assert_int_equal(epoll_control(epoll, EPOLL_ADD, 4, epoll, &level), -EINVAL);
    assert_int_equal(events_of(epoll, &out, 0), 0);
    assert_int_equal(events_of(epoll, &out, NEVER), -EINTR);
    assert_int_equal(send(writer, "a", 1), 1);
    for (unsigned i = 0; i < 2; i++) {
        assert_int_equal(events_of(epoll, &out, 0), 1);
        assert_int_equal(out.data, 1);
    }
    assert_int_equal(epoll_control(epoll, EPOLL_MODIFY, 3, reader, &edge), 0);
    assert_int_equal(events_of(epoll, &out, 0), 1);
    assert_int_equal(events_of(epoll, &out, 0), 0);
    assert_int_equal(send(writer, "b", 1), 1);
    assert_int_equal(events_of(epoll, &out, 0), 1);
    assert_int_equal(epoll_control(epoll, EPOLL_MODIFY, 3, reader, &once), 0);
    assert_int_equal(events_of(epoll, &out, 0), 1);
    assert_int_equal(send(writer, "c", 1), 1);
    assert_int_equal(events_of(epoll, &out, 0), 0);
    assert_int_equal(epoll_control(epoll, EPOLL_ADD, 5, event, &level), 0);
    file_release(event);                        /* the entry goes with it */
    assert_int_equal(epoll_control(epoll, EPOLL_DELETE, 3, reader, NULL), 0);
    assert_int_equal(events_of(epoll, &out, 0), 0);
    file_release(reader);
    file_release(writer);
    file_release(epoll);
    stop_files();
}

static void an_event_that_cannot_be_handed_out_stays(void **state)
{
    struct epoll_event out, edge = { POLL_IN | 0x80000000u, 2 };
    struct buffer      nowhere = { .user = BAD, .bytes = 64 };
    struct file       *epoll;

    (void)state;
    begin();
    assert_int_equal(pipe_make(O_NONBLOCK, &reader, &writer), 0);
    epoll = epoll_make();
    assert_int_equal(epoll_control(epoll, EPOLL_ADD, 3, reader, &edge), 0);
    assert_int_equal(send(writer, "a", 1), 1);
    assert_int_equal(epoll_wait_for(epoll, &nowhere, 4, 0), -EFAULT);
    assert_int_equal(events_of(epoll, &out, 0), 1);
    assert_int_equal(events_of(epoll, &out, 0), 0);
    file_release(epoll);                        /* with its entry: the pipe stays sound */
    assert_int_equal(send(writer, "b", 1), 1);
    file_release(reader);
    file_release(writer);
    stop_files();
}

static unsigned rests;

static void count_rest(void) { rests++; }

/* A file may be watched under each of its descriptors. Others waited while all were looked at, or let go of. */
static void a_file_that_is_watched_many_times_lets_others_have_their_turn(void **state)
{
    enum { MANY = 100 };
    struct epoll_event out[MANY], level = { POLL_IN, 1 };
    struct buffer      buffer = { .kernel = true, .memory = (char *)out, .bytes = sizeof out };
    struct wait_queue *queue;
    struct file       *epoll, *event;
    uint64_t           one = 1;

    (void)state;
    begin();
    epoll = epoll_make();
    event = event_make(0, O_NONBLOCK, false);
    for (int i = 0; i < MANY; i++)
        assert_int_equal(epoll_control(epoll, EPOLL_ADD, i, event, &level), 0);
    machine_at_rest(count_rest);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(send(event, &one, sizeof one), sizeof one);
        if (i < 2)
            assert_int_equal(receive(event, &one, sizeof one), sizeof one);
        rests = 0;
        if (i == 0)
            assert_int_equal(file_poll(epoll, &queue), 0);
        else
            assert_int_equal(epoll_wait_for(epoll, &buffer, MANY, 0), i == 1 ? 0 : MANY);
        assert_true(rests >= MANY);
    }
    rests = 0;
    file_release(event);
    assert_true(rests >= MANY);
    machine_at_rest(NULL);
    file_release(epoll);
    stop_files();
}

static void epolls_nest_so_deep_and_never_in_a_circle(void **state)
{
    struct epoll_event out, level = { POLL_IN, 1 };
    struct file       *chain[NESTED_DEEPEST + 2];

    (void)state;
    begin();
    assert_int_equal(pipe_make(O_NONBLOCK, &reader, &writer), 0);
    for (unsigned i = 0; i < NESTED_DEEPEST + 2; i++)
        chain[i] = epoll_make();
    assert_int_equal(epoll_control(chain[0], EPOLL_ADD, 3, reader, &level), 0);
    for (unsigned i = 1; i <= NESTED_DEEPEST; i++)
        assert_int_equal(epoll_control(chain[i], EPOLL_ADD, 3, chain[i - 1], &level), 0);
    assert_int_equal(epoll_control(chain[NESTED_DEEPEST + 1], EPOLL_ADD, 3, chain[NESTED_DEEPEST], &level), -ELOOP);
    assert_int_equal(epoll_control(chain[0], EPOLL_ADD, 3, chain[NESTED_DEEPEST], &level), -ELOOP);
    assert_int_equal(events_of(chain[NESTED_DEEPEST], &out, 0), 0);
    assert_int_equal(send(writer, "a", 1), 1);
    for (unsigned i = 0; i <= NESTED_DEEPEST; i++)
        assert_int_equal(events_of(chain[i], &out, 0), 1);
    file_release(chain[1]);                     /* the chain breaks */
    assert_int_equal(events_of(chain[NESTED_DEEPEST], &out, 0), 0);
    for (unsigned i = 0; i < NESTED_DEEPEST + 2; i++)
        if (i != 1)
            file_release(chain[i]);
    file_release(reader);
    file_release(writer);
    stop_files();
}

/* Entries added, changed, told of, taken and dropped in any order: the lists stay sound, and by level nothing is
 * missed. */
static void an_epoll_keeps_its_lists(void **state)
{
    enum { FILES = 24 };
    struct file  *events[FILES] = { NULL }, *epoll;
    bool          in[FILES] = { false };
    unsigned      random = 1;
    uint64_t      value = 1;

    (void)state;
    begin();
    epoll = epoll_make();
    for (unsigned i = 0; i < 4000; i++) {
        struct epoll_event level = { POLL_IN, 0 }, room[FILES];
        struct buffer      buffer = { .kernel = true, .memory = (char *)room, .bytes = sizeof room };
        unsigned           n, due = 0;

        random = random * 1103515245 + 12345;
        n = (random >> 16) % FILES;
        if (events[n] == NULL)
            events[n] = event_make(0, O_NONBLOCK, false);
        switch ((random >> 24) % 6) {
        case 0:
            assert_int_equal(epoll_control(epoll, EPOLL_ADD, (int)n, events[n], &level), in[n] ? -EEXIST : 0);
            in[n] = true;
            break;
        case 1:
            assert_int_equal(epoll_control(epoll, EPOLL_DELETE, (int)n, events[n], NULL), in[n] ? 0 : -ENOENT);
            in[n] = false;
            break;
        case 2: assert_int_equal(send(events[n], &value, 8), 8); break;
        case 3: (void)receive(events[n], &value, 8), value = 1; break;
        case 4: file_release(events[n]), events[n] = NULL, in[n] = false; break;
        default: break;
        }
        for (n = 0; n < FILES; n++) {
            struct wait_queue *queue;

            due += in[n] && (file_poll(events[n], &queue) & POLL_IN);
        }
        assert_true(epoll_ok(epoll));
        assert_int_equal(epoll_wait_for(epoll, &buffer, FILES, 0), due);
        assert_true(epoll_ok(epoll));
    }
    for (unsigned n = 0; n < FILES; n++)
        if (events[n] != NULL)
            file_release(events[n]);
    file_release(epoll);
    stop_files();
}

static bool write_one(void)
{
    return send(writer, "z", 1) == 1;
}

static void watching_many_ends_with_the_first(void **state)
{
    struct poll_wait files[2];

    (void)state;
    begin();
    assert_int_equal(pipe_make(O_NONBLOCK, &reader, &writer), 0);
    files[0] = (struct poll_wait){ .file = reader, .wanted = POLL_IN };
    files[1] = (struct poll_wait){ .file = NULL, .wanted = POLL_IN };
    assert_int_equal(poll_wait(files, 2, 0), 0);
    assert_int_equal(poll_wait(files, 2, 100), 0);
    assert_int_equal(poll_wait(files, 2, NEVER), -ERESTARTNOHAND);
    on_sleep = write_one;
    assert_int_equal(poll_wait(files, 2, NEVER), 1);
    assert_int_equal(files[0].got, POLL_IN);
    file_release(writer);
    assert_int_equal(poll_wait(files, 2, 0), 1);
    assert_int_equal(files[0].got, POLL_IN | POLL_HUP);
    file_release(reader);
    stop_files();
}

static void an_event_counts(void **state)
{
    uint64_t     value = 5, huge = UINT64_MAX - 1, got;
    struct file *event, *semaphore;

    (void)state;
    begin();
    event     = event_make(3, O_NONBLOCK, false);
    semaphore = event_make(2, O_NONBLOCK, true);
    assert_int_equal(send(event, &value, 8), 8);
    assert_int_equal(receive(event, &got, 8), 8);
    assert_int_equal(got, 8);
    assert_int_equal(receive(event, &got, 8), -EAGAIN);
    assert_int_equal(receive(event, &got, 7), -EINVAL);
    assert_int_equal(send(event, &huge, 8), 8);
    assert_int_equal(send(event, &value, 8), -EAGAIN);
    assert_int_equal(receive(semaphore, &got, 8), 8);
    assert_int_equal(got, 1);
    file_release(event);
    file_release(semaphore);
    stop_files();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_epoll_reports_levels_edges_and_once),
        cmocka_unit_test(an_event_that_cannot_be_handed_out_stays),
        cmocka_unit_test(a_file_that_is_watched_many_times_lets_others_have_their_turn),
        cmocka_unit_test(epolls_nest_so_deep_and_never_in_a_circle),
        cmocka_unit_test(an_epoll_keeps_its_lists),
        cmocka_unit_test(watching_many_ends_with_the_first),
        cmocka_unit_test(an_event_counts),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
