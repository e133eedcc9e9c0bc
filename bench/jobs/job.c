/* job.c - the main program of what the job for make builds from the layout compiler's sources: a document, drawn. */
#include "layout/document.h"
#include "layout/picture.h"

int main(int argc, char **argv)
{
    static struct document document;
    struct source source;

    if (argc != 2 || !source_open(&source, argv[1], stderr) || !document_compile(&document, &source))
        return 1;
    picture_text(&document, stdout);
    source_free(&source);
    return 0;
}
