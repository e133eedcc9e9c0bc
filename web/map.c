/*
 * map.c - the map's drawing for the page: lines of a snapshot in, an SVG out.
 *
 * Answers: 0 which line makes no sense, if one does not; 1 the picture.
 */
#include "module.h"

#include "map/draw.h"

FOR_THE_PAGE(draw) int draw(size_t length);
int draw(size_t length)
{
    struct source source = { .path = "snapshot" };
    struct snapshot snapshot;
    struct picture picture;
    FILE *complaints, *out;
    bool good;

    module_forget();
    source.complaints = complaints = module_answer(0);
    good = snapshot_read(&snapshot, &source, module_input, length);
    fclose(complaints);
    if (good) {
        picture_make(&picture, &source, &snapshot);
        out = module_answer(1);
        draw_svg(&picture, &source, 0, out);
        fclose(out);
    }
    source_free(&source);
    return good;
}
