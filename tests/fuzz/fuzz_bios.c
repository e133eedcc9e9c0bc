/*
 * fuzz_bios.c - with any bytes in memory, reading the relocator's information ends and stays inside.
 *
 * The first four bytes are the address of the information, the rest is physical memory from byte 0. Its first two words
 * are made valid, or nothing would be tested.
 */
#include <stdlib.h>
#include <string.h>

#include "boot/bios.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool is)
{
    if (!is)
        abort();
}

static void check(const struct boot_info *info)
{
    require(info->range_count <= BOOT_RANGES && info->module_count <= 1);
    require(strnlen(info->text, BOOT_TEXT) < BOOT_TEXT);
    require(strnlen(info->loader, BOOT_NAME) < BOOT_NAME);
    for (uint32_t n = 0; n < info->range_count; n++)
        require(info->ranges[n].length > 0);
    require(info->problem || info->range_count > 0);
    require(info->problem || info->path.sum_moved == info->path.sum_built);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct boot_info info;
    const uint32_t          head[2] = { BIOS_MAGIC, sizeof(struct bios_handover) };
    struct physical         memory;
    uint32_t                address;
    uint8_t                *bytes;

    if (size < 4 || (bytes = malloc(size - 4)) == NULL)
        return 0;
    memcpy(&address, data, 4);
    memcpy(bytes, data + 4, size - 4);
    if (address % 16 != 0 && size - 4 >= sizeof head)
        memcpy(bytes + (address %= size - 4 - sizeof head + 1), head, sizeof head);
    memory = (struct physical){ bytes, size - 4 };
    memset(&info, 0, sizeof info);
    bios_read(&info, &memory, address);
    check(&info);
    free(bytes);
    return 0;
}
