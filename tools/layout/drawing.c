/* drawing.c - functions that all drawings share. See drawing.h. */
#include "drawing.h"

#include <string.h>

/* ---- Looks --------------------------------------------------------------------------- */

struct look look_of_region(enum purpose purpose, enum backing backing)
{
    static const struct look by_purpose[PURPOSE_COUNT] = {
        [PURPOSE_PLAIN]   = { "#e9eef2", "#7d93a5" }, [PURPOSE_USER]    = { "#e4f1df", "#6b9a58" },
        [PURPOSE_BOOT]    = { "#ececec", "#999999" }, [PURPOSE_TEXT]    = { "#d7e5f7", "#4f7fb8" },
        [PURPOSE_RODATA]  = { "#e3ecf9", "#7ea2cf" }, [PURPOSE_DATA]    = { "#dbeaf0", "#5b93a8" },
        [PURPOSE_DIRECT]  = { "#e9eef2", "#7d93a5" }, [PURPOSE_RECORDS] = { "#f8efd6", "#c9a85a" },
        [PURPOSE_HEAP]    = { "#fdf0c8", "#d0a62f" }, [PURPOSE_DEVICES] = { "#f7dedb", "#c0675c" },
        [PURPOSE_STACKS]  = { "#fbe3cd", "#cf8a4a" }, [PURPOSE_SLOTS]   = { "#e7e2f4", "#8c7bbf" },
        [PURPOSE_TABLES]  = { "#dcd4ef", "#6f5aae" }, [PURPOSE_BOOKKEEPING] = { "#e3dcf0", "#7f6ab5" },
        [PURPOSE_OBJECTS] = { "#dcd4ef", "#6f5aae" }, [PURPOSE_TRACKERS] = { "#f8efd6", "#c9a85a" },
        [PURPOSE_ORIGINAL] = { "#ececec", "#999999" }, [PURPOSE_STACK]  = { "#fbe3cd", "#cf8a4a" },
        [PURPOSE_SHARED]  = { "#dbeaf0", "#5b93a8" },
    };

    if (backing == BACKING_NONE)
        return (struct look){ "url(#hole)", "#bbbbbb" };
    if (backing == BACKING_ALIAS)
        return (struct look){ "url(#alias)", "#7d93a5" };
    return by_purpose[by_purpose[purpose].fill != NULL ? purpose : PURPOSE_PLAIN];
}

struct look look_of_use(enum physical_use use)
{
    switch (use) {
    case PHYSICAL_KERNEL:   return (struct look){ "#e9eef2", "#7d93a5" };
    case PHYSICAL_HARDWARE: return (struct look){ "#f7dedb", "#c0675c" };
    case PHYSICAL_MASTER:   return (struct look){ "#dcd4ef", "#6f5aae" };
    case PHYSICAL_BOOT:     return (struct look){ "#ececec", "#999999" };
    case PHYSICAL_IMAGE:    return (struct look){ "#d7e5f7", "#4f7fb8" };
    case PHYSICAL_BITMAP:   return (struct look){ "#f8efd6", "#c9a85a" };
    case PHYSICAL_POOL:     break;
    }
    return (struct look){ "#e4f1df", "#6b9a58" };
}

/* ---- Lines --------------------------------------------------------------------------- */

int line_length(const char *text, int limit)
{
    int length = (int)strlen(text), at = limit;

    if (length <= limit)
        return length;
    while (at > 0 && text[at] != ' ')
        at--;
    return at == 0 ? limit : at;
}

int line_count(const char *text, int limit)
{
    int lines = 0;

    for (; *text != '\0'; lines++) {
        text += line_length(text, limit);
        text += strspn(text, " ");
    }
    return lines;
}

/* ---- SVG ----------------------------------------------------------------------------- */

const char svg_patterns[] =
    "<pattern id=\"hole\" width=\"7\" height=\"7\" patternUnits=\"userSpaceOnUse\" "
    "patternTransform=\"rotate(45)\">"
    "<rect width=\"7\" height=\"7\" fill=\"#fff\"/><path d=\"M0 0V7\" stroke=\"#e2e2e2\" "
    "stroke-width=\"2\"/></pattern>\n"
    "<pattern id=\"alias\" width=\"9\" height=\"9\" patternUnits=\"userSpaceOnUse\" "
    "patternTransform=\"rotate(45)\">"
    "<rect width=\"9\" height=\"9\" fill=\"#f2f5f8\"/><path d=\"M0 0V9\" stroke=\"#dfe7ed\" "
    "stroke-width=\"4\"/></pattern>\n";

void svg_escaped(FILE *out, const char *text, int length)
{
    for (int i = 0; i < length && text[i] != '\0'; i++)
        switch (text[i]) {
        case '<': fputs("&lt;", out);  break;
        case '>': fputs("&gt;", out);  break;
        case '&': fputs("&amp;", out); break;
        default:  fputc(text[i], out);
        }
}

void svg_text_part(FILE *out, double x, double y, const char *class, const char *text, int length)
{
    fprintf(out, "<text x=\"%.1f\" y=\"%.1f\" class=\"%s\">", x, y, class);
    svg_escaped(out, text, length);
    fputs("</text>\n", out);
}

void svg_text(FILE *out, double x, double y, const char *class, const char *text)
{
    svg_text_part(out, x, y, class, text, (int)strlen(text));
}

/* ---- Characters ---------------------------------------------------------------------- */

void character_border(FILE *out, int width, const char *title, const char *label)
{
    int used = *title == '\0' ? 0 : fprintf(out, "+-- %.*s ", width - 4, title) - 1;

    if (used == 0)
        fputc('+', out);
    for (; used < width; used++)
        fputc('-', out);
    fprintf(out, "+ %s\n", label);
}

void character_line(FILE *out, int width, char bar, const char *text, int length)
{
    if (length > width - 2)
        length = width - 2;
    fprintf(out, "%c %-*.*s %c\n", bar, width - 2, length, text, bar);
}

void character_paragraph(FILE *out, int width, char bar, const char *text)
{
    while (*text != '\0') {
        int length = line_length(text, width - 2);

        character_line(out, width, bar, text, length);
        text += length;
        text += strspn(text, " ");
    }
}
