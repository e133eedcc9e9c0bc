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
#include "memory/tables/cursor.h"
#include "memory/frames/frame.h"
#include "memory/layout.h"
#include "memory/tables/slot.h"
#include "memory/spaces/space.h"

#include "machine.c"
#include "mmu.c"
#include "walk_firmware.c"
#include "memory/tables/slot.c"
#include "memory/tables/table.c"
#include "memory/tables/cursor.c"
#include "memory/tables/cursor_tables.c"

#define R   MAY_READ
#define W   MAY_WRITE
#define X   MAY_EXECUTE
#define RW  (R | W)

#endif
