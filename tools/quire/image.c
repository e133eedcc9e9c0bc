/* image.c - putting the parts of an image together. See image.h. */
#include "image.h"
#include "../../boot/bios/image.h"
#include "../../boot/bios/sum.h"
#include "flat.h"
#include "libquire/arena.h"
#include "libquire/home.h"
#include "libquire/sandbox.h"
#include "target.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum {
    SECTOR      = BIOS_SECTOR_BYTES,
    MEBIBYTE    = 1 << 20,
    LOW_END     = 639 * 1024,       /* the BIOS's own kilobyte ends it on nearly every machine */
    LEAST_PLACE = 1 << 20,          /* below, the relocator would copy onto itself               */
    PARTITION_DATA = 0xDA,          /* "non-file-system data"                                   */
};

static const struct floppy {
    const char *name;
    unsigned    sectors, track, heads;
} floppies[] = {
    { "1.44 MB floppy", 2880, 18, 2 },
    { "2.88 MB floppy (1.44 MB is too little)", 5760, 36, 2 },
};

/* A machine's virtio console, if it has one, is not the channel. */
static const char own_words[] = "channel=none ";

/* The image as it grows; bytes that are not written are zero. */
struct image {
    uint8_t *bytes;
    uint64_t size;
    uint32_t loaded_sectors;        /* from BIOS_FIRST_SECTOR on */
};

static uint64_t sectors_for(uint64_t bytes)
{
    return (bytes + SECTOR - 1) / SECTOR;
}

static void put16(uint8_t *at, unsigned number)
{
    at[0] = (uint8_t)number;
    at[1] = (uint8_t)(number >> 8);
}

static void put32(uint8_t *at, uint32_t number)
{
    put16(at, number & 0xFFFF);
    put16(at + 2, number >> 16);
}

/* ---- The parts ------------------------------------------------------------------------ */

/* Read a product of the build as a whole. Returns 0 or an exit status. */
static int read_part(const char *name, uint8_t **bytes, size_t *size)
{
    char *path = build_path(NULL, name);
    FILE *file = path != NULL ? fopen(path, "re") : NULL;
    int status = 0;

    *bytes = grown(NULL, 65536, 1);
    *size = file != NULL ? fread(*bytes, 1, 65536, file) : 0;
    if (file == NULL || ferror(file) || *size == 0 || *size == 65536)
        status = tell(SANDBOX_NO_KERNEL, "%s is not built; `make quire` builds it", name);
    if (file != NULL)
        fclose(file);
    drop(path);
    return status;
}

/* Sector 1 is never loaded. The sector is not empty, so that a test would notice if it were loaded. */
static void fill_padding(uint8_t *sector)
{
    static const char words[] = "Padding: nobody loads this. ";

    for (size_t i = 0; i < SECTOR; i++)
        sector[i] = (uint8_t)words[i % (sizeof(words) - 1)];
}

/* One active partition from the boot sector to the end: some BIOSes start from no disk without one. */
static void fill_partition(uint8_t *entry, uint64_t sectors)
{
    /* larger than a cylinder number: the sector numbers below count */
    static const uint8_t nowhere[3] = { 0xFE, 0xFF, 0xFF };

    entry[0] = 0x80;
    memcpy(entry + 1, "\0\2", 3);                               /* head 0, sector 2, cylinder 0 */
    entry[4] = PARTITION_DATA;
    memcpy(entry + 5, nowhere, 3);
    put32(entry + 8, 1);
    put32(entry + 12, (uint32_t)(sectors - 1));
}

/* Copy the archive in. Returns 0 or an exit status. */
static int fill_archive(const struct image_plan *plan, uint8_t *to)
{
    for (uint64_t done = 0; done < plan->archive_size;) {
        ssize_t got = pread(plan->archive, to + done, plan->archive_size - done, (off_t)done);

        if (got <= 0)
            return tell(SANDBOX_FAILED, "the archive cannot be read: %s", got < 0 ? strerror(errno) : "it ends early");
        done += (uint64_t)got;
    }
    return 0;
}

/* Fill the header for the relocator; the header's own sum last, since it sums all other fields. */
static void fill_header(struct image *image, const struct image_plan *plan, const struct flat *kernel)
{
    struct bios_image *header = (void *)(image->bytes + BIOS_FIRST_SECTOR * SECTOR);
    uint32_t archive_sector = BIOS_FIRST_SECTOR + image->loaded_sectors;

    header->sector_sum   = bios_sum(0, image->bytes, SECTOR);
    header->padding_sum  = bios_sum(0, image->bytes + SECTOR, SECTOR);
    header->kernel_bytes = kernel->size;
    header->kernel_sum   = bios_sum(0, kernel->bytes, kernel->size);
    header->kernel_to    = kernel->start;
    header->kernel_end   = kernel->end;
    header->kernel_entry = kernel->entry;
    header->piece_count  = kernel->piece_count;
    memcpy(header->piece, kernel->piece, sizeof(header->piece));
    if (plan->archive >= 0) {
        header->archive_sector = archive_sector;
        header->archive_bytes  = (uint32_t)plan->archive_size;
        header->archive_sum    = bios_sum(0, image->bytes + archive_sector * (uint64_t)SECTOR, plan->archive_size);
    }
    snprintf(header->text, BIOS_TEXT, "%s%s", own_words, plan->text);
    header->relocator_sum = 0;
    header->relocator_sum = bios_sum(0, header, header->relocator_bytes);
}

/* ---- How large ------------------------------------------------------------------------ */

/* The smallest floppy that holds so many sectors, or NULL. */
static const struct floppy *choose_floppy(uint64_t sectors)
{
    for (size_t i = 0; i < sizeof(floppies) / sizeof(floppies[0]); i++)
        if (sectors <= floppies[i].sectors)
            return &floppies[i];
    return NULL;
}

static int check_low_memory(const char *layout, uint64_t loaded)
{
    uint64_t room = LOW_END - BIOS_RELOCATOR;

    if (loaded <= room)
        return 0;
    return tell(SANDBOX_FAILED,
                "the kernel of the layout %s is too large: %" PRIu64
                " KiB are to be loaded at 0x%X, and low memory holds %" PRIu64 " KiB from there on",
                layout, (loaded + 1023) / 1024, BIOS_RELOCATOR, room / 1024);
}

static int check_place(const char *layout, const struct flat *kernel)
{
    if (kernel->start >= LEAST_PLACE)
        return 0;
    return tell(SANDBOX_FAILED,
                "the kernel of the layout %s is to run at 0x%" PRIX32 "; the relocator moves kernels to 1 MiB or above",
                layout, kernel->start);
}

static void report(const struct image_plan *plan, const struct image *image, const char *kind)
{
    uint64_t loaded = (uint64_t)image->loaded_sectors * SECTOR;

    printf("%s: %s, %" PRIu64 " KiB", plan->output, kind, image->size / 1024);
    printf("; %" PRIu64 " KiB to load, low memory has room for %" PRIu64 " more", (loaded + 1023) / 1024,
           (LOW_END - BIOS_RELOCATOR - loaded) / 1024);
    if (plan->archive >= 0)
        printf("; archive %" PRIu64 " KiB", (plan->archive_size + 1023) / 1024);
    printf("\n");
}

/* ---- The image ------------------------------------------------------------------------ */

/* sector and relocator are whole files; the kernel is flat. */
static int compose(const struct image_plan *plan, const uint8_t *sector, const uint8_t *relocator,
                   size_t relocator_size, const struct flat *kernel)
{
    uint64_t loaded = relocator_size + kernel->size, used = BIOS_FIRST_SECTOR + sectors_for(loaded);
    uint64_t needed = used + sectors_for(plan->archive_size), sectors;
    const struct floppy *floppy = plan->floppy ? choose_floppy(needed) : NULL;
    struct image image = { .loaded_sectors = (uint32_t)sectors_for(loaded) };
    uint8_t *at;
    int status = check_place(plan->layout, kernel);

    if (status == 0)
        status = check_low_memory(plan->layout, sectors_for(loaded) * SECTOR);
    if (status != 0)
        return status;
    if (plan->archive_size > UINT32_MAX / 2)
        return tell(SANDBOX_FAILED, "an archive of %" PRIu64 " MiB is beyond what 32 bits can reach",
                    plan->archive_size >> 20);
    if (plan->floppy && floppy == NULL)
        return tell(SANDBOX_FAILED,
                    "too large for a floppy: %" PRIu64 " KiB, and the largest has 2880; without --floppy it "
                    "becomes a disk",
                    (needed * SECTOR + 1023) / 1024);
    sectors = floppy != NULL ? floppy->sectors : (needed * SECTOR + MEBIBYTE - 1) / MEBIBYTE * (MEBIBYTE / SECTOR);
    image.size = sectors * SECTOR;
    image.bytes = calloc(1, image.size);
    if (image.bytes == NULL)
        return tell(SANDBOX_FAILED, "out of memory");

    at = image.bytes;
    memcpy(at, sector, SECTOR);
    put16(at + SECTOR_COUNT, image.loaded_sectors);
    if (floppy != NULL) {
        put16(at + SECTOR_TRACK, floppy->track);
        put16(at + SECTOR_HEADS, floppy->heads);
    } else {
        fill_partition(at + SECTOR_PARTITIONS, sectors);
    }
    fill_padding(at + SECTOR);
    memcpy(at + BIOS_FIRST_SECTOR * SECTOR, relocator, relocator_size);
    memcpy(at + BIOS_FIRST_SECTOR * SECTOR + relocator_size, kernel->bytes, kernel->size);
    status = fill_archive(plan, at + used * SECTOR);
    if (status == 0) {
        fill_header(&image, plan, kernel);
        status = target_put("", plan->output, image.bytes, image.size);
    }
    if (status == 0)
        report(plan, &image, floppy != NULL ? floppy->name : "disk");
    free(image.bytes);
    return status;
}

/* Check that the parts are those of the build of this program. */
static bool parts_fit(const uint8_t *sector, size_t sector_size, const uint8_t *relocator, size_t relocator_size)
{
    const struct bios_image *header = (const void *)relocator;

    return sector_size == SECTOR && sector[SECTOR_SIGNATURE] == (BIOS_SIGNATURE & 0xFF) &&
           sector[SECTOR_SIGNATURE + 1] == BIOS_SIGNATURE >> 8 && relocator_size > sizeof(*header) &&
           header->magic == BIOS_IMAGE_MAGIC && header->relocator_bytes == relocator_size;
}

static int write_with(const struct image_plan *plan, const struct flat *kernel)
{
    uint8_t *sector = NULL, *relocator = NULL;
    size_t sector_size = 0, relocator_size = 0;
    int status = read_part("bios/sector", &sector, &sector_size);

    if (status == 0)
        status = read_part("bios/relocator", &relocator, &relocator_size);
    if (status == 0 && !parts_fit(sector, sector_size, relocator, relocator_size))
        status = tell(SANDBOX_NO_KERNEL,
                      "boot sector and relocator are of another build; `make quire` makes them anew");
    if (status == 0)
        status = compose(plan, sector, relocator, relocator_size, kernel);
    drop(sector);
    drop(relocator);
    return status;
}

int image_write(const struct image_plan *plan)
{
    char *name = text("%s/kernel.elf", plan->layout), *path = build_path(NULL, name);
    struct flat kernel;
    int status;

    drop(name);
    if (path == NULL)
        return tell_no_kernel(&(struct sandbox){ .layout = plan->layout });
    if (strlen(own_words) + strlen(plan->text) >= BIOS_TEXT) {
        drop(path);
        return tell(SANDBOX_FAILED, "--append: the kernel's command line has room for %zu characters more",
                    BIOS_TEXT - 1 - strlen(own_words));
    }
    status = flat_read(&kernel, path);
    drop(path);
    if (status != 0)
        return status;
    status = write_with(plan, &kernel);
    free(kernel.bytes);
    return status;
}
