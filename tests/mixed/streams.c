/* streams.c - rounds of pipes, of local sockets with passed descriptors, and of epoll. */
#include "mixed.h"

enum { PART = 1500, STREAM = 40 * 1000, SERVED = 4, WATCHED = 12 };
static char buffer[PART];

/* ---- Pipes --------------------------------------------------------------------------------------------- */

static void send_stream(long to, uint32_t seed, struct chance *chance)
{
    for (size_t done = 0, part; done < STREAM; done += part) {
        part = 1 + chance_below(chance, PART);
        part = part < STREAM - done ? part : STREAM - done;
        bytes_fill(buffer, part, seed, done);
        SAME(write_all(to, buffer, part), part);
    }
}

static void receive_stream(long from, uint32_t seed)
{
    size_t done = 0;
    long   part;

    while ((part = DONE(KERNEL(CALL_READ, from, (long)buffer, PART))) > 0) {
        SAME(bytes_hold(buffer, (size_t)part, seed, done), part);
        done += (size_t)part;
    }
    SAME(done, STREAM);
}

/* A process that writes into a pipe without a reader is ended by SIGPIPE. */
static void nobody_reads(void)
{
    int  ends[2];
    long child;

    SAME(KERNEL(CALL_PIPE, (long)ends), 0);
    SAME(KERNEL(CALL_CLOSE, ends[0]), 0);
    child = DONE(split());
    if (child == 0) {
        KERNEL(CALL_WRITE, ends[1], (long)"x", 1);
        leave(7);
    }
    child_ended(child, 13);
    SAME(KERNEL(CALL_CLOSE, ends[1]), 0);
}

/* A child writes, another copies, the parent reads. */
void round_pipes(void)
{
    uint32_t seed = chance_word(&me->chance);
    int      first[2], second[2];
    long     writer, between;

    SAME(KERNEL(CALL_PIPE, (long)first), 0);
    writer = DONE(split());
    if (writer == 0) {
        KERNEL(CALL_CLOSE, first[0]);
        send_stream(first[1], seed, &(struct chance){ seed });
        leave(3);
    }
    SAME(KERNEL(CALL_CLOSE, first[1]), 0);
    SAME(KERNEL(CALL_PIPE, (long)second), 0);
    between = DONE(split());
    if (between == 0) {
        long part;

        KERNEL(CALL_CLOSE, second[0]);
        while ((part = DONE(KERNEL(CALL_READ, first[0], (long)buffer, PART))) > 0)
            SAME(write_all(second[1], buffer, (size_t)part), part);
        KERNEL(CALL_CLOSE, first[0]);
        SAME(KERNEL(CALL_READ, second[1], (long)buffer, 1), -9);
        leave(4);
    }
    SAME(KERNEL(CALL_CLOSE, second[1]), 0);
    SAME(KERNEL(CALL_CLOSE, first[0]), 0);
    receive_stream(second[0], seed);
    SAME(KERNEL(CALL_CLOSE, second[0]), 0);
    child_ended(writer, 3 << 8);
    child_ended(between, 4 << 8);
    nobody_reads();
}

/* ---- Sockets --------------------------------------------------------------------------------------------- */

/* Source: Linux, include/linux/socket.h, for i386. */
struct vector  { void *base; uint32_t length; };
struct message {
    void          *name;
    uint32_t       name_length;
    struct vector *vectors;
    uint32_t       count;
    void          *control;
    uint32_t       control_length, flags;
};
struct passed  { uint32_t length, level, type; int32_t descriptor; };
struct address { uint16_t family; char path[PATH]; };

static void pass(long socket, long descriptor, uint32_t word)
{
    struct passed  passed  = { sizeof passed, 1, 1, (int32_t)descriptor };
    struct vector  vector  = { &word, sizeof word };
    struct message message = { NULL, 0, &vector, 1, &passed, sizeof passed, 0 };

    SAME(KERNEL(CALL_SENDMSG, socket, (long)&message, 0), sizeof word);
}

static long receive(long socket, uint32_t word)
{
    uint32_t       got     = 0;
    struct passed  passed  = { 0, 0, 0, -1 };
    struct vector  vector  = { &got, sizeof got };
    struct message message = { NULL, 0, &vector, 1, &passed, sizeof passed, 0 };

    SAME(KERNEL(CALL_RECVMSG, socket, (long)&message, 0), sizeof got);
    SAME(got, word);
    SAME(passed.type, 1);
    return DONE(passed.descriptor);
}

/* The client: for each connection it passes a file of its own, and reads in it what the server wrote. */
static void be_client(const struct address *at, uint32_t seed)
{
    for (unsigned n = 0; n < SERVED; n++) {
        long socket = DONE(KERNEL(CALL_SOCKET, AF_UNIX, SOCK_STREAM, 0));
        long file   = DONE(KERNEL(CALL_MEMFD_CREATE, (long)"mixed", 0));
        char answer;

        SAME(KERNEL(CALL_CONNECT, socket, (long)at, sizeof *at), 0);
        pass(socket, file, seed + n);
        SAME(KERNEL(CALL_READ, socket, (long)&answer, 1), 1);
        SAME(answer, 'y');
        SAME(KERNEL(CALL_PREAD64, file, (long)buffer, PART, 0, 0), PART);
        SAME(bytes_hold(buffer, PART, seed + n, 0), PART);
        SAME(KERNEL(CALL_CLOSE, file), 0);
        SAME(KERNEL(CALL_CLOSE, socket), 0);
    }
    leave(5);
}

static void serve(long listening, uint32_t word)
{
    long socket = DONE(KERNEL(CALL_ACCEPT4, listening, 0, 0, 0)), file = receive(socket, word);

    bytes_fill(buffer, PART, word, 0);
    SAME(write_all(file, buffer, PART), PART);
    SAME(KERNEL(CALL_CLOSE, file), 0);
    SAME(KERNEL(CALL_WRITE, socket, (long)"y", 1), 1);
    SAME(KERNEL(CALL_READ, socket, (long)buffer, 1), 0);        /* the other side has closed it */
    SAME(KERNEL(CALL_CLOSE, socket), 0);
}

/* A descriptor in an unread message is closed with its socket. */
static void leave_one_in_flight(uint32_t seed)
{
    int ends[2];

    SAME(KERNEL(CALL_SOCKETPAIR, AF_UNIX, SOCK_STREAM, 0, (long)ends), 0);
    pass(ends[0], ends[1], seed);
    pass(ends[1], ends[0], seed);
    SAME(KERNEL(CALL_CLOSE, receive(ends[0], seed)), 0);
    SAME(KERNEL(CALL_CLOSE, ends[0]), 0);
    SAME(KERNEL(CALL_CLOSE, ends[1]), 0);
}

void round_sockets(void)
{
    struct address at = { .family = AF_UNIX };
    uint32_t seed = chance_word(&me->chance);
    long     listening = DONE(KERNEL(CALL_SOCKET, AF_UNIX, SOCK_STREAM, 0)), client;

    SAME(KERNEL(CALL_BIND, listening, (long)&at, sizeof at - PATH + strlen(path_of(at.path, "server", 0)) + 1), 0);
    SAME(KERNEL(CALL_LISTEN, listening, 4), 0);
    client = DONE(split());
    if (client == 0)
        be_client(&at, seed);
    for (unsigned n = 0; n < SERVED; n++)
        serve(listening, seed + n);
    child_ended(client, 5 << 8);
    SAME(KERNEL(CALL_CLOSE, listening), 0);
    SAME(KERNEL(CALL_UNLINK, (long)at.path), 0);
    leave_one_in_flight(seed);
}

/* ---- Epoll ------------------------------------------------------------------------------------------------ */

enum { EPOLL_ADD = 1, EPOLL_REMOVE = 2, EPOLL_IN = 1 };
struct event { uint32_t events; uint32_t data, high; };

/* Each descriptor of a set that is ready is reported once, and no other. */
static void ready_are(long epoll, uint32_t set)
{
    struct event events[WATCHED];
    long         count = DONE(KERNEL(CALL_EPOLL_WAIT, epoll, (long)events, WATCHED, set == 0 ? 0 : 1000));
    uint32_t     told = 0;

    for (long i = 0; i < count; i++) {
        SAME(events[i].events, EPOLL_IN);
        GOOD((told & 1u << events[i].data) == 0);
        told |= 1u << events[i].data;
    }
    SAME(told, set);
}

static void count_to(const long files[], uint32_t set, long call, uint64_t count)
{
    for (unsigned n = 0; n < WATCHED; n++)
        if (set & 1u << n) {
            SAME(KERNEL(call, files[n], (long)&count, sizeof count), sizeof count);
            SAME(count, 1);
        }
}

void round_epoll(void)
{
    long     epoll = DONE(KERNEL(CALL_EPOLL_CREATE1, 0)), files[WATCHED], child;
    uint32_t first  = chance_below(&me->chance, 1u << WATCHED);
    uint32_t second = first | 1u << chance_below(&me->chance, WATCHED);

    for (unsigned n = 0; n < WATCHED; n++) {
        struct event event = { EPOLL_IN, n, 0 };

        files[n] = DONE(KERNEL(CALL_EVENTFD2, 0, 0));
        SAME(KERNEL(CALL_EPOLL_CTL, epoll, EPOLL_ADD, files[n], (long)&event), 0);
    }
    ready_are(epoll, 0);
    count_to(files, first, CALL_WRITE, 1);
    ready_are(epoll, first);
    child = DONE(split());
    if (child == 0) {
        count_to(files, second & ~first, CALL_WRITE, 1);
        leave(6);
    }
    child_ended(child, 6 << 8);
    ready_are(epoll, second);
    count_to(files, second, CALL_READ, 0);
    ready_are(epoll, 0);
    SAME(KERNEL(CALL_EPOLL_CTL, epoll, EPOLL_REMOVE, files[0], 0), 0);
    for (unsigned n = 0; n < WATCHED; n++)
        SAME(KERNEL(CALL_CLOSE, files[n]), 0);
    SAME(KERNEL(CALL_CLOSE, epoll), 0);
}
