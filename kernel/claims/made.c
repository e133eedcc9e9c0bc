/*
 * made.c - a made machine, described by the kernel's own code. See made.h.
 */
#include "claims/made.h"

#include "base/print.h"
#include "base/string.h"
#include "memory/heap/heap.h"

enum { SMALL_SEGMENTS = 30 };
#define FIRST ((uint64_t)32 * MiB)      /* below it are the documents' rows */
#define END   ((uint64_t)160 * MiB)

static const struct boot_range segments[] = {
    { 96 * MiB, 8 * MiB, BOOT_USABLE },                         /* not in order                            */
    { 0, 640 * KiB, BOOT_USABLE },
    { 1 * MiB, 31 * MiB, BOOT_USABLE },
    { 40 * MiB, 16 * MiB, BOOT_USABLE },
    { 44 * MiB, 1 * MiB, BOOT_RESERVED },                       /* inside usable memory                    */
    { 48 * MiB, 0, BOOT_RESERVED },                             /* empty                                   */
    { 60 * MiB + 100, 12 * MiB, BOOT_USABLE },                  /* not whole pages                         */
    { 80 * MiB, 4 * MiB, BOOT_ACPI },
    { 82 * MiB, 4 * MiB, BOOT_USABLE },                         /* over the one before                     */
    { 90 * MiB, 1 * MiB, BOOT_BAD },
    { 91 * MiB, 1 * MiB, 77 },                                  /* a type that no standard names           */
    { (uint64_t)4 * GiB - 64 * KiB, 128 * KiB, BOOT_USABLE },   /* over the end of what can be named       */
    { (uint64_t)5 * GiB, GiB, BOOT_USABLE },
    { UINT64_MAX - 0xFFFF, 0x20000, BOOT_RESERVED },            /* wraps                                   */
};

static const struct device_range decoders[] = {
    { 50 * MiB, 51 * MiB, 0, 0 }, { 98 * MiB + 0x800, 98 * MiB + 0x1800, 0, 1 },
};

static const struct boot_module module = { 62 * MiB, 67 * MiB, "five megabytes" };

static void describe_machine(struct boot_info *info, struct memmap *map, struct start_facts *facts)
{
    memset(info, 0, sizeof *info);
    memcpy(info->ranges, segments, sizeof segments);
    info->range_count = COUNT_OF(segments);
    for (uint64_t i = 0; i < SMALL_SEGMENTS; i++)
        info->ranges[info->range_count++] = (struct boot_range){ 112 * MiB + i * 64 * KiB, 32 * KiB, BOOT_USABLE };
    info->modules[0]   = module;
    info->module_count = 1;
    *facts = (struct start_facts){
        .info = info, .image_start = 8 * MiB, .image_end = 9 * MiB, .boot_start = 8 * MiB, .boot_end = 8 * MiB,
        .devices = decoders, .device_count = COUNT_OF(decoders),
    };
    memory_describe(map, facts);
}

static bool is_offered(const struct memmap *map, frame_t frame)
{
    const struct memmap_range *range = memmap_find(map, frame);

    return range != NULL && range->ram && range->owner == OWNER_FREE;
}

struct made_sight {
    uint32_t of[TOLD_KINDS];            /* how many were said to be this                                       */
    uint32_t wrong[TOLD_KINDS];         /* of these: usable ones that would not be offered, others that would  */
};

/* False: there is no memory to do it in. */
static bool made_look(struct made_sight *out)
{
    struct boot_info  *info = heap_alloc(sizeof *info, 0);
    struct memmap     *map  = heap_alloc(sizeof *map, 0);
    struct start_facts facts;
    bool               room = info != NULL && map != NULL;

    *out = (struct made_sight){ 0 };
    if (room) {
        struct told_machine said = { info->ranges, info->modules, decoders, 0, 1, COUNT_OF(decoders) };

        describe_machine(info, map, &facts);
        said.range_count = info->range_count;
        for (frame_t frame = frame_of(FIRST); frame_address(frame) < END; frame.no++) {
            enum told told = told_by(&said, frame);

            out->of[told]++;
            out->wrong[told] += is_offered(map, frame) != (told == TOLD_USABLE);
        }
    }
    heap_free(map);
    heap_free(info);
    return room;
}

const char *made_wrong(enum told kind)
{
    static char       text[96];
    struct made_sight sight;

    if (!made_look(&sight))
        return "no memory for a made machine";
    if (sight.of[kind] > 0 && sight.wrong[kind] == 0)
        return NULL;
    format_text(text, sizeof text, "of a made machine's %u frames that are %s %u would be %s", sight.of[kind],
                told_names[kind], sight.wrong[kind], kind == TOLD_USABLE ? "lost" : "handed out");
    return text;
}
