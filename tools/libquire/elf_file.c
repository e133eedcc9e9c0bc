/* elf_file.c - reading executables through libelf; the file may be anything. See elf_file.h. */
#include "elf_file.h"
#include "arena.h"

#include <errno.h>
#include <fcntl.h>
#include <gelf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/*
 * Limits of what is read: names in a dynamic section, a name's length, a dynamic section's bytes, program headers (as
 * in Linux, 64 KiB of them) and sections. A sparse file may have any number of each, and libelf keeps what it has read.
 */
enum { NEEDED_AT_MOST = 1024, TEXT_AT_MOST = 4096, DYNAMIC_AT_MOST = 1 << 20, HEADERS_AT_MOST = 2048,
       SECTIONS_AT_MOST = 0xFFFF };

void elf_file_free(struct elf_file *file)
{
    for (size_t i = 0; i < file->needed_count; i++)
        drop(file->needed[i]);
    drop(file->needed);
    drop(file->interpreter);
    drop(file->rpath);
    drop(file->runpath);
    *file = (struct elf_file){ 0 };
}

static void name_machine(struct elf_file *file, int class, unsigned machine)
{
    static const struct {
        unsigned    machine;
        const char *name;
    } names[] = {
        { EM_X86_64, "x86-64" },   { EM_AARCH64, "64-bit ARM" }, { EM_ARM, "ARM" },      { EM_RISCV, "RISC-V" },
        { EM_PPC64, "POWER" },     { EM_PPC, "PowerPC" },        { EM_S390, "s390" },    { EM_MIPS, "MIPS" },
        { EM_SPARC, "SPARC" },     { EM_68K, "68000" },          { EM_LOONGARCH, "LoongArch" },
    };

    snprintf(file->machine, sizeof(file->machine), "processor %u", machine);
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (names[i].machine == machine)
            snprintf(file->machine, sizeof(file->machine), "%s", names[i].name);
    if (machine == EM_X86_64 && class == ELFCLASS32)
        snprintf(file->machine, sizeof(file->machine), "x32");
}

/* At most `size` bytes at `offset`, as text that ends in them; NULL when the file has no such place. */
static char *text_at(int fd, uint64_t offset, uint64_t size)
{
    char bytes[TEXT_AT_MOST];
    ssize_t got;

    if (offset > INT64_MAX)
        return NULL;
    got = pread(fd, bytes, size < sizeof(bytes) ? size : sizeof(bytes), (off_t)offset);
    return got > 0 && memchr(bytes, '\0', (size_t)got) != NULL ? text("%s", bytes) : NULL;
}

/* Where in the file the byte at address `va` is. */
static bool offset_of(Elf *elf, size_t headers, uint64_t va, uint64_t *offset)
{
    GElf_Phdr header;

    for (size_t i = 0; i < headers; i++) {
        if (gelf_getphdr(elf, (int)i, &header) == NULL)
            return false;
        if (header.p_type == PT_LOAD && va >= header.p_vaddr && va - header.p_vaddr < header.p_filesz) {
            *offset = header.p_offset + (va - header.p_vaddr);
            return true;
        }
    }
    return false;
}

static bool read_dynamic(struct elf_file *file, int fd, Elf *elf, size_t headers, const GElf_Phdr *place)
{
    Elf_Data *data = place->p_filesz <= DYNAMIC_AT_MOST
                         ? elf_getdata_rawchunk(elf, (int64_t)place->p_offset, place->p_filesz, ELF_T_DYN) : NULL;
    uint64_t strings = 0, at = 0;
    bool have_strings = false;
    GElf_Dyn entry;

    if (data == NULL)
        return false;
    for (int i = 0; gelf_getdyn(data, i, &entry) != NULL && entry.d_tag != DT_NULL; i++)
        if (entry.d_tag == DT_STRTAB) {
            have_strings = true;
            at = entry.d_un.d_val;
        }
    have_strings = have_strings && offset_of(elf, headers, at, &strings);
    for (int i = 0; gelf_getdyn(data, i, &entry) != NULL && entry.d_tag != DT_NULL; i++) {
        char *name;

        if (entry.d_tag != DT_NEEDED && entry.d_tag != DT_RPATH && entry.d_tag != DT_RUNPATH)
            continue;
        name = have_strings ? text_at(fd, strings + entry.d_un.d_val, TEXT_AT_MOST) : NULL;
        if (name == NULL || file->needed_count == NEEDED_AT_MOST) {
            drop(name);
            return false;
        }
        if (entry.d_tag == DT_NEEDED) {
            file->needed = grown(file->needed, file->needed_count + 1, sizeof(*file->needed));
            file->needed[file->needed_count++] = name;
        } else {
            char **kept = entry.d_tag == DT_RPATH ? &file->rpath : &file->runpath;

            drop(*kept);
            *kept = name;
        }
    }
    return true;
}

static enum elf_verdict read_elf(struct elf_file *file, int fd, Elf *elf)
{
    GElf_Phdr part, dynamic = { .p_type = PT_NULL };
    GElf_Ehdr header;
    size_t headers;

    if (elf_kind(elf) != ELF_K_ELF)
        return ELF_NOT;
    if (gelf_getehdr(elf, &header) == NULL)
        return ELF_BROKEN;
    if (header.e_machine != EM_386 || gelf_getclass(elf) != ELFCLASS32) {
        name_machine(file, gelf_getclass(elf), header.e_machine);
        return ELF_FOREIGN;
    }
    if ((header.e_type != ET_EXEC && header.e_type != ET_DYN) || header.e_phnum > HEADERS_AT_MOST ||
        elf_getphdrnum(elf, &headers) != 0 || headers == 0)
        return ELF_BROKEN;
    for (size_t i = 0; i < headers; i++) {
        if (gelf_getphdr(elf, (int)i, &part) == NULL)
            return ELF_BROKEN;
        if (part.p_type == PT_INTERP && file->interpreter == NULL) {
            file->interpreter = text_at(fd, part.p_offset, part.p_filesz);
            if (file->interpreter == NULL)
                return ELF_BROKEN;
        }
        if (part.p_type == PT_LOAD && part.p_paddr + part.p_memsz > file->end)
            file->end = part.p_paddr + part.p_memsz;
        if (part.p_type == PT_DYNAMIC)
            dynamic = part;                 /* of several the last counts, as in ld.so */
    }
    return dynamic.p_type == PT_NULL || read_dynamic(file, fd, elf, headers, &dynamic) ? ELF_GOOD : ELF_BROKEN;
}

/*
 * True when a file says in its first section header that it has more sections than fit in its header. libelf makes room
 * for all of them, as soon as it is given the file.
 */
static bool has_too_many_sections(int fd)
{
    union {
        unsigned char ident[EI_NIDENT];
        Elf32_Ehdr    small;
        Elf64_Ehdr    large;
    } header = { 0 };
    union { Elf32_Shdr small; Elf64_Shdr large; } section = { 0 };
    bool large, turned;
    uint64_t offset, count;

    (void)!pread(fd, &header, sizeof(header), 0);
    large  = header.ident[EI_CLASS] == ELFCLASS64;
    turned = header.ident[EI_DATA] != (__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? ELFDATA2LSB : ELFDATA2MSB);
    if ((large ? header.large.e_shnum : header.small.e_shnum) != 0)
        return false;
    offset = large ? header.large.e_shoff : header.small.e_shoff;
    if (turned)
        offset = large ? __builtin_bswap64(offset) : __builtin_bswap32((uint32_t)offset);
    if (offset == 0 || offset > INT64_MAX || pread(fd, &section, sizeof(section), (off_t)offset) < 0)
        return false;
    count = large ? section.large.sh_size : section.small.sh_size;
    if (turned)
        count = large ? __builtin_bswap64(count) : __builtin_bswap32((uint32_t)count);
    return count > SECTIONS_AT_MOST;
}

/* Most files are not ELF files: a look at the magic number spares them the rest. */
static bool begins_like_one(int fd)
{
    char magic[SELFMAG];

    return pread(fd, magic, sizeof(magic), 0) == (ssize_t)sizeof(magic) && memcmp(magic, ELFMAG, SELFMAG) == 0;
}

static void end_elf(void *elf) { elf_end(elf); }

/* The file is read by read(2), not mapped: a file that shrinks under a mapping would end this process by SIGBUS. */
void elf_file_read(struct elf_file *file, int fd)
{
    struct held *held;
    Elf *elf;

    *file = (struct elf_file){ .verdict = ELF_NOT };
    if (!begins_like_one(fd))
        return;
    if (has_too_many_sections(fd)) {
        file->verdict = ELF_BROKEN;
        return;
    }
    elf_version(EV_CURRENT);
    elf = elf_begin(fd, ELF_C_READ, NULL);
    held = elf != NULL ? hold(end_elf, elf) : NULL;
    file->verdict = elf != NULL ? read_elf(file, fd, elf) : ELF_BROKEN;
    let_go(held);
}

int elf_file_read_path(struct elf_file *file, const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    struct held *held;

    if (fd < 0)
        return errno;
    held = hold_fd(fd);
    elf_file_read(file, fd);
    let_go(held);
    return 0;
}
