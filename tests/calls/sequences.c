/*
 * sequences.c - calls that belong together: what one makes is what the next ones use, and what goes away under them.
 *
 * Calls by chance seldom meet like this: a descriptor in a message, and then a path through that descriptor. Other
 * workers of the batch do their calls in between, and may take away what a sequence is about.
 */
#include "fuzzer.h"

enum { LINKAT = 303, SPLICE = 313, VMSPLICE = 316, SENDMSG = 370, RECVMSG = 372, FLOCK = 143, TRUNCATE = 92,
       CHMOD = 15, PIPE2 = 331, STREAM = 1, DATAGRAM = 2, PACKETS = 5, ENDS = 8, PATH = 48 };

static long do_call(struct worker *w, long number, long a, long b, long c, long d, long e, long f)
{
    struct call call = { number, { a, b, c, d, e, f } };

    return worker_call(w, &call);
}
#define CALL(w, number, ...) CALL_WITH(w, number, __VA_ARGS__, 0, 0, 0, 0, 0, 0)
#define CALL_WITH(w, number, a, b, c, d, e, f, ...) do_call((w), (number), (long)(a), (b), (c), (d), (e), (f))

/* A call by chance, now and then. */
static void perhaps_another(struct worker *w)
{
    struct call call;

    if (chance_one_in(&w->chance, 3)) {
        next_call(w, &call);
        worker_call(w, &call);
    }
}

/* A path to a descriptor's file, with something behind it. */
static char *path_of(struct worker *w, long descriptor, const char *behind)
{
    char       *path = room(w, PATH), digits[12];
    const char *before = "proc/self/fd/";
    size_t      length = 0, count = 0;

    for (const char *at = before; *at != '\0'; at++)
        path[length++] = *at;
    for (uint32_t left = (uint32_t)descriptor % 1000; count == 0 || left > 0; left /= 10)
        digits[count++] = (char)('0' + left % 10);
    while (count > 0)
        path[length++] = digits[--count];
    for (const char *at = behind; *at != '\0'; at++)
        path[length++] = *at;
    path[length] = '\0';
    return path;
}

/* A socket's address: family, name. Its length is what a NUL behind the name makes it. */
static char *address_of(struct worker *w, const char *name, long *length)
{
    char  *at    = room(w, PATH + 3);
    size_t bytes = strlen(name + (*name == '\0')) + (*name == '\0');

    memset(at, 0, PATH + 3);
    at[0] = 1;
    memcpy(at + 2, name, bytes);
    *length = (long)bytes + 2 + (*name != '\0');
    return at;
}

static long send_descriptors(struct worker *w, long to, const long *descriptors, unsigned count)
{
    uint32_t *control = room(w, 12 + count * 4), *piece = room(w, 8), *message = room(w, 28);

    control[0] = 12 + count * 4;
    control[1] = 1;
    control[2] = 1;
    for (unsigned i = 0; i < count; i++)
        control[3 + i] = (uint32_t)descriptors[i];
    piece[0] = (uint32_t)control;
    piece[1] = 1;
    memset(message, 0, 28);
    message[2] = (uint32_t)piece;
    message[3] = 1;
    message[4] = (uint32_t)control;
    message[5] = control[0];
    return CALL(w, SENDMSG, to, (long)message, 0x4040);
}

/* Two ends of something, both non-blocking; -1 where there are none. */
static void make_ends(struct worker *w, long ends[2])
{
    static const uint8_t types[] = { STREAM, STREAM, DATAGRAM, PACKETS };
    int32_t *pair = room(w, 8);

    pair[0] = pair[1] = -1;
    if (chance_one_in(&w->chance, 3))
        CALL(w, PIPE2, (long)pair, O_NONBLOCK | (chance_one_in(&w->chance, 3) ? 040000 : 0));
    else
        CALL(w, CALL_SOCKETPAIR, 1, CHANCE_OF(&w->chance, types) | O_NONBLOCK, 0, (long)pair);
    ends[0] = pair[0];
    ends[1] = pair[1];
}

/* ---- The sequences -------------------------------------------------------------------------------- */

/* Folders in each other, removed from the inside out while the last one, or some of them, are open. */
static void folders_that_go(struct worker *w)
{
    uint32_t deep = 1 + chance_below(&w->chance, chance_one_in(&w->chance, 8) ? 400 : 12), made = 0;
    long     last;

    while (made < deep && CALL(w, CALL_MKDIR, "in", 0777) == 0 && CALL(w, CALL_CHDIR, "in") == 0)
        made++;
    last = CALL(w, CALL_OPEN, ".", O_RDONLY | O_NONBLOCK);
    for (; made > 0 && CALL(w, CALL_CHDIR, "..") == 0; made--) {
        if (chance_one_in(&w->chance, 20))
            perhaps_another(w);
        CALL(w, CALL_RMDIR, "in");
    }
    perhaps_another(w);
    CALL(w, CALL_CLOSE, last);
}

/* Descriptors in messages: paths through them, splices and copies that carry them, their last descriptors closed. */
static void messages(struct worker *w)
{
    long ends[2][2], passed[3], length;
    char *name;

    make_ends(w, ends[0]);
    make_ends(w, ends[1]);
    for (unsigned i = 0; i < COUNT_OF(passed); i++)
        passed[i] = chance_one_in(&w->chance, 2) ? ends[chance_below(&w->chance, 2)][chance_below(&w->chance, 2)]
                                                 : (long)any_descriptor(w);
    for (unsigned steps = 3 + chance_below(&w->chance, 10); steps > 0; steps--) {
        long here = ends[chance_below(&w->chance, 2)][chance_below(&w->chance, 2)];
        long there = ends[chance_below(&w->chance, 2)][chance_below(&w->chance, 2)];

        switch (chance_below(&w->chance, 8)) {
        case 0: case 1:
            send_descriptors(w, here, passed, 1 + chance_below(&w->chance, COUNT_OF(passed)));
            break;
        case 2:
            name = address_of(w, path_of(w, passed[0], "/s"), &length);
            CALL(w, chance_one_in(&w->chance, 2) ? CALL_CONNECT : CALL_BIND, any_descriptor(w), (long)name, length);
            break;
        case 3: case 4:
            CALL(w, SPLICE, here, 0, there, 0, 1 + chance_below(&w->chance, 9000), 2);
            break;
        case 5:
            CALL(w, RECVMSG, here, (long)structure_of(w, 'm'), 0x40 | (long)chance_below(&w->chance, 2) * 2);
            break;
        case 6:
            CALL(w, CALL_CLOSE, passed[chance_below(&w->chance, COUNT_OF(passed))]);
            break;
        default:
            CALL(w, CALL_CLOSE, here);
            break;
        }
        perhaps_another(w);
    }
    for (unsigned i = 0; i < 4; i++)
        CALL(w, CALL_CLOSE, ends[i / 2][i % 2]);
}

/* A listener with connections that are accepted or not, filled or not, and ends of them that go in any order. */
static void connections(struct worker *w)
{
    static const char *const names[] = { "\0one", "\0two", "meeting", "folder/meeting" };
    long  kind = (chance_one_in(&w->chance, 2) ? STREAM : PACKETS) | O_NONBLOCK, length, all[ENDS];
    char *name = address_of(w, CHANCE_OF(&w->chance, names), &length);

    for (unsigned i = 0; i < ENDS; i++)
        all[i] = CALL(w, CALL_SOCKET, 1, kind, 0);
    if (chance_one_in(&w->chance, 4))
        length = 2;
    CALL(w, CALL_BIND, all[0], (long)name, length);
    CALL(w, CALL_LISTEN, all[0], chance_below(&w->chance, 3));
    for (unsigned steps = 4 + chance_below(&w->chance, 16); steps > 0; steps--) {
        unsigned which = 1 + chance_below(&w->chance, ENDS - 1);

        switch (chance_below(&w->chance, 7)) {
        case 0: case 1:
            CALL(w, CALL_CONNECT, all[which], (long)name, length);
            break;
        case 2:
            CALL(w, CALL_CLOSE, all[which]);
            all[which] = CALL(w, CALL_ACCEPT4, all[0], 0, 0, O_NONBLOCK);
            break;
        case 3:
            while (CALL(w, CALL_WRITE, all[which], (long)value_of(w, 'b'), 9000) > 0)
                ;
            break;
        case 4:
            send_descriptors(w, all[which], all, 1 + chance_below(&w->chance, 3));
            break;
        case 5:
            CALL(w, CALL_CLOSE, all[chance_below(&w->chance, ENDS)]);
            break;
        default:
            CALL(w, CALL_READ, all[which], (long)value_of(w, 'b'), (long)value_of(w, 'l'));
            break;
        }
    }
    for (unsigned i = 0; i < ENDS; i++)
        CALL(w, CALL_CLOSE, all[i]);
    CALL(w, CALL_UNLINK, names[2]);
    CALL(w, CALL_UNLINK, names[3]);
}

/* Locks of a file whose descriptors are closed, or become others', meanwhile. */
static void locks(struct worker *w)
{
    enum { SETLK = 13, SETLKW = 14, OFD_SETLK = 37 };
    static const uint8_t commands[] = { SETLK, SETLK, SETLKW, OFD_SETLK };
    long file = CALL(w, CALL_MEMFD_CREATE, "locked", 2), again = CALL(w, CALL_DUP, file);

    for (unsigned steps = 2 + chance_below(&w->chance, 6); steps > 0; steps--) {
        CALL(w, CALL_FCNTL64, chance_one_in(&w->chance, 2) ? file : again, CHANCE_OF(&w->chance, commands),
             (long)structure_of(w, 'j'));
        if (chance_one_in(&w->chance, 4))
            CALL(w, CALL_DUP2, any_descriptor(w), again);
        if (chance_one_in(&w->chance, 4))
            CALL(w, FLOCK, file, 4 | 1 << chance_below(&w->chance, 4));
        perhaps_another(w);
    }
    CALL(w, CALL_CLOSE, file);
    CALL(w, CALL_CLOSE, again);
}

/* Everything that can be done with a path, to a descriptor's file, whatever it is. */
static void paths_of_descriptors(struct worker *w)
{
    static const uint16_t calls[] = { CALL_CHDIR, CALL_UNLINK, CALL_RMDIR, CALL_MKDIR, TRUNCATE, CHMOD, CALL_MKNOD, 99,
                                      195, 85, 30, 33, 61, 83, CALL_EXECVE };
    static const char *const behind[] = { "", "", "", "/", "/..", "/a", "/in/.." };
    long any = (long)any_descriptor(w);

    for (unsigned steps = 1 + chance_below(&w->chance, 6); steps > 0; steps--) {
        const char *path = path_of(w, any, CHANCE_OF(&w->chance, behind));

        switch (chance_below(&w->chance, 4)) {
        case 0:
            CALL(w, LINKAT, -100, (long)path, -100, (long)"linked", 0x400);
            CALL(w, CALL_UNLINK, "linked");
            break;
        case 1:
            CALL(w, CALL_CLOSE, CALL(w, CALL_OPEN, path, (long)value_of(w, 'f') | O_NONBLOCK, 0666));
            break;
        case 2:
            CALL(w, 38, path, (long)any_path(w));
            break;
        default:
            CALL(w, CHANCE_OF(&w->chance, calls), path, (long)value_of(w, 'b'), (long)value_of(w, 'D'));
            break;
        }
        perhaps_another(w);
    }
}

/* A file system that is unmounted while it is in use, and used after that. */
static void mounts(struct worker *w)
{
    long inside, below;

    if (!may_mount)
        return;
    CALL(w, CALL_MKDIR, "mounted", 0777);
    CALL(w, CALL_MOUNT, 0, (long)"mounted", (long)(chance_one_in(&w->chance, 4) ? "proc" : "tmpfs"), 0, 0);
    CALL(w, CALL_MKDIR, "mounted/in", 0777);
    inside = CALL(w, CALL_OPEN, "mounted", O_RDONLY | O_NONBLOCK);
    below  = CALL(w, CALL_OPEN, "mounted/in", O_RDONLY | O_NONBLOCK);
    perhaps_another(w);
    CALL(w, CALL_UMOUNT2, "mounted", 2 * (long)chance_below(&w->chance, 2));
    for (unsigned steps = chance_below(&w->chance, 6); steps > 0; steps--) {
        long at = chance_one_in(&w->chance, 2) ? inside : below;

        switch (chance_below(&w->chance, 5)) {
        case 0:  CALL(w, CALL_CLOSE, CALL(w, CALL_OPENAT, at, (long)"new", O_RDWR | O_CREAT | O_NONBLOCK, 0666)); break;
        case 1:  CALL(w, 296, at, (long)"in", 0777); break;
        case 2:  CALL(w, CALL_CLOSE, CALL(w, CALL_OPENAT, at, (long)"..", O_RDONLY | O_NONBLOCK)); break;
        case 3:  CALL(w, CALL_UNLINKAT, at, (long)"in", 0x200); break;
        default: CALL(w, CALL_CLOSE, at); break;
        }
        perhaps_another(w);
    }
    CALL(w, CALL_CLOSE, inside);
    CALL(w, CALL_CLOSE, below);
    CALL(w, CALL_UMOUNT2, "mounted", 2);
    CALL(w, CALL_RMDIR, "mounted");
}

/* Memory into a pipe and out of it, while the descriptor becomes another pipe's. */
static void numbers_that_change(struct worker *w)
{
    long one[2], other[2];

    make_ends(w, one);
    make_ends(w, other);
    for (unsigned steps = 2 + chance_below(&w->chance, 6); steps > 0; steps--) {
        long here = chance_one_in(&w->chance, 2) ? one[1] : other[1];

        CALL(w, VMSPLICE, here, (long)structure_of(w, 'v'), 1 + chance_below(&w->chance, 3),
             chance_one_in(&w->chance, 4) ? 0 : 2);
        if (chance_one_in(&w->chance, 3))
            CALL(w, CALL_DUP2, chance_one_in(&w->chance, 2) ? other[1] : one[0], one[1]);
        CALL(w, VMSPLICE, one[0], (long)structure_of(w, 'v'), 1, 2);
        perhaps_another(w);
    }
    for (unsigned i = 0; i < 2; i++) {
        CALL(w, CALL_CLOSE, one[i]);
        CALL(w, CALL_CLOSE, other[i]);
    }
}

void some_sequence(struct worker *w)
{
    static void (*const sequences[])(struct worker *w) = {
        folders_that_go, messages, connections, locks, paths_of_descriptors, mounts, numbers_that_change,
    };

    CHANCE_OF(&w->chance, sequences)(w);
}
