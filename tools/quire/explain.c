/* explain.c - the text of docs/layouts.md on a complaint. See explain.h. */
#include "explain.h"

#include "libquire/arena.h"
#include "libquire/home.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum { BOOK_MOST = 1 << 20, WIDTH = 100 };

static const char heading_of_table[] = "## What is refused\n";

/* A row of the table: how the complaint reads, what to do, where the rule stands. */
struct rule {
    char *reads, *advice, *place;
};

static char *read_book(void)
{
    char *path = home_path("docs/layouts.md"), *text = calloc(1, BOOK_MOST);
    FILE *file = path != NULL ? fopen(path, "re") : NULL;
    bool good = file != NULL && text != NULL && fread(text, 1, BOOK_MOST - 1, file) > 0;

    if (file != NULL)
        fclose(file);
    drop(path);
    if (good)
        return text;
    free(text);
    return NULL;
}

static char *copy_part(const char *from, const char *end, bool keep_marks)
{
    char *copy = malloc((size_t)(end - from) + 1), *to = copy;

    for (; copy != NULL && from < end; from++)
        if ((keep_marks || *from != '`') && (*from != '\\' || from[1] != '|'))
            *to++ = *from;
    if (copy != NULL)
        *to = '\0';
    return copy;
}

/* The cell that begins at *at, without blanks around it; *at is then behind the cell. NULL: there is no more. */
static char *next_cell(const char **at, bool keep_marks)
{
    const char *start = *at + strspn(*at, " "), *end = start;

    while (*end != '\0' && *end != '\n' && (*end != '|' || end[-1] == '\\'))
        end++;
    if (*end != '|')
        return NULL;
    *at = end + 1;
    while (end > start && end[-1] == ' ')
        end--;
    return copy_part(start, end, keep_marks);
}

static void free_rule(struct rule *rule)
{
    free(rule->reads);
    free(rule->advice);
    free(rule->place);
    *rule = (struct rule){ NULL, NULL, NULL };
}

/* The row at `line`, if it is one. */
static bool read_rule(const char *line, struct rule *rule)
{
    *rule = (struct rule){ NULL, NULL, NULL };
    if (*line++ != '|')
        return false;
    rule->reads = next_cell(&line, true);
    rule->advice = rule->reads != NULL ? next_cell(&line, true) : NULL;
    rule->place = rule->advice != NULL ? next_cell(&line, true) : NULL;
    if (rule->place != NULL && rule->reads[0] == '`')
        return true;
    free_rule(rule);
    return false;
}

/* ---- Matching ------------------------------------------------------------------------------- */

/* How many characters of a form, from `form` to `end`, a complaint has, in this order; 0: no match. */
static size_t matched(const char *form, const char *end, const char *complaint)
{
    size_t sum = 0;

    while (form < end) {
        const char *dots = strstr(form, "..."), *stop = dots != NULL && dots < end ? dots : end;
        size_t length = (size_t)(stop - form);
        char *part = strndup(form, length);
        const char *found = part != NULL ? strstr(complaint, part) : NULL;

        free(part);
        if (found == NULL)
            return 0;
        complaint = found + length;
        sum += length;
        form = stop == end ? end : stop + 3;
    }
    return sum;
}

/* The best of a row's forms: each stands between marks of code, one mark or two. */
static size_t matched_by(const char *reads, const char *complaint)
{
    size_t best = 0;

    while ((reads = strchr(reads, '`')) != NULL) {
        size_t marks = strspn(reads, "`");
        const char *form = reads + marks, *end = form;
        size_t length;

        while (*end != '\0' && strspn(end, "`") != marks)
            end += *end == '`' ? strspn(end, "`") : 1;
        if (*end == '\0')
            break;
        length = matched(form + (marks > 1 && *form == ' '), end - (marks > 1 && end[-1] == ' '), complaint);
        best = length > best ? length : best;
        reads = end + marks;
    }
    return best;
}

static struct rule find_rule(const char *book, const char *complaint)
{
    const char *line = strstr(book, heading_of_table);
    struct rule best = { NULL, NULL, NULL };
    size_t most = 0;

    for (line = line != NULL ? strchr(line, '\n') : NULL; line != NULL; line = strchr(line + 1, '\n')) {
        struct rule rule;
        size_t length;

        if (!read_rule(line + 1, &rule))
            continue;
        length = matched_by(rule.reads, complaint);
        if (length > most) {
            free_rule(&best);
            best = rule;
            most = length;
        } else {
            free_rule(&rule);
        }
    }
    return best;
}

/* ---- Paragraphs --------------------------------------------------------------------------------- */

/* A paragraph ends before an empty line; a row of a table with its line. */
static size_t paragraph_length(const char *at)
{
    const char *end = strstr(at, *at == '|' ? "\n" : "\n\n");

    return end != NULL ? (size_t)(end - at) : strlen(at);
}

/*
 * `HEADING: words`: the paragraph or row below the heading that begins with these words. *length: 0 when there is none.
 */
static const char *find_paragraph(const char *book, const char *place, size_t *length)
{
    const char *colon = strstr(place, ": "), *line;
    char *heading;

    *length = 0;
    if (colon == NULL || asprintf(&heading, "# %.*s\n", (int)(colon - place), place) < 0)
        return NULL;
    line = strstr(book, heading);
    free(heading);
    for (line = line != NULL ? strchr(line, '\n') : NULL; line != NULL && strncmp(line + 1, "## ", 3) != 0;
         line = strchr(line + 1, '\n')) {
        const char *at = line + 1 + (line[1] == '|' ? 2 : 0);

        if (strncmp(at, colon + 2, strlen(colon + 2)) != 0)
            continue;
        *length = paragraph_length(line + 1);
        return line + 1;
    }
    return NULL;
}

/* Print a paragraph with its lines broken anew and indented. */
static void print_folded(FILE *out, const char *text, size_t length)
{
    int column = 0;

    for (const char *at = text; at < text + length; ) {
        int word = (int)strcspn(at, " \n");

        if (at + word > text + length)
            word = (int)(text + length - at);
        if (column == 0 || column + 1 + word > WIDTH)
            column = fprintf(out, "%s    %.*s", column == 0 ? "" : "\n", word, at) - (column != 0);
        else
            column += fprintf(out, " %.*s", word, at);
        at += word;
        at += strspn(at, " \n");
    }
    fputc('\n', out);
}

static void explain_one(const char *book, const char *complaint, FILE *out)
{
    char *plain = copy_part(complaint, complaint + strlen(complaint), false);
    struct rule rule = plain != NULL ? find_rule(book, plain) : (struct rule){ NULL, NULL, NULL };
    const char *paragraph;
    size_t length;

    free(plain);
    if (rule.place == NULL)
        return;
    fprintf(out, "  rule: %s\n", rule.advice);
    paragraph = find_paragraph(book, rule.place, &length);
    if (paragraph != NULL) {
        fprintf(out, "  docs/layouts.md, %.*s:\n", (int)(strstr(rule.place, ": ") - rule.place), rule.place);
        print_folded(out, paragraph, length);
    }
    free_rule(&rule);
}

void explain(const char *complaints, FILE *out)
{
    char *book = read_book();

    while (*complaints != '\0') {
        size_t length = strcspn(complaints, "\n");
        char *line = strndup(complaints, length);

        fprintf(out, "%.*s\n", (int)length, complaints);
        if (book != NULL && line != NULL)
            explain_one(book, line, out);
        free(line);
        complaints += length + (complaints[length] == '\n');
    }
    free(book);
}
