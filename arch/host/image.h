/*
 * image.h (host) - the sizes of the sections of the image that the host pretends to run.
 */
#ifndef QUIRE_HOST_IMAGE_H
#define QUIRE_HOST_IMAGE_H

#define IMAGE_BOOT_PAGES    5
#define IMAGE_TEXT_PAGES    11
#define IMAGE_RODATA_PAGES  3
#define IMAGE_DATA_PAGES    17      /* boot tables first, the guard of the boot stack last */
#define IMAGE_ORIGINAL_PAGES 2      /* in a layout that packs: the part that each process gets a copy of */
#define IMAGE_SHARED_BYTES  5136    /*   and its length, which is not whole pages               */

#endif
