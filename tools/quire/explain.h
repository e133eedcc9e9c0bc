/*
 * explain.h - what docs/layouts.md says of a complaint of the layout compiler's.
 *
 * The book's table under `## What is refused` has for each kind of complaint how it reads (`...` stands for anything,
 * several forms with commas between them), what to do, and where the rule stands: a heading, and the words with which a
 * paragraph or a row of a table below it begins.
 */
#ifndef QUIRE_EXPLAIN_H
#define QUIRE_EXPLAIN_H

#include <stdio.h>

/* Print each line of `complaints`, and below it its rule and paragraph. Without the book, the lines alone. */
void explain(const char *complaints, FILE *out);

#endif
