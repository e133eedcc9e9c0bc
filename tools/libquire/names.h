/*
 * names.h - the names of functions of a kernel that does not contain them.
 *
 * kernel-run.elf is small: its panics have addresses only. Beside it lies its map, kernel-run.map:
 * a line "ADDRESS NAME" for each function and "ADDRESS @FILE:LINE" for each assertion, by address.
 */
#ifndef QUIRE_NAMES_H
#define QUIRE_NAMES_H

#include <stddef.h>

struct names { char *text; size_t length; };

/* Read the map beside a kernel's file. Without a file the map is empty, as for kernels that contain names. */
struct names names_of(const char *kernel);
void         names_free(struct names *names);

/*
 * For "panic: assertion failed at ADDRESS" the position in the sources, "kernel/init/crash.c:18: ", to be inserted
 * before "assertion". For another line of a panic with an address the name to be inserted behind it: "  function+0x12".
 * The caller frees the text; *at is where in the line it is inserted. NULL when the line has no address, or the address
 * is in no function.
 */
char *names_for_line(const struct names *names, const char *line, size_t length, size_t *at);

#endif
