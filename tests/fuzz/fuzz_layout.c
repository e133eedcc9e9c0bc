/*
 * fuzz_layout.c - no text, however wrong, may break the layout compiler.
 *
 * Whatever document passes its checks is also emitted and drawn in full, because the
 * emitters rely on what the checks promise.
 */
#include "layout/document.h"
#include "layout/emit.h"
#include "layout/picture.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static FILE *nowhere(void)
{
    static FILE *out;

    if (out == NULL && (out = fopen("/dev/null", "w")) == NULL)
        abort();
    return out;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    FILE *out = nowhere();
    struct document document;
    struct source source;

    if (source_from(&source, "fuzz.md", (const char *)data, size, out) && document_compile(&document, &source)) {
        emit_constants(&document, out);
        emit_tables(&document, out);
        emit_linker_script(&document, out);
        emit_boot_tables(&document, out);
        picture_text(&document, out);
        picture_svg(&document, out);
    }
    source_free(&source);
    return 0;
}
