/*
 * relocator.c - from the image as the boot sector loaded it to a running kernel: the order of things.
 *
 * Nothing is moved before it is known to be whole, and nothing is jumped to before it is known to have arrived whole.
 * The image as it was loaded, the sector and this code stay as they are.
 */
#include "boot/bios/relocator.h"

#include "boot/bios/image.h"
#include "boot/bios/sum.h"

extern struct bios_image image;                 /* enter.S: the first bytes */

static struct bios_handover handover;

_Static_assert(BIOS_TEXT == BOOT_TEXT && BIOS_SECTOR_BYTES == BOOT_SECTOR_BYTES,
               "image.h and info.h speak of the same image");

static void say_kib(uint32_t bytes)
{
    say_number(bytes / 1024);
    say(" KiB");
}

/* ---- The image in low memory ------------------------------------------------------------------ */

/* This code's own sum was computed while its field was still 0. */
static uint32_t own_sum(void)
{
    static const uint32_t zero;
    const uint8_t        *start = (const uint8_t *)&image;
    const uint32_t        before = offsetof(struct bios_image, relocator_sum), after = before + sizeof zero;
    uint32_t              sum = bios_sum(0, start, before);

    sum = bios_sum(sum, &zero, sizeof zero);
    return bios_sum(sum, start + after, image.relocator_bytes - after);
}

static void check_sum(const char *what, uint32_t is, uint32_t built)
{
    if (is == built)
        return;
    say("\nquire: damaged ");
    say(what);
    say(": its checksum is ");
    say_hex(is);
    say(", it was built with ");
    say_hex(built);
    stop();
}

static void check_image(struct boot_path *path)
{
    path->sector_at       = BIOS_SECTOR;
    path->sector_built    = image.sector_sum;
    path->sector_sum      = bios_sum(0, (const void *)BIOS_SECTOR, BIOS_SECTOR_BYTES);
    path->padding_built   = image.padding_sum;
    path->padding_sum     = bios_sum(0, (const void *)BIOS_PADDING, BIOS_SECTOR_BYTES);
    path->relocator_bytes = image.relocator_bytes;
    path->loaded_at       = (uint32_t)(uintptr_t)&image + image.relocator_bytes;
    path->image_bytes     = image.kernel_bytes;
    path->sum_built       = image.kernel_sum;
    path->sum_loaded      = bios_sum(0, (const void *)path->loaded_at, path->image_bytes);
    check_sum("kernel image", path->sum_loaded, path->sum_built);
}

/* ---- To its place --------------------------------------------------------------------------------- */

static void check_room(void)
{
    if (map_holds(&handover, image.kernel_to, image.kernel_end))
        return;
    say("\nquire: too little memory: the kernel needs RAM from ");
    say_kib(image.kernel_to);
    say(" to ");
    say_kib(image.kernel_end);
    stop();
}

/* Piece by piece; what lies between them, and behind the last one, is zero. */
static void move_kernel(struct boot_path *path)
{
    const uint8_t *from = (const uint8_t *)path->loaded_at;
    uint32_t       sum  = 0;

    clear((void *)image.kernel_to, image.kernel_end - image.kernel_to);
    for (uint32_t n = 0; n < image.piece_count; n++) {
        const struct bios_piece *piece = &image.piece[n];

        copy((void *)piece->to, from, piece->bytes);
        sum = bios_sum(sum, (const void *)piece->to, piece->bytes);
        from += piece->bytes;
    }
    path->moved_to  = image.kernel_to;
    path->image_end = image.kernel_end;
    path->entry     = image.kernel_entry;
    path->pieces    = image.piece_count;
    path->sum_moved = sum;
    check_sum("kernel image, moved to its place", path->sum_moved, path->sum_built);
}

static void fetch_archive(void)
{
    uint32_t to;

    if (image.archive_bytes == 0)
        return;
    to = map_find(&handover, image.kernel_end, image.archive_bytes);
    if (to == 0) {
        say("\nquire: too little memory: the archive needs ");
        say_kib(image.archive_bytes);
        say(" above the kernel");
        stop();
    }
    disk_read(image.archive_sector, image.archive_bytes, to);
    check_sum("archive", bios_sum(0, (const void *)to, image.archive_bytes), image.archive_sum);
    handover.module_start = to;
    handover.module_end   = to + image.archive_bytes;
}

/* Called by enter.S. `at` is where its first byte was when it ran. */
void relocate(uint32_t drive, uint32_t at) NORETURN;

void relocate(uint32_t drive, uint32_t at)
{
    struct boot_path *path = &handover.path;

    path->padding_first = bios_sum(0, (const void *)BIOS_PADDING, BIOS_SECTOR_BYTES);
    say_start();
    say("\n");
    check_sum("relocator", own_sum(), image.relocator_sum);
    handover.magic     = BIOS_MAGIC;
    handover.bytes     = sizeof handover;
    handover.text      = (uint32_t)(uintptr_t)image.text;
    path->drive        = drive;
    path->relocator_at = at;
    check_image(path);
    path->a20 = a20_open();
    map_read(&handover);
    path->map_call    = handover.map_call;
    path->map_entries = handover.map_entries;
    check_room();
    disk_start((uint8_t)drive);
    move_kernel(path);
    fetch_archive();
    disk_end();
    leave(path->entry, &handover);
}
