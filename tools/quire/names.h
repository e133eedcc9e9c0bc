/*
 * names.h - the functions of a kernel that does not know their names itself.
 *
 * kernel-run.elf is as small as it can be: a panic of it gives addresses alone. Beside it lies its map, kernel-run.map:
 * a line "ADDRESS NAME" for each function and "ADDRESS @FILE:LINE" for each assertion, by address.
 */
#ifndef QUIRE_NAMES_H
#define QUIRE_NAMES_H

#include <stddef.h>

struct names { char *text; size_t length; };

/* The map beside a kernel's file. Nothing is in it when there is none, as beside kernels that know their names. */
struct names names_of(const char *kernel);
void         names_free(struct names *names);

/*
 * "panic: assertion failed at ADDRESS" says where in the sources that is: "kernel/init/crash.c:18: ", to be put before
 * "assertion". Else the name to be put behind the address of a line of a panic: "  function+0x12", which the caller
 * frees, and *at, how far into the line it belongs. NULL when the line is no address alone, or no function is there.
 */
char *names_for_line(const struct names *names, const char *line, size_t length, size_t *at);

#endif
