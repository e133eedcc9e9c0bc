/*
 * fuzz_multiboot.c - with any bytes in memory, reading a loader's information ends and stays inside.
 *
 * The first eight bytes are the magic number and the address of the information, the rest is
 * physical memory from byte 0. The magic is nearly always right, or nothing would be tested.
 */
#include <stdlib.h>
#include <string.h>

#include "boot/multiboot.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool is)
{
    if (!is)
        abort();
}

static void check(const struct boot_info *info)
{
    require(info->range_count <= BOOT_RANGES && info->module_count <= BOOT_MODULES);
    require(strnlen(info->text, BOOT_TEXT) < BOOT_TEXT);
    require(strnlen(info->loader, BOOT_NAME) < BOOT_NAME);
    for (uint32_t n = 0; n < info->module_count; n++)
        require(strnlen(info->modules[n].text, BOOT_NAME) < BOOT_NAME);
    for (uint32_t n = 0; n < info->range_count; n++)
        require(info->ranges[n].length > 0);
    require(info->problem || info->range_count > 0);

    /* A block that contains a range contains each half of it. */
    if (boot_ranges_hold(info, 0x1000, 0x9000)) {
        require(boot_ranges_hold(info, 0x1000, 0x5000));
        require(boot_ranges_hold(info, 0x5000, 0x9000));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct boot_info info;
    struct physical         memory;
    uint32_t                magic, address;

    if (size < 8)
        return 0;
    memcpy(&magic, data, 4);
    memcpy(&address, data + 4, 4);
    memory = (struct physical){ data + 8, size - 8 };
    memset(&info, 0, sizeof info);
    multiboot_read(&info, &memory, magic % 16 ? MULTIBOOT_MAGIC : magic, address);
    check(&info);
    return 0;
}
