/* emit.c - the files of one layout. See emit.h. */
#include "emit.h"
#include "picture.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

static const struct {
    const char *name;
    void      (*emit)(const struct document *d, FILE *out);
} files[] = {
    { "layout.h",   emit_constants },
    { "layout.c",   emit_tables },
    { "kernel.ld",  emit_linker_script },
    { "tables.S",   emit_boot_tables },
    { "layout.txt", picture_text },
};

const char *distance_text(const struct document *d)
{
    if (d->kernel_offset >= SPACE_END)
        return source_print(d->source, "-0x%08" PRIX64, -d->kernel_offset);
    return source_print(d->source, "0x%08" PRIX64, d->kernel_offset);
}

int emit_all(const struct document *d, const char *directory)
{
    for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
        FILE *out = fopen(source_print(d->source, "%s/%s", directory, files[i].name), "w");
        bool failed;

        if (out == NULL)
            return errno;
        files[i].emit(d, out);
        errno = EIO;
        failed = ferror(out);
        if (fclose(out) != 0 || failed)
            return errno;
    }
    return 0;
}
