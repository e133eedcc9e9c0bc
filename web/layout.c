/*
 * layout.c - the layout compiler for the page: `quire layout check`, `show --svg` and `facts` in one question.
 *
 * Answers: 0 what is wrong with the document, as the command says it; 1 its picture and 2 its facts, empty where
 * something is wrong.
 */
#include "module.h"

#include "layout/document.h"
#include "layout/facts.h"
#include "layout/picture.h"

/* Whether the document of this name is good. */
FOR_THE_PAGE(check) int check(const char *name, size_t length);
int check(const char *name, size_t length)
{
    struct source source;
    struct document document;
    FILE *complaints, *out;
    bool good;

    module_forget();
    complaints = module_answer(0);
    good = source_from(&source, name, module_input, length, complaints) && document_compile(&document, &source);
    fclose(complaints);
    if (good) {
        out = module_answer(1);
        picture_svg(&document, out);
        fclose(out);
        out = module_answer(2);
        facts_text(&document, out);
        fclose(out);
    }
    source_free(&source);
    return good;
}
