/* flat.c - a kernel's loaded parts, laid out by physical address, through libelf. See flat.h. */
#include "flat.h"
#include "seal.h"

#include <errno.h>
#include <fcntl.h>
#include <gelf.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { PAGE = 4096, LARGEST = 64 << 20 };       /* a kernel beyond 64 MiB is no kernel of ours */

/* What the loaded parts span. False: there are none, or they make no sense. */
static bool measure(Elf *elf, size_t parts, struct flat *flat)
{
    uint64_t start = UINT64_MAX, filled = 0, end = 0;
    GElf_Phdr part;

    for (size_t i = 0; i < parts; i++) {
        if (gelf_getphdr(elf, (int)i, &part) == NULL)
            return false;
        if (part.p_type != PT_LOAD || part.p_memsz == 0)
            continue;
        if (part.p_filesz > part.p_memsz || part.p_paddr > UINT32_MAX - LARGEST || part.p_memsz > LARGEST)
            return false;
        start = part.p_paddr < start ? part.p_paddr : start;
        if (part.p_filesz > 0 && part.p_paddr + part.p_filesz > filled)
            filled = part.p_paddr + part.p_filesz;
        if (part.p_paddr + part.p_memsz > end)
            end = part.p_paddr + part.p_memsz;
    }
    end = (end + PAGE - 1) / PAGE * PAGE;
    if (filled <= start || end - start > LARGEST)
        return false;
    flat->start = (uint32_t)start;
    flat->size  = (uint32_t)(filled - start);
    flat->end   = (uint32_t)end;
    return true;
}

static bool fill(Elf *elf, size_t parts, struct flat *flat)
{
    size_t whole;
    const char *file = elf_rawfile(elf, &whole);
    GElf_Phdr part;

    flat->bytes = calloc(1, flat->size);
    if (file == NULL || flat->bytes == NULL)
        return false;
    for (size_t i = 0; i < parts; i++) {
        if (gelf_getphdr(elf, (int)i, &part) == NULL)
            return false;
        if (part.p_type != PT_LOAD || part.p_filesz == 0)
            continue;
        if (part.p_offset > whole || part.p_filesz > whole - part.p_offset)
            return false;
        memcpy(flat->bytes + (part.p_paddr - flat->start), file + part.p_offset, part.p_filesz);
    }
    return true;
}

static bool read_elf(Elf *elf, struct flat *flat)
{
    GElf_Ehdr header;
    size_t parts;

    if (elf == NULL || elf_kind(elf) != ELF_K_ELF || gelf_getehdr(elf, &header) == NULL ||
        header.e_machine != EM_386 || elf_getphdrnum(elf, &parts) != 0)
        return false;
    flat->entry = (uint32_t)header.e_entry;
    return measure(elf, parts, flat) && fill(elf, parts, flat);
}

int flat_read(struct flat *flat, const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    bool good;
    Elf *elf;

    *flat = (struct flat){ 0 };
    if (fd < 0)
        return tell(SEAL_NO_KERNEL, "%s: %s", path, strerror(errno));
    elf_version(EV_CURRENT);
    elf = elf_begin(fd, ELF_C_READ_MMAP, NULL);
    good = read_elf(elf, flat);
    elf_end(elf);
    close(fd);
    if (good)
        return 0;
    free(flat->bytes);
    return tell(SEAL_NO_KERNEL, "%s is no kernel that could be put into an image", path);
}
