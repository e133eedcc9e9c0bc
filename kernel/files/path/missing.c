/*
 * missing.c - counting what is not found. See missing.h.
 */
#include "files/path/missing.h"

#include "base/check.h"
#include "base/lock.h"
#include "base/string.h"
#include "memory/heap/heap.h"

struct missing {
    uint32_t hash;                      /* of the whole path */
    uint32_t order;                     /* when it came      */
    uint32_t times;
    char     text[MISSING_TEXT];
};

static struct lock     lock = LOCK("missing paths", RANK_OBJECT);
static struct missing *kept;            /* NULL: nothing is counted    */
static uint32_t        count, came;     /* [lock] kept now; came at all */
static uint32_t        lost;            /* [lock]                      */

void missing_begin(void)
{
    assert(kept == NULL);
    kept = heap_alloc(MISSING_PATHS * sizeof *kept, 0);
}

void missing_end(void)
{
    heap_free(kept);
    kept  = NULL;
    count = came = lost = 0;
}

/* FNV-1a: two paths of one sum are taken for one, which a report survives. */
static uint32_t hash_of(const char *path)
{
    uint32_t hash = 2166136261u;

    for (; *path != '\0'; path++)
        hash = (hash ^ (uint8_t)*path) * 16777619u;
    return hash;
}

/* A path for people: what a terminal would obey is shown as `?`, and what is too long ends in dots. */
static void write_missing_text(char *text, const char *path)
{
    size_t length = strnlen(path, MISSING_TEXT);

    for (size_t i = 0; i < length && i < MISSING_TEXT - 1; i++)     /* bound: MISSING_TEXT */
        text[i] = path[i] >= ' ' && path[i] != 0x7F ? path[i] : '?';
    if (length == MISSING_TEXT)
        memcpy(text + MISSING_TEXT - 4, "...", 4);
    else
        text[length] = '\0';
}

static struct missing *find_missing(uint32_t hash)
{
    for (uint32_t i = 0; i < count; i++)        /* bound: MISSING_PATHS */
        if (kept[i].hash == hash)
            return &kept[i];
    return NULL;
}

/* A place for one more. */
static struct missing *take_entry(void)
{
    struct missing *least = &kept[0];

    if (count < MISSING_PATHS)
        return &kept[count++];
    for (uint32_t i = 1; i < count; i++)        /* bound: MISSING_PATHS */
        if (kept[i].times < least->times || (kept[i].times == least->times && kept[i].order < least->order))
            least = &kept[i];
    lost++;
    return least;
}

void missing_count(const char *path)
{
    struct missing *entry;
    lock_state      state;
    uint32_t        hash;

    if (kept == NULL || *path == '\0')
        return;
    hash  = hash_of(path);
    state = lock_take(&lock);
    entry = find_missing(hash);
    if (entry == NULL) {
        entry = take_entry();
        entry->hash  = hash;
        entry->order = came++;
        entry->times = 0;
        write_missing_text(entry->text, path);
    }
    entry->times += entry->times < UINT32_MAX;
    lock_drop(&lock, state);
}

/* Whether one comes before another in the report. */
static bool comes_before(const struct missing *a, const struct missing *b)
{
    return a->times != b->times ? a->times > b->times : a->order > b->order;
}

/* No program looks for files any more: the machine is about to end. */
void missing_each(void (*visit)(const char *text, uint32_t times, void *with), void *with)
{
    const struct missing *last = NULL;

    for (uint32_t told = 0; told < count; told++) {
        const struct missing *next = NULL;

        for (uint32_t i = 0; i < count; i++)
            if ((last == NULL || comes_before(last, &kept[i])) && (next == NULL || comes_before(&kept[i], next)))
                next = &kept[i];
        visit(next->text, next->times, with);
        last = next;
    }
}

uint32_t missing_lost(void) { return lost; }
