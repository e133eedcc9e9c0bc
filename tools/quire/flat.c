/* flat.c - a kernel's loaded parts, laid out by physical address, through libelf. See flat.h. */
#include "flat.h"
#include "libquire/arena.h"
#include "libquire/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <gelf.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { PAGE = 4096, LARGEST = 64 << 20 };       /* a kernel of Quire is smaller than 64 MiB */

/* The parts that are loaded, upwards; those that hold nothing but declared zeros have no bytes. */
struct loads {
    GElf_Phdr *part;
    size_t     count;
};

static int compare(const void *a, const void *b)
{
    const GElf_Phdr *left = a, *right = b;

    return left->p_paddr < right->p_paddr ? -1 : left->p_paddr > right->p_paddr;
}

/* False: the parts are invalid. */
static bool collect_loads(Elf *elf, size_t parts, struct loads *loads)
{
    loads->part = grown(NULL, parts, sizeof(*loads->part));
    for (size_t i = 0; i < parts; i++) {
        GElf_Phdr *part = &loads->part[loads->count];

        if (gelf_getphdr(elf, (int)i, part) == NULL)
            return false;
        if (part->p_type != PT_LOAD || part->p_memsz == 0)
            continue;
        if (part->p_filesz > part->p_memsz || part->p_paddr > UINT32_MAX - LARGEST || part->p_memsz > LARGEST)
            return false;
        loads->count++;
    }
    qsort(loads->part, loads->count, sizeof(*loads->part), compare);
    return loads->count > 0;
}

static uint32_t end_of(const struct bios_piece *piece)
{
    return piece->to + piece->bytes;
}

/* Set the pieces, and the borders of all of them. */
static bool measure_loads(const struct loads *loads, struct flat *flat)
{
    uint64_t end = 0;

    for (size_t i = 0; i < loads->count; i++) {
        uint32_t from = (uint32_t)loads->part[i].p_paddr, to = from + (uint32_t)loads->part[i].p_filesz;
        struct bios_piece *last = flat->piece_count > 0 ? &flat->piece[flat->piece_count - 1] : NULL;

        if (loads->part[i].p_paddr + loads->part[i].p_memsz > end)
            end = loads->part[i].p_paddr + loads->part[i].p_memsz;
        if (from == to)
            continue;
        if (last == NULL || (from >= end_of(last) + FLAT_GAP && flat->piece_count < BIOS_PIECES))
            flat->piece[flat->piece_count++] = (struct bios_piece){ from, to - from };
        else if (to > end_of(last))
            last->bytes = to - last->to;
    }
    end = (end + PAGE - 1) / PAGE * PAGE;
    flat->start = (uint32_t)loads->part[0].p_paddr;
    flat->end   = (uint32_t)end;
    for (uint32_t i = 0; i < flat->piece_count; i++)
        flat->size += flat->piece[i].bytes;
    return flat->piece_count > 0 && flat->piece[0].to == flat->start && end - flat->start <= LARGEST;
}

/* The place in flat->bytes of the byte at a physical address, which some piece holds. */
static uint8_t *place_of(const struct flat *flat, uint32_t physical)
{
    uint8_t *at = flat->bytes;
    uint32_t i = 0;

    while (physical >= end_of(&flat->piece[i]))
        at += flat->piece[i++].bytes;
    return at + (physical - flat->piece[i].to);
}

static bool fill(Elf *elf, const struct loads *loads, struct flat *flat)
{
    size_t whole;
    const char *file = elf_rawfile(elf, &whole);

    flat->bytes = calloc(1, flat->size);
    if (file == NULL || flat->bytes == NULL)
        return false;
    for (size_t i = 0; i < loads->count; i++) {
        const GElf_Phdr *part = &loads->part[i];

        if (part->p_offset > whole || part->p_filesz > whole - part->p_offset)
            return false;
        if (part->p_filesz > 0)
            memcpy(place_of(flat, (uint32_t)part->p_paddr), file + part->p_offset, part->p_filesz);
    }
    return true;
}

static bool read_elf(Elf *elf, struct flat *flat)
{
    struct loads loads = { 0 };
    GElf_Ehdr header;
    size_t parts;
    bool good;

    if (elf == NULL || elf_kind(elf) != ELF_K_ELF || gelf_getehdr(elf, &header) == NULL ||
        header.e_machine != EM_386 || elf_getphdrnum(elf, &parts) != 0)
        return false;
    flat->entry = (uint32_t)header.e_entry;
    good = collect_loads(elf, parts, &loads) && measure_loads(&loads, flat) && fill(elf, &loads, flat);
    drop(loads.part);
    return good;
}

int flat_read(struct flat *flat, const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    bool good;
    Elf *elf;

    *flat = (struct flat){ 0 };
    if (fd < 0)
        return tell(SANDBOX_NO_KERNEL, "%s: %s", path, strerror(errno));
    elf_version(EV_CURRENT);
    elf = elf_begin(fd, ELF_C_READ_MMAP, NULL);
    good = read_elf(elf, flat);
    elf_end(elf);
    close(fd);
    if (good)
        return 0;
    free(flat->bytes);
    return tell(SANDBOX_NO_KERNEL, "%s is no kernel that could be put into an image", path);
}
