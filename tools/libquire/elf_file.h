/*
 * elf_file.h - reading the headers of an executable or a library that a loader uses.
 */
#ifndef QUIRE_ELF_FILE_H
#define QUIRE_ELF_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum elf_verdict {
    ELF_GOOD,           /* an i386 program or library                      */
    ELF_NOT,            /* not an ELF file at all                          */
    ELF_FOREIGN,        /* an ELF file for another processor; see machine  */
    ELF_BROKEN,         /* begins as an ELF file, but is damaged                 */
};

struct elf_file {
    enum elf_verdict verdict;
    char   machine[24];         /* "x86-64", for people */
    char  *interpreter;         /* NULL: static         */
    char **needed;              /* names of libraries   */
    size_t needed_count;
    char  *rpath, *runpath;     /* NULL: none           */
    uint64_t end;               /* of a kernel: the physical byte past the last it loads  */
};

/*
 * Read an open file, which may have any contents, and change meanwhile. Its position moves. Needs elf_file_free(). The
 * other function opens the file first: it returns 0 or an errno, and only 0 needs elf_file_free().
 */
void elf_file_read(struct elf_file *file, int fd);
int elf_file_read_path(struct elf_file *file, const char *path);
void elf_file_free(struct elf_file *file);

#endif
