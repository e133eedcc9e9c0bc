/*
 * test_files_pipes.c - pipes and fifos against a counter: order, capacity, packets, and what ends them.
 */
#include "streams_world.h"

static struct file *reader, *writer;
static char         back[sizeof text];

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
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
