/* snapshot.c - reading the lines of a snapshot. See snapshot.h. */
#include "snapshot.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { FORM = 1 };
#define ADDRESS_END UINT64_C(0x100000000)
#define PAGES_END   (ADDRESS_END / 4096)

/* One line, which is read word by word. */
struct line {
    struct source   *source;
    struct snapshot *out;
    char            *rest;              /* NULL: no words are left */
    bool             good;              /* no word was missing or wrong so far */
};

static const char *take_word(struct line *line)
{
    char *word = line->rest, *blank = word != NULL ? strchr(word, ' ') : NULL;

    if (word == NULL || *word == '\0' || *word == ' ') {
        line->good = false;
        return "";
    }
    line->rest = blank != NULL ? blank + 1 : NULL;
    if (blank != NULL)
        *blank = '\0';
    return word;
}

static const char *take_rest(struct line *line)
{
    char *rest = line->rest;

    line->rest = NULL;
    line->good = line->good && rest != NULL && *rest != '\0';
    return rest != NULL ? rest : "";
}

/* The rest of the line as a name that a program has given itself: it may be empty. */
static const char *take_name(struct line *line)
{
    const char *name = line->rest;

    line->rest = NULL;
    line->good = line->good && name != NULL;
    return name != NULL && *name != '\0' ? name : "(no name)";
}

static uint64_t take_number(struct line *line, int base, uint64_t most)
{
    const char *word = take_word(line);
    char *end;
    unsigned long long number;

    errno = 0;
    number = strtoull(word, &end, base);
    if (*end != '\0' || word[0] < '0' || word[0] == ' ' || errno != 0 || number > most)
        line->good = false;
    return line->good ? number : 0;
}

static uint64_t take_address(struct line *line) { return take_number(line, 16, ADDRESS_END - 1); }
static uint64_t take_count(struct line *line)   { return take_number(line, 10, PAGES_END); }

/* An address and a number of pages from there, at least one, that end where addresses end. */
static void take_range(struct line *line, uint64_t *start, uint64_t *pages)
{
    *start = take_address(line);
    *pages = take_count(line);
    if (*start % 4096 != 0 || *pages == 0 || *pages > (ADDRESS_END - *start) / 4096)
        line->good = false;
}

static bool is_one_of(const char *word, const char *const *words)
{
    while (*words != NULL && strcmp(*words, word) != 0)
        words++;
    return *words != NULL;
}

/* Rights: "rw-", or four letters with `s` or `p`. */
static const char *take_rights(struct line *line, size_t length)
{
    const char *rights = take_word(line);

    if (strlen(rights) != length || strspn(rights, "rwxsp-") != length)
        line->good = false;
    return rights;
}

/*
 * Make room for one element at the end of a list; a full list is copied to a block of twice the size. The blocks,
 * also the smaller ones, are freed with the source.
 */
static void *one_more(struct source *source, void *list, size_t *count, size_t size)
{
    char *at = list;

    if ((*count & (*count - 1)) == 0) {
        at = source_keep(source, (*count == 0 ? 1 : *count * 2) * size);
        if (*count > 0)
            memcpy(at, list, *count * size);
    }
    ++*count;
    return at;
}

#define ADD(line, list, count) \
    ((list) = one_more((line)->source, (list), &(count), sizeof(*(list))), &(list)[(count) - 1])

/* ---- Kinds of lines ------------------------------------------------------------------- */

static void read_layout(struct line *line)
{
    line->out->layout = take_word(line);
    line->out->title  = take_rest(line);
}

static void read_moment(struct line *line) { line->out->moment = take_rest(line); }
static void read_ram(struct line *line)    { line->out->ram = take_count(line); }

static void read_owned(struct line *line)
{
    struct owner_sum *sum = ADD(line, line->out->owners, line->out->owner_count);

    sum->owner  = take_word(line);
    sum->frames = take_count(line);
    sum->text   = take_rest(line);
}

static void read_row(struct line *line)
{
    struct physical_row *row = ADD(line, line->out->rows, line->out->row_count);

    row->start = take_address(line);
    row->end   = take_address(line) + 1;
    row->use   = take_word(line);
    row->name  = take_rest(line);
    if (row->end <= row->start || (line->out->row_count > 1 && row->start < row[-1].end))
        line->good = false;
}

static void read_structure(struct line *line)
{
    struct processor_table *structure = ADD(line, line->out->structures, line->out->structure_count);

    structure->name = take_word(line);
    structure->at   = take_address(line);
}

static void read_firmware(struct line *line)
{
    struct firmware *range = ADD(line, line->out->firmware, line->out->firmware_count);

    take_range(line, &range->start, &range->frames);
    range->ram = strcmp(take_word(line), "ram") == 0;
}

static void read_frames(struct line *line)
{
    struct frames_run *run = ADD(line, line->out->frames, line->out->frames_count);

    take_range(line, &run->start, &run->frames);
    run->owner = take_word(line);
    if (run->start != (line->out->frames_count > 1 ? run[-1].start + run[-1].frames * 4096 : 0))
        line->good = false;             /* a gap, or a frame twice */
}

static void read_region(struct line *line)
{
    struct virtual_row *row = ADD(line, line->out->regions, line->out->region_count);

    take_range(line, &row->start, &row->pages);
    row->kernel  = take_rights(line, 3);
    row->user    = take_rights(line, 3);
    row->backing = take_word(line);
    row->scope   = take_word(line);
    row->unit    = take_count(line);
    row->guard   = take_count(line);
    row->name    = take_rest(line);
}

static void read_space(struct line *line) { line->out->kernel_tables = take_count(line); }

/* A run lies inside its region, if it has one, and below the run before it. */
static bool lies_where_it_should(const struct mapping *home, const struct run *run)
{
    uint64_t end = run->start + run->pages * 4096;

    if (home->pages > 0 && (run->start < home->start || end > home->start + home->pages * 4096))
        return false;
    return home->run_count < 2 || end <= run[-1].start;
}

static void read_run(struct line *line)
{
    static const char *const kinds[] = { "present", "swap", "guard", "transit", "identity", "blocked", NULL };
    struct snapshot *out = line->out;
    struct process *process = out->process_count > 0 ? &out->processes[out->process_count - 1] : NULL;
    struct mapping *home = process != NULL && process->mapping_count > 0
                               ? &process->mappings[process->mapping_count - 1]
                               : NULL;
    const char *frame;
    struct run *run;

    if (process != NULL && home == NULL) {
        line->good = false;
        return;
    }
    run = home != NULL ? ADD(line, home->runs, home->run_count) : ADD(line, out->runs, out->run_count);
    take_range(line, &run->start, &run->pages);
    run->kind   = take_word(line);
    run->kernel = take_rights(line, 3);
    run->user   = take_rights(line, 3);
    run->cache  = take_word(line);
    run->owner  = take_word(line);
    run->shared = take_count(line);
    frame = line->rest;
    run->frame  = frame != NULL && frame[0] == '-' ? (take_word(line), NO_ADDRESS) : take_address(line);
    run->name   = take_rest(line);
    if (!is_one_of(run->kind, kinds) || (home != NULL && !lies_where_it_should(home, run)))
        line->good = false;
}

static void read_process(struct line *line)
{
    struct process *process = ADD(line, line->out->processes, line->out->process_count);

    process->id       = take_count(line);
    process->parent   = take_count(line);
    process->threads  = take_count(line);
    process->tables   = take_count(line);
    process->resident = take_count(line);
    process->name     = take_name(line);
}

static struct process *last_process(struct line *line)
{
    if (line->out->process_count > 0)
        return &line->out->processes[line->out->process_count - 1];
    line->good = false;
    return NULL;
}

static void read_shares(struct line *line)
{
    struct process *process = last_process(line);

    if (process != NULL)
        process->shares = take_count(line);
}

static void read_map(struct line *line)
{
    struct process *process = last_process(line);
    struct mapping *map;

    if (process == NULL)
        return;
    map = ADD(line, process->mappings, process->mapping_count);
    take_range(line, &map->start, &map->pages);
    map->rights = take_rights(line, 4);
    map->most   = take_count(line);
    map->gap    = take_count(line);
    map->name   = take_rest(line);
    if (process->mapping_count > 1 && (map[-1].pages == 0 || map->start < map[-1].start + map[-1].pages * 4096))
        line->good = false;
}

static void read_part(struct line *line)
{
    struct process *process = last_process(line);

    if (process != NULL)
        ADD(line, process->mappings, process->mapping_count)->name = take_rest(line);
}

static void read_cut(struct line *line) { line->out->cut = take_count(line); }

/* ---- All lines ------------------------------------------------------------------------ */

static const struct {
    const char *word;
    void      (*read)(struct line *line);
} kinds[] = {
    { "layout", read_layout }, { "moment", read_moment }, { "ram", read_ram }, { "owned", read_owned },
    { "row", read_row }, { "structure", read_structure }, { "firmware", read_firmware }, { "frames", read_frames },
    { "region", read_region }, { "space", read_space }, { "run", read_run }, { "process", read_process },
    { "shares", read_shares }, { "map", read_map },
    { "part", read_part }, { "cut", read_cut },
};

static bool read_line(struct line *line)
{
    const char *word = take_word(line);

    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        if (strcmp(kinds[i].word, word) != 0)
            continue;
        kinds[i].read(line);
        return line->good && line->rest == NULL;
    }
    return false;
}

/* The last line has the number of lines; a snapshot without it is incomplete. */
static bool is_last(struct line line, size_t number)
{
    return strcmp(take_word(&line), "end") == 0 && take_number(&line, 10, UINT32_MAX) == number - 1 && line.good &&
           line.rest == NULL;
}

static bool is_plain(const char *at, const char *end)
{
    while (at < end && *at >= ' ' && *at <= '~')
        at++;
    return at == end;
}

static bool wrong(struct source *source, size_t number, const char *what)
{
    fprintf(source->complaints, "line %zu of the snapshot %s\n", number, what);
    return false;
}

bool snapshot_read(struct snapshot *out, struct source *source, char *text, size_t length)
{
    size_t number = 0;
    bool ended = false;

    *out = (struct snapshot){ .layout = "", .title = "", .moment = "" };
    for (char *at = text, *next; at < text + length; at = next) {
        char *end = memchr(at, '\n', (size_t)(text + length - at));
        struct line line = { source, out, at, true };

        number++;
        if (end == NULL || ended)
            return wrong(source, number, ended ? "comes after the last one" : "has no end");
        if (!is_plain(at, end))
            return wrong(source, number, "has bytes that are no plain text");
        *end = '\0';
        next = end + 1;
        if (number == 1 && strcmp(at, source_print(source, "quire-map %d", FORM)) != 0)
            return wrong(source, number, "is not of this form; kernel and command do not belong together");
        if (number == 1)
            continue;
        if (strncmp(at, "end ", 4) == 0) {
            ended = is_last(line, number);
            if (!ended)
                return wrong(source, number, "counts other lines than came");
        } else if (!read_line(&line)) {
            return wrong(source, number, "makes no sense");
        }
    }
    if (!ended && out->cut == 0)
        return wrong(source, number, "is not the last one");
    return true;
}
