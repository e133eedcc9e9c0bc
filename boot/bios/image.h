/*
 * image.h - an image that a BIOS can start: its parts, on the disk and in memory.
 *
 * Byte n of the image is loaded to physical BIOS_SECTOR + n, if it is loaded:
 *
 *     on the disk   in memory   what
 *     sector 0      0x7C00      the boot sector (sector.S), loaded by the BIOS
 *     sector 1      -           padding: not loaded; 0x7E00 to 0x7FFF stays as the BIOS left it
 *     sector 2      0x8000      the relocator (enter.S, relocator.c), begins with struct bios_image
 *     right after   right after the kernel, as flat bytes: its loaded parts, by physical address; a large gap is left
 *                               out, and each piece (struct bios_piece) is moved to its own place
 *     a new sector  -           the boot archive, if there is one; the relocator fetches it
 *
 * The boot sector loads everything up to the end of the kernel. A kernel that low memory cannot hold is refused when
 * the image is built, and by the boot sector on a machine whose firmware keeps more memory than is usual. All sums are
 * bios_sum() (sum.h). Numbers are little endian.
 *
 * Below 0x7C00 the relocator has its own memory, which is free once the kernel runs:
 *
 *     0x1000        variables, the memory map, the information for the kernel (boot/bios.h)
 *     0x3000        sectors of the archive on their way up: in one piece of 64 KiB, as a floppy's DMA needs it
 *     0x7C00        the stack, downwards
 */
#ifndef QUIRE_BOOT_BIOS_IMAGE_H
#define QUIRE_BOOT_BIOS_IMAGE_H

#define BIOS_SECTOR         0x7C00
#define BIOS_PADDING        0x7E00
#define BIOS_RELOCATOR      0x8000
#define BIOS_SECTOR_BYTES   512

/* What the image builder writes into the boot sector: offsets of 16-bit numbers. */
#define SECTOR_TRACK        0x18        /* sectors in a track, for floppies: where a file system's sector has it */
#define SECTOR_HEADS        0x1A        /* and how many heads                                                    */
#define SECTOR_COUNT        0x3C        /* sectors to load, from BIOS_FIRST_SECTOR on                            */
#define SECTOR_PARTITIONS   0x1BE
#define SECTOR_SIGNATURE    0x1FE       /* 0xAA55 */
#define BIOS_SIGNATURE      0xAA55

#define BIOS_FIRST_SECTOR   2

#define BIOS_IMAGE_MAGIC    0x45525551  /* "QURE" */
#define BIOS_TEXT           1024        /* the command line, with its terminator */
#define BIOS_PIECES         8
#define BIOS_HEADER_WORDS   (13 + 2 * BIOS_PIECES)  /* of struct bios_image, between relocator_bytes and text */

/* The relocator's own memory. */
#define BIOS_VARIABLES      0x1000
#define BIOS_BUFFER         0x3000
#define BIOS_BUFFER_SECTORS 24
#define BIOS_STACK          0x7C00

#ifndef __ASSEMBLER__

#include <stdint.h>

/* A run of the kernel's bytes, and where it goes. */
struct bios_piece {
    uint32_t to, bytes;
};

/* The relocator's first bytes. The builder fills in all but the first two and `relocator_bytes`. */
struct bios_image {
    uint8_t  jump[4];           /* to the relocator's first instruction                         */
    uint32_t magic;             /* BIOS_IMAGE_MAGIC                                              */
    uint32_t relocator_bytes;   /* the kernel follows directly                                  */
    uint32_t relocator_sum;     /* of all of it, with this field 0                              */
    uint32_t sector_sum, padding_sum;           /* of sectors 0 and 1 as they are on the disk   */
    uint32_t kernel_bytes, kernel_sum;          /* of all pieces, one after the other           */
    uint32_t kernel_to;         /* physical address at which it begins                          */
    uint32_t kernel_end;        /* past its last variable: bytes of no piece are 0 up to here   */
    uint32_t kernel_entry;
    uint32_t archive_sector, archive_bytes, archive_sum;        /* 0, 0, 0: there is none       */
    uint32_t piece_count, spare;
    struct bios_piece piece[BIOS_PIECES];       /* upwards                                      */
    char     text[BIOS_TEXT];
};

_Static_assert(sizeof(struct bios_image) == 12 + 4 * BIOS_HEADER_WORDS + BIOS_TEXT, "enter.S leaves room for this");

#endif
#endif
