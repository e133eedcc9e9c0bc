/*
 * programs.c - crafted files for execve: ELF headers and segments that contradict each other, and scripts.
 *
 * A sound program of one page is made, which ends with status 0 (or asks for itself as its interpreter); then one to
 * six fields get odd values. If it runs after all, it ends at once, or faults.
 */
#include "fuzzer.h"

struct elf {
    uint8_t  magic[16];
    uint16_t type, machine;
    uint32_t version, entry, segments_at, sections_at, flags;
    uint16_t size, segment_size, segments, section_size, sections, names;
};
struct segment { uint32_t type, offset, address, physical, file_size, memory_size, rights, align; };

enum { SEGMENTS = 8, BASE = 0x08400000 };
static struct { struct elf elf; struct segment segment[SEGMENTS]; char rest[3 * PAGE]; } file;

/* mov $252, %eax; xor %ebx, %ebx; int $0x80 */
static const uint8_t code[] = { 0xB8, 252, 0, 0, 0, 0x31, 0xDB, 0xCD, 0x80 };

static void make_sound(struct worker *w)
{
    /* INTERP, GNU_STACK, RELRO, PHDR, TLS, LOAD ... */
    static const uint32_t more[] = { 3, 0x6474E551, 0x6474E552, 6, 7, 1, 2, 4 };
    uint32_t count = 1 + chance_below(&w->chance, 4);

    memset(&file, 0, sizeof file);
    file.elf = (struct elf){ .magic = { 0x7F, 'E', 'L', 'F', 1, 1, 1 }, .type = chance_one_in(&w->chance, 3) ? 3 : 2,
                             .machine = 3, .version = 1,
                             .segments_at = sizeof file.elf, .size = sizeof file.elf,
                             .segment_size = sizeof(struct segment), .segments = (uint16_t)count };
    file.elf.entry  = (file.elf.type == 2 ? BASE : 0) + offsetof(__typeof__(file), rest);
    file.segment[0] = (struct segment){ 1, 0, file.elf.type == 2 ? BASE : 0, 0, PAGE, 2 * PAGE, 7, PAGE };
    for (uint32_t i = 1; i < count; i++)
        file.segment[i] = (struct segment){ CHANCE_OF(&w->chance, more), PAGE * chance_below(&w->chance, 3),
                                            BASE + 4 * PAGE * i, 0,
                                            chance_below(&w->chance, 2 * PAGE), chance_below(&w->chance, 4 * PAGE),
                                            chance_below(&w->chance, 8), PAGE };
    memcpy(file.rest, code, sizeof code);
    memcpy(file.rest + PAGE, "/program", 9);
}

static const uint32_t odd[] = {
    0, 1, 3, 7, 31, 32, 52, 255, 4095, 4096, 4097, 0x7FFFFFFF, 0x80000000, 0xBFFFF000, 0xC0000000, 0xE0000000, 0xFFFF,
    0xFFFFF000, 0xFFFFFFFF, BASE,
    BASE + 1, BASE + PAGE, 0x10000, 0x08048000, 0x20000000, 0x40000000,
};

static void disturb(struct worker *w)
{
    for (uint32_t n = chance_below(&w->chance, 7); n > 0; n--) {
        uint32_t header = sizeof file.elf + file.elf.segments * sizeof(struct segment), at;

        at = chance_below(&w->chance, header < 400 ? header : 300);
        if (chance_one_in(&w->chance, 3))
            ((uint8_t *)&file)[at] = (uint8_t)chance_word(&w->chance);
        else if (at < sizeof file.elf)
            *(uint16_t *)((uint8_t *)&file + (at & ~1u)) = (uint16_t)CHANCE_OF(&w->chance, odd);
        else
            *(uint32_t *)((uint8_t *)&file + (at & ~3u)) = CHANCE_OF(&w->chance, odd);
    }
}

static const char *const scripts[] = {
    "#!", "#! ", "#!\n", "#!/program", "#!/program\n", "#!/program x y z\n", "#!/nowhere\n", "#!folder\n", "#!/\n",
    "#!  /null \t\n", "#!\0/program\n", "#!a", "", "\x7F""ELF", "#!/proc/self/exe\n", "#!/random\n",
};

static uint32_t fill(struct worker *w)
{
    static const uint16_t lengths[] = { 0, 1, 16, 51, 52, 53, 84, 116, 200, 4095, 4096, 4097, 8192 };

    if (chance_one_in(&w->chance, 6)) {
        memset(&file, chance_one_in(&w->chance, 2) ? 'x' : 0, 600);
        memcpy(&file, CHANCE_OF(&w->chance, scripts), 18);
        return chance_one_in(&w->chance, 2) ? 600 : chance_below(&w->chance, 40);
    }
    make_sound(w);
    disturb(w);
    return chance_one_in(&w->chance, 4) ? CHANCE_OF(&w->chance, lengths) : sizeof file;
}

static void execute(struct worker *w)
{
    const char *arguments[] = { "program", "one", 0 };
    long        result;

    result = KERNEL(CALL_EXECVE, (long)"/program",
                    chance_one_in(&w->chance, 5) ? (long)structure_of(w, 'q') : (long)arguments,
                    chance_one_in(&w->chance, 5) ? (long)structure_of(w, 'q') : (long)arguments, 0);
    leave(result < 0 ? 1 : 2);
}

static void write_program(uint32_t length)
{
    long to = KERNEL(CALL_OPEN, (long)"/program", O_WRONLY | O_CREAT | O_TRUNC, 0777);

    KERNEL(CALL_WRITE, to, (long)&file, length);
    KERNEL(CALL_CLOSE, to);
}

void batch_programs(struct worker *w, uint32_t count)
{
    for (uint32_t n = 0; n < count; n++) {
        w->chance.state = mix(w->chance.state, n);
        KERNEL(CALL_UNLINK, (long)"/program");
        write_program(fill(w));
        __sync_fetch_and_add(&shared->calls, 5);
        __sync_fetch_and_add(&shared->by_kind[PROGRAMS], 5);
        if (attempt() == 0)
            execute(w);
    }
}
