/*
 * pic.h (i386) - the two 8259 interrupt controllers.
 *
 * Lines 0..7 are the first controller's, 8..15 the second's, which reports through line 2.
 * Used by trap.c only; all other code calls interrupt_handle().
 *
 * Source   Intel 8259A data sheet.
 */
#ifndef QUIRE_ARCH_PIC_H
#define QUIRE_ARCH_PIC_H

#include "base/types.h"

void pic_start(uint8_t first_vector);       /* line n raises first_vector + n; all lines shut but the cascade */
void pic_open(unsigned line);
bool pic_is_real(unsigned line);            /* false: noise on the line, no device asked; already ended */
void pic_end(unsigned line);                /* the handler of this line has returned */

#endif
