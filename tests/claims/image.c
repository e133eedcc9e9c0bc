/*
 * image.c - what the kernel's image has in the machine in plain memory. See image.h.
 */
#include "tests/claims/image.h"

#include <stdlib.h>
#include <string.h>

#include "arch/host/machine.h"
#include "base/check.h"
#include "cpu.h"
#include "memory/layout.h"

/* The linker's (own.ld.S): pieces of this program with addresses in the mirror; of the shared one, the kernel's. */
extern char own_text[], own_text_end[], own_rodata[], own_rodata_end[], own_data[], own_data_end[];
extern char own_shared[], own_shared_end[];

static struct piece { char *start, *end, *kept; } own[] = {
    { own_text,   own_text_end,   NULL },
    { own_rodata, own_rodata_end, NULL },
    { own_data,   own_data_end,   NULL },
    { own_shared, own_shared_end, NULL },
};

/* Applications, linked for an i386; where the document has none there are none. */
extern const char applications[] __attribute__((weak));

void image_keep(void)
{
    machine_mirror = (char *)IMAGE_MIRROR;
    for (size_t n = 0; n < COUNT_OF(own); n++) {
        size_t bytes = (size_t)(own[n].end - own[n].start);

        own[n].kept = malloc(bytes + 1);
        assert(own[n].kept != NULL);
        memcpy(own[n].kept, own[n].start, bytes);
    }
}

/* The RAM of an address of the image. */
static uint8_t *ram_of(vaddr_t address)
{
    static const enum purpose sections[] = { PURPOSE_TEXT, PURPOSE_RODATA, PURPOSE_DATA, PURPOSE_ORIGINAL };

    for (size_t n = 0; n < COUNT_OF(sections); n++) {
        const struct layout_region *region = layout.purpose[sections[n]];

        if (region != NULL && span_has(region->span, page_of(address)))
            return &machine_ram[(region->frame + (page_of(address) - region->span.first)) * PAGE_SIZE +
                                address % PAGE_SIZE];
    }
    stop(__FILE__, __LINE__, "an address outside the image");
}

static void load(vaddr_t to, const char *from, size_t bytes)
{
    for (size_t n = 0; n < bytes; n++)
        *ram_of(to + n) = (uint8_t)from[n];
}

/* Pages [first, end) of a section of the applications, whose first page is the second of `text`. */
static void load_pages(enum purpose section, page_t first, page_t end)
{
    const struct layout_region *region = layout.purpose[section];
    page_t                      start  = layout.purpose[PURPOSE_TEXT]->span.first + 1;

    for (page_t page = region->span.first + first; page < region->span.first + end; page++)
        load(page_address(page), applications + (page - start) * PAGE_SIZE, PAGE_SIZE);
}

void image_load(void)
{
    if (applications != NULL) {
        load_pages(PURPOSE_TEXT, 1, IMAGE_TEXT_PAGES);
        load_pages(PURPOSE_RODATA, 0, IMAGE_RODATA_PAGES);
        load_pages(PURPOSE_DATA, IMAGE_DATA_PAGES - 1, IMAGE_DATA_PAGES);
        load_pages(PURPOSE_ORIGINAL, 0, IMAGE_ORIGINAL_PAGES);
    }
    for (size_t n = 0; n < COUNT_OF(own); n++) {
        load((uint32_t)(uintptr_t)own[n].start, own[n].kept, (size_t)(own[n].end - own[n].start));
        free(own[n].kept);
    }
}
