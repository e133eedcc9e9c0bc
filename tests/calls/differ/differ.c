/*
 * differ.c - the program of the differential mode: tasks, arguments by chance, lines.
 *
 * Each task (tasks.c) has an empty root and an empty table of descriptors of its own.
 */
#include "differ.h"

enum { NOFILE = 7, SET_NAME = 15 };

char          buffer[BUFFER];
static char   bytes[BUFFER];

/* ---- Arguments by chance ------------------------------------------------------------------------- */

long any_descriptor(void) { return one_in(40) ? PICK(-1, 77, AT_FDCWD, 1000000) : (long)below(one_in(3) ?
    DESCRIPTORS : 6); }
long any_size(void)       { return PICK(0, 1, 2, 7, 100, 1000, 4095, 4096, 4097, 10000); }
long any_offset(void)     { return one_in(16) ? PICK(-1, -4096, 1000000, 0x7FFFFFFF) : PICK(0, 1, 100, 4095, 4096,
    8192, 12000, 20000); }

const char *any_path(void)
{
    static const char *const plain[] = { "a", "b", "c", "d", "d/a", "d/b", "d/e", "d/e/a", "l", "/a", "f", "s" };
    static const char *const odd[]   = { "", ".", "..", "/", "a/", "d/", "d/.", "d/..", "./a", "//d//a", "none/a",
        "a/b", "l/a", "l/",
                                         "d/e/../../b", "loop", "loop/a", "d/l" };
    static char long_name[300];

    if (one_in(40)) {
        memset(long_name, 'x', 299);
        long_name[PICK(254, 255, 256, 299)] = '\0';
        return long_name;
    }
    return one_in(5) ? CHANCE_OF(&chance, odd) : CHANCE_OF(&chance, plain);
}

const char *any_bytes(long size)
{
    uint32_t value = chance_word(&chance);

    for (long i = 0; i < size && i < BUFFER; i++)
        bytes[i] = (char)(value + (uint32_t)i * 7 + (uint32_t)i / 251);
    return bytes;
}

void tell_process(long pid)
{
    if (pid <= 0)
        tell(" %d", (int)pid);
    else
        tell(pid == KERNEL(CALL_GETPID, 0) ? " self" : pid == KERNEL(CALL_GETPPID, 0) ? " parent" : " other");
}

/* ---- Operations --------------------------------------------------------------------------------------- */

static const struct family *const families[] = { &files, &descriptors, &channels, &memory, &signals, &processes };

/* A seed has a theme, so that operations meet the results of others of their kind. */
void operate(uint64_t seed)
{
    const struct family *family;

    chance.state = seed;
    family = families[one_in(4) ? below(COUNT_OF(families)) : (uint32_t)(seed >> 56) % COUNT_OF(families)];
    family->operations[below(family->count)]();
    tell_handled();
}

static void populate(void)
{
    long file = KERNEL(CALL_OPEN, (long)"a", O_RDWR | O_CREAT, 0644);

    chance.state = 1;
    KERNEL(CALL_WRITE, file, (long)any_bytes(5000), 5000);
    KERNEL(CALL_CLOSE, file);
    KERNEL(CALL_MKDIR, (long)"d", 0755);
    KERNEL(CALL_MKDIR, (long)"d/e", 0700);
    KERNEL(CALL_SYMLINK, (long)"d", (long)"l");
    KERNEL(CALL_SYMLINK, (long)"loop", (long)"loop");
    KERNEL(CALL_MKNOD, (long)"f", S_IFIFO | 0600, 0);
}

/* The first limits of a machine follow from its memory: threads, signals. Here they are the same. */
static void settle_limits(void)
{
    static const uint8_t  which[] = { 6, 8, 11, 12 };
    static const uint64_t most[]  = { 800, 800 };

    for (unsigned i = 0; i < COUNT_OF(which); i++)
        KERNEL(CALL_PRLIMIT64, 0, which[i], (long)(which[i] == 8 ? (const uint64_t[]){ 8388608, 8388608 } : most), 0);
}

/* Nothing of the caller's process shows: no descriptors but two far up, limits and masks that both kernels have. */
static void settle(const char *root)
{
    const uint32_t most[4] = { 256, 0, 256, 0 };
    long           maps    = KERNEL(CALL_OPEN, (long)"/proc/self/maps", O_RDONLY);

    KERNEL(CALL_DUP2, maps, MAPS);
    KERNEL(CALL_CHROOT, (long)root);
    KERNEL(CALL_CHDIR, (long)"/");
    for (long number = 0; number < TELLS_TO; number++)
        KERNEL(CALL_CLOSE, number);
    KERNEL(CALL_PRLIMIT64, 0, NOFILE, (long)most, 0);
    KERNEL(CALL_UMASK, 022);
    KERNEL(CALL_PRCTL, SET_NAME, (long)"differ");
    KERNEL(CALL_SETSID, 0);
    settle_limits();
    make_arena();
    handle_all();
    populate();
}

void do_task(uint64_t seed, const char *list, const char *root)
{
    uint64_t theme = (uint64_t)((uint32_t)seed % COUNT_OF(families)) << 56;

    settle(root);
    for (unsigned number = 0; number < OPERATIONS; number++)
        if (task_keeps(list, number)) {
            tell("%u ", number);
            operate(theme | mix(seed, number) >> 8);
            tell("\n");
            flush();
        }
    leave(0);
}

/* Linux has one inode for all files without a name (epoll, eventfd): no task sees what an earlier one did to it. */
void before_task(void)
{
    long file = KERNEL(CALL_EVENTFD, 0);

    KERNEL(CALL_FCHMOD, file, 0600);
    KERNEL(CALL_CLOSE, file);
}
