/*
 * image.c - mapping a program's segments, and the stack that it starts with. See image.h.
 */
#include "process/family.h"
#include "programs/image.h"

#include "arch/contract.h"
#include "base/check.h"
#include "base/error.h"
#include "base/random.h"
#include "base/range.h"
#include "base/string.h"
#include "files/path/path.h"
#include "memory/heap/heap.h"
#include "memory/spaces/user.h"
#include "programs/elf.h"
#include "programs/vdso.h"

/* The address of a position-independent program: that of Linux without randomisation. */
enum { MOVABLE_AT = 0x56555000, STACK_START_PAGES = 33, BREAK_GAP = 0x1000000 };

/*
 * The top of user space, downwards: a page that nobody has, the vDSO, a page that nobody has, the stack. There the vDSO
 * is in the way of nothing that grows, and its entries lie in the stack's table: a place of the usual search would cost
 * each process without other mappings a table of its own.
 */
enum { VDSO_BELOW_END = 1 + VDSO_PAGES, STACK_BELOW_END = VDSO_BELOW_END + 1 };

/* Auxiliary vector (Linux, getauxval(3)). */
enum {
    AT_NULL = 0, AT_PHDR = 3, AT_PHENT = 4, AT_PHNUM = 5, AT_PAGESZ = 6, AT_BASE = 7, AT_FLAGS = 8, AT_ENTRY = 9,
    AT_UID = 11, AT_EUID = 12, AT_GID = 13, AT_EGID = 14, AT_PLATFORM = 15, AT_HWCAP = 16, AT_CLKTCK = 17,
    AT_SECURE = 23, AT_RANDOM = 25, AT_HWCAP2 = 26, AT_EXECFN = 31, AT_SYSINFO = 32, AT_SYSINFO_EHDR = 33,
};
enum { PROGRAM_HEADER_BYTES = 32, RANDOM_BYTES = 16, TICKS_PER_SECOND = 100, AUXILIARY_WORDS = 44 };

static const char platform[] = "i686";

/* A program, mapped. */
struct mapped {
    struct elf_plan plan;
    uint32_t        shift;              /* added to every address of the plan */
};

/* ---- Segments ------------------------------------------------------------------------------- */

static int read_program(void *file, void *to, uint32_t at, uint32_t bytes)
{
    struct buffer buffer = { .kernel = true, .memory = to, .bytes = bytes };

    return file_read_at(file, &buffer, at) == (long)bytes ? 0 : -ENOEXEC;
}

static int map_file_part(struct space *space, struct file *file, const struct elf_segment *s, uint32_t address)
{
    uint32_t           skew    = address % PAGE_SIZE;
    struct map_request request = {
        .address = address - skew,
        .bytes = s->file_bytes + skew,
        .rights = s->rights,
        .may = MAY_READ | MAY_WRITE | MAY_EXECUTE,
        .flags = MAP_IS_FIXED,
        .object = file->node->operations->object(file->node),
        .offset = (s->offset - skew) / PAGE_SIZE,
        .file = file->node,
    };
    vaddr_t out;

    if (request.object == NULL)
        return -ENOEXEC;
    return map_create(space, &request, &out);
}

static int map_zero_part(struct space *space, const struct elf_segment *s, uint32_t from, uint32_t to)
{
    struct map_request request = { .address = from, .bytes = to - from, .rights = s->rights,
                                   .may = MAY_READ | MAY_WRITE | MAY_EXECUTE, .flags = MAP_IS_FIXED };
    vaddr_t out;

    return to > from ? map_create(space, &request, &out) : 0;
}

/* Map file bytes, zeros up to the end of their last page, then pages of zeros. */
static int map_segment(struct space *space, struct file *file, const struct elf_segment *s, uint32_t shift)
{
    uint32_t address  = s->address + shift;
    uint32_t file_end = address + s->file_bytes, end = address + s->memory_bytes;
    uint32_t pages_from = s->file_bytes > 0 ? (uint32_t)(round_down(file_end + PAGE_SIZE - 1, PAGE_SIZE))
                                            : (uint32_t)round_down(address, PAGE_SIZE);
    int      err = s->file_bytes > 0 ? map_file_part(space, file, s, address) : 0;

    if (err != 0)
        return err;
    if (s->file_bytes > 0 && s->memory_bytes > s->file_bytes && file_end % PAGE_SIZE != 0) {
        uint32_t zeros = pages_from - file_end;

        if (zeros > end - file_end)
            zeros = end - file_end;
        /* A segment that may not be written is not cleared, as in Linux. */
        if ((s->rights & MAY_WRITE) && (err = user_clear_in(space, file_end, pages_from - file_end)) != 0)
            return err;
    }
    return map_zero_part(space, s, pages_from, (uint32_t)round_down((uint64_t)end + PAGE_SIZE - 1, PAGE_SIZE));
}

static int map_program(struct space *space, struct file *file, struct mapped *mapped, bool interpreter)
{
    const struct elf_plan *plan = &mapped->plan;
    struct map_request     hold = { .bytes = plan->highest - plan->lowest };
    vaddr_t                at   = plan->lowest;
    int                    err;

    if (plan->movable) {
        hold.address = interpreter ? 0 : MOVABLE_AT;
        err = map_create(space, &hold, &at);    /* a range wide enough, which the segments then replace */
        if (err != 0)
            return err;
    }
    mapped->shift = (uint32_t)at - plan->lowest;
    for (uint32_t i = 0; i < plan->segment_count; i++) {
        err = map_segment(space, file, &plan->segments[i], mapped->shift);
        if (err != 0)
            return err;
        if (plan->movable && i > 0) {           /* nothing in the gaps between segments */
            const struct elf_segment *before = &plan->segments[i - 1];
            uint32_t gap = (uint32_t)round_down((uint64_t)before->address + before->memory_bytes + PAGE_SIZE - 1,
                                                PAGE_SIZE);
            uint32_t end = (uint32_t)round_down(plan->segments[i].address, PAGE_SIZE);

            if (end > gap && (err = map_remove(space, gap + mapped->shift, end - gap)) != 0)
                return err;
        }
    }
    return 0;
}

static int map_interpreter(struct space *space, const char *path, struct mapped *mapped)
{
    struct file *file;
    int          err = program_open(NULL, path, 0, &file);

    if (err != 0)
        return err;
    err = elf_read(read_program, file, &mapped->plan);
    if (err == 0)
        err = map_program(space, file, mapped, true);
    file_release(file);
    return err == -ENOEXEC ? -ELIBBAD : err;
}

/* ---- The stack -------------------------------------------------------------------------------- */

/* Words and texts are put below `at`, which moves down. */
struct stack_writer {
    struct space *space;
    vaddr_t       at;
    int           err;
};

static vaddr_t push_bytes(struct stack_writer *w, const void *bytes, size_t count)
{
    assert(count < w->at);
    w->at -= count;
    if (w->err == 0)
        w->err = user_write_in(w->space, w->at, bytes, count);
    return w->at;
}

static void put_word(uint32_t **at, uint32_t word) { *(*at)++ = word; }
static void put_pair(uint32_t **at, uint32_t key, uint32_t value) { put_word(at, key); put_word(at, value); }

static uint32_t *put_pointers(uint32_t *at, const char *text, vaddr_t shown_at, uint32_t count)
{
    for (; count > 0; count--) {
        size_t bytes = strlen(text) + 1;

        put_word(&at, (uint32_t)shown_at);
        text     += bytes;
        shown_at += bytes;
        point_of_rest();
    }
    put_word(&at, 0);
    return at;
}

struct auxiliary {
    vaddr_t  platform, random, path, vdso;
    uint32_t base;
};

static uint32_t *put_auxiliary(uint32_t *at, const struct mapped *program, const struct auxiliary *x)
{
    const struct credentials *c = credentials_acting();

    if (x->vdso != 0) {
        put_pair(&at, AT_SYSINFO, (uint32_t)vdso_entry(x->vdso));
        put_pair(&at, AT_SYSINFO_EHDR, (uint32_t)x->vdso);
    }
    if (program->plan.headers != 0) {
        put_pair(&at, AT_PHDR, program->plan.headers + program->shift);
        put_pair(&at, AT_PHENT, PROGRAM_HEADER_BYTES);
        put_pair(&at, AT_PHNUM, program->plan.header_count);
    }
    put_pair(&at, AT_HWCAP, cpu_capabilities());
    put_pair(&at, AT_PAGESZ, PAGE_SIZE);
    put_pair(&at, AT_CLKTCK, TICKS_PER_SECOND);
    put_pair(&at, AT_BASE, x->base);
    put_pair(&at, AT_FLAGS, 0);
    put_pair(&at, AT_ENTRY, program->plan.entry + program->shift);
    put_pair(&at, AT_UID, c->user.real);
    put_pair(&at, AT_EUID, c->user.effective);
    put_pair(&at, AT_GID, c->group.real);
    put_pair(&at, AT_EGID, c->group.effective);
    put_pair(&at, AT_SECURE, 0);
    put_pair(&at, AT_RANDOM, (uint32_t)x->random);
    put_pair(&at, AT_HWCAP2, 0);
    put_pair(&at, AT_EXECFN, (uint32_t)x->path);
    put_pair(&at, AT_PLATFORM, (uint32_t)x->platform);
    put_pair(&at, AT_NULL, 0);
    return at;
}

static int write_stack(struct shared_space *memory, vaddr_t top, const struct image_arguments *arguments,
                       const char *path, const struct mapped *program, struct auxiliary x, vaddr_t *out)
{
    struct stack_writer w = { .space = &memory->space, .at = top };
    uint32_t           *words, *at;
    size_t bytes = (arguments->argument_count + arguments->environment_count + 3 + AUXILIARY_WORDS) * sizeof *words;
    uint8_t             random[RANDOM_BYTES];
    vaddr_t             text;
    size_t              ahead;

    push_bytes(&w, "\0\0\0", 4);
    x.path = push_bytes(&w, path, strlen(path) + 1);
    text   = push_bytes(&w, arguments->text, arguments->used);
    memory->argument_start    = text;
    memory->argument_end      = memory->environment_start = text + arguments->environment;
    memory->environment_end   = text + arguments->used;
    x.platform = push_bytes(&w, platform, sizeof platform);
    random_bytes(random, sizeof random);
    x.random = push_bytes(&w, random, sizeof random);

    words = heap_alloc(bytes, 0);
    if (words == NULL)
        return -ENOMEM;
    at = words;
    put_word(&at, arguments->argument_count);
    at = put_pointers(at, arguments->text, text, arguments->argument_count);
    at = put_pointers(at, arguments->text + arguments->environment, text + arguments->environment,
                      arguments->environment_count);
    ahead = (size_t)(at - words) * sizeof *words;
    at = put_auxiliary(at, program, &x);
    bytes = (size_t)(at - words) * sizeof *words;
    w.at  = round_down(w.at - bytes, 16) + bytes;       /* the count ends up on a multiple of 16 */
    *out  = push_bytes(&w, words, bytes);
    memory->auxiliary_start = *out + ahead;
    memory->auxiliary_end   = *out + bytes;
    heap_free(words);
    return w.err;
}

static vaddr_t below_end(unsigned count) { return page_address(layout.purpose[PURPOSE_USER]->span.end - count); }

/* The stack's region is small at first and grows by faults. */
static vaddr_t stack_top(void) { return below_end(STACK_BELOW_END); }

static int map_stack(struct shared_space *memory)
{
    struct map_request request = {
        .address = stack_top() - STACK_START_PAGES * PAGE_SIZE, .bytes = STACK_START_PAGES * PAGE_SIZE,
        .rights = MAY_READ | MAY_WRITE, .may = MAY_READ | MAY_WRITE | MAY_EXECUTE,
        .flags = MAP_IS_FIXED | MAP_GROWS_DOWN, .name = "[stack]",
    };
    vaddr_t out;

    return map_create(&memory->space, &request, &out);
}

/* ---- The whole --------------------------------------------------------------------------------- */

static size_t limit_of(unsigned which)
{
    uint64_t soft = current_process()->limits[which].soft;

    return soft > SIZE_MAX ? SIZE_MAX : (size_t)soft;
}

/* Set where mappings are placed: below the largest size of the stack, computed as in Linux. */
static void set_limits(struct shared_space *memory, vaddr_t top)
{
    struct map_limits *limits = &memory->space.limits;
    size_t             room;

    limits->stack = limit_of(RLIMIT_STACK);
    limits->data  = limit_of(RLIMIT_DATA);
    limits->whole = limit_of(RLIMIT_AS);
    room = limits->stack;
    if (room < 128 * MiB)
        room = 128 * MiB;
    if (room > top / 6 * 5)
        room = top / 6 * 5;
    limits->map_end = (vaddr_t)round_down(top - room, PAGE_SIZE);
}

static void place_break(struct shared_space *memory, const struct mapped *program)
{
    vaddr_t end = program->plan.highest + program->shift;

    memory->space.limits.break_start = memory->space.limits.break_end = end;
}

static int build_image(struct shared_space *memory, struct file *file, const char *path,
                       const struct image_arguments *arguments, struct mapped maps[2], struct image *image)
{
    struct mapped *program = &maps[0], *interpreter = &maps[1];
    struct auxiliary x = { .base = 0 };
    int            err = elf_read(read_program, file, &program->plan);

    assert(memory->executable == NULL && space_of_program() != &memory->space);
    set_limits(memory, stack_top());
    if (err == 0)
        err = map_stack(memory);
    if (err == 0)
        err = vdso_map(&memory->space, below_end(VDSO_BELOW_END), &x.vdso);
    if (err != 0)
        return err;
    err = map_program(&memory->space, file, program, false);
    if (err != 0)
        return err;
    if (program->plan.highest + program->shift > below_end(VDSO_BELOW_END))
        x.vdso = 0;                             /* a segment of its own lies there instead */
    memory->calls_at = x.vdso != 0 ? vdso_entry(x.vdso) : 0;
    image->entry = program->plan.entry + program->shift;
    if (program->plan.interpreter[0] != '\0') {
        err = map_interpreter(&memory->space, program->plan.interpreter, interpreter);
        if (err != 0)
            return err;
        image->entry = interpreter->plan.entry + interpreter->shift;
        x.base = interpreter->shift + interpreter->plan.lowest;
    }
    place_break(memory, program);
    err = memory_set_executable(memory, file->node);
    if (err != 0)
        return err;
    return write_stack(memory, stack_top(), arguments, path, program, x, &image->stack);
}

/* The plans are too large for a kernel stack. */
int image_build(struct shared_space *memory, struct file *file, const char *path,
                const struct image_arguments *arguments, struct image *image)
{
    struct mapped *maps = heap_alloc(2 * sizeof *maps, 0);
    int            err;

    may_sleep();
    if (maps == NULL)
        return -ENOMEM;
    err = build_image(memory, file, path, arguments, maps, image);
    heap_free(maps);
    return err;
}
