/*
 * vanishing.c - what goes away while calls use it: names of folders, descriptors, listeners, ends of pipes in messages.
 */
#include "answers.h"

#include <fcntl.h>
#include <pthread.h>
#include <stddef.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/timerfd.h>
#include <sys/uio.h>
#include <sys/un.h>

enum { DEEP = 3000, MOMENT = 100000, PIECE = 4096, MANY = 200, TRIES = 50 };

static char bytes[PIECE] __attribute__((aligned(PIECE)));

/* ---- Folders --------------------------------------------------------------------------------------- */

/* Each folder that is removed and still held knows the one that it was in. */
static void chain_of_removed_folders(void)
{
    char top[] = "/tmp/vanishing.XXXXXX";
    int  made = 0, removed = 0, last;

    if (mkdtemp(top) == NULL || chdir(top) != 0)
        return;
    while (made < DEEP && mkdir("in", 0700) == 0 && chdir("in") == 0)
        made++;
    last = open(".", O_RDONLY);
    while (removed < made && chdir("..") == 0 && rmdir("in") == 0)
        removed++;
    SAY(made);
    SAY(removed);
    SAY(openat(last, "..", O_RDONLY) >= 0);
    SAY(chdir("/"));
    SAY(rmdir(top));
    SAY(close(last));
}

/* ---- Files that have no names -------------------------------------------------------------------------- */

/* They get none: what was never in a folder is in no file system that has folders. */
static void names_for_what_has_none(void)
{
    int  ends[2], pair[2], files[] = { epoll_create1(0), eventfd(0, 0), timerfd_create(CLOCK_MONOTONIC, 0),
                                       memfd_create("nameless", 0), -1, -1 };
    char path[40];

    SAY(pipe(ends));
    SAY(socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
    files[4] = ends[0];
    files[5] = pair[0];
    for (unsigned i = 0; i < sizeof files / sizeof files[0]; i++) {
        snprintf(path, sizeof path, "/proc/self/fd/%d", files[i]);
        SAY(linkat(AT_FDCWD, path, AT_FDCWD, "/tmp/vanishing", AT_SYMLINK_FOLLOW));
        SAY(rename(path, "/tmp/vanishing"));
        SAY(unlink(path));
    }
}

/* ---- Open files in messages ------------------------------------------------------------------------ */

static long send_file(int to, int file)
{
    union { char room[CMSG_SPACE(sizeof(int))]; struct cmsghdr head; } control = { .room = "" };
    struct iovec  piece = { "x", 1 };
    struct msghdr message = { .msg_iov = &piece, .msg_iovlen = 1, .msg_control = &control,
                              .msg_controllen = sizeof control };

    control.head.cmsg_level = SOL_SOCKET;
    control.head.cmsg_type  = SCM_RIGHTS;
    control.head.cmsg_len   = CMSG_LEN(sizeof file);
    memcpy(CMSG_DATA(&control.head), &file, sizeof file);
    return sendmsg(to, &message, 0);
}

/* Names of sockets whose path goes through a descriptor that a message holds. */
static void path_through_a_message(void)
{
    struct sockaddr_un name = { .sun_family = AF_UNIX };
    int                pair[2], folder = open("/tmp", O_RDONLY), self = socket(AF_UNIX, SOCK_DGRAM, 0);

    SAY(socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
    SAY(send_file(pair[0], folder));
    snprintf(name.sun_path, sizeof name.sun_path, "/proc/self/fd/%d/nobody", folder);
    SAY(connect(self, (void *)&name, sizeof name));
    SAY(sendto(self, "x", 1, 0, (void *)&name, sizeof name));
    snprintf(name.sun_path, sizeof name.sun_path, "/proc/self/fd/%d/none/there", folder);
    SAY(bind(self, (void *)&name, sizeof name));
    close(folder);
    SAY(bind(self, (void *)&name, sizeof name));
}

/* The message carries the last descriptor of the end that reads the pipe that it is spliced into. */
static void pipe_into_itself(void)
{
    int pair[2], ends[2];

    SAY(socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
    SAY(pipe(ends));
    SAY(send_file(pair[0], ends[0]));
    SAY(close(ends[0]));
    signal(SIGPIPE, SIG_IGN);
    SAY(splice(pair[1], NULL, ends[1], NULL, PIECE, 0));
    SAY(write(ends[1], "x", 1));
}

/* ---- Descriptors ------------------------------------------------------------------------------------ */

static int full[2], other[2], file, answer, problem;

static void fill(int to)
{
    fcntl(to, F_SETFL, O_NONBLOCK);
    while (write(to, bytes, PIECE) > 0)
        ;
    fcntl(to, F_SETFL, 0);
}

static void *put_memory(void *unused)
{
    struct iovec piece = { bytes, PIECE };

    answer = (int)vmsplice(full[1], &piece, 1, 0);
    return unused;
}

/* While the call waits for room its descriptor becomes that of another pipe, which stays full. */
static void number_of_another_pipe(void)
{
    pthread_t thread;
    int       kept;

    SAY(pipe(full));
    SAY(pipe(other));
    fill(full[1]);
    fill(other[1]);
    kept = dup(full[1]);
    pthread_create(&thread, NULL, put_memory, NULL);
    usleep(MOMENT);
    SAY(dup2(other[1], full[1]) == full[1]);
    SAY(read(full[0], bytes, PIECE));
    pthread_join(thread, NULL);
    SAY(answer);
    SAY(close(kept));
}

static void *lock_file(void *unused)
{
    struct flock lock = { .l_type = F_WRLCK };

    answer  = fcntl(file, F_SETLKW, &lock);
    problem = errno;
    return unused;
}

static int locks_there_are(void)
{
    FILE *list = fopen("/proc/locks", "r");
    int   count = 0, c;

    while (list != NULL && (c = getc(list)) != EOF)
        count += c == '\n';
    if (list != NULL)
        fclose(list);
    return count;
}

/* The descriptor is closed while the call waits for another process's lock. */
static void lock_of_what_is_closed(void)
{
    struct flock lock = { .l_type = F_WRLCK };
    int          said[2], go[2], before = locks_there_are();
    pthread_t    thread;
    char         word;

    file = memfd_create("locked", 0);
    SAY(pipe(said));
    SAY(pipe(go));
    if (fork() == 0) {
        fcntl(file, F_SETLK, &lock);
        if (write(said[1], "x", 1) == 1 && read(go[0], &word, 1) == 1)
            _exit(0);
        _exit(1);
    }
    SAY(read(said[0], &word, 1));
    pthread_create(&thread, NULL, lock_file, NULL);
    usleep(MOMENT);
    SAY(close(file));
    SAY(write(go[1], "x", 1));
    pthread_join(thread, NULL);
    SAY(answer);
    SAY(problem == EBADF);
    SAY(wait(NULL) > 0);
    SAY(locks_there_are() - before);
}

/* ---- Rights ------------------------------------------------------------------------------------------- */

static volatile int turn, done;
static void *mapping;

static void *map_and_unmap(void *unused)
{
    enum { LARGE = 4 << 20 };

    for (;;) {
        void *memory = mmap(NULL, LARGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);

        munmap(memory, LARGE);
    }
    return unused;
}

static void *map_file(void *unused)
{
    for (int now = 1; now <= TRIES; now++) {
        while (turn != now)
            usleep(100);
        mapping = mmap(NULL, PIECE, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
        done    = now;
    }
    return unused;
}

/* While a thread maps a file to write it, which may take its turn after others' mappings, another one forbids that. */
static void seals_against_mappings(void)
{
    int       broken = 0;
    pthread_t thread;

    pthread_create(&thread, NULL, map_and_unmap, NULL);
    pthread_create(&thread, NULL, map_file, NULL);
    for (int now = 1; now <= TRIES; now++) {
        int sealed;

        file = memfd_create("sealed", MFD_ALLOW_SEALING);
        if (ftruncate(file, PIECE) != 0)
            break;
        turn = now;
        usleep(now * 7919 % 3000);
        sealed = fcntl(file, F_ADD_SEALS, F_SEAL_WRITE) == 0;
        while (done != now)
            usleep(100);
        broken += sealed && mapping != MAP_FAILED;
        if (mapping != MAP_FAILED)
            munmap(mapping, PIECE);
        close(file);
    }
    SAY(done == TRIES);
    SAY(broken);
}

/* ---- Sockets ------------------------------------------------------------------------------------------ */

/* A client that has not been accepted sends until it must wait; then the listener goes. */
static void listener_that_goes(void)
{
    struct sockaddr_un name = { .sun_family = AF_UNIX, .sun_path = "\0vanishing" };
    socklen_t          length = offsetof(struct sockaddr_un, sun_path) + 10;
    int                listener = socket(AF_UNIX, SOCK_STREAM, 0), status;
    pid_t              child;

    SAY(bind(listener, (void *)&name, length));
    SAY(listen(listener, 1));
    child = fork();
    if (child == 0) {
        int self = socket(AF_UNIX, SOCK_STREAM, 0);

        close(listener);
        signal(SIGPIPE, SIG_IGN);
        alarm(5);
        if (connect(self, (void *)&name, length) != 0)
            _exit(1);
        while (write(self, bytes, PIECE) > 0)
            ;
        _exit(errno == ECONNRESET ? 2 : 3);
    }
    usleep(2 * MOMENT);
    SAY(close(listener));
    SAY(waitpid(child, &status, 0) == child);
    SAY(status == 2 << 8);
}

/* Names that the kernel gives are all different. */
static void names_of_the_kernels(void)
{
    struct sockaddr_un names[MANY];
    int                same = 0, odd = 0;

    memset(names, 0, sizeof names);
    for (int i = 0; i < MANY; i++) {
        sa_family_t family = AF_UNIX;
        socklen_t   length = sizeof names[i];
        int         self = socket(AF_UNIX, SOCK_DGRAM, 0);

        if (bind(self, (void *)&family, sizeof family) != 0 ||
            getsockname(self, (void *)&names[i], &length) != 0 ||
            length != offsetof(struct sockaddr_un, sun_path) + 6 || names[i].sun_path[0] != '\0')
            odd++;
        for (int j = 0; j < i; j++)
            same += memcmp(names[i].sun_path, names[j].sun_path, 6) == 0;
    }
    SAY(odd);
    SAY(same);
}

int main(int argc, char **argv)
{
    static const struct part parts[] = {
        { "a chain of removed folders", chain_of_removed_folders },
        { "names for what has none", names_for_what_has_none },
        { "a path through a message", path_through_a_message },
        { "a pipe's end spliced into the pipe", pipe_into_itself },
        { "a number becomes another pipe's", number_of_another_pipe },
        { "a lock of what is closed", lock_of_what_is_closed },
        { "seals against mappings", seals_against_mappings },
        { "a listener that goes", listener_that_goes },
        { "names of the kernel's", names_of_the_kernels },
    };

    answer_parts(parts, sizeof parts / sizeof parts[0], argc > 1 ? argv[1] : NULL);
    return 0;
}
