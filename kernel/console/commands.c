/*
 * commands.c - the table of all commands, and `help`, which reads it.
 */
#include "console/commands.h"

#include <layout.h>

#include "base/error.h"
#include "base/print.h"

static int run_help(int count, char **words);

const struct command commands[] = {
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
#ifdef LAYOUT_APPLICATIONS
    { "apps",      "",            0, 0, run_apps,
      "programs that are part of the image" },
    { "start",     "NAME [A [B]]", 1, 3, run_start_app,
      "run one of them, and wait for its end" },
#endif
    { "claims",    "[mutate ID]", 0, 2, run_claims,
      "what the document claims, each looked at; mutate: make one fail" },
#ifdef LAYOUT_START_ADDRESS
    { "start",     "[NAME [N]]",  0, 2, run_start,
      "make a process of a built-in program, or N; without NAME, the list" },
    { "processes", "",            0, 0, run_processes,
      "the processes there are" },
    { "kill",      "ID",          1, 1, run_kill,
      "end a process, and say what that gives back" },
    { "wait",      "MS",          1, 1, run_wait,
      "let the processes run for so many milliseconds" },
#endif
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
