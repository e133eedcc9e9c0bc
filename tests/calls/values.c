/*
 * values.c - arguments of calls: the batch's memory of every kind, descriptors, paths, flags, numbers.
 *
 * The arena lies at one address, so that a batch that is repeated has the same pointers:
 *
 *   pages 0 to 3     private memory                  pages 10, 11   of a file of one page: the second has no file below
 *   pages 4, 5       shared memory                   page 12        nothing is mapped
 *   page 6           may only be read                pages 13, 14   private memory that has not been touched
 *   page 7           may not be read either          pages 16 to 63 where calls map, move and unmap
 *   pages 8, 9       of a file, shared               from page 64   a page of structures for each worker
 */
#include "fuzzer.h"

enum { ARENA = 0x20000000, PLAY = 16, PLAY_PAGES = 48, STRUCTURES = 64 };

static char *page(unsigned n) { return (char *)(uintptr_t)(ARENA + n * PAGE); }

void *room(struct worker *w, size_t bytes)
{
    char *at;

    if (w->room_used + bytes > PAGE)
        w->room_used = 0;
    at = page(STRUCTURES + w->number) + w->room_used;
    w->room_used += (bytes + 3) & ~3u;
    return at;
}

void corrupt_structures(struct worker *w)
{
    for (;;) {
        char     *at   = page(STRUCTURES + chance_below(&w->chance, 6)) + (chance_below(&w->chance, PAGE) & ~3u);
        uint32_t  word = any_word(w);

        if (chance_one_in(&w->chance, 2))
            *(volatile uint32_t *)at = word;
        else
            *(volatile char *)at = (char)word;
        if (chance_one_in(&w->chance, 64))
            KERNEL(CALL_SCHED_YIELD, 0);
    }
}

/* ---- Who ends while a call waits ---------------------------------------------------------------------- */

enum { SHAKEN_PAGES = 2048, COLD_PAGE = 13 };

void shake_map(void)
{
    long at = KERNEL(CALL_MMAP2, 0, SHAKEN_PAGES * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    for (long n = 0; at > 0 && n < SHAKEN_PAGES; n++)
        *(volatile char *)(at + n * PAGE) = 1;
    for (;;) {
        KERNEL(CALL_MPROTECT, at, SHAKEN_PAGES * PAGE, PROT_READ);
        KERNEL(CALL_MPROTECT, at, SHAKEN_PAGES * PAGE, PROT_READ | PROT_WRITE);
    }
}

void make_endings(void)
{
    for (;;) {
        long child = split();

        if (child == 0) {
            shared->ending = (int32_t)KERNEL(CALL_GETPID, 0);
            KERNEL(CALL_SCHED_YIELD, 0);
            KERNEL(CALL_SCHED_YIELD, 0);
            leave(0);
        }
        KERNEL(CALL_WAIT4, child, 0, 0, 0);
    }
}

/* A buffer whose first access faults. */
static uintptr_t cold_buffer(void)
{
    enum { DONT_NEED = 4 };

    KERNEL(CALL_MADVISE, (long)page(COLD_PAGE), PAGE, DONT_NEED);
    return (uintptr_t)page(COLD_PAGE);
}

/* ---- Making the arena ------------------------------------------------------------------------------- */

static long map(unsigned first, unsigned pages, long rights, long flags, long file)
{
    return KERNEL(CALL_MMAP2, (long)page(first), pages * PAGE, rights, flags | MAP_FIXED, file, 0);
}

static bool map_arena(long file)
{
    enum { BOTH = PROT_READ | PROT_WRITE, OWN = MAP_PRIVATE | MAP_ANONYMOUS };

    return map(0, 4, BOTH, OWN, -1) > 0 && map(4, 2, BOTH, MAP_SHARED | MAP_ANONYMOUS, -1) > 0 &&
           map(6, 1, PROT_READ, OWN, -1) > 0 &&
           map(7, 1, PROT_NONE, OWN, -1) > 0 && map(8, 2, BOTH, MAP_SHARED, file) > 0 &&
           map(10, 2, BOTH, MAP_PRIVATE, file) > 0 &&
           map(13, 2, BOTH, OWN, -1) > 0 && map(PLAY, 8, BOTH, OWN, -1) > 0 &&
           map(STRUCTURES, WORKERS, BOTH, OWN, -1) > 0;
}

static const struct { const char *path; uint32_t mode, device; } nodes[] = {
    { "null", 020666, 0x103 }, { "zero", 020666, 0x105 }, { "full", 020666, 0x107 }, { "random", 020666, 0x109 },
    { "tty", 020666, 0x500 }, { "fifo", 010666, 0 }, { "socket-file", 0140666, 0 }, { "odd", 020666, 0x9999 },
    { "block", 060666, 0x801 },
};

static void make_files(void)
{
    KERNEL(CALL_UMASK, 0);
    for (unsigned i = 0; i < COUNT_OF(nodes); i++)
        KERNEL(CALL_MKNOD, (long)nodes[i].path, nodes[i].mode, nodes[i].device);
    KERNEL(CALL_MKDIR, (long)"folder", 0777);
    KERNEL(CALL_MKDIR, (long)"folder/below", 0777);
    KERNEL(CALL_SYMLINK, (long)"a", (long)"link");
    KERNEL(CALL_SYMLINK, (long)"circle", (long)"circle");
    KERNEL(CALL_SYMLINK, (long)"folder", (long)"to-folder");
    KERNEL(CALL_SYMLINK, (long)"nowhere", (long)"dangling");
}

struct socket_address { uint16_t family; char name[14]; };

static void listen_at(struct socket_address at)
{
    long server = KERNEL(CALL_SOCKET, 1, 1, 0), client = KERNEL(CALL_SOCKET, 1, 1, 0);

    KERNEL(CALL_BIND, server, (long)&at, sizeof at);
    KERNEL(CALL_LISTEN, server, 4);
    KERNEL(CALL_CONNECT, client, (long)&at, sizeof at);
    KERNEL(CALL_ACCEPT4, server, 0, 0, 0);
}

/* At a path, and at a name that lies in no folder; a connection to each has been accepted. */
static void listen_somewhere(void)
{
    listen_at((struct socket_address){ 1, "socket" });
    listen_at((struct socket_address){ 1, "\0socket" });
}

/* Descriptors 3 and up, of every kind that there is; none of them outlives the batch. */
static long open_files(void)
{
    static const char *const paths[] = { "null", "zero", "full", "random", "proc/self/maps", "proc/meminfo", "proc",
                                         "proc/self/mem" };
    int  ends[2];
    long file = KERNEL(CALL_OPEN, (long)"a", O_RDWR | O_CREAT, 0666);

    for (unsigned i = 0; i < COUNT_OF(paths); i++)
        KERNEL(CALL_OPEN, (long)paths[i], i < 4 ? O_RDWR : O_RDONLY);
    KERNEL(CALL_OPEN, (long)"folder", O_DIRECTORY);
    KERNEL(CALL_OPEN, (long)"fifo", O_RDWR);
    KERNEL(CALL_OPEN, (long)"a", 010000000);
    KERNEL(CALL_PIPE, (long)ends);
    KERNEL(CALL_PIPE, (long)ends);
    KERNEL(CALL_FCNTL, ends[0], 4, O_NONBLOCK);
    KERNEL(CALL_SOCKETPAIR, 1, 1, 0, (long)ends);
    KERNEL(CALL_SOCKETPAIR, 1, 2, 0, (long)ends);
    KERNEL(CALL_SOCKETPAIR, 1, 5, 0, (long)ends);
    listen_somewhere();
    KERNEL(CALL_SOCKET, 2, 1, 0);
    KERNEL(CALL_SOCKET, 1, 1 | O_NONBLOCK, 0);
    KERNEL(CALL_EPOLL_CREATE, 1);
    KERNEL(CALL_EPOLL_CREATE, 1);
    KERNEL(CALL_EVENTFD, 3);
    KERNEL(CALL_MEMFD_CREATE, (long)"fuzzed", 2);
    KERNEL(CALL_SIGNALFD, -1, (long)&(uint32_t[2]){ 0x200, 0 }, 8);
    KERNEL(CALL_TIMERFD_CREATE, 1, 0);
    KERNEL(CALL_OPEN, (long)"removed", O_RDWR | O_CREAT, 0666);
    KERNEL(CALL_UNLINK, (long)"removed");
    return file;
}

bool arena_make(void)
{
    long file;

    make_files();
    file = open_files();
    KERNEL(CALL_FTRUNCATE, file, PAGE);
    if (file < 0 || !map_arena(file))
        return false;
    memset(page(0), 'f', 2 * PAGE);
    return true;
}

/* ---- Values by letter ----------------------------------------------------------------------------------- */

static const uint32_t words[] = {
    0, 1, 2, 3, 4, 8, 16, 64, 255, 256, 4095, 4096, 4097, 65535, 65536, 0x7FFFFFFE, 0x7FFFFFFF, 0x80000000, 0x80000001,
    0xBFFFFFFF, 0xC0000000, 0xC0000001, 0xFFFFF000, 0xFFFFFF9C, 0xFFFFFFF0, 0xFFFFFFFE, 0xFFFFFFFF,
};

uintptr_t any_word(struct worker *w)
{
    switch (chance_below(&w->chance, 5)) {
    case 0:  return chance_word(&w->chance);
    case 1:  return 1u << chance_below(&w->chance, 32);
    case 2:  return any_address(w);
    default: return CHANCE_OF(&w->chance, words);
    }
}

static const uint32_t addresses[] = {
    0, 1, 8, 4096, 0x10000, 0x7C00, 0x100000, 0x400000, 0x08000000, 0x08048000, 0x08049000, 0x40001000, 0x80000000,
    0xBFFFF000, 0xBFFFFFFF, 0xC0000000, 0xC0000001, 0xC0100000, 0xD0000000, 0xDFFFFFFF, 0xE0000000, 0xE0100000,
    0xF0000000, 0xFFBFFFFF, 0xFFC00000, 0xFFC01000, 0xFFFFE000, 0xFFFFF000, 0xFFFFFFFC, 0xFFFFFFFF,
};

/* An address in the arena: a page, and an offset near its end, mostly. */
static uint32_t in_arena(struct worker *w)
{
    static const uint16_t places[] = { 0, 0, 0, 1, 2, 8, 100, 2048, 4000, 4080, 4088, 4092, 4094, 4095 };

    return (uint32_t)page(chance_below(&w->chance, PLAY + 8)) + CHANCE_OF(&w->chance, places);
}

uintptr_t any_address(struct worker *w)
{
    uint32_t here;

    switch (chance_below(&w->chance, 8)) {
    case 0:  return CHANCE_OF(&w->chance, addresses);
    case 1:  return CHANCE_OF(&w->chance, addresses) + chance_below(&w->chance, 32) - 16;
    case 2:  return chance_one_in(&w->chance, 8) ? chance_word(&w->chance) : (uint32_t)&here & ~3u;
    default: return in_arena(w);
    }
}

static uintptr_t buffer(struct worker *w)
{
    if (w->kind == ENDINGS && chance_one_in(&w->chance, 2))
        return cold_buffer();
    return chance_one_in(&w->chance, 5) ? any_address(w)
         : chance_one_in(&w->chance, 3) ? in_arena(w)
                                        : (uintptr_t)page(0) + chance_below(&w->chance, PAGE);
}

static uintptr_t play_page(struct worker *w)
{
    if (chance_one_in(&w->chance, 10))
        return any_address(w);
    return (uintptr_t)page(chance_one_in(&w->chance, 6) ? chance_below(&w->chance, PLAY)
                                                        : PLAY + chance_below(&w->chance, PLAY_PAGES)) +
           (chance_one_in(&w->chance, 12) ? any_word(w) & 4095 : 0);
}

static uintptr_t length(struct worker *w)
{
    switch (chance_below(&w->chance, 6)) {
    case 0:  return any_word(w);
    case 1:  return chance_below(&w->chance, 8) * PAGE;
    default: return chance_below(&w->chance, chance_one_in(&w->chance, 3) ? 9000 : 130);
    }
}

uintptr_t any_descriptor(struct worker *w)
{
    static const uint32_t odd[] = { 0xFFFFFFFF, 0xFFFFFF9C, 999, 1023, 1024, 100000, 0x7FFFFFFF, 0x80000000 };

    return chance_one_in(&w->chance, 12) ? CHANCE_OF(&w->chance, odd)
                                         : chance_below(&w->chance, chance_one_in(&w->chance, 6) ? 64 : 36);
}

static const char *const paths[] = {
    "a", "b", "c", "link", "circle", "to-folder", "to-folder/x", "dangling", "folder", "folder/", "folder/a",
    "folder/below", "folder/below/..", "folder/../a", "fifo", "null", "zero", "random", "tty", "odd", "block", "socket",
    "socket-file", ".", "..", "/", "", "a/b", "a/", "folder/.", "nowhere/x", "proc/self/maps", "proc/self/exe",
    "proc/self/fd/3", "proc/self/fd/20", "proc/self/mem", "proc/self/status", "proc/self", "proc/thread-self",
    "proc/1/stat", "proc/self/cwd", "proc/self/root", "proc/self/environ", "proc/self/task", "proc/quire/frames",
    "proc/sys/kernel", "proc", "proc/meminfo", "proc/self/oom_score_adj", "proc/self/fd", "proc/self/smaps",
    "proc/self/pagemap", "proc/mounts", "proc/stat",
};

const char *any_path(struct worker *w)
{
    const char *path = CHANCE_OF(&w->chance, paths);
    char       *copy;

    if (chance_one_in(&w->chance, 16))
        return (const char *)any_address(w);
    if (chance_one_in(&w->chance, 24)) {                /* long, or deep */
        uint32_t size = chance_one_in(&w->chance, 2) ? 300 : 3000;

        copy = room(w, size);
        memset(copy, 'n', size);
        for (uint32_t i = 0; i < size && chance_one_in(&w->chance, 2); i += 2)
            copy[i] = '/';
        copy[size - 1] = chance_one_in(&w->chance, 4) ? 'n' : '\0';
        return copy;
    }
    copy = room(w, strlen(path) + 1);
    memcpy(copy, path, strlen(path) + 1);
    return copy;
}

static uintptr_t process(struct worker *w)
{
    int own = (int)KERNEL(CALL_GETPID, 0);

    if (w->kind == ENDINGS && chance_below(&w->chance, 4) != 0)
        return (uintptr_t)shared->ending;
    switch (chance_below(&w->chance, 10)) {
    case 0:  return any_word(w);
    case 1:  return 0;
    case 2:  return (uintptr_t)-1;
    case 3:  return (uintptr_t)-own;
    case 4:  return (uintptr_t)(own + 1 + (int)chance_below(&w->chance, 4));
    case 5:  return (uintptr_t)KERNEL(CALL_GETPPID, 0);
    case 6:  return 1 + chance_below(&w->chance, 3);
    default: return (uintptr_t)own;
    }
}

/* Signals that end a batch come seldom: it has more to do. */
static uintptr_t signal_number(struct worker *w)
{
    static const uint8_t gentle[] = { 0, 17, 18, 23, 28, 14, 10, 12, 33, 34, 40, 64 };

    return chance_one_in(&w->chance, 8) ? chance_below(&w->chance, 70) : CHANCE_OF(&w->chance, gentle);
}

static uintptr_t command(struct worker *w)
{
    static const uint32_t commands[] = {
        0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 36, 37, 38, 1024, 1025, 1026, 1030, 1031, 1032, 1033,
        1034, 0x5401, 0x5402, 0x5403, 0x5405, 0x540B, 0x540E, 0x540F, 0x5410, 0x5411, 0x5413, 0x5414, 0x541B, 0x5421,
        0x5450, 0x5451, 0x5452, 0x5420, 0x5422, 0x5428, 0x80045430, 0x40045431, 0x8004667E, 0x8905, 0x8933, 0x8910,
    };

    return CHANCE_OF(&w->chance, commands);
}

/* A number with one to three bits set. */
static uintptr_t few_bits(struct worker *w)
{
    uint32_t bits = 0;

    for (uint32_t n = chance_below(&w->chance, 4); n > 0; n--)
        bits |= 1u << chance_below(&w->chance, chance_one_in(&w->chance, 5) ? 32 : 12);
    return bits;
}

static uintptr_t open_flags(struct worker *w)
{
    static const uint32_t bits[] = { 0100, 0200, 01000, 02000, 04000, 010000, 0100000, 0200000, 0400000, 02000000,
                                     010000000, 020200000, 0 };

    return (chance_below(&w->chance, 4)) | CHANCE_OF(&w->chance, bits) | CHANCE_OF(&w->chance, bits) |
           (chance_one_in(&w->chance, 2) ? 04000 : 0);
}

static uintptr_t map_flags(struct worker *w)
{
    static const uint32_t bits[] = { 0, 0, 0x20, 0x20, 0x100, 0x800, 0x1000, 0x2000, 0x4000, 0x8000, 0x20000, 0x40000,
                                     0x100000 };

    return (chance_one_in(&w->chance, 8) ? chance_below(&w->chance, 4) : 1 + chance_below(&w->chance, 2)) |
           CHANCE_OF(&w->chance, bits) |
           CHANCE_OF(&w->chance, bits) | (chance_one_in(&w->chance, 2) ? 0x10 : 0);
}

static uintptr_t clone_flags(struct worker *w)
{
    static const uint32_t sets[] = { 17, 0, 0x4111, 0x100, 0x3D0F00, 0x10F00, 0x1200011, 0x8000 };

    return CHANCE_OF(&w->chance, sets) | (chance_one_in(&w->chance, 3) ? few_bits(w) << 8 : 0);
}

static uintptr_t futex_operation(struct worker *w)
{
    return chance_below(&w->chance, 15) | (chance_one_in(&w->chance, 2) ? 128 : 0) |
           (chance_one_in(&w->chance, 6) ? 256 : 0);
}

uintptr_t value_of(struct worker *w, char letter)
{
    static const uint32_t modes[] = { 0, 0644, 0777, 0111, 04755, 01777, 0100644, 020666, 010666, 0xFFFFFFFF };

    switch (letter) {
    case 'd': return any_descriptor(w);
    case 'n': return chance_below(&w->chance, 9);
    case '8': return chance_one_in(&w->chance, 12) ? any_word(w) : 8;
    case 'l': return length(w);
    case 'x': return any_word(w);
    case 'F': return few_bits(w);
    case 'z': return 0;
    case 'p': return (uintptr_t)any_path(w);
    case 'b': return buffer(w);
    case 'a': return play_page(w);
    case 'A': return chance_one_in(&w->chance, 6) ? length(w) : (1 + chance_below(&w->chance, 12)) * PAGE;
    case 's': return signal_number(w);
    case 'u': return process(w);
    case 'i': return command(w);
    case 'P': return chance_one_in(&w->chance, 12) ? few_bits(w) : chance_below(&w->chance, 8);
    case 'M': return map_flags(w);
    case 'f': return open_flags(w);
    case 'D': return CHANCE_OF(&w->chance, modes);
    case 'U': return futex_operation(w);
    case 'N': return clone_flags(w);
    default:  return structure_of(w, letter);
    }
}
