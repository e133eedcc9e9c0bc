/*
 * init/main.c - the order in which the kernel comes to life.
 *
 * Everything before this ran at physical addresses (boot/) or is a few instructions
 * (arch/<port>/entry.S). First come the means to report a failure, then traps, then memory,
 * then what the command line asks for:
 *
 *     init=PATH               a program to run, instead of the console (init/init.h)
 *     begin=told              the program begins when the host says so on the channel (devices/channel.h)
 *     channel=none            with the serial line as its terminal, whatever devices there are
 *     run=COMMAND;COMMAND     console commands to run at start
 *     map=com2                send snapshots of memory on the second serial line (init/map_line.h)
 *     panic=exit              leave the emulator after a panic
 */
#include "arch/contract.h"
#include "base/print.h"
#include "base/string.h"
#include "boot/info.h"
#include "cpu.h"
#include "devices/acpi.h"
#include "devices/pci.h"
#include "devices/serial.h"
#include "memory/start.h"
#include "mmu.h"
#include "init/panic.h"
#include "power.h"
#include "init/checks.h"
#include "init/init.h"
#include "init/map_line.h"
#include "process/applications.h"

/* Borders of the image: the linker script that the layout compiler writes. */
extern char image_physical_start[], image_physical_end[], image_boot_start[], image_boot_end[];
extern entry_t boot_slot_table[];
extern char boot_stack_guard[];

enum { DEVICES_MAXIMUM = 64 };
static struct device_range devices[DEVICES_MAXIMUM];
static char                command_line[BOOT_TEXT];
static struct boot_path    way;
static struct boot_screen  screen;
static uint32_t            way_magic;

const struct boot_path   *boot_path(void)   { return &way; }
const struct boot_screen *boot_screen(void) { return &screen; }
uint32_t                  boot_magic(void)  { return way_magic; }

static void refuse_start(const char *why) NORETURN;
static void refuse_start(const char *why)
{
    print("quire: cannot start: %s\n", why);
    power_exit(POWER_STATUS_REFUSED);
}

/* True when the document lets programs run the kernel's code or read its constants. */
static bool programs_see_kernel(void)
{
    return (layout.purpose[PURPOSE_TEXT]->rights.user | layout.purpose[PURPOSE_RODATA]->rights.user) != 0;
}

/* The kernel's address of a physical address that the document fixes; 0: the document fixes none. */
static vaddr_t fixed_place(paddr_t at) { return at != 0 ? layout.kernel_offset + (vaddr_t)at : 0; }

/* Text alone: formats are code that a start without complaints does not run otherwise. */
static void greet(void)
{
    static const char greeting[] = "\nQuire, layout ";

    print_text(greeting, sizeof greeting - 1);
    print_text(layout.name, strlen(layout.name));
    print_text("\n", 1);
}

static void start_traps(void)
{
    const struct trap_places places = { .segments = fixed_place(layout.gdt), .gates = fixed_place(layout.idt),
                                        .task = fixed_place(layout.tss) };

    traps_start(&places);
}

void kernel_main(const struct boot_info *info, frame_t root)
{
    struct start_facts facts = {
        .info = info, .root = root, .slot_table = boot_slot_table,
        .guard = layout.purpose[PURPOSE_STACK] == NULL ? address_of(boot_stack_guard) : 0,
        .image_start = (paddr_t)(uintptr_t)image_physical_start, .image_end = (paddr_t)(uintptr_t)image_physical_end,
        .boot_start = (paddr_t)(uintptr_t)image_boot_start, .boot_end = (paddr_t)(uintptr_t)image_boot_end,
        .devices = devices,
    };
    const char *problem;

    cpu_start();
    if (serial_start())
        print_to(serial_write);
    greet();
    mmu_start(programs_see_kernel());
    start_traps();
    clock_begin();
    text_copy(command_line, info->text, sizeof command_line);
    way       = info->path;
    way_magic = info->magic;
    screen    = info->screen;
    panic_options(command_line);
    if (info->problem != NULL)
        refuse_start(info->problem);

    if (pci_ports() != NULL)
        facts.device_count = pci_ranges(pci_ports(), devices, DEVICES_MAXIMUM);
    if (facts.device_count > DEVICES_MAXIMUM)
        refuse_start("more PCI memory ranges than this kernel can keep off");
    init_note_boot(info, command_line);
    checks_note_boot(info);
    problem = memory_start(&facts);
    if (problem != NULL)
        refuse_start(problem);
    shared_start();
    power_off_by(acpi_switch_off);

    if (text_has_word(command_line, "map=com2"))
        map_line_start();
    if (init_is_wanted())
        init_run();
    console_start(command_line);
}
