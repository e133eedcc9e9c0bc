/*
 * run_only.c - what a kernel that can only run programs has in the place of the parts that it lacks: console, checks,
 * report, snapshots, and what a microvm has no use for.
 */
#include "init/checks.h"

#include "base/error.h"
#include "base/print.h"
#include "base/symbol.h"
#include "devices/acpi.h"
#include "devices/keyboard.h"
#include "devices/pci.h"
#include "devices/screen.h"
#include "devices/virtio.h"
#include "files/path/missing.h"
#include "files/root/inflate.h"
#include "init/map_line.h"
#include "init/report.h"
#include "init/snapshot.h"
#include "power.h"

bool checks_audit(struct audit_report *report __attribute__((unused))) { return false; }
void checks_note_boot(const struct boot_info *info __attribute__((unused))) { }
void checks_print(void)                                                 { }

void console_start(char *command_line __attribute__((unused)))
{
    print("quire: cannot start: this kernel has no console, and there is no program to run\n");
    power_exit(POWER_STATUS_REFUSED);
}

/* ---- The machine: a microvm ---------------------------------------------------------------------- */

/* Called where there is a PCI bus. What its devices answer to is not known here, so no memory may be handed out. */
uint32_t pci_ranges(const struct pci_access *access, struct device_range *out, uint32_t room)
{
    (void)access;
    (void)out;
    (void)room;
    print("quire: cannot start: this kernel is for a machine without PCI\n");
    power_exit(POWER_STATUS_REFUSED);
}

int virtio_pci_find(struct virtio_device *device, uint32_t kind)
{
    (void)device;
    (void)kind;
    return -ENODEV;
}

void acpi_switch_off(void)                                              { }
void keyboard_start(void (*receive)(const uint8_t *bytes, size_t count)) { (void)receive; }

/* A sandbox has no screen. */
int  screen_start(void)                                                                              { return -ENODEV; }
void screen_write(const char *text __attribute__((unused)), size_t length __attribute__((unused)))   { }

/* ---- The archive: as ./quire run packs it ---------------------------------------------------------- */

static long refuse_to_inflate(struct source *source, void *to, size_t bytes)
{
    (void)to;
    (void)bytes;
    source->problem = "this kernel does not decompress archives";
    return -EINVAL;
}

struct source *inflate_open(struct source *from)
{
    static struct source refusing = { .read = refuse_to_inflate };

    (void)from;
    return &refusing;
}

void inflate_close(struct source *source __attribute__((unused))) { }

/* ---- What is told about the machine ------------------------------------------------------------------ */

/* The host finds names: it has them in a file beside the kernel. */
const char *symbol_of(vaddr_t address __attribute__((unused)), uint32_t *offset __attribute__((unused)))
{
    return NULL;
}

void symbols_in_words(const vaddr_t *callers, unsigned count, char *out, size_t size)
{
    (void)callers;
    (void)count;
    (void)size;
    out[0] = '\0';
}

void report_begin(void)                                               { }
void report_sample(void)                                              { }
void report_write(void (*line)(const char *text))                     { line("this kernel makes no report"); }
void report_audit(void (*line)(const char *text) __attribute__((unused))) { }
void missing_begin(void)                                              { }
void missing_count(const char *path __attribute__((unused)))          { }

void snapshot_write(struct snapshot_sink *sink __attribute__((unused)), const char *moment __attribute__((unused))) { }
void map_line_start(void)                                             { }
void snapshot_request(void)                                           { }
bool snapshot_send(const char *moment __attribute__((unused)))        { return false; }
