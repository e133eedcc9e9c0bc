/* check_machine.c - the image, the bitmap, the processor's tables, boot mappings. See check.h. */
#include "check.h"
#include "quantity.h"
#include "words.h"

#include <inttypes.h>
#include <string.h>

uint64_t region_limit(const struct document *d, const struct region *r)
{
    while (r->place.end.floats && r + 1 < d->regions + d->region_count)
        r++;
    return r->place.end.at;
}

uint64_t region_base(const struct document *d, const struct region *r)
{
    while (r->place.start.floats && r > d->regions)
        r--;
    return r->place.start.at;
}

/* ---- The image ----------------------------------------------------------------------- */

void find_physical(struct document *d, enum physical_use use, struct physical **out)
{
    for (uint32_t i = 0; i < d->physical_count; i++) {
        struct physical *p = &d->physical[i];

        if (p->use != use)
            continue;
        if (*out != NULL)
            complain(d->source, p->place.line,
                     "%s is a second physical row for `%s`; the first is %s (line %u)", p->place.name,
                     word_of(use_words, use)->text, (*out)->place.name, (*out)->place.line);
        else
            *out = p;
    }
}

/* The sections lie next to each other, in the order in which they are loaded. */
static void check_sections(struct document *d)
{
    for (int purpose = PURPOSE_TEXT; purpose <= PURPOSE_SHARED; purpose++) {
        const struct region *low = d->purpose[purpose - 1], *r = d->purpose[purpose];

        if (low != NULL && r != NULL && r != low + 1)
            complain(d->source, r->place.line, "%s does not follow %s (line %u); the image is boot, text, "
                     "rodata, data%s in this order", r->place.name, low->place.name, low->place.line,
                     d->last > SECTION_DATA ? ", original, stack, shared" : "");
    }
}

/* Nobody knows before it is linked where the image ends, so its last region ends there, and not at an address. */
static void check_last_section(struct document *d)
{
    const struct region *last = d->purpose[PURPOSE_BOOT + d->last];

    if (last != NULL && !last->place.broken && !last->place.end.floats)
        complain(d->source, last->place.line, "%s ends at 0x%08" PRIX64 "; expected `end of %s`, where the image ends, "
                 "and another region behind it", last->place.name, last->place.end.at - 1, last->place.name);
}

/* Refuse a stack whose overflow nothing stops, and copies without an original: the packed sections come together. */
static void check_packed(struct document *d)
{
    const struct region *some = NULL;

    for (int purpose = PURPOSE_ORIGINAL; purpose <= PURPOSE_SHARED; purpose++)
        if (d->purpose[purpose] != NULL)
            some = d->purpose[purpose];
    for (int purpose = PURPOSE_ORIGINAL; some != NULL && purpose <= PURPOSE_SHARED; purpose++)
        if (d->purpose[purpose] == NULL)
            complain(d->source, some->place.line, "there is a region %s, but no region `%s`; a document has all of "
                     "original, stack, shared, or none", some->place.name, word_of(purpose_words, purpose)->text);
}

/*
 * The code that runs before paging is the image's first part, or has a physical row of its own. The kernel's
 * distance follows from the first section that the address space shows.
 */
static const struct region *first_section(struct document *d)
{
    const struct region *boot = d->purpose[PURPOSE_BOOT];

    find_physical(d, PHYSICAL_BOOT, &d->boot);
    if (d->boot == NULL && boot == NULL) {
        complain(d->source, 0, "no region `boot` in virtual memory, and no row of physical memory with the use `boot`; "
                 "expected one of them");
        return NULL;
    }
    if (d->boot != NULL && boot != NULL)
        complain(d->source, boot->place.line, "boot is a region, but %s (line %u) keeps what runs before paging out of "
                 "the image; expected one of them", d->boot->place.name, d->boot->place.line);
    if (d->boot != NULL && (d->boot->place.start.floats || d->boot->place.end.floats)) {
        complain(d->source, d->boot->place.line, "%s has a floating border; expected addresses", d->boot->place.name);
        d->boot = NULL;
        return NULL;
    }
    return boot != NULL ? boot : d->purpose[PURPOSE_TEXT];
}

/* How far a region with a constant distance to physical memory lies above it. */
static bool region_offset(const struct document *d, const struct region *r, uint64_t *out)
{
    if (r->place.broken || (r->backing != BACKING_FIXED && r->backing != BACKING_IMAGE))
        return false;
    if (r->backing == BACKING_IMAGE || r->physical.floats)
        *out = d->kernel_offset;
    else if (r->place.start.floats || r->place.start.at < r->physical.at)
        return false;
    else
        *out = r->place.start.at - r->physical.at;
    return true;
}

/* How far the image may reach: to the end of its physical row, and no further than its regions go. */
static uint64_t image_limit(const struct document *d)
{
    const struct region *data = d->purpose[PURPOSE_BOOT + d->last];
    uint64_t end = d->image->place.end.at, virtual;

    if (data == NULL || data->place.broken)
        return end;
    virtual = region_limit(d, data) - d->kernel_offset;
    return d->image->place.end.floats || virtual < end ? virtual : end;
}

/* `physical end of image` continues the image; anything else is a number, and stays clear of the image. */
static void check_fixed(struct document *d, const struct region *r)
{
    const struct region *data = d->purpose[PURPOSE_BOOT + d->last];
    const struct place *p = &r->place, *image = &d->image->place;
    struct source *s = d->source;

    if (p->broken)
        return;
    if (p->start.floats || r->physical.floats) {
        if (!p->start.floats || !r->physical.floats || p->start.after != d->last ||
            r->physical.after != d->last || data == NULL || r != data + 1)
            complain(s, p->line,
                     "%s starts at %s and shows physical %s; expected both at the end of the image, "
                     "or both as addresses",
                     p->name, border_text(s, p->start), border_text(s, r->physical));
    } else if (r->physical.at % PAGE != 0 || r->physical.at > p->start.at ||
               r->physical.at + (p->end.at - p->start.at) > SPACE_END) {
        complain(s, p->line,
                 "%s shows physical %s; expected whole pages, at or below its own address, that end "
                 "below 4 GiB",
                 p->name, border_text(s, r->physical));
    } else if (r->physical.at + (p->end.at - p->start.at) > image->start.at && r->physical.at < image_limit(d) &&
               p->start.at - r->physical.at != d->kernel_offset) {
        complain(s, p->line,
                 "%s shows physical memory from %s on, and so the image (line %u) a second time; it lies %s what it "
                 "shows, the image %s where it is loaded",
                 p->name, border_text(s, r->physical), image->line,
                 distance_words(s, p->start.at - r->physical.at), distance_words(s, d->kernel_offset));
    }
}

/* For the message that no row has a use: the row that has it as its name. */
static const char *row_meant(const struct document *d, enum physical_use use)
{
    for (uint32_t i = 0; i < d->physical_count; i++) {
        const struct physical *p = &d->physical[i];

        if (!p->place.broken && strcmp(p->place.name, word_of(use_words, use)->text) == 0)
            return source_print(d->source, "; %s has the use `%s` (line %u)", p->place.name,
                                word_of(use_words, p->use)->text, p->place.line);
    }
    return "";
}

/*
 * What a loader puts into memory lies above the first megabyte. QEMU's copies everything from an image's lowest byte to
 * its highest in one go, the gap between two rows as well: over the firmware's data, which it still needs.
 */
static void check_loaded(struct document *d, const struct physical *row)
{
    if (row->place.start.at < LEGACY_END)
        complain(d->source, row->place.line, "%s starts at 0x%08" PRIX64 "; expected 0x%08" PRIX64 " or above: "
                 "what lies below is the firmware's and the loader's while the image is loaded", row->place.name,
                 row->place.start.at, LEGACY_END);
}

void check_image(struct document *d)
{
    const struct region *boot;

    find_physical(d, PHYSICAL_IMAGE, &d->image);
    if (d->image == NULL)
        complain(d->source, 0, "no row of physical memory has the use `image`; expected one%s",
                 row_meant(d, PHYSICAL_IMAGE));
    check_sections(d);
    check_last_section(d);
    check_packed(d);
    boot = first_section(d);
    if (d->image == NULL || d->image->place.broken || boot == NULL || boot->place.broken) {
        d->image = NULL;
        return;
    }
    if (boot->place.start.floats || d->image->place.start.floats) {
        complain(d->source, boot->place.line, "%s starts at %s, the image (line %u) at %s; expected two "
                 "addresses", boot->place.name,
                 border_text(d->source, boot->place.start), d->image->place.line,
                 border_text(d->source, d->image->place.start));
        d->image = NULL;
        return;
    }
    check_loaded(d, d->image);
    if (d->boot != NULL && d->purpose[PURPOSE_BOOT] == NULL && !d->boot->place.broken)
        check_loaded(d, d->boot);
    d->kernel_offset = boot->place.start.at - d->image->place.start.at;
    for (uint32_t i = 0; i < d->region_count; i++)
        if (d->regions[i].backing == BACKING_FIXED)
            check_fixed(d, &d->regions[i]);
}

struct border border_physical(const struct document *d, struct border b)
{
    if (!b.floats)
        b.at -= d->kernel_offset;
    return b;
}

const char *distance_words(struct source *s, uint64_t distance)
{
    return distance >> 63 == 0 ? source_print(s, "0x%08" PRIX64 " above", distance)
                               : source_print(s, "0x%08" PRIX64 " below", -distance);
}

static bool physical_is_within(const struct region *r, const struct place *row)
{
    return r->physical.at <= row->start.at &&
           row->end.at - r->physical.at <= r->place.end.at - r->place.start.at;
}

/* A region that goes on where the image ends; the linker sees to it that the image ends before the next row. */
static bool shows_behind_image(const struct document *d, const struct region *r, uint64_t start, uint64_t end)
{
    return r->physical.floats && d->image != NULL && start > d->image->place.start.at &&
           end <= r->place.end.at - d->kernel_offset;
}

bool region_shows(const struct document *d, const struct region *r, uint64_t start, uint64_t end)
{
    if (r->backing != BACKING_FIXED || (r->kernel & MAY_WRITE) == 0 || r->place.broken)
        return false;
    if (!place_is_fixed(&r->place) || r->physical.floats)
        return shows_behind_image(d, r, start, end);
    return r->physical.at <= start && end - r->physical.at <= r->place.end.at - r->place.start.at;
}

bool physical_is_shown(const struct document *d, uint64_t start, uint64_t end)
{
    for (uint32_t i = 0; i < d->region_count; i++)
        if (region_shows(d, &d->regions[i], start, end))
            return true;
    return false;
}

const char *shown_instead(const struct document *d, const struct place *row)
{
    uint64_t there = (row->start.at + d->kernel_offset) % SPACE_END;

    for (uint32_t i = 0; i < d->region_count; i++) {
        const struct region *r = &d->regions[i];

        if (r->backing == BACKING_FIXED && place_is_fixed(&r->place) && !r->physical.floats &&
            r->physical.at < row->end.at && row->start.at < r->physical.at + (r->place.end.at - r->place.start.at))
            return source_print(d->source, "; %s, with the rights %s, shows %s (line %u)", r->place.name,
                                rights_text(r->kernel), physical_is_within(r, row) ? "it" : "a part of it",
                                r->place.line);
    }
    for (uint32_t i = 0; d->image != NULL && i < d->region_count; i++) {
        const struct region *r = &d->regions[i];

        if (r->backing != BACKING_USER && place_is_fixed(&r->place) && r->place.start.at <= there &&
            there < r->place.end.at)
            return source_print(d->source, "; at the image's distance %s is there, backed by `%s` (line %u)",
                                r->place.name, word_of(backing_words, r->backing)->text, r->place.line);
    }
    return "";
}

/* ---- Bitmap, records, structures ------------------------------------------------------ */

void check_bitmap(struct document *d)
{
    uint64_t needed = SPACE_END / PAGE / 8;
    struct source *s = d->source;
    const struct place *p;

    find_physical(d, PHYSICAL_BITMAP, &d->bitmap);
    if (d->policy_line[POLICY_BITMAP] == 0)
        return;
    if ((d->bitmap != NULL) != (d->policy.bitmap_at == BITMAP_FIXED)) {
        if (d->bitmap != NULL)
            complain(s, d->policy_line[POLICY_BITMAP],
                     "the bitmap's place is not `fixed`, but %s (line %u) is "
                     "kept for it",
                     d->bitmap->place.name, d->bitmap->place.line);
        else
            complain(s, d->policy_line[POLICY_BITMAP],
                     "the bitmap's place is `fixed`, but no row of physical "
                     "memory has the use `bitmap`");
        return;
    }
    if (d->bitmap == NULL || !place_is_fixed(&d->bitmap->place))
        return;
    p = &d->bitmap->place;
    if (p->end.at - p->start.at < needed)
        complain(s, p->line, "%s has %s; expected %s, one bit for each frame of 4 GiB", p->name,
                 size_text(s, p->end.at - p->start.at), size_text(s, needed));
    if (!physical_is_shown(d, p->start.at, p->end.at))
        complain(s, p->line,
                 "no writable region backed by `physical` shows %s; the kernel could not reach it%s", p->name,
                 shown_instead(d, p));
    else if (p->start.at == 0 && d->kernel_offset == 0)
        complain(s, p->line, "%s starts at 0x00000000, where a pointer to it would be null; expected above 0", p->name);
}

/*
 * The least sizes of the tables: a 32-bit TSS; null, four segments, two TSSs, three for programs' TLS and one for
 * shared variables; a gate for each vector.
 */
static const uint64_t structure_least[STRUCTURE_COUNT] = {
    [STRUCTURE_TSS] = 104, [STRUCTURE_GDT] = 19 * 8, [STRUCTURE_IDT] = 256 * 8,
};

void check_structures(struct document *d)
{
    struct source *s = d->source;

    for (uint32_t i = 0; i < d->structure_count; i++) {
        const struct place *p = &d->structures[i].place;
        bool inside = false;

        if (p->broken)
            continue;
        if (p->end.at - p->start.at < structure_least[d->structures[i].which])
            complain(s, p->line, "%s has %s; expected at least %s", p->name,
                     size_text(s, p->end.at - p->start.at),
                     size_text(s, structure_least[d->structures[i].which]));
        if (p->start.at == 0 || p->start.at % 8 != 0)
            complain(s, p->line, "%s starts at 0x%08" PRIX64 "; expected a multiple of 8 above 0", p->name,
                     p->start.at);
        for (uint32_t k = 0; k < d->physical_count; k++)
            inside = inside || (d->physical[k].use == PHYSICAL_KERNEL && place_is_fixed(&d->physical[k].place) &&
                                d->physical[k].place.start.at <= p->start.at &&
                                p->end.at <= d->physical[k].place.end.at);
        if (!inside)
            complain(s, p->line, "%s lies in no row of physical memory with the use `kernel`", p->name);
        else if (!physical_is_shown(d, p->start.at, p->end.at))
            complain(s, p->line,
                     "no writable region backed by `physical` shows %s; the kernel could not reach it%s",
                     p->name, shown_instead(d, p));
    }
}

/* ---- Boot mappings -------------------------------------------------------------------- */

static bool check_map(struct document *d, const struct boot_map *m)
{
    struct source *s = d->source;

    if (m->broken)
        return false;
    if ((m->virtual | m->physical | m->size) % PAGE != 0) {
        complain(s, m->line,
                 "a boot mapping of 0x%08" PRIX64 " to physical 0x%08" PRIX64 ", %s; expected whole "
                 "pages",
                 m->virtual, m->physical, size_text(s, m->size));
        return false;
    }
    if (m->virtual + m->size > SPACE_END || m->physical + m->size > SPACE_END) {
        complain(s, m->line, "this boot mapping runs past 4 GiB");
        return false;
    }
    for (const struct boot_map *o = d->boot_maps; o < m; o++)
        if (!o->broken && m->virtual < o->virtual + o->size && o->virtual < m->virtual + m->size) {
            complain(s, m->line, "this boot mapping overlaps the one at line %u", o->line);
            return false;
        }
    return true;
}

/* A boot mapping that is kept shows each region that it touches at that region's distance. */
static void check_kept(struct document *d, const struct boot_map *m)
{
    for (uint32_t i = 0; i < d->region_count; i++) {
        const struct region *r = &d->regions[i];
        uint64_t start = region_base(d, r), end = region_limit(d, r), offset;

        if (r->place.broken)
            return;
        if (r->backing == BACKING_USER && d->region_count > d->common_count)
            continue;                       /* a region of the kernel's own lies there */
        if (r->backing == BACKING_NONE && m->virtual <= start && end <= m->virtual + m->size)
            continue;                       /* a hole: the kernel removes the mapping of all of it */
        if (m->virtual >= end || start >= m->virtual + m->size)
            continue;
        if (r->place.start.floats && r->backing == BACKING_DEMAND)
            continue;                       /* right behind the image: space_start() removes the mapping there */
        if (region_offset(d, r, &offset) && m->virtual - m->physical == offset)
            continue;
        if (!region_offset(d, r, &offset))
            complain(d->source, m->line,
                     "a boot mapping that is kept reaches into %s (line %u), which is backed "
                     "by `%s`; expected `physical` or `image`",
                     r->place.name, r->place.line, word_of(backing_words, r->backing)->text);
        else
            complain(d->source, m->line, "this boot mapping lies %s physical memory, but %s (line %u) lies %s it%s",
                     distance_words(d->source, m->virtual - m->physical), r->place.name, r->place.line,
                     distance_words(d->source, offset),
                     r->backing != BACKING_IMAGE || d->image == NULL ? "" :
                     source_print(d->source, ": that is where the image is loaded (line %u)", d->image->place.line));
        return;
    }
}

static const struct boot_map *map_of(const struct document *d, uint64_t virtual, bool kept)
{
    for (uint32_t i = 0; i < d->boot_map_count; i++) {
        const struct boot_map *m = &d->boot_maps[i];

        if (virtual >= m->virtual && virtual - m->virtual < m->size && (m->keep || !kept))
            return m;
    }
    return NULL;
}

/*
 * The mapping that the document may mean: one that shows the frame elsewhere, or lies nearest to the right address.
 */
static const char *nearest_map(const struct document *d, uint64_t physical, uint64_t offset)
{
    const struct boot_map *nearest = NULL;
    uint64_t least = UINT64_MAX;

    for (uint32_t i = 0; i < d->boot_map_count; i++) {
        const struct boot_map *m = &d->boot_maps[i];
        uint64_t middle = m->virtual + m->size / 2, wanted = physical + offset;
        uint64_t far = middle > wanted ? middle - wanted : wanted - middle;

        if (far < least) {
            least = far;
            nearest = m;
        }
    }
    if (nearest == NULL)
        return "";
    return source_print(d->source, "; the nearest is at line %u, and what is to be shown at line %u", nearest->line,
                        (d->boot != NULL && offset == 0 ? d->boot : d->image)->place.line);
}

/* The boot code is executed at its physical address when paging comes on; the rest at its virtual address. */
static void check_image_mapped(struct document *d)
{
    uint64_t image = d->image->place.start.at, end = image_limit(d);
    uint64_t boot = d->boot != NULL ? d->boot->place.start.at : image;
    const struct boot_map *here = map_of(d, boot, false), *there = map_of(d, image + d->kernel_offset, true);
    struct source *s = d->source;

    if (here == NULL || here->virtual != here->physical)
        complain(s, here != NULL ? here->line : d->image->place.line,
                 "no boot mapping shows the image at its physical address 0x%08" PRIX64
                 "; the boot code would lose the ground under its feet%s",
                 boot, nearest_map(d, boot, 0));
    else if (d->boot != NULL && here->virtual + here->size < d->boot->place.end.at)
        complain(s, here->line, "this boot mapping ends at physical 0x%08" PRIX64 ", inside %s (line %u)",
                 here->physical + here->size - 1, d->boot->place.name, d->boot->place.line);
    if (there == NULL)
        complain(s, d->image->place.line, "no boot mapping that is kept shows the image at 0x%08" PRIX64 "%s",
                 image + d->kernel_offset, nearest_map(d, image, d->kernel_offset));
    else if (!d->image->place.end.floats && there->physical + there->size < end)
        complain(s, there->line,
                 "this boot mapping ends at physical 0x%08" PRIX64 ", inside the image (line %u), "
                 "which may reach 0x%08" PRIX64,
                 there->physical + there->size - 1, d->image->place.line, end - 1);
}

/* The page table of the slots maps nothing else: the kernel writes its entries without looking at them. */
static void check_slots(struct document *d)
{
    const struct region *slots = d->purpose[PURPOSE_SLOTS];

    if (slots == NULL || slots->place.broken)
        return;
    if (!place_is_fixed(&slots->place)) {
        complain(d->source, slots->place.line, "slots has a floating border; expected addresses");
        return;
    }
    for (uint32_t i = 0; i < d->boot_map_count; i++) {
        const struct boot_map *m = &d->boot_maps[i];

        if (m->size > 0 && m->virtual / TABLE <= (slots->place.end.at - 1) / TABLE &&
            slots->place.start.at / TABLE <= (m->virtual + m->size - 1) / TABLE)
            complain(d->source, m->line,
                     "this boot mapping and slots (line %u) share a directory entry (4 MiB); "
                     "expected slots to have its own",
                     slots->place.line);
    }
}

void check_boot_maps(struct document *d)
{
    bool good = true;

    for (uint32_t i = 0; i < d->boot_map_count; i++)
        if (!check_map(d, &d->boot_maps[i]))
            good = false;
        else if (d->boot_maps[i].keep && d->image != NULL)
            check_kept(d, &d->boot_maps[i]);
    if (good && d->image != NULL)
        check_image_mapped(d);
    if (good)
        check_slots(d);
}

/* ---- How page tables are reached -------------------------------------------------------- */

/*
 * The window and the access through it go together; one directory entry shows it, and that entry shows nothing else.
 */
static void check_window(struct document *d)
{
    const struct region *window = d->purpose[PURPOSE_BOOKKEEPING];
    uint32_t line = d->policy_line[POLICY_ACCESS];

    if ((d->policy.access == ACCESS_WINDOW) != (window != NULL)) {
        if (window != NULL)
            complain(d->source, line,
                     "table access is `%s`, but there is a region bookkeeping (line %u); expected `window`",
                     word_of(access_words, d->policy.access)->text, window->place.line);
        else
            complain(d->source, line, "table access is `window`, but there is no region `bookkeeping`");
    }
    if (window != NULL && !window->place.broken &&
        (!place_is_fixed(&window->place) || window->place.start.at % TABLE != 0 ||
         window->place.end.at - window->place.start.at != TABLE))
        complain(d->source, window->place.line,
                 "bookkeeping is one directory entry with a page for each structure and table; "
                 "expected 4 MiB at a multiple of 4 MiB");
}

void check_access(struct document *d)
{
    const struct region *tables = d->purpose[PURPOSE_TABLES], *direct = d->purpose[PURPOSE_DIRECT];
    uint32_t line = d->policy_line[POLICY_ACCESS];
    struct source *s = d->source;

    if (line == 0)
        return;
    if (d->policy.access == ACCESS_SELF && tables == NULL)
        complain(s, line, "table access is `self-map`, but there is no region `tables`");
    if (d->policy.access != ACCESS_SELF && tables != NULL)
        complain(s, line, "table access is `%s`, but there is a region tables (line %u); expected `self-map`",
                 word_of(access_words, d->policy.access)->text, tables->place.line);
    if (d->policy.access == ACCESS_DIRECT && direct == NULL)
        complain(s, line, "table access is `direct`, but there is no region `direct`");
    if (tables != NULL && !tables->place.broken &&
        (!place_is_fixed(&tables->place) || tables->place.start.at % TABLE != 0 ||
         tables->place.end.at - tables->place.start.at != TABLE))
        complain(s, tables->place.line, "tables is one directory entry that shows all page tables; expected "
                 "4 MiB at a multiple of 4 MiB");
    check_window(d);
}

/* Flat programs are linked for one address, and no other region has a part in their first page table. */
void check_start(struct document *d)
{
    const struct region *user = d->purpose[PURPOSE_USER];

    if (d->policy_line[POLICY_START] == 0 || user == NULL || user->place.broken || !place_is_fixed(&user->place))
        return;
    if (d->policy.start < user->place.start.at || d->policy.start >= user->place.end.at || d->policy.start % TABLE != 0)
        complain(d->source, d->policy_line[POLICY_START],
                 "start address is 0x%08" PRIX64 "; expected a multiple of 4 MiB inside user (line %u)",
                 d->policy.start, user->place.line);
}
