/*
 * words.h - the vocabulary of layout documents: every word with a meaning, once.
 *
 * A word list ends with a NULL text. `c` is the word's name in C.
 */
#ifndef QUIRE_LAYOUT_WORDS_H
#define QUIRE_LAYOUT_WORDS_H

#include "source.h"

struct word {
    const char *text;
    int         value;
    const char *c;
};

extern const struct word section_words[], backing_words[], purpose_words[], scope_words[], use_words[], part_words[],
                         polarity_words[], bitmap_words[], unlisted_words[], search_words[],
                         zeroing_words[], exhaustion_words[], access_words[], where_words[],
                         structure_words[], policy_words[], kept_words[];

/* Letters compare without regard to case. NULL when the list has no such word. */
const struct word *word_find(const struct word *list, const char *text);
const struct word *word_of(const struct word *list, int value);

/* Find a word, or complain that `what` is unknown and list the choices. */
bool word_read(struct source *s, uint32_t line, const char *what, const struct word *list, const char *text,
               int *out);

#endif
