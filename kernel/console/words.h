/*
 * words.h - command text taken apart: words, numbers, and messages about wrong arguments.
 */
#ifndef QUIRE_CONSOLE_WORDS_H
#define QUIRE_CONSOLE_WORDS_H

#include "base/types.h"

enum { WORDS = 8 };

/*
 * Cut text into words at spaces and tabs, in place; at most WORDS of them.
 * Returns their number, or -E2BIG when there are more.
 */
int words_of(char *text, char *words[WORDS]);

/*
 * A whole number: decimal, or hexadecimal after 0x; underscores between digits are allowed, as in
 * documents (0xC000_0000). False when it is anything else or does not fit; *out is then unchanged.
 */
bool number_of(const char *word, uint64_t *out);

/*
 * The same for an argument of a command: a number in [least, most]. For any other word it prints a line that names the
 * argument, and returns false.
 */
bool number_argument(const char *word, const char *what, uint64_t least, uint64_t most, uint64_t *out);

/* The same for an address of the machine's virtual memory. */
bool address_argument(const char *word, vaddr_t *out);

#endif
