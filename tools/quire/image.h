/*
 * image.h - a disk that a BIOS starts Quire from: boot sector, padding, relocator, kernel, archive.
 *
 * boot/bios/image.h describes where each part is and what is written into it. The kernel is stored as its loaded parts
 * lie in physical memory, so that the relocator only copies.
 */
#ifndef QUIRE_IMAGE_H
#define QUIRE_IMAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct image_plan {
    const char *output;             /* the file to write                                     */
    const char *layout;             /* the kernel's layout                                   */
    const char *text;               /* more for the kernel's command line                    */
    int         archive;            /* descriptor of the boot archive, or -1                 */
    uint64_t    archive_size;
    bool        floppy;             /* 1.44 MB, or 2.88 MB; else a disk of whole mebibytes   */
};

/*
 * Write the disk, and describe it on standard output. Returns 0, or, after a complaint, an exit status of sandbox.h: no
 * kernel is built, the image is too large for low memory or for a floppy, the file cannot be written.
 */
int image_write(const struct image_plan *plan);

#endif
