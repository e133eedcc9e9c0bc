/*
 * commands.c - the table of commands, and `help`, which reads it.
 */
#include "console/commands.h"

#include "base/error.h"
#include "base/print.h"

static int run_help(int count, char **words);

const struct command console_commands[] = {
    { "help",      "[COMMAND]",   0, 1, run_help,
      "this list, or one line about a command" },
    { "map",       "[REGION]",    0, 1, run_map,
      "kernel space as its page tables are now, drawn" },
    { "layout",    "",            0, 0, run_layout,
      "what the layout's document says" },
    { "entry",     "ADDRESS",     1, 1, run_entry,
      "the page-table entries that lead from an address" },
    { "frames",    "",            0, 0, run_frames,
      "who owns physical memory, and how free memory lies" },
    { "frame",     "NUMBER",      1, 1, run_frame,
      "what is known of one frame" },
    { "physical",  "",            0, 0, run_physical,
      "the memory map that the pool was opened with" },
    { "alloc",     "N [ALIGN]",   1, 2, run_alloc,
      "take N frames in a row, for owner test" },
    { "free",      "FRAME [N]",   1, 2, run_free,
      "give back what alloc has taken" },
    { "heap",      "",            0, 0, run_heap,
      "pages, blocks and misuse of the kernel heap" },
    { "stacks",    "[N]",         0, 1, run_stacks,
      "stacks in use; with N, take N more, use the last, return all" },
    { "audit",     "[list]",      0, 1, run_audit,
      "check every invariant now; or list them" },
    { "break",     "[ID]",        0, 1, run_break,
      "break an invariant, let the auditor find it, restore it; all" },
    { "claims",    "[mutate ID]", 0, 2, run_claims,
      "what the document claims, each looked at; mutate: make one fail" },
    { "benchmark", "",            0, 0, run_benchmark,
      "what operations cost, in ticks of the processor" },
    { "pci",       "",            0, 0, run_pci,
      "memory that devices decode" },
    { "crash",     "[WHAT]",      0, 1, run_crash,
      "stop the machine on purpose; without WHAT, the list" },
    { "boot",      "",            0, 0, run_boot,
      "how the kernel came here from the boot loader" },
    { "version",   "",            0, 0, run_version,
      "which kernel this is" },
    { "exit",      "[N]",         0, 1, run_exit,
      "leave the emulator; N: with this value" },
    { "reboot",    "",            0, 0, run_reboot,
      "start the machine again" },
    { 0 },
};

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
    EACH_ROW(command, commands)
        print_help(command);
    print("Several commands may stand on a line, with ; between them. Arrow keys edit and recall.\n");
    return 0;
}
