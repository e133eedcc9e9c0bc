/*
 * screen.h - a text that is longer than the terminal and changes while it is looked at: drawn in its place, moved by
 * keys.
 */
#ifndef QUIRE_SCREEN_H
#define QUIRE_SCREEN_H

#include <stdbool.h>
#include <stddef.h>

struct screen {
    char    *text;
    size_t   length;
    unsigned first;                     /* line that is shown on top */
};

/* Another text, which the screen frees; what is on top stays the same line. */
void screen_show(struct screen *screen, char *text, size_t length);
/* Arrows or j and k, space and b or the page keys, g and G. Others do nothing. */
void screen_keys(struct screen *screen, const char *keys, size_t count);
void screen_free(struct screen *screen);

#endif
