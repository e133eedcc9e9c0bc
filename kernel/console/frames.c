/*
 * frames.c - physical memory at the console: who has it, and taking some by hand.
 */
#include "console/commands.h"

#include "base/error.h"
#include "base/print.h"
#include "console/show.h"
#include "console/words.h"
#include "memory/frames/frame.h"
#include "memory/start.h"

enum { BAR = 32 };              /* characters of a bar that stands for all RAM */

/* A bar that shows something for anything that is not nothing. */
static void print_bar(uint32_t part, uint32_t whole)
{
    uint32_t marks = whole == 0 ? 0 : (uint32_t)(((uint64_t)part * BAR + whole - 1) / whole);

    while (marks-- > 0)
        print("#");
    print("\n");
}

static void print_owners(const struct frame_sums *sums)
{
    uint32_t sum = 0;

    print("owner       frames        KiB  %% of RAM\n");
    for (unsigned i = 0; i < OWNER_COUNT; i++) {
        if (i == OWNER_ABSENT || sums->owned[i] == 0)
            continue;
        sum += sums->owned[i];
        print("%-8s %9u %10llu     %s  ", owner_names[i], sums->owned[i],
              (unsigned long long)sums->owned[i] * (PAGE_SIZE / KiB),
              show_share(sums->owned[i], sums->ram).text);
        print_bar(sums->owned[i], sums->ram);
    }
    print("sum      %9u %10llu     %s  %s\n", sum, (unsigned long long)sum * (PAGE_SIZE / KiB),
          show_share(sum, sums->ram).text,
          sum == sums->ram ? "equals all RAM: every frame has an owner" : "DIFFERS from all RAM");
    if (sum != sums->ram)
        print("RAM      %9u\n", sums->ram);
}

int run_frames(int count, char **words)
{
    struct frame_sums sums;
    struct frame_runs runs;

    (void)count, (void)words;
    frames_sums(&sums);
    frames_runs(&runs);
    print_owners(&sums);
    print("free     longest run %u frames, %u whole areas of 2 MiB; %u in magazines, %u known to hold zeros\n",
          runs.largest, runs.free_areas, sums.magazine, sums.zeroed);
    print("so far   at most %u in use at once, %llu taken, %llu given back, %u misuses refused\n",
          sums.peak_used, (unsigned long long)sums.gets, (unsigned long long)sums.puts, sums.misuses);
    return 0;
}

static bool frame_argument(const char *word, frame_t *out)
{
    uint64_t no;

    if (!number_argument(word, "frame", 0, frames_end() - 1, &no))
        return false;
    *out = (frame_t){ (uint32_t)no };
    return true;
}

static bool bit_of(frame_t frame)
{
    size_t         bytes;
    const uint8_t *bitmap = frames_bitmap(&bytes);

    return frame.no / 8 < bytes && (bitmap[frame.no / 8] >> frame.no % 8 & 1);
}

int run_frame(int count, char **words)
{
    frame_t frame;

    (void)count;
    if (!frame_argument(words[1], &frame))
        return -EINVAL;
    print("frame %u, physical %s: owner %s (%s)\n", frame.no,
          show_address((vaddr_t)frame_address(frame)).text, owner_names[frame_owner(frame)],
          owner_texts[frame_owner(frame)]);
    print("%u reference%s, link %u, bit %u in the bitmap (%s)\n", frame_references(frame),
          frame_references(frame) == 1 ? "" : "s", frame_link(frame), bit_of(frame),
          bit_of(frame) == (layout.policy.polarity == ONE_IS_FREE) ? "free" : "used");
    return 0;
}

int run_physical(int count, char **words)
{
    const struct memmap *map = memory_map();

    (void)count, (void)words;
    print("The memory map as it was when the pool opened\n");
    print("from         to           size        RAM  owner\n");
    for (uint32_t i = 0; i < map->count; i++) {
        const struct memmap_range *range = &map->ranges[i];

        print("%s  %s  %-10s  %-3s  %s\n", show_address((vaddr_t)frame_address(range->first)).text,
              show_address((vaddr_t)(frame_address(range->end) - 1)).text,
              show_size(frame_address(range->end) - frame_address(range->first)).text,
              range->ram ? "yes" : "no", range->owner == OWNER_FREE ? "pool" : owner_names[range->owner]);
    }
    print("RAM %u frames; beyond this kernel's reach %s; given up as parts of frames %llu B\n",
          memmap_ram(map), show_size(map->beyond).text, (unsigned long long)map->lost);
    return 0;
}

/* ---- By hand ------------------------------------------------------------------------------- */

int run_alloc(int count, char **words)
{
    uint64_t frames, align = 1;
    frame_t  first;
    int      err;

    if (!number_argument(words[1], "N", 1, frames_end(), &frames) ||
        (count > 2 && !number_argument(words[2], "ALIGN", 1, 1u << 20, &align)))
        return -EINVAL;
    if (align & (align - 1)) {
        print("ALIGN: expected a power of two, not %s\n", words[2]);
        return -EINVAL;
    }
    err = frame_run_get(OWNER_TEST, (uint32_t)frames, (uint32_t)align, 0, 0, &first);
    if (err != 0) {
        print("no run of %u free frames aligned to %u\n", (unsigned)frames, (unsigned)align);
        return err;
    }
    print("took %u frame%s from %u, physical %s; free gives one back\n", (unsigned)frames,
          frames == 1 ? "" : "s", first.no, show_address((vaddr_t)frame_address(first)).text);
    return 0;
}

/* Only what alloc has taken: other owners would notice. */
int run_free(int count, char **words)
{
    uint64_t frames = 1;
    frame_t  first;

    if (!frame_argument(words[1], &first) ||
        (count > 2 && !number_argument(words[2], "N", 1, frames_end() - first.no, &frames)))
        return -EINVAL;
    for (uint32_t i = 0; i < frames; i++) {
        frame_t frame = { first.no + i };

        if (frame_owner(frame) != OWNER_TEST) {
            print("frame %u: expected one that alloc took, this one's owner is %s\n", frame.no,
                  owner_names[frame_owner(frame)]);
            return -EPERM;
        }
    }
    frame_run_put(first, (uint32_t)frames);
    print("gave back %u frame%s from %u\n", (unsigned)frames, frames == 1 ? "" : "s", first.no);
    return 0;
}
