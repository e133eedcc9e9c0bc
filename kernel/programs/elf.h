/*
 * elf.h - which segments an ELF file asks to have mapped. The headers are read and checked; image.c maps.
 *
 * The file is not trusted: elf_read() ends for any contents, reads through the given function only, and accepts a
 * plan only if every segment's ranges are in order and inside 4 GiB.
 *
 * Source   System V ABI, "Object Files" and "Program Loading"; Intel386 supplement.
 */
#ifndef QUIRE_PROGRAMS_ELF_H
#define QUIRE_PROGRAMS_ELF_H

#include "base/types.h"

enum { ELF_SEGMENTS = 32, ELF_INTERPRETER = 256 };

struct elf_segment {
    uint32_t address, file_bytes, memory_bytes, offset;
    uint8_t  rights;                        /* MAY_*                                         */
};

struct elf_plan {
    bool     movable;                       /* ET_DYN: addresses are relative to its start */
    uint32_t entry;
    uint32_t lowest, highest;               /* of all segments, page aligned                 */
    uint32_t headers, header_count;         /* address of the program headers, 0 if not mapped */
    uint32_t segment_count;
    struct elf_segment segments[ELF_SEGMENTS];
    char     interpreter[ELF_INTERPRETER];  /* "": none                                       */
};

/* Read exactly `bytes` at `at`, and return 0; any other result makes elf_read() return -ENOEXEC. */
typedef int (*elf_source)(void *file, void *to, uint32_t at, uint32_t bytes);

/*
 * Read a file's headers into *plan. Returns 0; -ENOEXEC: not a program of this machine, or damaged; *plan is undefined
 * then.
 */
int elf_read(elf_source source, void *file, struct elf_plan *plan) MUST_CHECK;

#endif
