/* steps.c - steps that use memory: accesses, files behind it, transfers, forks whose children live on. */
#include "traces.h"

/* Source: Linux, arch/x86/entry/syscalls/syscall_32.tbl. */
enum { CALL_PREAD64 = 180, CALL_PWRITE64 = 181, CALL_FTRUNCATE64 = 194, CALL_FALLOCATE = 324,
       CALL_PROCESS_VM_READV = 347, CALL_PROCESS_VM_WRITEV = 348, ADD_SEALS = 1033, ALLOW_SEALING = 2 };
enum { MOST = 8, BUFFER = 3 * PAGE, CHILDREN = 3, DEEPEST = 2 };
/* So many steps at first are of so many operations, which map. */
enum { FIRST_MAPS = 8 };
/* Descriptors of objects: a file to read and write, the same only to read, another, a memory file, the first only to
   write, a device of zeros. */
enum { BOTH = BASE, READ_ONLY, SECOND, MEMORY, WRITE_ONLY, ZEROS };

static char buffer[BUFFER];
static struct { long pid, pipe; } children[CHILDREN];
static unsigned children_count;

/* ---- Objects -------------------------------------------------------------------------------------------- */

static void fill_buffer(uint32_t value, uint32_t bytes)
{
    for (uint32_t i = 0; i < bytes; i++)
        buffer[i] = (char)(value + i * 7 + i / 251 + 1);
}

static void keep(long file, long number, uint32_t bytes)
{
    KERNEL(CALL_DUP2, file, number);
    KERNEL(CALL_CLOSE, file);
    fill_buffer((uint32_t)number, BUFFER);
    if (bytes > 0)
        KERNEL(CALL_PWRITE64, number, (long)buffer, bytes, 0, 0);
}

void make_objects(void)
{
    keep(KERNEL(CALL_OPEN, (long)"a", O_RDWR | O_CREAT, 0666), BOTH, 2 * PAGE + 1000);
    keep(KERNEL(CALL_OPEN, (long)"a", O_RDONLY), READ_ONLY, 0);
    keep(KERNEL(CALL_OPEN, (long)"b", O_RDWR | O_CREAT, 0666), SECOND, 100);
    keep(KERNEL(CALL_MEMFD_CREATE, (long)"m", ALLOW_SEALING), MEMORY, 3 * PAGE);
    keep(KERNEL(CALL_OPEN, (long)"a", O_WRONLY), WRITE_ONLY, 0);
    keep(KERNEL(CALL_OPEN, (long)"/dev/zero", O_RDWR), ZEROS, 0);
}

long any_object(void) { return PICK(BOTH, BOTH, BOTH, BOTH, READ_ONLY, READ_ONLY, SECOND, SECOND, SECOND, MEMORY,
    MEMORY, MEMORY, WRITE_ONLY, ZEROS); }
static long any_file(void) { return PICK(BOTH, SECOND, MEMORY); }

/* Each draw by chance is a statement or a declaration of its own: in an expression their order is the compiler's. */

/* ---- Places --------------------------------------------------------------------------------------------- */

/* Parts of the middle that are asked for again and again, whole or in part, so that steps meet what others made. */
static const struct { uint8_t first, pages; } often[] = { { 0, 8 }, { 6, 6 }, { 12, 4 }, { 16, 8 }, { 24, 4 },
                                                         { 26, 6 } };

static void narrow(uint32_t *first, uint32_t *pages)
{
    uint32_t skipped = below(*pages);

    *first += skipped;
    *pages = 1 + below(*pages - skipped);
}

struct place any_place(void)
{
    unsigned     number = one_in(8) ? 1 + below(2) : MIDDLE, part = below(3 * COUNT_OF(often));
    uint32_t     used = number == GROWN ? GROWN_USED : windows[number].pages, pages = 1 + below(MOST),
                 first = windows[number].pages - used + below(used - pages + 1);
    struct place place;

    if (number == MIDDLE && part < 2 * COUNT_OF(often)) {
        first = often[part / 2].first;
        pages = often[part / 2].pages;
        if (part % 2 == 1)
            narrow(&first, &pages);
    }
    place = (struct place){ windows[number].start + first * PAGE, pages * PAGE };
    if (one_in(40))
        place.at += (uint32_t)PICK(1, 4, 2048);
    if (one_in(40))
        place.bytes += (uint32_t)PICK(1, -1, -4095, -place.bytes, 0xFFFFF000 - place.bytes);
    tell(" ");
    tell_place(place.at);
    tell(place.bytes % PAGE == 0 ? "+%u" : "+%u.%x", place.bytes / PAGE, place.bytes % PAGE);
    return place;
}

static uint32_t any_page(void)
{
    unsigned number = one_in(8) ? HEAP : MIDDLE;

    return windows[number].start + below(windows[number].pages) * PAGE;
}

/* A byte from which so many fit into the page. */
static uint32_t any_byte(uint32_t bytes)
{
    uint32_t page = any_page();

    return page + below(PAGE - bytes + 1);
}

/* ---- Accesses ------------------------------------------------------------------------------------------- */

static void op_touch(void)
{
    uint32_t at = any_byte(1);
    int      write = (int)below(2);

    tell(write ? "write " : "read ");
    tell_place(at);
    tell_probe(write ? probe_store((char *)at, (uint8_t)chance_word(&chance)) : probe((char *)at, 0));
}

/* Half of the values make pages that shrink, which go elsewhere than others when they leave (docs/pageout.md). */
static uint32_t word_of(uint32_t value, uint32_t k)
{
    return value % 2 == 0 ? value + k * 0x01010101 : value + k % 16 * 0x01010101;
}

static void fill(uint32_t pages)
{
    uint32_t at = any_page(), value = chance_word(&chance);

    tell("fill ");
    tell_place(at);
    tell("+%u", pages);
    for (uint32_t i = 0; i < pages && is_inside(at + i * PAGE); i++) {
        volatile uint32_t *words = (volatile uint32_t *)(at + i * PAGE);
        long               first = probe_store((char *)words, 1);

        if (first < 0)
            tell_probe(first);
        else
            for (uint32_t k = 0; k < PAGE / sizeof *words; k++)
                words[k] = word_of(value + 2 * i, k);
    }
}

static void op_fill(void) { fill(1 + below(5)); }

static void op_repair(void)
{
    tell("repair ");
    repairs = 1 + (int)below(4);
    fill(1 + below(5));
    repairs = 0;
}

/* ---- Files behind memory -------------------------------------------------------------------------------- */

static void op_truncate(void)
{
    long file = any_file(), size = PICK(0, 1, 100, 4095, 4096, 4097, 8192, 9192, 12288, 12289, 20480, 32768);

    tell("truncate %d %d", (int)file - BASE, (int)size);
    answer(KERNEL(CALL_FTRUNCATE64, file, size, 0));
}

static void op_allocate(void)
{
    long file = any_file(), mode = PICK(0, 0, 1, 3, 3, 3, 2), from = PICK(0, 100, 4096, 8192, 10000),
         size = PICK(1, 4096, 8192, 5000, 0);

    tell("allocate %d %d %d+%d", (int)file - BASE, (int)mode, (int)from, (int)size);
    answer(KERNEL(CALL_FALLOCATE, file, mode, from, 0, size, 0));
}

static void op_write_file(void)
{
    long file = any_file(), from = PICK(0, 100, 4000, 4096, 8192, 12000, 20480), size = PICK(1, 100, 4096, 5000, 12288);

    fill_buffer(chance_word(&chance), (uint32_t)size);
    tell("write file %d %d+%d", (int)file - BASE, (int)from, (int)size);
    answer(KERNEL(CALL_PWRITE64, file, (long)buffer, size, from, 0));
}

static void op_read_file(void)
{
    long file = any_file(), from = below(8) * PAGE;

    tell("read file %d@%d", (int)file - BASE, (int)from);
    memset(buffer, 0, BUFFER);
    answer(KERNEL(CALL_PREAD64, file, (long)buffer, BUFFER, from, 0));
    tell_digest(buffer, BUFFER);
}

static void op_seal(void)
{
    long seals = PICK(2, 4, 8, 16, 16, 1);

    tell("seal %d", (int)seals);
    answer(one_in(3) ? KERNEL(CALL_FCNTL64, MEMORY, ADD_SEALS, seals) : 0);
}

/* ---- The kernel's own accesses: within a page, so that they are done or not ----------------------------- */

static void op_read_to(void)
{
    long     file = any_object(), size = PICK(1, 100, 3000, 4096);
    uint32_t at   = any_byte((uint32_t)size);

    tell("read %d+%d to ", (int)file - BASE, (int)size);
    tell_place(at);
    answer(KERNEL(CALL_PREAD64, file, at, size, 0, 0));
}

static void op_write_from(void)
{
    long     file = any_file(), size = PICK(1, 100, 3000, 4096), to = PICK(0, 4096, 5000);
    uint32_t at   = any_byte((uint32_t)size);

    tell("write %d+%d from ", (int)file - BASE, (int)size);
    tell_place(at);
    answer(KERNEL(CALL_PWRITE64, file, at, size, to, 0));
}

struct vector { uint32_t at, bytes; };

/* Another process's access, by the process itself. */
static void op_pass(void)
{
    uint32_t      from = any_page(), to = any_page(), size = (uint32_t)PICK(1, 100, 4096);
    struct vector local = { from, size }, remote = { to, size };
    long          call = PICK(CALL_PROCESS_VM_READV, CALL_PROCESS_VM_WRITEV);

    tell("pass %d %u ", (int)call, size);
    tell_place(from), tell(" "), tell_place(to);
    answer(KERNEL(call, KERNEL(CALL_GETPID), (long)&local, 1, (long)&remote, 1, 0));
}

/* ---- Forks ---------------------------------------------------------------------------------------------- */

/*
 * A child that waits until it is told to go on, and in which step, while its parent changes what both have. Then it
 * makes steps itself.
 */
static void live(uint64_t seed, long pipe, unsigned steps, int how)
{
    uint8_t told = 0;

    if (depth++ == 0)
        forked_in = step_number;
    children_count = 0;
    begin_looking();
    KERNEL(CALL_READ, pipe, (long)&told, 1);
    KERNEL(CALL_CLOSE, pipe);
    step_number = told;
    look(LOOKS_ITSELF);
    for (unsigned i = 0; i < steps; i++)
        step(mix(seed, i), how == LOOKS_SELDOM ? LOOKS_ITSELF : how);
    join_all(how);
    leave(0);
}

static int look_of_children;

static void op_fork(void)
{
    uint64_t seed = mix(chance.state, 1);
    unsigned steps = below(4);
    int      ends[2];
    long     child;

    tell("fork");
    if (children_count == CHILDREN || depth == DEEPEST) {
        tell(" not");
        return;
    }
    KERNEL(CALL_PIPE, (long)ends);
    tell("\n");
    flush();
    child = split();
    if (child == 0) {
        KERNEL(CALL_CLOSE, ends[1]);
        live(seed, ends[0], steps, look_of_children);
    }
    KERNEL(CALL_CLOSE, ends[0]);
    tell_step("forked");
    children[children_count].pid = child;
    children[children_count++].pipe = ends[1];
}

static void join(void)
{
    uint8_t number = (uint8_t)step_number;
    int     status = -1;

    children_count--;
    tell("\n");
    flush();
    KERNEL(CALL_WRITE, children[children_count].pipe, (long)&number, 1);
    KERNEL(CALL_CLOSE, children[children_count].pipe);
    KERNEL(CALL_WAIT4, children[children_count].pid, (long)&status, 0, 0);
    tell_step("joined");
    tell(" = status %x", (unsigned)status);
}

static void op_join(void)
{
    tell("join");
    if (children_count > 0)
        join();
}

void join_all(int how)
{
    while (children_count > 0) {
        tell_step("join at the end");
        join();
        tell("\n");
        flush();
        look(how == LOOKS_SELDOM ? LOOKS_ITSELF : how);
    }
}

static operation *const uses[] = {
    op_touch, op_touch, op_fill, op_fill, op_fill, op_fill, op_repair, op_truncate, op_truncate, op_allocate,
    op_write_file, op_write_file, op_read_file, op_seal, op_read_to, op_write_from, op_pass, op_fork, op_fork, op_join,
    op_join,
};

void step(uint64_t seed, int how)
{
    tell_step("");
    chance.state     = seed;
    look_of_children = how;
    if (depth == 0 && step_number < FIRST_MAPS)
        mappings[below(FIRST_MAPS)]();
    else if (one_in(2))
        CHANCE_OF(&chance, uses)();
    else
        mappings[below(mappings_count)]();
    tell("\n");
    flush();
    look(how);
    send_out();
}
