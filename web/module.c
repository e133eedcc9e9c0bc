/*
 * module.c - room for questions and answers. See module.h.
 */
#include "module.h"

#include <stdlib.h>

char *module_input;
static struct { char *text; size_t length; } answers[ANSWERS];

FOR_THE_PAGE(input) char *input(size_t length)
{
    free(module_input);
    module_input = malloc(length + 1);
    if (module_input == NULL)
        exit(2);
    module_input[length] = '\0';
    return module_input;
}

/* The text becomes a name that stays, and makes room for another. */
FOR_THE_PAGE(keep_name) const char *keep_name(void)
{
    static char *name;

    free(name);
    name = module_input;
    module_input = NULL;
    return name;
}

FOR_THE_PAGE(answer) const char *answer(unsigned n) { return answers[n].text; }
FOR_THE_PAGE(answer_length) size_t answer_length(unsigned n) { return answers[n].length; }

FILE *module_answer(unsigned n)
{
    FILE *stream;

    free(answers[n].text);
    answers[n].text = NULL;
    answers[n].length = 0;
    stream = open_memstream(&answers[n].text, &answers[n].length);
    if (stream == NULL)
        exit(2);
    return stream;
}

void module_forget(void)
{
    for (unsigned n = 0; n < ANSWERS; n++)
        fclose(module_answer(n));
}
