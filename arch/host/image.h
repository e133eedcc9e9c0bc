/*
 * image.h (host) - how many pages each section of the image has that the host pretends to run.
 */
#ifndef QUIRE_HOST_IMAGE_H
#define QUIRE_HOST_IMAGE_H

#define IMAGE_BOOT_PAGES    5
#define IMAGE_TEXT_PAGES    11
#define IMAGE_RODATA_PAGES  3
#define IMAGE_DATA_PAGES    17      /* boot tables first, the guard of the boot stack last */
#define IMAGE_ORIGINAL_PAGES 2      /* in a layout that packs: what each process gets a copy of */
#define IMAGE_SHARED_BYTES  5136    /*   and how long it is, which is not whole pages           */

#endif
