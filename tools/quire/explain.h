/*
 * explain.h - the part of docs/layouts.md that explains a complaint of the layout compiler.
 *
 * The table under `## What is refused` has for each kind of complaint its text (`...` stands for any text; several
 * forms are separated by commas), what to do, and where the rule stands: a heading, and the first words of a paragraph
 * or of a row of a table below it.
 */
#ifndef QUIRE_EXPLAIN_H
#define QUIRE_EXPLAIN_H

#include <stdio.h>

/* Print each line of `complaints`, and below it its rule and paragraph; without the document only the lines. */
void explain(const char *complaints, FILE *out);

#endif
