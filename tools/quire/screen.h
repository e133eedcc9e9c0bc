/*
 * screen.h - a text that is longer than the terminal and changes while it is shown: redrawn in its place, scrolled by
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

/* Show another text, which the screen frees; the number of the top line stays. */
void screen_show(struct screen *screen, char *text, size_t length);
/* Scroll by arrows or j and k, space and b or the page keys, g and G. Other keys are ignored. */
void screen_keys(struct screen *screen, const char *keys, size_t count);
void screen_free(struct screen *screen);

#endif
