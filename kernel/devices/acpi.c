/*
 * acpi.c - the search for the way to switch off. See acpi.h.
 */
#include "devices/acpi.h"

#include "base/string.h"

enum {
    ROOT_FROM = 0xE0000, ROOT_BYTES = 0x20000, ROOT_STEP = 16, ROOT_SUMMED = 20, ROOT_TABLES = 16,
    HEADER = 36, AT_LENGTH = 4, LONGEST = 1 << 20, TABLES_MOST = 64,
};
/* Offsets in the fixed description table. */
enum { FIXED_CODE = 40, FIXED_ENABLE_PORT = 48, FIXED_ENABLE_VALUE = 52, FIXED_PORT_A = 64, FIXED_PORT_B = 68,
       FIXED_LEAST = 72 };
/* Bits of the register at its ports. */
enum { SLEEP_SHIFT = 10, SLEEP_TYPES = 7, SLEEP_GO = 1 << 13 };
/* Byte code (AML). */
enum { CODE_NAME = 0x08, CODE_ROOT = '\\', CODE_PACKAGE = 0x12, CODE_ZERO = 0x00, CODE_ONE = 0x01, CODE_BYTE = 0x0A };

static uint32_t word_at(const uint8_t *at)
{
    return at[0] | at[1] << 8 | at[2] << 16 | (uint32_t)at[3] << 24;
}

static bool sums_to_zero(const uint8_t *bytes, uint32_t count)
{
    uint8_t sum = 0;

    while (count > 0)
        sum += bytes[--count];
    return sum == 0;
}

/* ---- Tables ------------------------------------------------------------------------------------ */

/* The address of the list of tables, or 0. */
static uint32_t find_list(acpi_view view)
{
    const uint8_t *bytes = view(ROOT_FROM, ROOT_BYTES);

    for (uint32_t at = 0; bytes != NULL && at + ROOT_SUMMED <= ROOT_BYTES; at += ROOT_STEP)
        if (memcmp(bytes + at, "RSD PTR ", 8) == 0 && sums_to_zero(bytes + at, ROOT_SUMMED))
            return word_at(bytes + at + ROOT_TABLES);
    return 0;
}

/* A whole table, if its name and its sum are right; NULL otherwise. */
static const uint8_t *find_table(acpi_view view, uint32_t at, const char *name, uint32_t least, uint32_t *length)
{
    const uint8_t *bytes = at != 0 ? view(at, HEADER) : NULL;

    if (bytes == NULL || memcmp(bytes, name, 4) != 0)
        return NULL;
    *length = word_at(bytes + AT_LENGTH);
    if (*length < least || *length > LONGEST || *length > UINT32_MAX - at)
        return NULL;
    bytes = view(at, *length);
    return bytes != NULL && sums_to_zero(bytes, *length) ? bytes : NULL;
}

/* ---- The byte code --------------------------------------------------------------------------------- */

/* Read one small number of a package; false when the byte code there is no number. */
static bool take_small_number(const uint8_t **at, const uint8_t *end, uint16_t *number)
{
    if (*at < end && (**at == CODE_ZERO || **at == CODE_ONE)) {
        *number = *(*at)++;
        return true;
    }
    if (end - *at >= 2 && **at == CODE_BYTE) {
        *number = (*at)[1];
        *at += 2;
        return true;
    }
    return false;
}

/* Read what stands behind the name: a package that begins with the sleep types for both ports. */
static bool read_package(const uint8_t *at, const uint8_t *end, struct acpi_off *off)
{
    if (end - at < 2 || *at++ != CODE_PACKAGE)
        return false;
    if (end - at <= (at[0] >> 6) + 1)           /* its length takes one to four bytes; then comes a count */
        return false;
    at += (at[0] >> 6) + 2;
    for (int n = 0; n < 2; n++) {
        if (!take_small_number(&at, end, &off->value[n]) || off->value[n] > SLEEP_TYPES)
            return false;
        off->value[n] = (uint16_t)(off->value[n] << SLEEP_SHIFT | SLEEP_GO);
    }
    return true;
}

/* Name (_S5, Package ...), at the top or with \ before it. */
static bool find_package(const uint8_t *code, uint32_t length, struct acpi_off *off)
{
    for (uint32_t at = HEADER + 1; at + 4 <= length; at++)
        if (memcmp(code + at, "_S5_", 4) == 0 &&
            (code[at - 1] == CODE_NAME || (code[at - 1] == CODE_ROOT && code[at - 2] == CODE_NAME)) &&
            read_package(code + at + 4, code + length, off))
            return true;
    return false;
}

/* ---- All of it --------------------------------------------------------------------------------------- */

/* Read the fixed table's part of *off. Returns the byte code's address, 0 if the table is invalid. */
static uint32_t read_fixed(const uint8_t *fixed, struct acpi_off *off)
{
    *off = (struct acpi_off){
        .port         = { (uint16_t)word_at(fixed + FIXED_PORT_A), (uint16_t)word_at(fixed + FIXED_PORT_B) },
        .mask         = (uint16_t) ~(SLEEP_TYPES << SLEEP_SHIFT | SLEEP_GO),
        .enable_port  = (uint16_t)word_at(fixed + FIXED_ENABLE_PORT),
        .enable_value = fixed[FIXED_ENABLE_VALUE],
    };
    return off->port[0] != 0 && word_at(fixed + FIXED_PORT_A) <= UINT16_MAX ? word_at(fixed + FIXED_CODE) : 0;
}

bool acpi_find_off(acpi_view view, struct acpi_off *off)
{
    uint32_t        places[TABLES_MOST], count = 0, length;
    const uint8_t  *list = find_table(view, find_list(view), "RSDT", HEADER, &length);
    struct acpi_off found;

    /* The list is copied: the next view ends this one. */
    for (uint32_t at = HEADER; list != NULL && at + 4 <= length && count < TABLES_MOST; at += 4)
        places[count++] = word_at(list + at);
    for (uint32_t n = 0; n < count; n++) {
        const uint8_t *fixed = find_table(view, places[n], "FACP", FIXED_LEAST, &length);
        const uint8_t *code  = fixed == NULL ? NULL
                               : find_table(view, read_fixed(fixed, &found), "DSDT", HEADER, &length);

        if (code != NULL && find_package(code, length, &found)) {
            *off = found;
            return true;
        }
    }
    return false;
}
