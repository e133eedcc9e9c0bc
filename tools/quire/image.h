/*
 * image.h - a disk that a BIOS starts Quire from: boot sector, padding, relocator, kernel, archive.
 *
 * Where each part is, and what is written into it, says boot/bios/image.h, which the parts themselves include. The
 * kernel is taken as its loaded parts lie in physical memory, so that the relocator has nothing to understand.
 */
#ifndef QUIRE_IMAGE_H
#define QUIRE_IMAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct image_plan {
    const char *output;             /* the file to write                                     */
    const char *layout;             /* whose kernel                                          */
    const char *text;               /* more for the kernel's command line                    */
    int         archive;            /* descriptor of the boot archive, or -1                 */
    uint64_t    archive_size;
    bool        floppy;             /* 1.44 MB, or 2.88 MB; else a disk of whole mebibytes   */
};

/*
 * Write it, and say on standard output what became of it. Returns 0, or an exit status of sandbox.h and has complained:
 * no kernel is built, the image is too large for low memory or for a floppy, the file cannot be written.
 */
int image_write(const struct image_plan *plan);

#endif
