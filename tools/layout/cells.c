/* cells.c - what each column of each table holds. See cells.h. */
#include "cells.h"
#include "quantity.h"
#include "words.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

enum { NAME_LIMIT = 24 };

static bool is_nothing(const char *text)
{
    return *text == '\0' || strcmp(text, "-") == 0;
}

/* Words are read without regard to upper and lower case, alone and in front of others. */
static bool is_word(const char *text, const char *word) { return strcasecmp(text, word) == 0; }

/* The rest of `text` after `prefix`, or NULL. */
static const char *after(const char *text, const char *prefix)
{
    size_t length = strlen(prefix);

    return strncasecmp(text, prefix, length) == 0 ? text + length : NULL;
}

/* The first place of `words` in `text`, or NULL. */
static const char *place_of(const char *text, const char *words)
{
    for (; *text != '\0'; text++)
        if (after(text, words) != NULL)
            return text;
    return NULL;
}

/* ---- Ranges ------------------------------------------------------------------------- */

/* `0xC010_0000`, or `end of SECTION`. `last` is 1 in an End column, which is inclusive. */
static bool read_border(struct document *d, uint32_t line, const char *column, const char *text,
                        unsigned last, struct border *out)
{
    const char *of = after(text, "end of ");
    uint64_t address;
    int section;

    if (of != NULL && is_word(of, "image")) {
        *out = (struct border){ .floats = true, .after = SECTION_LAST };
        return true;
    }
    if (of != NULL) {
        if (!word_read(d->source, line, "the section after `end of`", section_words, of, &section))
            return false;
        *out = (struct border){ .floats = true, .after = (enum section)section };
        return true;
    }
    if (!read_address(text, &address)) {
        complain(d->source, line,
                 "%s is `%s`; expected an address from 0x0 to 0xFFFFFFFF or `end of SECTION`", column, text);
        return false;
    }
    *out = (struct border){ .at = address + last };
    return true;
}

static void read_start(struct document *d, uint32_t line, void *row, const char *text)
{
    struct place *place = row;

    if (!read_border(d, line, "Start", text, 0, &place->start))
        place->broken = true;
}

static void read_end(struct document *d, uint32_t line, void *row, const char *text)
{
    struct place *place = row;

    if (!read_border(d, line, "End", text, 1, &place->end))
        place->broken = true;
}

static void read_place_size(struct document *d, uint32_t line, void *row, const char *text)
{
    struct place *place = row;

    place->size_words = text;
    if (is_word(text, "floats")) {
        place->size_floats = true;
    } else if (!read_size(text, &place->size)) {
        complain(d->source, line, "Size is `%s`; expected a size such as `128 KiB`, or `floats`", text);
        place->broken = true;
    }
}

static bool is_name(const char *text)
{
    return islower((unsigned char)*text) && strlen(text) <= NAME_LIMIT &&
           text[strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789-")] == '\0' &&
           text[strlen(text) - 1] != '-';
}

static void read_name(struct document *d, uint32_t line, void *row, const char *text)
{
    struct place *place = row;

    if (!is_name(text))
        complain(d->source, line, "Name is `%s`; expected at most %d small letters, digits and dashes", text,
                 NAME_LIMIT);
    place->name = text;
}

static void read_note(struct document *d, uint32_t line, void *row, const char *text)
{
    struct place *place = row;

    (void)d, (void)line;
    place->note = text;
}

/* Letters and digits, as `A12`. */
static bool is_claim_id(const char *text, size_t length)
{
    if (length < 2 || length > 4 || !isupper((unsigned char)text[0]))
        return false;
    for (size_t i = 1; i < length; i++)
        if (!isdigit((unsigned char)text[i]))
            return false;
    return text[1] != '0';
}

/* "A12, A13" becomes "A12 A13". */
static const char *claim_list(struct document *d, uint32_t line, const char *text)
{
    const char *list = "";

    while (!is_nothing(text)) {
        size_t length = strcspn(text, ", ");

        if (!is_claim_id(text, length))
            complain(d->source, line, "Claims has `%.*s`; expected ids such as `A12`", (int)length, text);
        else
            list = source_print(d->source, "%s%s%.*s", list, *list == '\0' ? "" : " ", (int)length, text);
        text += length;
        text += strspn(text, ", ");
    }
    return list;
}

static void read_claims(struct document *d, uint32_t line, void *row, const char *text)
{
    struct place *place = row;

    place->claims = claim_list(d, line, text);
}

/* ---- Physical memory, kernel structures --------------------------------------------- */

static void read_use(struct document *d, uint32_t line, void *row, const char *text)
{
    struct physical *physical = row;
    int use;

    if (word_read(d->source, line, "Use", use_words, text, &use))
        physical->use = (enum physical_use)use;
}

static void read_structure(struct document *d, uint32_t line, void *row, const char *text)
{
    struct structure *structure = row;
    int which;

    structure->place.name = text;
    if (word_read(d->source, line, "Name", structure_words, text, &which))
        structure->which = (enum structure_of)which;
}

/* ---- Virtual memory ----------------------------------------------------------------- */

static bool read_right(struct document *d, uint32_t line, const char *column, const char *text, unsigned *out)
{
    if (read_rights(text, out))
        return true;
    complain(d->source, line, "%s is `%s`; expected rights such as `rw-`, `r-x` or `---`", column, text);
    return false;
}

static void read_kernel(struct document *d, uint32_t line, void *row, const char *text)
{
    struct region *region = row;

    if (is_word(text, "same"))
        region->same_rights = true;
    else
        read_right(d, line, "Kernel", text, &region->kernel);
}

static void read_user(struct document *d, uint32_t line, void *row, const char *text)
{
    struct region *region = row;

    if (!is_word(text, "same"))
        read_right(d, line, "User", text, &region->user);
    else if (!region->same_rights)
        complain(d->source, line, "User is `same`, but Kernel is not; an alias says it in both");
}

static void read_scope(struct document *d, uint32_t line, void *row, const char *text)
{
    struct region *region = row;
    int scope;

    if (word_read(d->source, line, "Scope", scope_words, text, &scope))
        region->scope = (enum scope)scope;
}

static void read_backing(struct document *d, uint32_t line, void *row, const char *text)
{
    struct region *region = row;
    const char *rest;
    int word = 0;

    if ((rest = after(text, "physical ")) != NULL) {
        region->backing = BACKING_FIXED;
        if (!read_border(d, line, "the address after `physical`", rest, 0, &region->physical))
            region->place.broken = true;
    } else if ((rest = after(text, "image ")) != NULL) {
        region->backing = BACKING_IMAGE;
        if (word_read(d->source, line, "the section after `image`", section_words, rest, &word))
            region->section = (enum section)word;
    } else if ((rest = after(text, "alias of ")) != NULL) {
        region->backing = BACKING_ALIAS;
        region->alias = rest;
    } else if (word_read(d->source, line, "Backing", backing_words, text, &word)) {
        region->backing = (enum backing)word;
        if (word == BACKING_FIXED || word == BACKING_IMAGE || word == BACKING_ALIAS)
            complain(d->source, line, "Backing is `%s`; expected `physical ADDRESS`, `image SECTION` or "
                     "`alias of NAME`", text);
    }
}

/* `by 64 KiB`, `4 KiB each`, either with `, at most 16 MiB`. */
static bool parse_growth(struct document *d, const char *text, struct region *region)
{
    const char *comma = place_of(text, ", at most "), *unit;
    size_t length = comma != NULL ? (size_t)(comma - text) : strlen(text);

    if (after(text, "by ") != NULL)
        unit = source_text(d->source, text + 3, length - 3);
    else if (length > 5 && after(text + length - 5, " each") != NULL)
        unit = source_text(d->source, text, length - 5);
    else
        return false;
    region->each = after(text, "by ") == NULL;
    return read_size(unit, &region->unit) && region->unit > 0 &&
           (comma == NULL || (read_size(comma + strlen(", at most "), &region->maximum) && region->maximum > 0));
}

static void read_growth(struct document *d, uint32_t line, void *row, const char *text)
{
    if (!is_nothing(text) && !parse_growth(d, text, row))
        complain(d->source, line, "Growth is `%s`; expected `by SIZE` or `SIZE each`, perhaps with "
                 "`, at most SIZE`, or `-`", text);
}

/* `4 KiB below each`, `none: reason`, or nothing. */
static void read_guard(struct document *d, uint32_t line, void *row, const char *text)
{
    struct region *region = row;
    const char *reason = after(text, "none: "), *end = place_of(text, " below each");

    if (is_nothing(text))
        return;
    if (reason != NULL && *reason != '\0')
        region->no_guard = reason;
    else if (end == NULL || end[strlen(" below each")] != '\0' ||
             !read_size(source_text(d->source, text, (size_t)(end - text)), &region->guard) || region->guard == 0)
        complain(d->source, line, "Guard is `%s`; expected `SIZE below each`, `none: REASON` or `-`", text);
}

/* ---- Applications -------------------------------------------------------------------- */

static void read_part(struct document *d, uint32_t line, void *row, const char *text)
{
    struct part *part = row;
    int which;

    if (word_read(d->source, line, "Name", part_words, text, &which))
        part->which = (enum part_of)which;
}

static void read_part_size(struct document *d, uint32_t line, const char *column, const char *text, bool *floats,
                           uint64_t *out)
{
    if (is_word(text, "floats"))
        *floats = true;
    else if (!read_size(text, out))
        complain(d->source, line, "%s is `%s`; expected a size such as `64 KiB`, or `floats`", column, text);
}

static void read_part_first(struct document *d, uint32_t line, void *row, const char *text)
{
    struct part *part = row;

    read_part_size(d, line, "At first", text, &part->floats, &part->first);
}

static void read_part_most(struct document *d, uint32_t line, void *row, const char *text)
{
    struct part *part = row;

    read_part_size(d, line, "Size", text, &part->floats, &part->size);
}

static void read_part_user(struct document *d, uint32_t line, void *row, const char *text)
{
    struct part *part = row;

    read_right(d, line, "User", text, &part->user);
}

static void read_part_claims(struct document *d, uint32_t line, void *row, const char *text)
{
    struct part *part = row;

    part->claims = claim_list(d, line, text);
}

/* ---- Boot mappings ------------------------------------------------------------------- */

static void read_map_address(struct document *d, uint32_t line, const char *column, const char *text,
                             uint64_t *out)
{
    if (!read_address(text, out))
        complain(d->source, line, "%s is `%s`; expected an address from 0x0 to 0xFFFFFFFF", column, text);
}

static void read_virtual(struct document *d, uint32_t line, void *row, const char *text)
{
    struct boot_map *map = row;

    read_map_address(d, line, "Virtual", text, &map->virtual);
}

static void read_physical(struct document *d, uint32_t line, void *row, const char *text)
{
    struct boot_map *map = row;

    read_map_address(d, line, "Physical", text, &map->physical);
}

static void read_map_size(struct document *d, uint32_t line, void *row, const char *text)
{
    struct boot_map *map = row;

    if (!read_size(text, &map->size) || map->size == 0)
        complain(d->source, line, "Size is `%s`; expected a size such as `4 MiB`", text);
}

static void read_kept(struct document *d, uint32_t line, void *row, const char *text)
{
    struct boot_map *map = row;
    int keep;

    if (word_read(d->source, line, "Kept", kept_words, text, &keep))
        map->keep = keep;
}

/* ---- Policies and claims ------------------------------------------------------------- */

static void read_policy(struct document *d, uint32_t line, void *row, const char *text)
{
    struct policy_row *policy = row;

    if (!word_read(d->source, line, "Policy", policy_words, text, &policy->key))
        policy->key = -1;
}

static void read_choice(struct document *d, uint32_t line, void *row, const char *text)
{
    struct policy_row *policy = row;

    (void)d, (void)line;
    policy->choice = text;
}

static void read_policy_claims(struct document *d, uint32_t line, void *row, const char *text)
{
    struct policy_row *policy = row;

    policy->claims = claim_list(d, line, text);
}

/* The reason is for readers only. */
static void read_why(struct document *d, uint32_t line, void *row, const char *text)
{
    (void)d, (void)line, (void)row, (void)text;
}

static void read_id(struct document *d, uint32_t line, void *row, const char *text)
{
    struct claim *claim = row;

    if (!is_claim_id(text, strlen(text)))
        complain(d->source, line, "Id is `%s`; expected a capital letter and a number, such as `A12`", text);
    claim->id = text;
}

static bool is_test_name(const char *text)
{
    size_t length = strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789_");

    return length > 0 && text[length] == '\0';
}

/* Reads `kernel`, `later`, or a kind of test and its name; false for any other text. */
static bool read_witness(struct document *d, uint32_t line, const char *text, enum claim_where *out)
{
    size_t length = strcspn(text, " ");
    const char *name = text + length + strspn(text + length, " ");
    bool named;
    int where;

    if (!word_read(d->source, line, "Shown by", where_words, source_text(d->source, text, length), &where))
        return false;
    *out = (enum claim_where)where;
    named = where != CLAIM_KERNEL && where != CLAIM_LATER;
    if (named ? is_test_name(name) : *name == '\0')
        return true;
    complain(d->source, line, named ? "Shown by is `%s`; expected the name of one test after `%.*s`" :
             "Shown by is `%s`; expected nothing after `%.*s`", text, (int)length, text);
    return false;
}

/* Several tests may show one claim; commas separate them. */
static void read_where(struct document *d, uint32_t line, void *row, const char *text)
{
    struct claim *claim = row;
    bool first = true;

    claim->shown = text;
    do {
        size_t length = strcspn(text, ",");
        enum claim_where where;

        if (!read_witness(d, line, source_text(d->source, text, length), &where))
            return;
        if (first || where == CLAIM_KERNEL)
            claim->where = where;
        first = false;
        text += length + (text[length] == ',');
        text += strspn(text, " ");
    } while (*text != '\0');
}

static void read_claim(struct document *d, uint32_t line, void *row, const char *text)
{
    struct claim *claim = row;

    if (*text == '\0')
        complain(d->source, line, "an empty claim; expected a sentence");
    claim->text = text;
}

/* ---- The tables ---------------------------------------------------------------------- */

#define RANGE_COLUMNS \
    { "Start", true, read_start }, { "End", true, read_end }, { "Size", true, read_place_size }
#define LAST_COLUMN   { NULL, false, NULL }

const struct column physical_columns[] = {
    RANGE_COLUMNS, { "Name", true, read_name }, { "Use", true, read_use },
    { "Claims", false, read_claims }, { "What lives there", true, read_note }, LAST_COLUMN
};

const struct column structure_columns[] = {
    RANGE_COLUMNS, { "Name", true, read_structure }, { "Claims", false, read_claims },
    { "What lives there", true, read_note }, LAST_COLUMN
};

const struct column region_columns[] = {
    RANGE_COLUMNS, { "Name", true, read_name }, { "Kernel", true, read_kernel }, { "User", true, read_user },
    { "Scope", true, read_scope }, { "Backing", true, read_backing }, { "Growth", false, read_growth },
    { "Guard", false, read_guard }, { "Claims", false, read_claims },
    { "What lives there", true, read_note }, LAST_COLUMN
};

const struct column part_columns[] = {
    { "Name", true, read_part }, { "At first", true, read_part_first }, { "Size", true, read_part_most },
    { "User", true, read_part_user }, { "Claims", false, read_part_claims }, { "What lives there", true, read_why },
    LAST_COLUMN
};

const struct column policy_columns[] = {
    { "Policy", true, read_policy }, { "Choice", true, read_choice },
    { "Claims", false, read_policy_claims }, { "Why", true, read_why }, LAST_COLUMN
};

const struct column boot_map_columns[] = {
    { "Virtual", true, read_virtual }, { "Physical", true, read_physical }, { "Size", true, read_map_size },
    { "Kept", true, read_kept }, LAST_COLUMN
};

const struct column claim_columns[] = {
    { "Id", true, read_id }, { "Shown by", true, read_where }, { "Claim", true, read_claim }, LAST_COLUMN
};
