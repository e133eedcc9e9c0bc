/*
 * calls.c - the fuzzer of system calls: runs batches, one after the other, and looks at what is left.
 *
 *   calls SECONDS SEED              batches for so long; SEED 0 takes one from the kernel and tells it
 *   calls loud SEED SECONDS FIRST   the same, each batch told before it begins, from FIRST on if there is a number
 *   calls batch SEED NUMBER         one batch of that run again; `calls tell SEED NUMBER` tells each call first
 *
 * It prints its seed first, a line now and then, and in the end how many calls were made and what the memory looks
 * like; its status is 0 if nothing was found. See fuzzer.h for its parts, docs/fuzzing.md for what it is good for.
 */
#include "fuzzer.h"

struct shared *shared;
int  supervisor;
bool may_mount, telling;
static bool loud;               /* each batch is told before it begins, and the blocks of the heap after it */
static uint32_t first_batch;

static const char *const kind_names[KINDS] = {
    [PLAIN] = "one thread", [THREADS] = "threads", [PROCESSES] = "processes", [FRAMES] = "signal frames",
    [PROGRAMS] = "programs", [INSTRUCTIONS] = "instructions", [CORRUPTED] = "corrupted buffers",
    [ENDINGS] = "threads about who ends",
};

enum { CALLS = 400, ATTEMPTS = 24, STALL_MS = 30, LONGEST_MS = 3000, AUDIT_EVERY = 256, TELL_EVERY_MS = 20000 };
enum { OWN_STACK = 128 * 1024 };

static uint32_t batches, cut_short, killed;
char text[MANY];

/* ---- A batch --------------------------------------------------------------------------------------- */

static unsigned kind_of(uint64_t seed)
{
    static const uint8_t kinds[] = { PLAIN, PLAIN, PLAIN, PLAIN, PLAIN, ENDINGS, THREADS, THREADS, THREADS, PROCESSES,
                                     PROCESSES, CORRUPTED, CORRUPTED, FRAMES, PROGRAMS, INSTRUCTIONS };

    return kinds[(uint32_t)mix(seed, 77) % COUNT_OF(kinds)];
}

/* SIGALRM again and again, with a handler that does nothing: a call that waits comes back with EINTR. */
static void nothing(int number) { (void)number; }

static void come_back_from_waiting(void)
{
    uint32_t action[5] = { (uint32_t)nothing, 0, 0, 0, 0 }, timer[4] = { 0, 3000, 0, 3000 };

    KERNEL(CALL_RT_SIGACTION, SIGALRM, (long)action, 0, 8);
    KERNEL(CALL_SETITIMER, 0, (long)timer, 0);
}

/* Output of the calls to standard descriptors is dropped, except in a few batches. */
static void streams(uint64_t seed)
{
    long null = KERNEL(CALL_OPEN, (long)"null", O_RDWR);

    for (long n = 0; n < 3; n++)
        if ((n == 1 || (uint32_t)mix(seed, 5) % 16 != 0) && !(n == 1 && telling))
            KERNEL(CALL_DUP2, null, n);
    if (null > 2)
        KERNEL(CALL_CLOSE, null);
}

static void many_workers(unsigned kind, uint64_t seed)
{
    unsigned count = 2 + (uint32_t)mix(seed, 3) % 3;

    for (unsigned i = 1; i <= count; i++)
        worker_start(i, mix(seed, 100 + i), CALLS / 2, kind);
    for (unsigned i = 1; i <= count; i++)
        if (kind == PROCESSES) {
            if (split() == 0) {
                come_back_from_waiting();
                worker_run(i);
            }
        } else {
            worker_thread(i);
        }
    if (kind == CORRUPTED) {
        worker_start(CORRUPTER, mix(seed, 9), 0, kind);
        worker_thread(CORRUPTER);
    }
    if (kind == ENDINGS) {
        if (split() == 0)
            make_endings();
        worker_start(SHAKER, mix(seed, 8), 0, kind);
        worker_thread(SHAKER);
    }
}

static void could_not_begin(void)
{
    shared->refused = 1;
    leave(0);
}

/*
 * When no frame is free a process is killed, and that may be the supervisor: a batch is kept from taking all memory in
 * one call. tests/bombs does that.
 */
static void limit_memory(void)
{
    enum { CALL_SETRLIMIT = 75, FILE_SIZE = 1, SPACE = 9, FILE_MOST = 4 << 20, SPACE_MOST = 16 << 20 };
    uint32_t file[2] = { FILE_MOST, FILE_MOST }, space[2] = { SPACE_MOST, SPACE_MOST };

    KERNEL(CALL_SETRLIMIT, FILE_SIZE, (long)file);
    KERNEL(CALL_SETRLIMIT, SPACE, (long)space);
}

static void batch(uint64_t seed) __attribute__((noreturn));
static void batch(uint64_t seed)
{
    unsigned kind = kind_of(seed);

    KERNEL(CALL_SETSID, 0);                     /* no group of the supervisor's can be joined from there */
    if (KERNEL(CALL_CHROOT, (long)folder) != 0 || KERNEL(CALL_CHDIR, (long)"/") != 0)
        could_not_begin();
    streams(seed);
    if (!arena_make())
        could_not_begin();
    limit_memory();
    worker_start(0, mix(seed, 1), CALLS, kind);
    if (kind >= FRAMES && kind <= INSTRUCTIONS) {
        struct worker alone = { .chance = { mix(seed, 1) }, .kind = kind };

        (kind == FRAMES ? batch_frames : kind == PROGRAMS ? batch_programs : batch_instructions)(&alone, ATTEMPTS);
        leave(0);
    }
    come_back_from_waiting();
    if (kind != PLAIN)
        many_workers(kind, seed);
    worker_run(0);
}

/* ---- What is left of it ------------------------------------------------------------------------------ */

/* Kill all other processes; returns when they have ended. */
static bool end_all(void)
{
    uint32_t begin = milliseconds();

    while (milliseconds() - begin < LONGEST_MS) {
        long left = KERNEL(CALL_KILL, -1, SIGKILL), done;

        do
            done = KERNEL(CALL_WAIT4, -1, 0, WNOHANG | WAIT_ALL, 0);
        while (done > 0);
        if (done == -ECHILD && left < 0)
            return true;
        KERNEL(CALL_SCHED_YIELD, 0);
    }
    return false;
}

/* Number, name, state and parents of the processes that are left. */
static void tell_who_is_left(void)
{
    long at = KERNEL(CALL_OPEN, (long)"/proc", O_DIRECTORY), length, file;
    char part[512] __attribute__((aligned(8))), line[200];

    while ((length = KERNEL(CALL_GETDENTS64, at, (long)part, sizeof part)) > 0)
        for (long i = 0; i < length; i += ((struct entry *)(part + i))->length) {
            const char *name = ((struct entry *)(part + i))->name;

            if (*name < '0' || *name > '9' || (file = KERNEL(CALL_OPENAT, at, (long)name, O_DIRECTORY)) < 0)
                continue;
            long stat = KERNEL(CALL_OPENAT, file, (long)"stat", O_RDONLY),
                 got = KERNEL(CALL_READ, stat, (long)line, sizeof line - 1);

            line[got > 0 ? got : 0] = '\0';
            say("\ncalls: left: %s", line);
            KERNEL(CALL_CLOSE, stat);
            KERNEL(CALL_CLOSE, file);
        }
    KERNEL(CALL_CLOSE, at);
}

/* ---- Supervision ----------------------------------------------------------------------------------------- */

/* Waits until the batch has ended, or does nothing for a while, or takes too long. */
static int wait_for(long child)
{
    uint32_t begin = milliseconds(), seen = shared->progress, since = begin, now;
    int      status = -1;

    for (;;) {
        if (KERNEL(CALL_WAIT4, child, (long)&status, WNOHANG | WAIT_ALL, 0) == child)
            return status;
        now = milliseconds();
        if (shared->progress != seen)
            seen = shared->progress, since = now;
        if (now - since > (telling ? LONGEST_MS : STALL_MS) || now - begin > LONGEST_MS)
            break;
        sleep_ms(1);
    }
    cut_short++;
    return -1;
}

static bool run_batch(uint64_t seed)
{
    long child;
    int  status;

    child = split();
    if (child == 0)
        batch(seed);
    if (child < 0) {
        say("\ncalls: no process for a batch: error %d\n", (int)-child);
        return false;
    }
    status = wait_for(child);
    killed += status > 0 && (status & 127) != 0;
    if (!end_all()) {
        say("\ncalls: processes of batch seed %llu do not end\n", seed);
        tell_who_is_left();
        return false;
    }
    clean_up();
    if (shared->refused)
        say("\ncalls: batch seed %llu could not begin\n", seed);
    batches++;
    return !shared->refused;
}

static bool audit(void)
{
    long length = file_text("/proc/quire/audit", text, sizeof text);

    if (length > 0 && memcmp(text, "clean", 5) == 0)
        return true;
    say("\ncalls: audit: %s\n", length > 0 ? text : "cannot be read");
    return false;
}

/*
 * The uses of memory: frames of each owner, by its word in /proc/quire/frames, and blocks of the kernel's heap.
 * The kernel's magazines are emptied first, so that only frames and blocks in use are counted. `own` are the frames of
 * the supervisor and of the first process: a batch may write to pages of theirs that they have never touched. `out` are
 * pages of files and of shared memory that are not in memory.
 */
static const char *const owners[] = { "free ", "process ", "tables ", "stacks ", "heap ", "user ", "shared ", "files ",
                                      "packed ", "blocks ", "own ", "out " };
enum { OUT = COUNT_OF(owners) - 1, OWN = OUT - 1, BLOCKS = OWN - 1 };
struct use { long of[COUNT_OF(owners)]; };

/* A folder that a batch left was deep: the pages of the supervisor's stack that removing it took are not in use now. */
static void let_go_of_stack(void)
{
    enum { MADV_DONTNEED = 4, DEEPEST = 4 * 1024 * 1024, SPARED = 4 * PAGE };
    char here;
    long below = ((long)&here & -(long)PAGE) - SPARED;

    KERNEL(CALL_MADVISE, below - DEEPEST, DEEPEST, MADV_DONTNEED);
}

static long own_frames(const char *status)
{
    return file_text(status, text, sizeof text) > 0 ? number_behind(text, "RssAnon:\t") * 1024 / PAGE : -1;
}

static struct use look_at_memory(void)
{
    struct use use;
    long       drop = KERNEL(CALL_OPEN, (long)"/proc/sys/vm/drop_caches", O_WRONLY), read;

    let_go_of_stack();
    KERNEL(CALL_WRITE, drop, (long)"3", 1);
    KERNEL(CALL_CLOSE, drop);
    read = file_text("/proc/quire/frames", text, sizeof text);
    for (unsigned i = 0; i < BLOCKS; i++)
        use.of[i] = read > 0 ? number_behind(text, owners[i]) : -1;
    use.of[OUT]    = read > 0 ? pages_out(text) : -1;
    use.of[BLOCKS] = file_text("/proc/quire/heap", text, sizeof text) > 0 ? number_behind(text, owners[BLOCKS]) : -1;
    use.of[OWN] = own_frames("/proc/self/status") + own_frames("/proc/1/status");
    return use;
}

static void tell_memory(const struct use *before, const struct use *after)
{
    for (unsigned i = 0; i < COUNT_OF(owners); i++)
        say("\ncalls: memory %s%d before, %d after\n", owners[i], (int)before->of[i], (int)after->of[i]);
}

/* The holders of the kernel's heap blocks, so that fuzz.py can say which function has more of them than before. */
static void tell_takers(const char *when)
{
    char *line = text;

    if (file_text("/proc/quire/takers", text, sizeof text) <= 0)
        return;
    for (char *at = text; *at != '\0'; at++)
        if (*at == '\n') {
            *at = '\0';
            say("\ncalls: taker %s %s\n", when, line);
            line = at + 1;
        }
}

/*
 * The names that there are, but for those of /proc, and open descriptors: what a batch left where clean_up() does
 * not look, or could not remove, has one. `path` is the folder's, of `length` bytes, and has room for more.
 */
enum { PATH_ROOM = 1024 };

static void tell_names_in(const char *when, long at, char *path, size_t length, unsigned depth)
{
    enum { NO_LINK = 0400000 };
    char part[512] __attribute__((aligned(8)));
    long got;

    while ((got = KERNEL(CALL_GETDENTS64, at, (long)part, sizeof part)) > 0)
        for (long i = 0; i < got; i += ((struct entry *)(part + i))->length) {
            const char *name = ((struct entry *)(part + i))->name;
            size_t      more = 0;
            long        below;

            if (text_same(name, ".") || text_same(name, "..") || (text_same(name, "proc") && depth < 8))
                continue;
            path[length] = '/';
            while (name[more] != '\0' && length + 1 + more < PATH_ROOM - 1)
                path[length + 1 + more] = name[more], more++;
            path[length + 1 + more] = '\0';
            say("\ncalls: name %s %s\n", when, path);
            if (depth < 8 && (below = KERNEL(CALL_OPENAT, at, (long)name, O_DIRECTORY | NO_LINK)) >= 0) {
                tell_names_in(when, below, path, length + 1 + more, depth + 1);
                KERNEL(CALL_CLOSE, below);
            }
        }
}

static void tell_names(const char *when)
{
    static const char *const all[] = { "/", "/proc/self/fd", "/proc/1/fd" };
    static char path[PATH_ROOM];

    for (unsigned i = 0; i < COUNT_OF(all); i++) {
        long   at     = KERNEL(CALL_OPEN, (long)all[i], O_DIRECTORY);
        size_t length = 0;

        while (i > 0 && all[i][length] != '\0')
            path[length] = all[i][length], length++;
        tell_names_in(when, at, path, length, 0);
        KERNEL(CALL_CLOSE, at);
    }
    if (file_text("/proc/mounts", text, sizeof text) > 0)
        for (char *line = text, *end = text; *end != '\0'; end++)
            if (*end == '\n') {
                *end = '\0';
                say("\ncalls: name %s mount %s\n", when, line);
                line = end + 1;
            }
}

/* The kernel keeps a buffer for standard input from the first read on: some batch would be that. */
static void read_input_once(void)
{
    enum { SET_FLAGS = 4 };
    char byte;

    KERNEL(CALL_FCNTL, 0, SET_FLAGS, O_NONBLOCK);
    KERNEL(CALL_READ, 0, (long)&byte, 1);
    KERNEL(CALL_FCNTL, 0, SET_FLAGS, 0);
}

/* The supervisor's memory is present before it is counted: a deep folder, or many mounts, would ask for more of it. */
static void touch_own_memory(void)
{
    volatile char below[OWN_STACK];

    for (unsigned at = 0; at < sizeof below; at += PAGE)
        below[at] = 1;
    for (unsigned at = 0; at < sizeof text; at += PAGE)
        text[at] = 1;
}

static void prepare(void)
{
    long pages = KERNEL(CALL_MMAP2, 0, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

    touch_own_memory();
    shared     = (struct shared *)pages;
    supervisor = (int)KERNEL(CALL_GETPID, 0);
    KERNEL(CALL_SETPGID, 0, 0);
    if (!make_folder()) {
        say("\ncalls: there are more names than clean.c has room for: some would be removed\n");
        leave(2);
    }
    read_input_once();
    shared->failing = file_text("/proc/quire/torture", text, sizeof text) > 0;
    may_mount = KERNEL(CALL_UMOUNT2, (long)"/nowhere", 0) == -ENOENT;
}

static void tell_figures(uint32_t begin)
{
    say("\ncalls: %u calls, %u batches (%u cut short, %u killed) in %u s\n", shared->calls, batches, cut_short, killed,
        (milliseconds() - begin) / 1000);
}

/* The first batches fill the kernel's own pools, which stay: the memory is measured after them. */
enum { WARM_UP = 48 };

static int run(uint32_t duration, uint64_t seed)
{
    uint32_t begin = milliseconds(), told = begin, n = first_batch;
    struct use before = look_at_memory(), after;
    bool     good = true;

    say("\ncalls: seed %llu\n", seed);
    for (; good && (milliseconds() - begin < duration * 1000 || batches < WARM_UP); n++) {
        if (loud)
            say("\ncalls: batch %u, %s\n", n, kind_names[kind_of(mix(seed, n))]);
        good = run_batch(mix(seed, n));
        if (n % AUDIT_EVERY == AUDIT_EVERY - 1) {
            good &= audit();
            after = look_at_memory();
            say("\ncalls: held %d after batch %u\n", (int)after.of[BLOCKS], n);
        }
        if (batches == WARM_UP) {
            before = look_at_memory();
            tell_takers("before");
            tell_names("before");
        }
        if (loud) {
            struct use now = look_at_memory();

            say("\ncalls: blocks %d\n", (int)now.of[BLOCKS]);
        }
        if (milliseconds() - told > TELL_EVERY_MS) {
            told = milliseconds();
            tell_figures(begin);
        }
    }
    tell_figures(begin);
    for (unsigned kind = 1; kind < KINDS; kind++)
        say("\ncalls: %u by %s\n", shared->by_kind[kind], kind_names[kind]);
    good &= audit();
    after = look_at_memory();
    tell_memory(&before, &after);
    tell_takers("after");
    tell_names("after");
    say(good ? "\ncalls: audit clean\n" : "\ncalls: FOUND something: batch %u\n", n - 1);
    return good ? 0 : 1;
}

static uint64_t some_seed(void)
{
    uint64_t seed = 0;
    long     file = KERNEL(CALL_OPEN, (long)"/dev/urandom", O_RDONLY);

    KERNEL(CALL_READ, file, (long)&seed, 4);
    KERNEL(CALL_CLOSE, file);
    return seed | 1;
}

/*
 * A batch may execute this very program: with its words, which are paths, it must not become a supervisor that kills
 * all.
 */
static bool asked_for(int argc, char **argv)
{
    return argc > 2 && ((argv[1][0] >= '0' && argv[1][0] <= '9') || text_same(argv[1], "loud") ||
                        text_same(argv[1], "batch") || text_same(argv[1], "tell"));
}

int program(int argc, char **argv)
{
    if (!asked_for(argc, argv))
        leave(2);

    uint64_t seed = argc > 2 ? number_of(argv[2]) : 0;

    prepare();
    if (argc > 3 && text_same(argv[1], "loud")) {
        loud = true;
        first_batch = argc > 4 ? (uint32_t)number_of(argv[4]) : 0;
        return run((uint32_t)number_of(argv[3]), seed);
    }
    if (argc > 3) {
        telling = text_same(argv[1], "tell");
        (void)look_at_memory();
        tell_takers("before");
        run_batch(mix(seed, (uint32_t)number_of(argv[3])));
        (void)look_at_memory();
        tell_takers("after");
        return audit() ? 0 : 1;
    }
    return run(argc > 1 ? (uint32_t)number_of(argv[1]) : 10, seed != 0 ? seed : some_seed());
}
