/*
 * elf.c - reading an ELF file's headers into a plan.
 */
#include "programs/elf.h"

#include "base/error.h"
#include "base/range.h"
#include "base/string.h"
#include "memory/layout.h"

struct header {
    uint8_t  ident[16];
    uint16_t type, machine;
    uint32_t version, entry, program_headers, section_headers, flags;
    uint16_t size, program_header_size, program_header_count, section_header_size, section_header_count, names;
};
struct program_header {
    uint32_t type, offset, address, physical, file_bytes, memory_bytes, flags, align;
};
_Static_assert(sizeof(struct header) == 52 && sizeof(struct program_header) == 32, "System V ABI, 32-bit");

enum { CLASS_32 = 1, DATA_LITTLE = 1, TYPE_EXEC = 2, TYPE_DYN = 3, MACHINE_386 = 3, HEADERS_MAXIMUM = 128 };
enum { SEGMENT_LOAD = 1, SEGMENT_INTERPRETER = 3 };
enum { FLAG_EXECUTE = 1, FLAG_WRITE = 2, FLAG_READ = 4 };

static bool header_is_good(const struct header *h)
{
    static const uint8_t magic[4] = { 0x7F, 'E', 'L', 'F' };

    return memcmp(h->ident, magic, sizeof magic) == 0 && h->ident[4] == CLASS_32 && h->ident[5] == DATA_LITTLE &&
           h->machine == MACHINE_386 && (h->type == TYPE_EXEC || h->type == TYPE_DYN) &&
           h->program_header_size == sizeof(struct program_header) && h->program_header_count > 0 &&
           h->program_header_count <= HEADERS_MAXIMUM;
}

static uint8_t rights_of(uint32_t flags)
{
    return (flags & FLAG_READ ? MAY_READ : 0) | (flags & FLAG_WRITE ? MAY_WRITE : 0) |
           (flags & FLAG_EXECUTE ? MAY_EXECUTE : 0);
}

/* Add a segment. Segments must be in ascending order and may not have a page in common. */
static int add_segment(struct elf_plan *plan, const struct program_header *p)
{
    uint64_t memory_end, file_end, up;
    uint32_t down = (uint32_t)round_down(p->address, PAGE_SIZE);

    if (p->memory_bytes == 0)
        return 0;
    if (plan->segment_count == ELF_SEGMENTS || p->file_bytes > p->memory_bytes ||
        p->address % PAGE_SIZE != p->offset % PAGE_SIZE)
        return -ENOEXEC;
    if (!checked_add(p->address, p->memory_bytes, &memory_end) || memory_end > UINT32_MAX - PAGE_SIZE ||
        !checked_add(p->offset, p->file_bytes, &file_end) || file_end > UINT32_MAX ||
        !checked_round_up(memory_end, PAGE_SIZE, &up))
        return -ENOEXEC;
    if (plan->segment_count > 0 && down < plan->highest - PAGE_SIZE)
        return -ENOEXEC;
    plan->segments[plan->segment_count++] = (struct elf_segment){
        p->address, p->file_bytes, p->memory_bytes, p->offset, rights_of(p->flags) };
    if (plan->segment_count == 1)
        plan->lowest = down;
    plan->highest = (uint32_t)up;
    return 0;
}

static int read_interpreter(elf_source source, void *file, const struct program_header *p, struct elf_plan *plan)
{
    if (p->file_bytes < 2 || p->file_bytes > sizeof plan->interpreter ||
        source(file, plan->interpreter, p->offset, p->file_bytes) != 0 || plan->interpreter[p->file_bytes - 1] != '\0')
        return -ENOEXEC;
    return 0;
}

/* Find the address of the program headers in the program's memory, if a segment contains them. */
static void find_headers(const struct header *h, struct elf_plan *plan)
{
    uint32_t bytes = h->program_header_count * (uint32_t)sizeof(struct program_header);

    for (uint32_t i = 0; i < plan->segment_count; i++) {
        const struct elf_segment *s = &plan->segments[i];

        if (h->program_headers >= s->offset && bytes <= s->file_bytes &&
            h->program_headers - s->offset <= s->file_bytes - bytes)
            plan->headers = s->address + (h->program_headers - s->offset);
    }
    plan->header_count = h->program_header_count;
}

int elf_read(elf_source source, void *file, struct elf_plan *plan)
{
    struct header h;
    int           err = source(file, &h, 0, sizeof h);

    memset(plan, 0, sizeof *plan);
    if (err != 0 || !header_is_good(&h))
        return -ENOEXEC;
    plan->movable = h.type == TYPE_DYN;
    plan->entry   = h.entry;
    for (unsigned i = 0; i < h.program_header_count && err == 0; i++) {
        struct program_header p;
        uint64_t              at = h.program_headers + (uint64_t)i * sizeof p;

        if (at > UINT32_MAX || source(file, &p, (uint32_t)at, sizeof p) != 0)
            return -ENOEXEC;
        if (p.type == SEGMENT_LOAD)
            err = add_segment(plan, &p);
        else if (p.type == SEGMENT_INTERPRETER && plan->interpreter[0] == '\0')
            err = read_interpreter(source, file, &p, plan);
    }
    if (err != 0 || plan->segment_count == 0)
        return -ENOEXEC;
    find_headers(&h, plan);
    return 0;
}
