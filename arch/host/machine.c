/*
 * machine.c - power: RAM is allocated and freed. See machine.h.
 */
#include "machine.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/check.h"
#include "cpu.h"

_Thread_local unsigned host_cpu;
_Thread_local unsigned long host_interrupts_off;
char *host_mirror;

uint8_t *machine_ram;
uint32_t machine_frames;

static int memory_file = -1;

static void make_arena(uint64_t bytes)
{
    memory_file = memfd_create("quire-arena", MFD_CLOEXEC);
    if (memory_file < 0 || ftruncate(memory_file, (off_t)bytes) != 0) {
        perror("machine: arena");
        abort();
    }
    machine_ram = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, memory_file, 0);
    if (machine_ram == MAP_FAILED) {
        perror("machine: arena");
        abort();
    }
    machine_frames = (uint32_t)(bytes / PAGE_SIZE);
}

void machine_stop(void)
{
    mmu_power(false, -1);
    if (memory_file < 0)
        return;
    munmap(machine_ram, (size_t)machine_frames * PAGE_SIZE);
    close(memory_file);
    machine_ram = NULL;
    machine_frames = 0;
    memory_file = -1;
}

void machine_power_on(const struct machine_config *config)
{
    assert(config->ram_bytes % PAGE_SIZE == 0 && config->ram_bytes / PAGE_SIZE <= MMU_FRAMES_END);
    machine_stop();
    make_arena(config->ram_bytes);
    mmu_power(true, memory_file);
    mmu_features = (struct mmu_features){ .write_protect = true, .global = !config->no_global,
                                          .large = !config->no_large && MMU_LARGE_LEVEL > 1 };
}
