/*
 * firmware_machine.h - what firmware_world.h is made of; first of all, since it decides the format of entries.
 */
#ifndef TESTS_FIRMWARE_MACHINE_H
#define TESTS_FIRMWARE_MACHINE_H

#define MMU_FORMAT_FIRMWARE
#define LAYOUT_NAME "firmware"          /* keeps the constants of a compiled document out */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>

#include "base/string.h"
#include "machine.h"
#include "memory/audit.h"
#include "memory/cursor.h"
#include "memory/frame.h"
#include "memory/layout.h"
#include "memory/slot.h"
#include "memory/space.h"

#include "machine.c"
#include "mmu.c"
#include "walk_firmware.c"
#include "memory/slot.c"
#include "memory/table.c"
#include "memory/cursor.c"
#include "memory/cursor_tables.c"

#define R   MAY_READ
#define W   MAY_WRITE
#define X   MAY_EXECUTE
#define RW  (R | W)

#endif
