/*
 * disk.c - sectors from the drive that the BIOS started us from. See relocator.h.
 *
 * As the boot sector reads, which has no room for a common subroutine: by number where int 13h has extensions, else
 * by cylinder, head and sector, a floppy's geometry being in the boot sector. The buffer lies between two borders of
 * 64 KiB.
 *
 * Source   Ralf Brown's Interrupt List, int 13h; EDD-3, "Fixed Disk Access Subset".
 */
#include "boot/bios/relocator.h"

#include "boot/bios/image.h"
#include "io.h"

enum { DISK = 0x13, TRIES = 5, HARD_DISK = 0x80 };
enum { RESET = 0x0000, READ = 0x0200, GEOMETRY = 0x0800, HAS_EXTENSIONS = 0x4100, READ_BY_NUMBER = 0x4200 };
enum { EXTENSIONS_ASK = 0x55AA, EXTENSIONS_ANSWER = 0xAA55, EXTENSIONS_READ = 1 };
enum { BYTES_A_DOT = 256 * 1024 };              /* a sign of life: a floppy takes five seconds for so much */
enum { FLOPPY_CONTROL = 0x3F2, FLOPPY_IDLE = 0x0C };       /* motors off; the controller itself stays on */

_Static_assert(BIOS_BUFFER / 0x10000 == (BIOS_BUFFER + BIOS_BUFFER_SECTORS * BIOS_SECTOR_BYTES - 1) / 0x10000,
               "a floppy's DMA does not cross 64 KiB");

static struct {
    uint8_t  number;
    bool     extended;
    uint32_t track, heads;              /* where it is not extended */
} drive;

static uint16_t word_in_sector(uint32_t offset)
{
    const uint8_t *at = (const uint8_t *)BIOS_SECTOR + offset;

    return (uint16_t)(at[0] | at[1] << 8);
}

static bool call_disk(struct bios_registers *r)
{
    r->edx = (r->edx & ~0xFFu) | drive.number;
    bios_call(DISK, r);
    return !(r->flags & BIOS_CARRY);
}

static void find_geometry(void)
{
    struct bios_registers r = { .eax = GEOMETRY };

    if (drive.number < HARD_DISK) {
        drive.track = word_in_sector(SECTOR_TRACK);
        drive.heads = word_in_sector(SECTOR_HEADS);
    } else if (call_disk(&r)) {
        drive.track = r.ecx & 63;
        drive.heads = (r.edx >> 8 & 0xFF) + 1;
    }
    if (drive.track == 0 || drive.heads == 0)
        refuse("the disk's geometry is not known");
}

void disk_start(uint8_t number)
{
    struct bios_registers r = { .eax = HAS_EXTENSIONS, .ebx = EXTENSIONS_ASK };

    drive.number = number;
    drive.extended = call_disk(&r) && (r.ebx & 0xFFFF) == EXTENSIONS_ANSWER && (r.ecx & EXTENSIONS_READ);
    if (!drive.extended)
        find_geometry();
}

/* ---- Reading ------------------------------------------------------------------------------- */

static bool read_by_number(uint32_t sector, uint32_t count, uint32_t *status)
{
    static struct {
        uint8_t  bytes, zero;
        uint16_t count, offset, segment;
        uint64_t sector;
    } __attribute__((packed)) packet;
    struct bios_registers r = { .eax = READ_BY_NUMBER, .esi = (uint32_t)(uintptr_t)&packet };
    bool                  good;

    packet.bytes   = sizeof packet;
    packet.count   = (uint16_t)count;
    packet.offset  = BIOS_BUFFER;
    packet.segment = 0;
    packet.sector  = sector;
    good = call_disk(&r);
    *status = r.eax >> 8 & 0xFF;
    return good;
}

static bool read_by_geometry(uint32_t sector, uint32_t count, uint32_t *status)
{
    uint32_t track = sector / drive.track, cylinder = track / drive.heads, head = track % drive.heads;
    struct bios_registers r = {
        .eax = READ | count,
        .ebx = BIOS_BUFFER,
        .ecx = (cylinder & 0xFF) << 8 | (cylinder >> 2 & 0xC0) | (sector % drive.track + 1),
        .edx = head << 8,
    };
    bool good = call_disk(&r);

    *status = r.eax >> 8 & 0xFF;
    return good;
}

/* `count` sectors into the buffer. */
static void read_sectors(uint32_t sector, uint32_t count)
{
    uint32_t status = 0;

    for (int n = 0; n < TRIES; n++) {
        struct bios_registers reset = { .eax = RESET };

        if (drive.extended ? read_by_number(sector, count, &status) : read_by_geometry(sector, count, &status))
            return;
        (void)call_disk(&reset);
    }
    say("\nquire: disk error in the archive, at sector ");
    say_number(sector);
    say(", status ");
    say_hex(status);
    stop();
}

void disk_read(uint32_t sector, uint32_t bytes, uint32_t to)
{
    uint32_t since_dot = 0;

    while (bytes > 0) {
        uint32_t count = (bytes + BIOS_SECTOR_BYTES - 1) / BIOS_SECTOR_BYTES, got;

        if (count > BIOS_BUFFER_SECTORS)
            count = BIOS_BUFFER_SECTORS;
        if (!drive.extended && count > drive.track - sector % drive.track)
            count = drive.track - sector % drive.track;
        read_sectors(sector, count);
        got = count * BIOS_SECTOR_BYTES < bytes ? count * BIOS_SECTOR_BYTES : bytes;
        copy((void *)(uintptr_t)to, (const void *)BIOS_BUFFER, got);
        sector += count;
        bytes  -= got;
        to     += got;
        since_dot += got;
        if (since_dot >= BYTES_A_DOT) {
            since_dot -= BYTES_A_DOT;
            say(".");
        }
    }
}

void disk_end(void)
{
    if (drive.number < HARD_DISK)
        port_write8(FLOPPY_CONTROL, FLOPPY_IDLE);
}
