/*
 * memory.c - operations on memory: in an arena at one address, so that results are the same everywhere.
 *
 * After each change the program can look at the arena byte by byte: a probe that faults goes on and tells signal and
 * code.
 */
#include "differ.h"

/* Source: Linux, arch/x86/entry/syscalls/syscall_32.tbl. */
enum { CALL_MSYNC = 144, CALL_MUNLOCK = 151, CALL_MREMAP = 163, CALL_MINCORE = 218,
    CALL_MLOCK2 = 376 };
enum { ARENA = 0x20000000, ARENA_PAGES = 24, MREMAP_MAYMOVE = 1, MREMAP_FIXED = 2, FIXED_NOREPLACE = 0x100000,
    MOST = 6 };

/* ---- Places -------------------------------------------------------------------------------------------- */

static long page(long number) { return ARENA + number * PAGE; }

void make_arena(void)
{
    KERNEL(CALL_MMAP2, page(0), 8 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
    KERNEL(CALL_MMAP2, page(8), 4 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
}

struct place { long at, bytes; };

static struct place any_place(void)
{
    long         first = (long)below(ARENA_PAGES - MOST), pages = 1 + (long)below(MOST);
    struct place place = { page(first), pages * PAGE };

    if (one_in(20))
        place.at += PICK(1, 4, 2048);
    if (one_in(20))
        place.bytes += PICK(1, 4095, -4096, -4096, 100);
    tell(" %d+%d", (int)((place.at - ARENA) * 1000 / PAGE), (int)place.bytes);
    return place;
}

static void answer_address(long result)
{
    if (result > -4096 && result < 0)
        answer(result);
    else if (result >= ARENA && result < page(ARENA_PAGES))
        tell(" = page %d", (int)((result - ARENA) / PAGE));
    else
        tell(" = elsewhere");
}

/* Prints every page: rights as probes find them, and the first byte. */
static void op_look(void)
{
    tell("look");
    for (long i = 0; i < ARENA_PAGES; i++) {
        long byte = probe((char *)page(i), 0);

        tell(byte < 0 ? " -%x" : " %x", (unsigned)(byte < 0 ? -byte : byte));
    }
}

static void op_touch(void)
{
    long at = page((long)below(ARENA_PAGES)) + PICK(0, 1, 100, 4095);

    tell("touch %d", (int)(at - ARENA));
    tell(" = %d", (int)probe((char *)at, (int)below(2)));
}

static void op_fill(void)
{
    long first = (long)below(ARENA_PAGES);

    tell("fill %d", (int)first);
    for (long i = first; i < first + 3 && i < ARENA_PAGES; i++)
        tell(" %d", (int)probe((char *)page(i), 1));
}

/* The kernel's own look at memory: its errors and its part results. */
static void op_copy_out(void)
{
    long file = any_descriptor();

    tell("write %d from", (int)file);
    struct place place = any_place();
    answer(KERNEL(CALL_WRITE, file, place.at, place.bytes));
}

static void op_copy_in(void)
{
    long file = any_descriptor();

    tell("read %d to", (int)file);
    struct place place = any_place();
    answer(KERNEL(CALL_READ, file, place.at, place.bytes));
}

static void op_map(void)
{
    long rights = PICK(0, 1, 3, 3, 3, 5, 7, 2, 4, 16), kind = PICK(MAP_PRIVATE, MAP_PRIVATE, MAP_SHARED, 3, 0),
        file = any_descriptor();
    long flags = kind | PICK(MAP_ANONYMOUS, MAP_ANONYMOUS, 0) | PICK(MAP_FIXED, MAP_FIXED, MAP_FIXED |
        FIXED_NOREPLACE, FIXED_NOREPLACE) |
                 PICK(0, 0, 0, 0x4000, 0x8000, 0x2000);
    long offset = one_in(3) ? PICK(1, 2, 5, 0xFFFFF) : 0;

    tell("mmap %x %x %d %d", (unsigned)rights, (unsigned)flags, (int)file, (int)offset);
    struct place place = any_place();
    answer_address(KERNEL(CALL_MMAP2, place.at, place.bytes, rights, flags, file, offset));
}

/* At any address: the mapping is removed at once. */
static void op_map_anywhere(void)
{
    long size = PICK(1, 4096, 100000, 0, -1, 0x7FFFF000), hint = PICK(0, 1, 0xFFFFF000, 0x12345), result;

    tell("mmap anywhere %x %x", (unsigned)hint, (unsigned)size);
    result = answer_ok(KERNEL(CALL_MMAP2, hint, size, 3, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
    if (result > 0 || result < -4096)
        KERNEL(CALL_MUNMAP, result, size);
}

static void op_unmap(void)
{
    tell("munmap");
    struct place place = any_place();
    answer(KERNEL(CALL_MUNMAP, place.at, place.bytes));
}

static void op_protect(void)
{
    long rights = PICK(0, 1, 3, 3, 5, 7, 2, 8, 0x01000001);

    tell("mprotect %x", (unsigned)rights);
    struct place place = any_place();
    answer(KERNEL(CALL_MPROTECT, place.at, place.bytes, rights));
}

static void tell_pages(const char *name, struct place place)
{
    tell(" %s", name);
    for (long at = place.at & -PAGE; at < place.at + place.bytes && at < page(ARENA_PAGES); at += PAGE)
        tell(" %d", (int)probe((char *)at, 0));
}

static void op_remap(void)
{
    long flags = PICK(0, 0, MREMAP_MAYMOVE | MREMAP_FIXED, MREMAP_MAYMOVE | MREMAP_FIXED, MREMAP_FIXED, 4,
        MREMAP_MAYMOVE | MREMAP_FIXED | 4);

    tell("mremap %x", (unsigned)flags);
    struct place old = any_place(), new = any_place();
    answer_address(KERNEL(CALL_MREMAP, old.at, one_in(20) ? 0 : old.bytes, new.bytes, flags, new.at));
    tell_pages("target", new);
    tell_pages("source", old);
}

static void op_advise(void)
{
    long advice = PICK(4, 4, 4, 0, 3, 9, 10, 11, 14, 15, 16, 17, 18, 19, 20, 99, -1);

    tell("madvise %d", (int)advice);
    struct place place = any_place();
    answer(KERNEL(CALL_MADVISE, place.at, place.bytes, advice));
}

static void op_lock(void)
{
    long call = PICK(CALL_MLOCK, CALL_MUNLOCK, CALL_MLOCK2), flags = PICK(0, 1, 2);

    tell("lock %d %d", (int)call, (int)flags);
    struct place place = any_place();
    answer(KERNEL(call, place.at, place.bytes, flags));
}

static void op_sync(void)
{
    long flags = PICK(1, 2, 4, 5, 0, 8);

    tell("msync %d", (int)flags);
    struct place place = any_place();
    answer(KERNEL(CALL_MSYNC, place.at, place.bytes, flags));
}

/* Linux looks at the file's pages for file memory; whether a page of one's own was ever touched is the same
   everywhere, but for what a child has of a page that was only read. */
static void op_in_core(void)
{
    unsigned char in[16];

    memset(in, 9, sizeof in);
    tell("mincore");
    struct place place = any_place();
    if (answer(KERNEL(CALL_MINCORE, place.at, place.bytes, (long)in)) == 0)
        for (long i = 0; depth == 0 && i < (place.bytes + PAGE - 1) / PAGE && i < 16; i++)
            tell("%c", i == 0 ? ' ' : '.'), tell("%u", in[i]);
}

static void op_break(void)
{
    long old = KERNEL(CALL_BRK, 0), by = PICK(0, 4096, 10000, -4096, -8192, 1), new = KERNEL(CALL_BRK, old + by);

    tell("brk %d = %d", (int)by, (int)(new - old));
    if (by > 0 && new > old)
        tell(" %d", (int)probe((char *)(new - 1), 1));
}

static unsigned hex(const char **at)
{
    unsigned value = 0;

    for (;; (*at)++)
        if (**at >= '0' && **at <= '9')
            value = value * 16 + (unsigned)(**at - '0');
        else if (**at >= 'a' && **at <= 'f')
            value = value * 16 + (unsigned)(**at - 'a') + 10;
        else
            return value;
}

static void tell_rights(const char *text)
{
    for (const char *at = text; *at != '\0'; at++) {
        unsigned first = hex(&at), last = (at++, hex(&at));

        for (unsigned where = first; first >= ARENA && where < last &&
            where < (unsigned)page(ARENA_PAGES); where += PAGE)
            tell(" %u%c%c%c%c", (where - ARENA) / PAGE, at[1], at[2], at[3], at[4]);
        while (*at != '\n')
            at++;
    }
}

/* /proc/self/maps page by page: whether neighbours are one line or two is a kernel's own business. */
static void op_maps(void)
{
    static char text[8192];
    long        length = 0, part;

    while ((part = KERNEL(180, MAPS, (long)text + length, (long)sizeof text - 1 - length, length, 0)) > 0)
        length += part;
    text[length] = '\0';
    tell("maps");
    tell_rights(text);
}

static operation *const operations[] = {
    op_look, op_look, op_look, op_touch, op_touch, op_fill, op_fill, op_fill, op_copy_out, op_copy_in, op_map, op_map,
        op_map, op_map, op_map,
    op_map_anywhere, op_unmap, op_unmap, op_protect, op_protect, op_protect, op_remap, op_remap, op_remap, op_advise,
        op_advise, op_lock, op_sync,
    op_in_core, op_break, op_maps,
};
const struct family memory = { operations, COUNT_OF(operations) };
