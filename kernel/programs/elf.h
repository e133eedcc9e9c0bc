/*
 * elf.h - what an ELF file asks to have mapped: read and judged, nothing done.
 *
 * elf_read() believes nothing of the file: it ends, reads through the given function only, and accepts a
 * plan only if every segment's ranges are in order and inside 4 GiB. Mapping is image.c's.
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
    bool     movable;                       /* ET_DYN: addresses are relative to where it goes */
    uint32_t entry;
    uint32_t lowest, highest;               /* of all segments, page aligned                 */
    uint32_t headers, header_count;         /* address of the program headers, 0 if not mapped */
    uint32_t segment_count;
    struct elf_segment segments[ELF_SEGMENTS];
    char     interpreter[ELF_INTERPRETER];  /* "" when it needs none                         */
};

/* Read exactly `bytes` at `at`, and return 0; anything else ends the reading with -ENOEXEC. */
typedef int (*elf_source)(void *file, void *to, uint32_t at, uint32_t bytes);

/*
 * Returns 0; -ENOEXEC: not a program of this machine, or damaged. The plan is undefined then.
 */
int elf_read(elf_source source, void *file, struct elf_plan *plan) MUST_CHECK;

#endif
