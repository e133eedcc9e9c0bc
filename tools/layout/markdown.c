/* markdown.c - finding headings and tables in a document's lines. See markdown.h. */
#include "markdown.h"

#include <ctype.h>
#include <string.h>

static const char *skip_blanks(const char *text)
{
    return text + strspn(text, " \t");
}

static bool starts(const char *text, const char *with)
{
    return strncmp(text, with, strlen(with)) == 0;
}

/* Drop blanks, then one pair of `code` or **strong** marks, around a cell. */
static char *bare(struct source *s, const char *text, size_t length)
{
    static const char *const marks[] = { "`", "**" };
    char *end;

    while (length > 0 && isspace((unsigned char)*text)) {
        text++;
        length--;
    }
    while (length > 0 && isspace((unsigned char)text[length - 1]))
        length--;
    for (size_t i = 0; i < sizeof(marks) / sizeof(marks[0]); i++) {
        size_t mark = strlen(marks[i]);

        if (length >= 2 * mark && starts(text, marks[i]) && starts(text + length - mark, marks[i]) &&
            memmem(text + mark, length - 2 * mark, marks[i], mark) == NULL) {
            text += mark;
            length -= 2 * mark;
        }
    }
    end = source_text(s, text, length);
    return end;
}

/* The next pipe that is not escaped, or the end of the line. */
static const char *cell_end(const char *at)
{
    while (*at != '\0' && *at != '|')
        at += at[0] == '\\' && at[1] == '|' ? 2 : 1;
    return at;
}

static char *cell_text(struct source *s, const char *from, const char *to)
{
    char *cell = bare(s, from, (size_t)(to - from)), *out = cell;

    for (const char *in = cell; *in != '\0'; in++)
        if (!(in[0] == '\\' && in[1] == '|'))
            *out++ = *in;
    *out = '\0';
    return cell;
}

/* Cells are printed on serial lines and screens, so they are plain ASCII. */
static void check_characters(struct source *s, uint32_t line, const char *text)
{
    for (; *text != '\0'; text++)
        if ((unsigned char)*text >= 0x7F || ((unsigned char)*text < ' ' && *text != '\t')) {
            complain(s, line, "the byte 0x%02X in a table; expected plain ASCII", (unsigned char)*text);
            return;
        }
}

static struct md_row read_row(struct source *s, uint32_t line)
{
    const char *first = skip_blanks(s->lines[line - 1]) + 1;
    struct md_row row = { .line = line };

    check_characters(s, line, first);
    for (const char *at = first; *skip_blanks(at) != '\0'; row.count++) {
        at = cell_end(at);
        at += *at == '|';
    }
    row.cells = source_keep(s, row.count * sizeof(*row.cells));
    for (uint32_t n = 0; n < row.count; n++) {
        const char *end = cell_end(first);

        row.cells[n] = cell_text(s, first, end);
        first = end + (*end == '|');
    }
    return row;
}

static bool is_table_line(const struct source *s, uint32_t line)
{
    return line <= s->line_count && *skip_blanks(s->lines[line - 1]) == '|';
}

static bool is_dashes(const struct source *s, uint32_t line)
{
    const char *text = skip_blanks(s->lines[line - 1]);

    return strchr(text, '-') != NULL && text[strspn(text, "|-: \t")] == '\0';
}

/* Read the table whose header is at `line`; returns the line after it. */
static uint32_t read_table(struct source *s, uint32_t line, struct md_table *table)
{
    uint32_t end = line + 1;

    table->header = read_row(s, line);
    while (is_table_line(s, end))
        end++;
    if (end == line + 1 || !is_dashes(s, line + 1)) {
        complain(s, line, "a table's header without a line of dashes below it");
        return end;
    }
    table->rows = source_keep(s, (end - line) * sizeof(*table->rows));
    for (uint32_t n = line + 2; n < end; n++) {
        struct md_row row = read_row(s, n);

        if (row.count != table->header.count)
            complain(s, n, "%u cells, but the table's header (line %u) has %u", row.count, line,
                     table->header.count);
        else
            table->rows[table->row_count++] = row;
    }
    return end;
}

/* A fence opens or closes with three or more backquotes or tildes. */
static bool is_fence(const char *text)
{
    text = skip_blanks(text);
    return starts(text, "```") || starts(text, "~~~");
}

static void read_title(struct source *s, uint32_t line, struct md_outline *out)
{
    const char *text = s->lines[line - 1] + 2;

    if (out->title != NULL) {
        complain(s, line, "a second title; the first is at line %u", out->title_line);
        return;
    }
    check_characters(s, line, text);
    out->title = bare(s, text, strlen(text));
    out->title_line = line;
}

void markdown_read(struct source *s, struct md_outline *out)
{
    struct md_table **tail = &out->tables;
    const char *heading = NULL;
    uint32_t heading_line = 0, fence = 0;

    *out = (struct md_outline){ 0 };
    for (uint32_t line = 1; line <= s->line_count; line++) {
        const char *text = s->lines[line - 1];

        if (is_fence(text)) {
            fence = fence == 0 ? line : 0;
        } else if (fence != 0) {
            continue;
        } else if (starts(text, "# ")) {
            read_title(s, line, out);
        } else if (starts(text, "## ")) {
            heading = bare(s, text + 3, strlen(text + 3));
            heading_line = line;
        } else if (is_table_line(s, line)) {
            struct md_table *table = source_keep(s, sizeof(*table));

            table->heading = heading;
            table->heading_line = heading_line;
            line = read_table(s, line, table) - 1;
            *tail = table;
            tail = &table->next;
        }
    }
    if (fence != 0)
        complain(s, fence, "a fence that never closes: everything below it would be prose");
}
