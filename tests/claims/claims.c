/*
 * claims.c - the probes of a document's claims, unchanged, on the machine in plain memory (arch/host).
 *
 *     build/NAME/claims-on-host [mutate ID]
 *
 * Prints what the kernel's command `claims` prints, and then what its auditor and the translation cache's find. Around
 * each probe a digest is taken, as in a checked kernel. The machine has 64 MiB in the segments of a PC, and a module;
 * it lacks what the table below says, claim by claim: those are "unseen". The exit status is 0 when no claim fails and
 * the audits are clean.
 */
#include <stdio.h>
#include <string.h>

#include "arch/host/machine.h"
#include "base/print.h"
#include "claims/claims.h"
#include "claims/told.h"
#include "console/commands.h"
#include "layouts/firmware/shared.h"
#include "memory/audit.h"
#include "tests/claims/image.h"

/* ---- What this machine lacks ---------------------------------------------------------------------------- */

#define NO_BOOT      "no boot loader and no disk: the machine starts with the kernel in its memory"
#define NO_REGISTERS "none of the i386's registers and tables but CR3: there is nothing to ask where they are"
#define NO_ENTRY     "no gates and no code behind them: a program's trap is a call among the host's own functions"
#define NO_STACK     "no room for the host's code on the image's first stack of 10 KiB: the probe has one of the host's"

static const struct { const char *id, *why; } lacking[] = {
    { "M1", NO_BOOT },       { "M2", NO_BOOT },       { "M3", NO_BOOT },       { "M4", NO_BOOT },
    { "G11", NO_STACK },
    { "K1", NO_BOOT },       { "K14", NO_ENTRY },     { "K15", NO_REGISTERS }, { "K17", NO_ENTRY },
    { "A6", NO_REGISTERS },  { "A7", NO_REGISTERS },
};

static const char *what_is_lacking(const char *id)
{
    for (size_t i = 0; i < COUNT_OF(lacking); i++)
        if (strcmp(lacking[i].id, id) == 0)
            return lacking[i].why;
    return NULL;
}

/* ---- The machine ------------------------------------------------------------------------------------------ */

static const struct boot_range segments[] = {
    { 0, 639 * KiB, BOOT_USABLE },
    { 639 * KiB, 1 * KiB, BOOT_RESERVED },
    { 960 * KiB, 64 * KiB, BOOT_RESERVED },
    { 1 * MiB, 63 * MiB - 128 * KiB, BOOT_USABLE },
    { 64 * MiB - 128 * KiB, 128 * KiB, BOOT_RESERVED },
    { 4 * GiB - 256 * KiB, 256 * KiB, BOOT_RESERVED },
};
static const struct boot_module module = { 40 * MiB, 40 * MiB + 12345, "module" };

enum { RETURN = 0xC3 };                  /* the machine's firmware has this instruction, and no other */

/* NULL, or why memory could not be started. */
static const char *machine_begin(void)
{
    static struct boot_info     info;
    const struct machine_config config = { .ram_bytes = 64 * MiB, .ranges = segments,
                                           .range_count = COUNT_OF(segments) };
    struct start_facts          facts;
    const char                 *problem;

    image_keep();
    machine_start(&config, &facts);
    image_load();
    memset(&machine_ram[960 * KiB], RETURN, 64 * KiB);
    info              = *facts.info;
    info.modules[0]   = module;
    info.module_count = 1;
    facts.info        = &info;
    told_note(&info);
    problem = memory_start(&facts);
    if (problem == NULL)
        shared_start();
    return problem;
}

static void write_out(const char *text, size_t length) { fwrite(text, 1, length, stdout); }

static bool audit_is_clean(void)
{
    static struct audit_report report, cache;

    audit_full(&report);
    audit_print(&report);
    machine_tlb_audit(&cache);
    print("cache: ");
    audit_print(&cache);
    return report.failed == 0 && cache.failed == 0;
}

/* Asked by the leak checker, which would look for pointers in own pieces of the program where the mirror has been. */
int __lsan_is_turned_off(void);
int __lsan_is_turned_off(void) { return 1; }

int main(int count, char **words)
{
    const char *problem;
    int         status;

    setvbuf(stdout, NULL, _IOLBF, 0);
    print_to(write_out);
    problem = machine_begin();
    if (problem != NULL) {
        fprintf(stderr, "claims: the machine cannot start: %s\n", problem);
        return 2;
    }
    claim_lacks = what_is_lacking;
    status = run_claims(count, words);
    status = audit_is_clean() && status == 0 ? 0 : 1;
    machine_stop();
    return status;
}
