/*
 * commands.c - the table of all commands, and `help`, which reads it.
 */
#include "console/commands.h"

#include "base/error.h"
#include "base/print.h"

static int run_help(int count, char **words);

const struct command commands[] = {
    { "help",      "[COMMAND]",   0, 1, "this list, or one line about a command",                   run_help },
    { "map",       "[REGION]",    0, 1, "kernel space as its page tables are now, drawn",           run_map },
    { "layout",    "",            0, 0, "what the layout's document says",                          run_layout },
    { "entry",     "ADDRESS",     1, 1, "the page-table entries that lead from an address",         run_entry },
    { "frames",    "",            0, 0, "who owns physical memory, and how free memory lies",       run_frames },
    { "frame",     "NUMBER",      1, 1, "what is known of one frame",                               run_frame },
    { "physical",  "",            0, 0, "the memory map that the pool was opened with",             run_physical },
    { "alloc",     "N [ALIGN]",   1, 2, "take N frames in a row, for owner test",                   run_alloc },
    { "free",      "FRAME [N]",   1, 2, "give back what alloc has taken",                           run_free },
    { "heap",      "",            0, 0, "pages, blocks and misuse of the kernel heap",              run_heap },
    { "stacks",    "[N]",         0, 1, "stacks in use; with N, take N more, use the last, return all", run_stacks },
    { "audit",     "[list]",      0, 1, "check every invariant now; or list them",                  run_audit },
    { "break",     "[ID]",        0, 1, "break an invariant, let the auditor find it, mend it; all",  run_break },
    { "claims",    "[mutate ID]", 0, 2, "what the document claims, each looked at; mutate: make one fail", run_claims },
    { "benchmark", "",            0, 0, "what operations cost, in ticks of the processor",          run_benchmark },
    { "pci",       "",            0, 0, "memory that devices decode",                               run_pci },
    { "crash",     "[WHAT]",      0, 1, "stop the machine on purpose; without WHAT, the list",      run_crash },
    { "version",   "",            0, 0, "which kernel this is",                                     run_version },
    { "exit",      "[N]",         0, 1, "leave the emulator; N: with this value",                   run_exit },
    { "reboot",    "",            0, 0, "start the machine again",                                  run_reboot },
};
const uint32_t command_count = COUNT_OF(commands);

static void print_help(const struct command *command)
{
    char usage[32];

    format_text(usage, sizeof usage, "%s %s", command->name, command->arguments);
    print("  %-20s %s\n", usage, command->help);
}

static int run_help(int count, char **words)
{
    if (count == 2) {
        const struct command *command = command_find(words[1]);

        if (command == NULL) {
            print("help: expected the name of a command, not \"%s\"\n", words[1]);
            return -ENOENT;
        }
        print_help(command);
        return 0;
    }
    for (uint32_t i = 0; i < command_count; i++)
        print_help(&commands[i]);
    print("Several commands may stand on a line, with ; between them. Arrow keys edit and recall.\n");
    return 0;
}
