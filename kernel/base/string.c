/*
 * string.c - bytes, text and whole pages.
 *
 * On the host port the C library has the first half; whole pages, text_has_word() and text_copy()
 * are here on every port. Words and comparisons go through cpu.h, which knows the processor's fastest way.
 */
#include "base/string.h"
#include "base/check.h"
#include "base/range.h"
#include "cpu.h"

#define WORDS_OF_PAGE (PAGE_SIZE / sizeof(uint32_t))

#if !__STDC_HOSTED__

void *memcpy(void *restrict to, const void *restrict from, size_t n)
{
    uint8_t       *t = to;
    const uint8_t *f = from;

    words_copy(t, f, n / 4);
    for (size_t i = n & ~(size_t)3; i < n; i++)
        t[i] = f[i];
    return to;
}

void *memmove(void *to, const void *from, size_t n)
{
    uint8_t       *t = to;
    const uint8_t *f = from;

    if ((uintptr_t)t - (uintptr_t)f >= n)       /* to is below from, or behind its end */
        return memcpy(to, from, n);
    while (n-- > 0)
        t[n] = f[n];
    return to;
}

void *memset(void *to, int byte, size_t n)
{
    uint8_t *t = to;

    words_fill(t, (uint8_t)byte * 0x01010101u, n / 4);
    for (size_t i = n & ~(size_t)3; i < n; i++)
        t[i] = (uint8_t)byte;
    return to;
}

int memcmp(const void *a, const void *b, size_t n) { return bytes_compare(a, b, n); }

void *memchr(const void *s, int byte, size_t n)
{
    const uint8_t *p = s;

    for (size_t i = 0; i < n; i++)
        if (p[i] == (uint8_t)byte)
            return (void *)(p + i);
    return NULL;
}

size_t strlen(const char *s)
{
    size_t n = 0;

    while (s[n])
        n++;
    return n;
}

size_t strnlen(const char *s, size_t n)
{
    size_t length = 0;

    while (length < n && s[length])
        length++;
    return length;
}

int strcmp(const char *a, const char *b)
{
    while (*a && *a == *b)
        a++, b++;
    return (uint8_t)*a - (uint8_t)*b;
}

int strncmp(const char *a, const char *b, size_t n)
{
    while (n > 0 && *a && *a == *b)
        a++, b++, n--;
    return n == 0 ? 0 : (uint8_t)*a - (uint8_t)*b;
}

char *strchr(const char *s, int c)
{
    for (;; s++) {
        if (*s == (char)c)
            return (char *)s;
        if (!*s)
            return NULL;
    }
}

char *strrchr(const char *s, int c)
{
    const char *last = NULL;

    for (;; s++) {
        if (*s == (char)c)
            last = s;
        if (!*s)
            return (char *)last;
    }
}

#endif

void page_clear(void *page)
{
    page_fill(page, 0);
}

void page_copy(void *restrict to, const void *restrict from)
{
    assert(is_aligned((uintptr_t)to, PAGE_SIZE) && is_aligned((uintptr_t)from, PAGE_SIZE));
    cpu_page_copy(to, from);
}

void page_fill(void *page, uint32_t word)
{
    assert(is_aligned((uintptr_t)page, PAGE_SIZE));
    cpu_page_fill(page, word);
}

/* Eight words a step: a checked kernel does this with interrupts off, for each frame that it takes. */
bool page_holds(const void *page, uint32_t word)
{
    const uint32_t *end = (const uint32_t *)page + WORDS_OF_PAGE;

    assert(is_aligned((uintptr_t)page, PAGE_SIZE));
    for (const uint32_t *w = page; w < end; w += 8)
        if (w[0] != word || w[1] != word || w[2] != word || w[3] != word ||
            w[4] != word || w[5] != word || w[6] != word || w[7] != word)
            return false;
    return true;
}

size_t text_copy(char *to, const char *from, size_t size)
{
    size_t length = strlen(from), take;

    if (size > 0) {
        take = length < size ? length : size - 1;
        memcpy(to, from, take);
        to[take] = '\0';
    }
    return length;
}

void text_make_plain(char *line)
{
    for (; *line != '\0'; line++)
        if ((uint8_t)*line < ' ' || *line == 0x7F)
            *line = '?';
}

bool text_has_word(const char *line, const char *word)
{
    size_t length = strlen(word);

    for (const char *at = line; *at != '\0'; at++)
        if ((at == line || at[-1] == ' ') && strncmp(at, word, length) == 0 &&
            (at[length] == ' ' || at[length] == '\0'))
            return true;
    return false;
}
