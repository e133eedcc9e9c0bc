/*
 * sum.h - the checksum of images: CRC-32 as Ethernet, gzip and many others have it (ISO 3309).
 *
 * Four bits a step, so that its table is small and constant: the same lines run in the relocator, in the image
 * builder and in the kernel. Any one damaged byte changes it, and any one damaged run of up to 32 bits.
 */
#ifndef QUIRE_BOOT_BIOS_SUM_H
#define QUIRE_BOOT_BIOS_SUM_H

#include <stddef.h>
#include <stdint.h>

/* Go on with a sum; the first piece goes on from 0. */
static inline uint32_t bios_sum(uint32_t sum, const void *bytes, size_t count)
{
    static const uint32_t table[16] = {
        0x00000000, 0x1DB71064, 0x3B6E20C8, 0x26D930AC, 0x76DC4190, 0x6B6B51F4, 0x4DB26158, 0x5005713C,
        0xEDB88320, 0xF00F9344, 0xD6D6A3E8, 0xCB61B38C, 0x9B64C2B0, 0x86D3D2D4, 0xA00AE278, 0xBDBDF21C,
    };
    const uint8_t *at = bytes;

    for (sum = ~sum; count > 0; count--) {
        sum ^= *at++;
        sum = sum >> 4 ^ table[sum & 15];
        sum = sum >> 4 ^ table[sum & 15];
    }
    return ~sum;
}

#endif
