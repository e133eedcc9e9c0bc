/*
 * test_files_streams.c - pipes, fifos, sockets, event counters and epoll, with a second party played by on_sleep().
 */
#include "files_world.h"

#include "files/core/devices.h"
#include "files/core/epoll.h"
#include "files/core/event.h"
#include "files/core/poll_wait.h"
#include "files/ipc/pipe_ring.h"
#include "files/ipc/socket.h"

static char text[PIPE_LARGEST + 2 * PAGE_SIZE], back[PIPE_LARGEST + 2 * PAGE_SIZE];

static long send(struct file *file, const void *bytes, size_t count)
{
    struct buffer buffer = { .user = (user_t)bytes, .bytes = count };

    return file_write(file, &buffer);
}

static long receive(struct file *file, void *bytes, size_t count)
{
    struct buffer buffer = { .user = (user_t)bytes, .bytes = count };

    return file_read(file, &buffer);
}

static void begin(void)
{
    start_files();
    for (size_t i = 0; i < sizeof text; i++)
        text[i] = (char)(i * 31 + i / 4096);
}

/* ---- Pipes against a counter -------------------------------------------------------------------- */

static struct file *reader, *writer;

/* Bytes come out in the order they went in, in pieces of any size, and never more than fit are inside. */
static void pipes_keep_order(void **state)
{
    uint64_t random = 7, in = 0, out = 0;

    (void)state;
    begin();
    assert_int_equal(pipe_make(O_NONBLOCK, &reader, &writer), 0);
    for (unsigned n = 0; n < 20000; n++) {
        size_t count;
        long   done;

        random ^= random << 13, random ^= random >> 7, random ^= random << 17;
        count = 1 + (random >> 20) % (random % 5 == 0 ? 20000 : 300);
        if (random >> 60 & 1) {
            for (size_t i = 0; i < count; i++)
                text[i] = (char)((in + i) * 31 + (in + i) / 4096);
            done = send(writer, text, count);
            assert_true(done > 0 || done == -EAGAIN);
            if (done > 0)
                in += (uint64_t)done;
            if (done != (long)count && count <= PIPE_ATOMIC)
                assert_int_equal(done, -EAGAIN);
        } else {
            done = receive(reader, back, count);
            assert_int_equal(done, in == out ? -EAGAIN : count < in - out ? (long)count : (long)(in - out));
            for (long i = 0; i < done; i++)
                if (back[i] != (char)((out + (uint64_t)i) * 31 + (out + (uint64_t)i) / 4096))
                    fail_msg("byte %llu", (unsigned long long)out + (unsigned long long)i);
            if (done > 0)
                out += (uint64_t)done;
        }
        assert_true(in - out <= PIPE_CAPACITY);
        if (in == out)
            assert_true(frames_owned(OWNER_FILE) <= 1);
    }
    file_release(reader);
    file_release(writer);
    stop_files();
}

static void a_full_pipe_holds_its_capacity(void **state)
{
    (void)state;
    begin();
    assert_int_equal(pipe_make(O_NONBLOCK, &reader, &writer), 0);
    assert_int_equal(send(writer, text, 100000), PIPE_CAPACITY);
    assert_int_equal(send(writer, text, 1), -EAGAIN);
    assert_int_equal(pipe_set_capacity(writer, 4096), -EBUSY);
    assert_int_equal(pipe_set_capacity(writer, 100000), 131072);
    assert_int_equal(send(writer, text + 65536, 100000), 65536);
    assert_int_equal(receive(reader, back, sizeof back), 131072);
    assert_memory_equal(text, back, 131072);
    assert_int_equal(pipe_set_capacity(writer, 1), 4096);
    assert_int_equal(pipe_capacity(reader), 4096);
    assert_int_equal(send(writer, text, 5000), 4096);
    file_release(reader);
    file_release(writer);
    stop_files();
}

static long take_piece(struct pipe_actor *actor, struct buffer *piece)
{
    (void)actor;
    return piece->bytes < 3 ? (long)piece->bytes : 3;
}

/* Packets and a stream mixed, with the numbers of bytes at their wrap, against a list of what each read must give. */
static void packets_end_a_read_and_numbers_wrap(void **state)
{
    (void)state;
    begin();
    for (unsigned i = 0; i < sizeof text; i++)
        text[i] = (char)(i * 7);
    assert_int_equal(pipe_make(O_NONBLOCK | O_DIRECT, &reader, &writer), 0);
    assert_false(reader->flags & O_DIRECT);
    pipe_of(reader->node)->from = pipe_of(reader->node)->to = 0xFFFFF000;
    for (unsigned round = 0; round < 8; round++) {
        assert_int_equal(send(writer, text, 10), 10);
        assert_int_equal(send(writer, text + 10, 9000), 9000);
        writer->flags &= ~(uint32_t)O_DIRECT;
        assert_int_equal(send(writer, text + 9010, 5000), 5000);
        writer->flags |= O_DIRECT;
        assert_int_equal(pipe_bytes(pipe_of(reader->node)), 14010);
        assert_int_equal(receive(reader, back, 4), 4);              /* the rest of the packet is lost */
        assert_memory_equal(back, text, 4);
        assert_int_equal(receive(reader, back, sizeof back), 4096);
        assert_memory_equal(back, text + 10, 4096);
        assert_int_equal(receive(reader, back, sizeof back), 4096);
        assert_int_equal(receive(reader, back, sizeof back), 9000 - 8192);
        assert_memory_equal(back, text + 10 + 8192, 9000 - 8192);
        assert_int_equal(receive(reader, back, 4500), 4500);
        assert_memory_equal(back, text + 9010, 4500);
        assert_int_equal(receive(reader, back, sizeof back), 500);
        assert_memory_equal(back, text + 9010 + 4500, 500);
        assert_int_equal(receive(reader, back, 1), -EAGAIN);
        assert_true(pipe_ring_ok(pipe_of(reader->node)));
    }
    assert_true(pipe_of(reader->node)->from < 0x80000000);
    file_release(reader);
    file_release(writer);
    stop_files();
}

/* A piece of what was peeked is dropped; the rest comes again, beyond a page that a packet has closed. */
static void what_a_splice_leaves_stays(void **state)
{
    struct pipe_actor taker = { take_piece };
    struct file      *other_reader, *other_writer;

    (void)state;
    begin();
    assert_int_equal(pipe_make(O_NONBLOCK | O_DIRECT, &reader, &writer), 0);
    assert_int_equal(pipe_make(O_NONBLOCK, &other_reader, &other_writer), 0);
    assert_int_equal(pipe_empty_into(reader, 10, false, &taker), -EAGAIN);
    assert_int_equal(send(writer, "abcde", 5), 5);
    assert_int_equal(send(writer, "fgh", 3), 3);
    assert_int_equal(pipe_empty_into(reader, 10, false, &taker), 3);
    assert_int_equal(pipe_move(reader, other_writer, 100, false, true), 5);
    assert_int_equal(pipe_move(reader, other_writer, 4, false, false), 4);
    assert_int_equal(receive(other_reader, back, sizeof back), 9);
    assert_memory_equal(back, "defghdefg", 9);
    assert_int_equal(receive(reader, back, sizeof back), 1);
    assert_memory_equal(back, "h", 1);
    assert_int_equal(pipe_move(reader, other_writer, 4, false, false), -EAGAIN);
    file_release(writer);
    assert_int_equal(pipe_move(reader, other_writer, 4, false, false), 0);
    file_release(other_reader);
    assert_int_equal(pipe_move(reader, other_writer, 4, false, false), -EPIPE);
    assert_int_equal(last_signal, SIGPIPE);
    file_release(reader);
    file_release(other_writer);
    stop_files();
}

static void the_last_writer_ends_a_pipe_the_last_reader_breaks_it(void **state)
{
    struct buffer bad;

    (void)state;
    begin();
    assert_int_equal(pipe_make(0, &reader, &writer), 0);
    assert_int_equal(receive(reader, back, 1), -ERESTARTSYS);
    assert_int_equal(send(writer, "ab", 2), 2);
    bad = (struct buffer){ .user = BAD, .bytes = 2 };
    assert_int_equal(file_write(writer, &bad), -EFAULT);
    assert_int_equal(file_read_at(reader, &bad, 0), -ESPIPE);
    file_release(writer);
    assert_int_equal(receive(reader, back, 10), 2);
    assert_int_equal(receive(reader, back, 10), 0);
    file_release(reader);
    assert_int_equal(pipe_make(0, &reader, &writer), 0);
    file_release(reader);
    assert_int_equal(send(writer, "ab", 2), -EPIPE);
    assert_int_equal(last_signal, SIGPIPE);
    file_release(writer);
    stop_files();
}

static bool drain_some(void)
{
    return receive(reader, back, 5000) > 0;
}

static void a_writer_waits_for_room(void **state)
{
    (void)state;
    begin();
    assert_int_equal(pipe_make(0, &reader, &writer), 0);
    on_sleep = drain_some;
    assert_int_equal(send(writer, text, 200000), 200000);
    file_release(reader);
    file_release(writer);
    stop_files();
}

static bool open_other_end(void)
{
    if (writer != NULL)
        return false;
    writer = open_file("/fifo", O_WRONLY | O_NONBLOCK);
    return true;
}

static void a_fifo_is_opened_by_two(void **state)
{
    struct file *file;

    (void)state;
    begin();
    writer = NULL;
    assert_int_equal(path_make_node(fs, NULL, "/fifo", S_PIPE | 0600, 0, NULL), 0);
    assert_int_equal(path_open(fs, NULL, "/fifo", O_WRONLY | O_NONBLOCK, 0, &file), -ENXIO);
    assert_int_equal(path_open(fs, NULL, "/fifo", O_RDONLY, 0, &file), -ERESTARTSYS);
    on_sleep = open_other_end;
    reader   = open_file("/fifo", O_RDONLY);
    assert_non_null(writer);
    assert_int_equal(send(writer, "hello", 5), 5);
    assert_int_equal(receive(reader, back, 10), 5);
    file_release(reader);
    file_release(writer);
    stop_files();
}

/* ---- Sockets ----------------------------------------------------------------------------------------- */

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

/* ---- Waiting ------------------------------------------------------------------------------------------- */

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
        cmocka_unit_test(pipes_keep_order),
        cmocka_unit_test(a_full_pipe_holds_its_capacity),
        cmocka_unit_test(packets_end_a_read_and_numbers_wrap),
        cmocka_unit_test(what_a_splice_leaves_stays),
        cmocka_unit_test(the_last_writer_ends_a_pipe_the_last_reader_breaks_it),
        cmocka_unit_test(a_writer_waits_for_room),
        cmocka_unit_test(a_fifo_is_opened_by_two),
        cmocka_unit_test(streams_connect_by_name),
        cmocka_unit_test(a_connection_outlives_want_of_memory),
        cmocka_unit_test(messages_keep_their_borders),
        cmocka_unit_test(a_passed_file_lives_as_long_as_its_message),
        cmocka_unit_test(sockets_that_only_messages_hold_are_closed),
        cmocka_unit_test(an_epoll_reports_levels_edges_and_once),
        cmocka_unit_test(an_event_that_cannot_be_handed_out_stays),
        cmocka_unit_test(epolls_nest_so_deep_and_never_in_a_circle),
        cmocka_unit_test(an_epoll_keeps_its_lists),
        cmocka_unit_test(watching_many_ends_with_the_first),
        cmocka_unit_test(an_event_counts),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
