/*
 * vdso.c - the two pages by which programs learn the time without a call. See vdso.h.
 */
#include "programs/vdso.h"

#include "arch/contract.h"
#include "base/check.h"
#include "base/error.h"
#include "base/string.h"
#include "memory/frames/frame.h"
#include "memory/spaces/map.h"
#include "memory/tables/slot.h"
#include "process/schedule.h"

/* Pages of the object, and of the region. */
enum { DATA, IMAGE };

static struct object *pages;            /* [c] once made, for good; NULL: there are none */

/* The frame of a page. The object keeps it: it is never cut, and its pages do not leave memory (`stays`). */
static int take_page(struct object *object, uint64_t page, frame_t *out)
{
    int err = object_page(object, page, true, out);

    if (err == 0)
        frame_put(*out);
    return err;
}

static void copy_image(frame_t frame)
{
    unsigned long state = interrupts_off();

    memcpy(frame_view(frame, SLOT_TO), vdso_image, vdso_image_bytes);
    interrupts_restore(state);
}

void vdso_start(void)
{
    struct object *made = object_create(OWNER_SHARED, VDSO_PAGES);
    frame_t        data, image;

    may_sleep();
    assert(pages == NULL && vdso_image_bytes <= PAGE_SIZE);
    if (made == NULL)
        return;
    if (take_page(made, DATA, &data) != 0 || take_page(made, IMAGE, &image) != 0) {
        object_release(made);
        return;
    }
    made->stays = true;
    copy_image(image);
    clock_show_in(data);
    pages = made;
}

int vdso_map(struct space *space, vaddr_t place, vaddr_t *out)
{
    struct map_request request = { .address = place, .bytes = VDSO_PAGES * PAGE_SIZE,
                                   .rights = MAY_READ | MAY_EXECUTE, .may = MAY_READ | MAY_EXECUTE,
                                   .flags = MAP_NO_REPLACE, .object = pages, .name = "[vdso]" };
    int err = pages != NULL ? map_create(space, &request, &place) : -EEXIST;

    *out = err == 0 ? place + IMAGE * PAGE_SIZE : 0;
    return err == -EEXIST ? 0 : err;
}

vaddr_t vdso_entry(vaddr_t vdso)
{
    uint32_t entry;

    memcpy(&entry, vdso_image + VDSO_ENTRY_AT, sizeof entry);
    return vdso + entry;
}
