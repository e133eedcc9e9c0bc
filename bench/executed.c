/*
 * executed.c - a plug-in of QEMU that counts what a machine executes, block by block of translated code.
 *
 * It writes into a mapped file, so that the counts are there however QEMU ends. The file is an array of
 * struct row; a row whose `times` is 0 is unused, or its block never ran. A block that a fault ends early counts whole.
 *
 *     qemu-system-i386 -plugin executed.so,out=FILE[,from=ADDRESS] ...
 *
 * With `from`, what ran before the first block of the 64 KiB that begin there is not counted: a machine's start.
 *
 * What is used of QEMU's interface is declared here, as QEMU 7.2 has it: Debian has no header of it.
 * VERSION is that of the interface: 1 until QEMU 8, then 2 at least. The quicker way to count is gone from newer ones.
 */
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define PUBLIC __attribute__((visibility("default")))

enum { ROWS = 1 << 21, PLACES = 2 * ROWS, FROM_BYTES = 64 * 1024 };
enum { INLINE_ADD = 0, NO_REGISTERS = 0 };          /* of its enumerations */

struct block;
struct information;

extern void     qemu_plugin_register_vcpu_tb_trans_cb(uint64_t id, void (*act)(uint64_t id, struct block *block));
extern size_t   qemu_plugin_tb_n_insns(const struct block *block);
extern uint64_t qemu_plugin_tb_vaddr(const struct block *block);
extern void     qemu_plugin_register_vcpu_tb_exec_cb(struct block *block, void (*act)(unsigned processor, void *of),
                                                     int registers, void *of);
extern void     qemu_plugin_register_vcpu_tb_exec_inline(struct block *block, int act, void *at, uint64_t number)
                    __attribute__((weak));

PUBLIC int qemu_plugin_version = VERSION;
PUBLIC int qemu_plugin_install(uint64_t id, const struct information *information, int count, char **words);

struct row {
    uint64_t address, instructions, times;
};

static struct row *rows;
static uint32_t places[PLACES], used;               /* by hash: a row's number and one, or 0 */
static uint64_t from;                               /* 0 when it has been met, or was not asked for */

/* A block that is met for the first time is translated just before it runs. */
static void begin_at(uint64_t address)
{
    if (from == 0 || address < from || address - from >= FROM_BYTES)
        return;
    from = 0;
    for (uint32_t i = 0; i < used; i++)
        rows[i].times = 0;
}

/* The row of a block; the last one is for all that come when no other is free. */
static struct row *row_of(uint64_t address, uint64_t instructions)
{
    uint64_t hash = (address * 64 + instructions) * 0x9E3779B97F4A7C15u;
    uint32_t place = (uint32_t)(hash >> 32) % PLACES;

    while (places[place] != 0) {
        struct row *row = &rows[places[place] - 1];

        if (row->address == address && row->instructions == instructions)
            return row;
        place = (place + 1) % PLACES;
    }
    if (used < ROWS) {
        places[place] = ++used;
        rows[used - 1].address = address;
        rows[used - 1].instructions = instructions;
    }
    return &rows[used - 1];
}

static void executed(unsigned processor, void *row)
{
    (void)processor;
    ((struct row *)row)->times++;
}

static void translated(uint64_t id, struct block *block)
{
    uint64_t address = qemu_plugin_tb_vaddr(block) & UINT32_MAX;
    struct row *row = row_of(address, qemu_plugin_tb_n_insns(block));

    (void)id;
    begin_at(address);
    if (qemu_plugin_register_vcpu_tb_exec_inline != NULL)
        qemu_plugin_register_vcpu_tb_exec_inline(block, INLINE_ADD, &row->times, 1);
    else
        qemu_plugin_register_vcpu_tb_exec_cb(block, executed, NO_REGISTERS, row);
}

int qemu_plugin_install(uint64_t id, const struct information *information, int count, char **words)
{
    int fd;

    (void)information;
    if (count < 1 || strncmp(words[0], "out=", 4) != 0)
        return 1;
    if (count == 2 && strncmp(words[1], "from=", 5) == 0)
        from = strtoull(words[1] + 5, NULL, 0);
    else if (count != 1)
        return 1;
    fd = open(words[0] + 4, O_RDWR | O_CREAT | O_TRUNC, 0600);
    if (fd < 0 || ftruncate(fd, (off_t)(ROWS * sizeof(*rows))) != 0)
        return 1;
    rows = mmap(NULL, ROWS * sizeof(*rows), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    close(fd);
    if (rows == MAP_FAILED)
        return 1;
    qemu_plugin_register_vcpu_tb_trans_cb(id, translated);
    return 0;
}
