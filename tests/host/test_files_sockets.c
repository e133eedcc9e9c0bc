/*
 * test_files_sockets.c - sockets: names, borders of messages, and files that are passed in them.
 */
#include "streams_world.h"

#include "files/core/event.h"
#include "files/ipc/socket.h"

static char back[sizeof text];

static struct socket_name named(const char *bytes, size_t length)
{
    struct socket_name name = { .length = length };

    memcpy(name.text, bytes, length);
    return name;
}

static void streams_connect_by_name(void **state)
{
    struct socket_name name = named("/tmp.sock", 9), hidden = named("\0hidden", 7), out;
    struct file       *listener, *client, *server, *other;

    (void)state;
    begin();
    assert_int_equal(socket_make(SOCKET_STREAM, O_NONBLOCK, &listener), 0);
    assert_int_equal(socket_make(SOCKET_STREAM, O_NONBLOCK, &client), 0);
    assert_int_equal(socket_make(SOCKET_STREAM, O_NONBLOCK, &other), 0);
    assert_int_equal(socket_connect(client, &name), -ENOENT);
    assert_int_equal(socket_bind(listener, &name), 0);
    assert_int_equal(socket_bind(other, &name), -EADDRINUSE);
    assert_int_equal(socket_connect(client, &name), -ECONNREFUSED);
    assert_int_equal(socket_listen(listener, 0), 0);
    assert_int_equal(socket_accept(listener, 0, &server), -EAGAIN);
    assert_int_equal(send(client, "x", 1), -ENOTCONN);
    assert_int_equal(socket_connect(client, &name), 0);
    assert_int_equal(socket_connect(client, &name), -EISCONN);
    assert_int_equal(socket_connect(other, &name), -EAGAIN);
    assert_int_equal(send(client, text, 10000), 10000);
    assert_int_equal(socket_accept(listener, O_NONBLOCK, &server), 0);
    assert_int_equal(socket_peer_name(client, &out), 0);
    assert_string_equal(out.text, "/tmp.sock");
    assert_int_equal(receive(server, back, 4000), 4000);
    assert_int_equal(receive(server, back + 4000, sizeof back), 6000);
    assert_memory_equal(text, back, 10000);
    assert_int_equal(receive(server, back, 1), -EAGAIN);
    assert_int_equal(socket_shut(client, false, true), 0);
    assert_int_equal(receive(server, back, 1), 0);
    assert_int_equal(send(client, "x", 1), -EPIPE);
    assert_int_equal(send(server, "yz", 2), 2);
    file_release(server);
    assert_int_equal(receive(client, back, 10), 2);
    assert_int_equal(receive(client, back, 10), 0);
    assert_int_equal(socket_bind(other, &hidden), 0);
    file_release(listener);
    file_release(client);
    file_release(other);
    assert_int_equal(path_remove(fs, NULL, "/tmp.sock", false), 0);
    stop_files();
}

/* The call is made again when there is memory: the connection must be there still. */
static void a_connection_outlives_want_of_memory(void **state)
{
    struct socket_name name = named("\0listener", 9);
    struct file       *listener, *client, *server;
    unsigned           n = 0;
    int                err;

    (void)state;
    begin();
    assert_int_equal(socket_make(SOCKET_STREAM, O_NONBLOCK, &listener), 0);
    assert_int_equal(socket_make(SOCKET_STREAM, O_NONBLOCK, &client), 0);
    assert_int_equal(socket_bind(listener, &name), 0);
    assert_int_equal(socket_listen(listener, 1), 0);
    assert_int_equal(socket_connect(client, &name), 0);
    do {
        heap_fail_at(++n);
        err = socket_accept(listener, O_NONBLOCK, &server);
        heap_fail_at(0);
    } while (err == -ENOMEM);
    assert_int_equal(err, 0);
    assert_true(n > 1);
    assert_int_equal(send(client, "x", 1), 1);
    assert_int_equal(receive(server, back, 1), 1);
    file_release(server);
    file_release(listener);
    file_release(client);
    stop_files();
}

static void messages_keep_their_borders(void **state)
{
    struct socket_name here = named("\0here", 5);
    struct sending     sending = { .to = &here };
    struct received    received;
    struct file       *one, *two, *left, *right;
    struct buffer      piece;

    (void)state;
    begin();
    assert_int_equal(socket_pair(SOCKET_DATAGRAM, O_NONBLOCK, &one, &two), 0);
    assert_int_equal(send(one, "abc", 3), 3);
    assert_int_equal(send(one, "", 0), 0);
    assert_int_equal(send(one, "defgh", 5), 5);
    assert_int_equal(receive(two, back, 10), 3);
    assert_int_equal(receive(two, back, 10), 0);
    piece = (struct buffer){ .user = (user_t)back, .bytes = 2 };
    assert_int_equal(socket_receive(two, &piece, 1, MSG_PEEK | MSG_TRUNC, &received), 5);
    assert_true(received.cut);
    assert_int_equal(receive(two, back, 2), 2);
    assert_int_equal(receive(two, back, 2), -EAGAIN);
    assert_int_equal(send(one, text, SOCKET_ROOM + 1), -EMSGSIZE);

    assert_int_equal(socket_make(SOCKET_DATAGRAM, O_NONBLOCK, &left), 0);
    assert_int_equal(socket_make(SOCKET_DATAGRAM, O_NONBLOCK, &right), 0);
    assert_int_equal(socket_bind(left, &here), 0);
    piece = (struct buffer){ .user = (user_t) "to you", .bytes = 6 };
    assert_int_equal(socket_send(right, &piece, 1, &sending, 0), 6);
    piece = (struct buffer){ .user = (user_t)back, .bytes = 10 };
    assert_int_equal(socket_receive(left, &piece, 1, 0, &received), 6);
    assert_int_equal(received.from.length, 0);
    assert_true(socket_ok(left) && socket_ok(right) && socket_ok(two));
    file_release(one);
    file_release(two);
    file_release(left);
    file_release(right);
    stop_files();
}

/* A stream's packet of more than 1 800 bytes lies in a frame, and takes the room of a page. */
static void what_packets_hold_is_counted_in_heap_and_in_frames(void **state)
{
    static const size_t sizes[] = { 1, 1800, 1801, 3000, PAGE_SIZE, PAGE_SIZE + 1 };
    struct file *one, *two;

    (void)state;
    for (unsigned i = 0; i < COUNT_OF(sizes); i++) {
        begin();
        assert_int_equal(socket_pair(SOCKET_STREAM, O_NONBLOCK, &one, &two), 0);
        assert_int_equal(send(one, text, sizes[i]), (int64_t)sizes[i]);
        assert_true(socket_ok(two));
        assert_int_equal(receive(two, back, 1), 1);
        assert_true(socket_ok(two));
        file_release(one);
        file_release(two);
        stop_files();
    }
}

/* Send a byte, and a file with it. */
static void pass(struct file *to, struct file *carried)
{
    struct buffer  piece   = { .user = (user_t) "x", .bytes = 1 };
    struct sending sending = { .passed = passed_make(1) };

    file_hold(carried);
    passed_set(sending.passed, 0, carried);
    assert_int_equal(socket_send(to, &piece, 1, &sending, 0), 1);
    assert_null(sending.passed);
    assert_true(socket_ok(to));
}

static void a_passed_file_lives_as_long_as_its_message(void **state)
{
    struct buffer   piece = { .user = (user_t)back, .bytes = 10 };
    struct received received;
    struct file    *one, *two, *event = NULL;

    (void)state;
    begin();
    assert_int_equal(socket_pair(SOCKET_STREAM, O_NONBLOCK, &one, &two), 0);
    event = event_make(0, O_NONBLOCK, false);
    pass(one, event);
    pass(one, event);
    assert_int_equal(event->references, 3);
    assert_int_equal(event->in_flight, 2);
    assert_true(socket_ok(two));
    assert_int_equal(socket_receive(two, &piece, 1, MSG_PEEK, &received), 1);
    assert_ptr_equal(passed_file(received.passed, 0), event);
    passed_release(received.passed);
    assert_int_equal(socket_receive(two, &piece, 1, 0, &received), 1);  /* it ends behind bytes with files */
    assert_int_equal(event->in_flight, 1);
    passed_release(received.passed);
    assert_int_equal(receive(two, back, 10), 1);                        /* a read without room for files closes them */
    assert_int_equal(event->references, 1);
    pass(one, event);
    file_release(one);
    file_release(two);                                                  /* with an unread message */
    assert_int_equal(event->references, 1);
    file_release(event);
    stop_files();
}

/* A look at a message where memory is out came without its files, as if there were none. */
static void a_look_without_memory_fails_and_changes_nothing(void **state)
{
    struct buffer   piece;
    struct received received;
    struct file    *one, *two, *event;

    (void)state;
    for (int type = SOCKET_STREAM; type <= SOCKET_DATAGRAM; type++) {
        begin();
        assert_int_equal(socket_pair(type, O_NONBLOCK, &one, &two), 0);
        event = event_make(0, O_NONBLOCK, false);
        pass(one, event);
        for (int looks = 0; looks < 3; looks++) {
            piece = (struct buffer){ .user = (user_t)back, .bytes = 10 };
            heap_fail_at(looks < 2);
            assert_int_equal(socket_receive(two, &piece, 1, MSG_PEEK, &received), looks < 2 ? -ENOMEM : 1);
            heap_fail_at(0);
            assert_true(socket_ok(two));
            assert_int_equal(event->references, looks < 2 ? 2 : 3);
            passed_release(received.passed);
        }
        piece = (struct buffer){ .user = (user_t)back, .bytes = 10 };
        assert_int_equal(socket_receive(two, &piece, 1, 0, &received), 1);
        assert_ptr_equal(passed_file(received.passed, 0), event);
        passed_release(received.passed);
        file_release(one);
        file_release(two);
        file_release(event);
        stop_files();
    }
}

static unsigned rests;

static void count_rest(void) { rests++; }

/* Each message that a datagram socket read, and its end, were told to all its clients while others waited. */
static void very_many_clients_are_told_with_rests(void **state)
{
    enum { MANY = 50 };
    struct socket_name here = named("\0here", 5);
    struct file       *clients[MANY], *server;

    (void)state;
    begin();
    assert_int_equal(socket_make(SOCKET_DATAGRAM, O_NONBLOCK, &server), 0);
    assert_int_equal(socket_bind(server, &here), 0);
    for (unsigned i = 0; i < MANY; i++) {
        assert_int_equal(socket_make(SOCKET_DATAGRAM, O_NONBLOCK, &clients[i]), 0);
        assert_int_equal(socket_connect(clients[i], &here), 0);
    }
    assert_int_equal(send(clients[0], "x", 1), 1);
    machine_at_rest(count_rest);
    rests = 0;
    assert_int_equal(receive(server, back, 1), 1);
    assert_true(rests >= MANY);
    rests = 0;
    file_release(server);
    assert_true(rests >= MANY);
    machine_at_rest(NULL);
    for (unsigned i = 0; i < MANY; i++)
        file_release(clients[i]);
    stop_files();
}

static struct file *others;

/* Another thread, whose turn it is, lets go of a file that is its own. */
static void another_releases(void)
{
    struct thread  first = the_thread;
    struct passed *passed = passed_make(1);

    machine_at_rest(NULL);
    the_thread = (struct thread){ .process = &the_process, .id = 2, .credentials = &the_credentials };
    file_hold(others);
    passed_set(passed, 0, others);
    passed_release(passed);
    assert_int_equal(others->references, 1);
    the_thread = first;
    machine_at_rest(another_releases);
}

/* A thread that rested while it released files was left those of all others, who could keep it for ever. */
static void nobody_releases_the_files_of_others(void **state)
{
    struct file *one, *two, *event;

    (void)state;
    begin();
    assert_int_equal(socket_pair(SOCKET_STREAM, O_NONBLOCK, &one, &two), 0);
    event  = event_make(0, O_NONBLOCK, false);
    others = event_make(0, O_NONBLOCK, false);
    for (unsigned i = 0; i < 3; i++)
        pass(one, event);
    file_release(one);
    machine_at_rest(another_releases);
    file_release(two);
    machine_at_rest(NULL);
    assert_int_equal(event->references, 1);
    file_release(event);
    file_release(others);
    stop_files();
}

/* The search for sockets that only messages hold goes over them with the lock held: so many of a user's, root's too. */
static void no_user_has_any_number_of_files_in_messages(void **state)
{
    enum { EACH = RIGHTS_MOST, PAIRS = 4, MOST = 65536 };
    struct file   *ends[PAIRS][2], *event;
    struct buffer  piece;
    struct sending sending;
    uint32_t       sent = 0;
    long           err  = 1;

    (void)state;
    begin();
    event = event_make(0, O_NONBLOCK, false);
    for (unsigned i = 0; i < PAIRS; i++)
        assert_int_equal(socket_pair(SOCKET_STREAM, O_NONBLOCK, &ends[i][0], &ends[i][1]), 0);
    for (unsigned i = 0; i < PAIRS && err != -ETOOMANYREFS; i++)
        do {
            piece   = (struct buffer){ .user = (user_t) "x", .bytes = 1 };
            sending = (struct sending){ .passed = passed_make(EACH) };
            for (uint32_t k = 0; k < EACH; k++) {
                file_hold(event);
                passed_set(sending.passed, k, event);
            }
            err   = socket_send(ends[i][0], &piece, 1, &sending, 0);
            sent += err > 0 ? EACH : 0;
            passed_release(sending.passed);
        } while (err > 0);
    assert_int_equal(err, -ETOOMANYREFS);
    assert_true(sent > MOST && sent <= MOST + EACH);
    for (unsigned i = 0; i < PAIRS; i++) {
        file_release(ends[i][0]);
        file_release(ends[i][1]);
    }
    assert_int_equal(event->references, 1);
    file_release(event);
    stop_files();
}

/* Sockets at random in each other's messages; whatever can be reached stays, and in the end nothing is left
 * (stop_files). */
static void sockets_that_only_messages_hold_are_closed(void **state)
{
    enum { PAIRS = 6 };
    struct file  *ends[PAIRS][2];
    unsigned      random = 7;

    (void)state;
    for (unsigned round = 0; round < 60; round++) {
        begin();
        for (unsigned i = 0; i < PAIRS; i++)
            assert_int_equal(socket_pair(i % 2 ? SOCKET_STREAM : SOCKET_DATAGRAM, O_NONBLOCK, &ends[i][0], &ends[i][1]),
                             0);
        for (unsigned i = 0; i < 20; i++) {
            random = random * 1103515245 + 12345;
            pass(ends[(random >> 8) % PAIRS][random >> 16 & 1], ends[(random >> 20) % PAIRS][random >> 28 & 1]);
        }
        for (unsigned i = 0; i < PAIRS; i++) {
            random = random * 1103515245 + 12345;
            file_release(ends[i][random >> 16 & 1]);
            ends[i][0] = ends[i][!(random >> 16 & 1)];
            for (unsigned k = i; k < PAIRS; k++)
                assert_true(socket_ok(ends[k][0]));
        }
        for (unsigned i = 0; i < PAIRS; i++) {
            assert_true(socket_ok(ends[i][0]));
            file_release(ends[i][0]);
        }
        stop_files();
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(streams_connect_by_name),
        cmocka_unit_test(a_connection_outlives_want_of_memory),
        cmocka_unit_test(messages_keep_their_borders),
        cmocka_unit_test(what_packets_hold_is_counted_in_heap_and_in_frames),
        cmocka_unit_test(a_passed_file_lives_as_long_as_its_message),
        cmocka_unit_test(a_look_without_memory_fails_and_changes_nothing),
        cmocka_unit_test(very_many_clients_are_told_with_rests),
        cmocka_unit_test(nobody_releases_the_files_of_others),
        cmocka_unit_test(no_user_has_any_number_of_files_in_messages),
        cmocka_unit_test(sockets_that_only_messages_hold_are_closed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
