/*
 * string.h - bytes and text; the C library's names with the C library's meaning.
 *
 * The compiler emits calls to the first four by itself. On the host port the C
 * library answers all of these.
 */
#ifndef QUIRE_BASE_STRING_H
#define QUIRE_BASE_STRING_H

#include "base/types.h"

#if __STDC_HOSTED__
#include <string.h>
#else
void  *memcpy(void *restrict to, const void *restrict from, size_t n);
void  *memmove(void *to, const void *from, size_t n);
void  *memset(void *to, int byte, size_t n);
int    memcmp(const void *a, const void *b, size_t n);
void  *memchr(const void *s, int byte, size_t n);
size_t strlen(const char *s);
size_t strnlen(const char *s, size_t n);
int    strcmp(const char *a, const char *b);
int    strncmp(const char *a, const char *b, size_t n);
char  *strchr(const char *s, int c);
char  *strrchr(const char *s, int c);
#endif

/* Whole pages, aligned (asserted). page_holds(): whether each word is this one; some 2500 instructions if so. */
void page_clear(void *page);
void page_copy(void *restrict to, const void *restrict from);
void page_fill(void *page, uint32_t word);
bool page_holds(const void *page, uint32_t word);

/* Whether a line has this word, between blanks or at its ends. */
bool text_has_word(const char *line, const char *word);

/* Copy text into size bytes, cut if need be, always terminated. Returns strlen(from). */
size_t text_copy(char *to, const char *from, size_t size);

/* A line for people with words of programs in it: control characters, which could forge other lines, become `?`. */
void text_make_plain(char *line);

#endif
