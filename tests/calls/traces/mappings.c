/* mappings.c - steps that change what is mapped where, how and with what rights; advice, locks, stacks that grow. */
#include "traces.h"

/* Source: Linux, arch/x86/entry/syscalls/syscall_32.tbl. */
enum { CALL_MSYNC = 144, CALL_MUNLOCK = 151, CALL_MLOCKALL = 152, CALL_MUNLOCKALL = 153, CALL_MREMAP = 163,
       CALL_MINCORE = 218, CALL_MLOCK2 = 376 };
enum { MAP_GROWSDOWN = 0x100, MAP_LOCKED = 0x2000, MAP_NORESERVE = 0x4000, FIXED_NOREPLACE = 0x100000,
       PROT_GROWSDOWN = 0x01000000, MREMAP_MAYMOVE = 1, MREMAP_FIXED = 2, MREMAP_DONTUNMAP = 4 };

static bool is_error(long result) { return result < 0 && result > -PAGE; }

static uint32_t answer_address(long result)
{
    if (is_error(result))
        answer(result);
    else
        tell(" = "), tell_place((uint32_t)result);
    return is_error(result) ? 0 : (uint32_t)result;
}

/* ---- Maps ----------------------------------------------------------------------------------------------- */

static long any_rights(void) { return PICK(3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 1, 1, 1, 0, 0, 7, 5, 2, 4, 16); }
static long any_fixed(void)  { return one_in(4) ? PICK(FIXED_NOREPLACE, MAP_FIXED | FIXED_NOREPLACE, 0) : MAP_FIXED; }

/* An address that a kernel chose is its own business: such a mapping goes at once. */
static void map(struct place place, long rights, long flags, long object, long offset)
{
    uint32_t at = answer_address(KERNEL(CALL_MMAP2, place.at, place.bytes, rights, flags, object, offset));

    look_at_once = at == 0;
    if (at != 0 && !is_inside(at))
        KERNEL(CALL_MUNMAP, at, place.bytes);
}

static void op_map(void)
{
    long rights = any_rights(), flags = PICK(MAP_PRIVATE, MAP_PRIVATE, MAP_PRIVATE, MAP_SHARED, MAP_SHARED, 3);

    flags |= MAP_ANONYMOUS;
    flags |= any_fixed();
    flags |= one_in(4) ? PICK(MAP_POPULATE, MAP_LOCKED, MAP_NORESERVE, 0x20000) : 0;
    tell("map %x %x", (unsigned)rights, (unsigned)flags);
    map(any_place(), rights, flags, -1, one_in(8) ? 3 : 0);
}

static void op_map_object(void)
{
    long rights = any_rights(), flags = PICK(MAP_PRIVATE, MAP_PRIVATE, MAP_SHARED, MAP_SHARED, MAP_SHARED, 3),
         object = any_object(), offset = PICK(0, 0, 0, 1, 2, 3, 5, 9, 0xFFFFF);

    flags |= any_fixed();
    flags |= one_in(4) ? PICK(MAP_POPULATE, MAP_LOCKED, MAP_NORESERVE) : 0;
    tell("map %x %x of %d@%d", (unsigned)rights, (unsigned)flags, (int)object - BASE, (int)offset);
    map(any_place(), rights, flags, object, offset);
}

static void op_unmap(void)
{
    tell("unmap");
    struct place place = any_place();
    answer(KERNEL(CALL_MUNMAP, place.at, place.bytes));
}

static void op_protect(void)
{
    long rights = any_rights();

    rights |= one_in(20) ? PROT_GROWSDOWN : 0;
    tell("protect %x", (unsigned)rights);
    struct place place = any_place();
    answer(KERNEL(CALL_MPROTECT, place.at, place.bytes, rights));
}

/* Where the kernel chose the new place, it is moved once more: into the middle. */
static void op_remap(void)
{
    long flags = PICK(0, 0, MREMAP_MAYMOVE, MREMAP_MAYMOVE, MREMAP_MAYMOVE | MREMAP_FIXED,
                      MREMAP_MAYMOVE | MREMAP_FIXED, MREMAP_MAYMOVE | MREMAP_FIXED | MREMAP_DONTUNMAP,
                      MREMAP_MAYMOVE | MREMAP_DONTUNMAP, MREMAP_MAYMOVE, MREMAP_FIXED);
    uint32_t at, target;

    tell("remap %x", (unsigned)flags);
    struct place old = any_place(), new = any_place();
    if (one_in(16))
        tell(" none"), old.bytes = 0;
    else if (one_in(3))
        tell(" same"), new.bytes = old.bytes;
    target = windows[MIDDLE].start + below(MIDDLE_PAGES - 7) * PAGE;
    at = answer_address(KERNEL(CALL_MREMAP, old.at, old.bytes, new.bytes, flags, new.at));
    look_at_once = at == 0;
    if (at != 0 && !is_inside(at)) {
        tell(" then");
        answer_address(KERNEL(CALL_MREMAP, at, new.bytes, new.bytes, MREMAP_MAYMOVE | MREMAP_FIXED, target));
    }
}

static void op_break(void)
{
    uint32_t pages = below(HEAP_PAGES + 1), at = windows[HEAP].start + pages * PAGE + (one_in(4) ? 100 : 0);

    if (pages == HEAP_PAGES)
        at = windows[HEAP].start + pages * PAGE;
    tell("break ");
    tell_place(at);
    tell(" = ");
    tell_place((uint32_t)KERNEL(CALL_BRK, at));
}

/* ---- Advice and locks ----------------------------------------------------------------------------------- */

/* Not here: memory that hardware finds broken (100, 101), which privileged tasks would get; and what may be lost at
   any time (MADV_FREE), which op_free() writes at once. */
static void op_advise(void)
{
    long advice = PICK(4, 4, 4, 9, 9, 10, 10, 11, 18, 18, 19, 20, 21, 21, 21, 22, 23, 24, 0, 1, 2, 3, 16, 17,
                       4, 21, 99);

    tell("advise %d", (int)advice);
    struct place place = any_place();
    answer(KERNEL(CALL_MADVISE, place.at, place.bytes, advice));
}

static void op_free(void)
{
    uint32_t pages = 0;

    tell("free");
    struct place place = any_place();
    answer(KERNEL(CALL_MADVISE, place.at, place.bytes, 8));
    for (uint32_t at = place.at & -(uint32_t)PAGE; at < place.at + place.bytes && pages < 10; at += PAGE, pages++)
        if (probe_store((char *)at, 1) >= 0)
            memset((char *)at, (int)(at / PAGE & 0x7F), PAGE);
}

static void op_lock(void)
{
    long call = PICK(CALL_MLOCK, CALL_MLOCK, CALL_MUNLOCK, CALL_MUNLOCK, CALL_MLOCK2), flags = PICK(0, 1, 2);

    tell("lock %d %d", (int)call, (int)flags);
    struct place place = any_place();
    answer(KERNEL(call, place.at, place.bytes, flags));
}

static void tell_locked(void)
{
    static char text[4096];
    const char *at = text;

    if (file_text("/proc/self/status", text, sizeof text) > 0)
        tell(" %d KiB", (int)number_behind(at, "VmLck:"));
}

/* Only what comes later: what the program has of its own differs from kernel to kernel. */
static void op_lock_all(void)
{
    long flags = PICK(2, 2, 6, 4, 8, 0, -1);

    tell("lock all %d", (int)flags);
    answer(flags < 0 ? KERNEL(CALL_MUNLOCKALL) : KERNEL(CALL_MLOCKALL, flags));
    tell_locked();
}

static void op_locked(void)
{
    tell("locked");
    tell_locked();
}

static void op_sync(void)
{
    long flags = PICK(1, 2, 4, 5, 6, 0, 8);

    tell("sync %d", (int)flags);
    struct place place = any_place();
    answer(KERNEL(CALL_MSYNC, place.at, place.bytes, flags));
}

/* Whether a page is there is a kernel's own business, with page-out. */
static void op_in_core(void)
{
    static unsigned char in[64];

    tell("in core");
    struct place place = any_place();
    answer(KERNEL(CALL_MINCORE, place.at, place.bytes, (long)in));
}

static void op_flags(void)
{
    tell("flags");
    tell_flags();
}

/* ---- Stacks that grow ----------------------------------------------------------------------------------- */

/* Something that grows, or something far below it: nearer than 256 pages it stands in the way. */
static void op_map_grown(void)
{
    uint32_t first = GROWN_PAGES - GROWN_USED + 4 + below(GROWN_USED - 8), pages = 1 + below(4);
    long     rights = PICK(3, 3, 3, 1, 0), flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED;

    if (one_in(4))
        first = (uint32_t)PICK(330, 350, 354, 358, 600);
    else if (!one_in(6))
        flags |= MAP_GROWSDOWN;
    tell("map grown %x %x g%u+%u", (unsigned)rights, (unsigned)flags, first, pages);
    answer_address(KERNEL(CALL_MMAP2, windows[GROWN].start + first * PAGE, pages * PAGE, rights, flags, -1, 0));
}

static void op_grow(void)
{
    uint32_t page = GROWN_PAGES - 1 - below(GROWN_USED + 10),
             at = windows[GROWN].start + page * PAGE + (uint32_t)PICK(0, 4095, 100);

    tell("grow ");
    tell_place(at);
    tell_probe(one_in(2) ? probe_store((char *)at, 7) : probe((char *)at, 0));
}

/* The stack itself, up to its limit. Linux begins with more pages than a program needs. */
static void op_deep(void)
{
    uint32_t asked = (uint32_t)PICK(8, 30, 40, 45, 50, 60, 64, 65, 66, 100, 300), end = 0, pages;
    char    *at;

    stack_pages(&end);
    at = (char *)end - asked * PAGE;
    tell("deep %u", asked);
    tell_probe(one_in(2) ? probe_store(at, 7) : probe(at, 0));
    pages = stack_pages(&end);
    tell(" of %u", pages > 40 ? pages : 40);
}

operation *const mappings[] = {
    op_map, op_map, op_map, op_map, op_map_object, op_map_object, op_map_object, op_map_object, op_unmap, op_unmap,
    op_protect, op_protect, op_protect, op_remap, op_remap, op_remap, op_remap, op_break, op_advise, op_advise,
    op_advise, op_free, op_lock, op_lock_all, op_locked, op_sync, op_in_core, op_flags, op_map_grown, op_grow, op_grow,
    op_deep,
};
const unsigned mappings_count = COUNT_OF(mappings);
