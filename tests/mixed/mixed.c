/*
 * mixed.c - a mixed load: workers of all kinds together, an audit every so often, and the memory left in the end.
 *
 *   mixed SECONDS EVERY SEED        a short load to warm up, then SECONDS of load with an audit every EVERY seconds
 *   mixed leave STATUS              exits with this status: executed by some workers
 *
 * docs/fuzzing.md explains the lines, and tests/mixed/mixed.py reads them; the status is 0 without errors. A worker
 * that finishes no round for PATIENCE_MS stands still: that is wrong as well.
 */
#include "mixed.h"

static const struct { const char *name; void (*round)(void); } kinds[] = {
    { "files", round_files }, { "folders", round_folders }, { "proc", round_proc }, { "pipes", round_pipes },
    { "sockets", round_sockets }, { "epoll", round_epoll }, { "processes", round_processes },
    { "threads", round_threads }, { "futexes", round_futexes }, { "signals", round_signals },
    { "timers", round_timers }, { "memory", round_memory }, { "copies", round_copies },
};
enum { KINDS = COUNT_OF(kinds), EACH = 2, WORKERS = KINDS * EACH };
enum { WARM_UP_MS = 4000, PATIENCE_MS = 60000, LOOK_MS = 50 };

static const char folder[] = "/tmp/mixed";
static struct shared { volatile bool stop, wrong; struct worker workers[WORKERS]; } *shared;
static char text[16 * 1024] __attribute__((aligned(8)));
struct worker *me;

/* ---- What workers need ------------------------------------------------------------------------------------- */

static void wrong(const char *file, int line, const char *what, long got, long wanted) __attribute__((noreturn));
static void wrong(const char *file, int line, const char *what, long got, long wanted)
{
    shared->wrong = true;
    say("\nmixed: WRONG: %s, round %u, %s:%d: %s is %d (0x%x), wanted %d (0x%x)\n",
        kinds[me->kind].name, me->rounds, file, line, what, (int)got, (unsigned)got, (int)wanted, (unsigned)wanted);
    leave(1);
}

void same(const char *file, int line, const char *what, long got, long wanted)
{
    __sync_fetch_and_add(&me->checks, 1);
    if (got != wanted)
        wrong(file, line, what, got, wanted);
}

long not_refused(const char *file, int line, const char *what, long got)
{
    __sync_fetch_and_add(&me->checks, 1);
    if (got < 0 && got > -PAGE)
        wrong(file, line, what, got, 0);
    return got;
}

static uint8_t byte_at(uint32_t seed, size_t position)
{
    return (uint8_t)((seed + (uint32_t)position) * 0x9E3779B1u >> 24);
}

void bytes_fill(void *to, size_t length, uint32_t seed, size_t position)
{
    for (size_t i = 0; i < length; i++)
        ((uint8_t *)to)[i] = byte_at(seed, position + i);
}

size_t bytes_hold(const void *from, size_t length, uint32_t seed, size_t position)
{
    size_t i = 0;

    while (i < length && ((const uint8_t *)from)[i] == byte_at(seed, position + i))
        i++;
    return i;
}

long write_all(long file, const void *from, size_t length)
{
    const char *bytes = from;
    size_t      done  = 0;
    long        part  = 1;

    while (done < length && part > 0) {
        part = KERNEL(CALL_WRITE, file, (long)(bytes + done), (long)(length - done));
        done += part > 0 ? (size_t)part : 0;
    }
    return part < 0 ? part : (long)done;
}

static char *add_number(char *at, unsigned number)
{
    *at++ = '-';
    *at++ = (char)('0' + number / 10);
    *at++ = (char)('0' + number % 10);
    *at   = '\0';
    return at;
}

char *path_of(char path[PATH], const char *word, unsigned number)
{
    char *at = path;

    memcpy(at, folder, sizeof folder - 1);
    at += sizeof folder - 1;
    *at++ = '/';
    memcpy(at, word, strlen(word));
    add_number(add_number(at + strlen(word), me->number), number);
    return path;
}

void child_ended(long child, int wanted)
{
    int status = -1;

    SAME(KERNEL(CALL_WAIT4, child, (long)&status, 0, 0), child);
    SAME(status, wanted);
}

/* ---- Starting and ending them -------------------------------------------------------------------------------- */

static void work(void)
{
    while (!shared->stop) {
        kinds[me->kind].round();
        me->rounds++;
        KERNEL(CALL_SCHED_YIELD, 0);            /* kinds that never wait would leave the others next to nothing */
    }
    leave(0);
}

static bool start_all(uint64_t seed)
{
    shared->stop = false;
    for (unsigned n = 0; n < WORKERS; n++) {
        struct worker *worker = &shared->workers[n];
        long process;

        *worker = (struct worker){ .number = n, .kind = n % KINDS, .chance = { mix(seed, n) } };
        worker->seen_at = milliseconds();
        process = split();
        if (process == 0) {
            me = worker;
            work();
        }
        if (process < 0)
            say("\nmixed: WRONG: no process for worker %u: error %d\n", n, (int)-process);
        worker->process = process;
        shared->wrong |= process < 0;
    }
    return !shared->wrong;
}

static void note_end(long process, int status)
{
    for (unsigned n = 0; n < WORKERS; n++)
        if (shared->workers[n].process == process) {
            shared->workers[n].process = 0;
            if (status == 0 && shared->stop)
                return;
            say("\nmixed: WRONG: worker %u, %s, ended with status 0x%x\n", n, kinds[n % KINDS].name, (unsigned)status);
            shared->wrong = true;
        }
}

/* Workers that have ended; returns how many have not. */
static unsigned reap(void)
{
    unsigned left = 0;
    int      status;
    long     process;

    while ((process = KERNEL(CALL_WAIT4, -1, (long)&status, WNOHANG | WAIT_ALL, 0)) > 0)
        note_end(process, status);
    for (unsigned n = 0; n < WORKERS; n++)
        left += shared->workers[n].process != 0;
    return left;
}

/* A worker that has finished no round for long stands still. */
static void look_for_stalls(void)
{
    uint32_t now = milliseconds();

    for (unsigned n = 0; n < WORKERS; n++) {
        struct worker *worker = &shared->workers[n];

        if (worker->process == 0 || worker->rounds != worker->seen) {
            worker->seen    = worker->rounds;
            worker->seen_at = now;
        } else if (now - worker->seen_at > PATIENCE_MS) {
            say("\nmixed: WRONG: worker %u, %s, stands still in round %u\n", n, kinds[worker->kind].name,
                worker->rounds);
            shared->wrong = true;
        }
    }
}

/* All processes but this one are killed and waited for. */
static bool end_rest(void)
{
    for (uint32_t begin = milliseconds(); milliseconds() - begin < PATIENCE_MS; sleep_ms(1)) {
        long left = KERNEL(CALL_KILL, -1, SIGKILL), done;

        do
            done = KERNEL(CALL_WAIT4, -1, 0, WNOHANG | WAIT_ALL, 0);
        while (done > 0);
        if (done == -ECHILD && left < 0)
            return true;
    }
    say("\nmixed: WRONG: processes do not end\n");
    return false;
}

/* Each worker ends after its round, by itself, and has removed all its files. */
static void stop_all(void)
{
    shared->stop = true;
    while (reap() > 0 && !shared->wrong) {
        look_for_stalls();
        sleep_ms(LOOK_MS);
    }
    shared->wrong |= !end_rest();
}

/* ---- Looking ---------------------------------------------------------------------------------------------------- */

static void audit(uint32_t passed)
{
    uint32_t begin = milliseconds(), rounds = 0, checks = 0;
    bool     clean = file_text("/proc/quire/audit", text, sizeof text) > 0 && memcmp(text, "clean", 5) == 0;

    for (unsigned n = 0; n < WORKERS; n++) {
        rounds += shared->workers[n].rounds;
        checks += shared->workers[n].checks;
    }
    say("\nmixed: after %u s: %u rounds, %u checks; audit %s, %u ms\n", passed, rounds, checks,
        clean ? "clean" : "FAILED", milliseconds() - begin);
    if (!clean)
        say("\nmixed: WRONG: audit: %s\n", text);
    shared->wrong |= !clean;
}

/* Frames of each owner by its word in /proc/quire/frames; blocks of the kernel's heap; pages of files that are out. */
static const char *const owners[] = {
    "free ", "process ", "tables ", "stacks ", "heap ", "user ", "shared ", "files ", "packed ", "blocks ", "out ",
};
enum { OUT = COUNT_OF(owners) - 1, BLOCKS = OUT - 1 };
struct use { long of[COUNT_OF(owners)]; };

static struct use look_at_memory(void)
{
    struct use use;
    long       drop = KERNEL(CALL_OPEN, (long)"/proc/sys/vm/drop_caches", O_WRONLY), length;

    KERNEL(CALL_WRITE, drop, (long)"3", 1);
    KERNEL(CALL_CLOSE, drop);
    memset(text, 0, sizeof text);               /* its pages are counted, also where nobody has read into it yet */
    length = file_text("/proc/quire/frames", text, sizeof text);
    for (unsigned i = 0; i < BLOCKS; i++)
        use.of[i] = length > 0 ? number_behind(text, owners[i]) : -1;
    use.of[OUT]    = length > 0 ? pages_out(text) : -1;
    use.of[BLOCKS] = file_text("/proc/quire/heap", text, sizeof text) > 0 ? number_behind(text, owners[BLOCKS]) : -1;
    return use;
}

static void tell_memory(const struct use *before, const struct use *after)
{
    for (unsigned i = 0; i < COUNT_OF(owners); i++)
        say("\nmixed: memory %s%d before, %d after\n", owners[i], (int)before->of[i], (int)after->of[i]);
}

static void tell_workers(void)
{
    for (unsigned kind = 0; kind < KINDS; kind++) {
        uint32_t rounds = 0, checks = 0;

        for (unsigned n = kind; n < WORKERS; n += KINDS) {
            rounds += shared->workers[n].rounds;
            checks += shared->workers[n].checks;
        }
        say("\nmixed: did %s: %u rounds, %u checks\n", kinds[kind].name, rounds, checks);
    }
}

/* ---- Loads ------------------------------------------------------------------------------------------------------- */

struct entry { uint64_t inode, offset; uint16_t length; uint8_t type; char name[]; } __attribute__((packed));

/* Workers have removed all that they made. */
static void remove_folder(void)
{
    long error = KERNEL(CALL_RMDIR, (long)folder), at = KERNEL(CALL_OPEN, (long)folder, O_DIRECTORY), length;

    if (error == 0)
        return;
    shared->wrong = true;
    say("\nmixed: WRONG: the folder cannot be removed: error %d\n", (int)-error);
    while ((length = KERNEL(CALL_GETDENTS64, at, (long)text, sizeof text)) > 0)
        for (long i = 0; i < length; i += ((struct entry *)(text + i))->length)
            say("mixed: left: %s\n", ((struct entry *)(text + i))->name);
}

static void load(uint64_t seed, uint32_t duration_ms, uint32_t every_ms)
{
    uint32_t begin = milliseconds(), audited = begin, now = begin;

    shared->wrong |= KERNEL(CALL_MKDIR, (long)folder, 0700) != 0;
    if (start_all(seed))
        for (; !shared->wrong && now - begin < duration_ms; now = milliseconds()) {
            sleep_ms(LOOK_MS);
            reap();
            look_for_stalls();
            if (now - audited >= every_ms) {
                audited = now;
                audit((now - begin) / 1000);
            }
        }
    stop_all();
    if (!shared->wrong)
        remove_folder();
}

/* The host stamps these lines: the time by its own clock and by this program's. */
static void tell_clock(const char *moment)
{
    say("\nmixed: clock %s %u\n", moment, milliseconds());
}

static int run(uint32_t duration, uint32_t every, uint64_t seed)
{
    struct use before, after;

    load(mix(seed, 0), WARM_UP_MS, WARM_UP_MS / 2);
    tell_workers();
    before = look_at_memory();
    if (!shared->wrong) {
        tell_clock("begin");
        load(mix(seed, 1), duration * 1000, every * 1000);
        tell_clock("end");
        tell_workers();
        after = look_at_memory();
        tell_memory(&before, &after);
        audit(duration);
    }
    say(shared->wrong ? "\nmixed: FOUND something wrong\n" : "\nmixed: all right\n");
    return shared->wrong ? 1 : 0;
}

int program(int argc, char **argv)
{
    if (argc == 3 && text_same(argv[1], "leave"))
        return (int)number_of(argv[2]);
    if (argc != 4)
        return 2;
    shared = (struct shared *)KERNEL(CALL_MMAP2, 0, sizeof *shared, PROT_READ | PROT_WRITE,
                                     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    KERNEL(CALL_SETPGID, 0, 0);
    KERNEL(CALL_MKDIR, (long)"/tmp", 0777);
    return run((uint32_t)number_of(argv[1]), (uint32_t)number_of(argv[2]), number_of(argv[3]));
}
