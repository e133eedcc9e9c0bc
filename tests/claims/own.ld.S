/*
 * own.ld.S - for the linker of claims-on-host: what probes look at by its address gets addresses in the mirror, in the
 * section of the image that it belongs to (image.h). The rest of the program is linked as any other.
 *
 * A shared variable is named by its address in its segment, which is a kernel address.
 *
 * Page tables are at the beginning of the image's data, the guard of the boot stack or the applications' variables at
 * its end.
 */
#include "tests/claims/image.h"
#define PAGE 4096
SECTIONS
{
    own_text = IMAGE_MIRROR + image_text_border - PAGE;
    .own_text own_text : { *claims_rights.c.o(.text.code) *claims_spaces.c.o(.text.a12_both_windows) }
    own_text_end = own_text + SIZEOF(.own_text);
    own_rodata = IMAGE_MIRROR + image_rodata_border - PAGE;
    .own_rodata own_rodata : { *claims_rights.c.o(.rodata.constant) }
    own_rodata_end = own_rodata + SIZEOF(.own_rodata);
    own_data = IMAGE_MIRROR + image_data_border - 3 * PAGE;
    .own_data own_data : {
        BYTE(0) *claims_spaces.c.o(.bss.witness) *claims_rights.c.o(.data.firmware_variable)
    }
    own_data_end = own_data + SIZEOF(.own_data);
    own_shared = image_data_border + PAGE;
    .own_shared own_shared : { *claims_rights.c.o(.data_shared) }
    own_shared_end = own_shared + SIZEOF(.own_shared);
}
INSERT AFTER .bss;
