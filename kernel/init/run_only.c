/*
 * run_only.c - the functions of checks.h in a kernel that can only run programs.
 */
#include "init/checks.h"

#include "base/error.h"
#include "base/print.h"
#include "base/symbol.h"
#include "devices/screen.h"
#include "init/map_line.h"
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

/* A sandbox has no screen. */
int  screen_start(void)                                                                              { return -ENODEV; }
void screen_write(const char *text __attribute__((unused)), size_t length __attribute__((unused)))   { }

void snapshot_write(struct snapshot_sink *sink __attribute__((unused)), const char *moment __attribute__((unused))) { }
void map_line_start(void)                                             { }
void snapshot_request(void)                                           { }
bool snapshot_send(const char *moment __attribute__((unused)))        { return false; }
