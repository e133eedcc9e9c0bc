/*
 * fuzz_elf.c - whatever a program file says, reading it ends, and a plan that is accepted can be mapped.
 *
 * elf.c is included: it is the file under test, and needs nothing of the machine.
 */
#include "../../kernel/programs/elf.c"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct bytes {
    const uint8_t *data;
    size_t         size;
};

static int read_bytes(void *file, void *to, uint32_t at, uint32_t count)
{
    const struct bytes *bytes = file;

    if (at > bytes->size || count > bytes->size - at)
        return -ENOEXEC;
    memcpy(to, bytes->data + at, count);
    return 0;
}

static void must(bool holds)
{
    if (!holds)
        abort();
}

/* The properties of a plan that exec.c and image.c rely on. */
static void check_plan(const struct elf_plan *plan)
{
    uint64_t before = 0;

    must(plan->segment_count > 0 && plan->segment_count <= ELF_SEGMENTS);
    must(plan->lowest % PAGE_SIZE == 0 && plan->highest % PAGE_SIZE == 0 && plan->lowest < plan->highest);
    must(memchr(plan->interpreter, '\0', sizeof plan->interpreter) != NULL);
    for (uint32_t i = 0; i < plan->segment_count; i++) {
        const struct elf_segment *s = &plan->segments[i];

        must(s->memory_bytes > 0 && s->file_bytes <= s->memory_bytes);
        must(s->address % PAGE_SIZE == s->offset % PAGE_SIZE);
        must(s->address >= plan->lowest && (uint64_t)s->address + s->memory_bytes <= plan->highest);
        must((uint64_t)s->offset + s->file_bytes <= UINT32_MAX);
        must(s->address + PAGE_SIZE > before);
        before = s->address;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bytes    bytes = { data, size };
    struct elf_plan plan;

    if (elf_read(read_bytes, &bytes, &plan) == 0)
        check_plan(&plan);
    return 0;
}
