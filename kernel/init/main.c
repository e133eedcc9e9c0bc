/*
 * init/main.c - the order in which the kernel comes to life.
 *
 * Everything before this ran at physical addresses (boot/) or is a few instructions
 * (arch/<port>/entry.S). First come the means to say that something is wrong, then traps,
 * then memory, then whatever the command line asks for:
 *
 *     init=PATH               a program to run, instead of the console (init/init.h)
 *     channel=none            with the serial line as its terminal, whatever devices there are
 *     run=COMMAND;COMMAND     console commands to run at start
 *     map=com2                tell of memory on the second serial line (init/map_line.h)
 *     panic=exit              leave the emulator after a panic
 */
#include "arch/contract.h"
#include "base/print.h"
#include "base/string.h"
#include "boot/info.h"
#include "console/console.h"
#include "cpu.h"
#include "devices/acpi.h"
#include "devices/keyboard.h"
#include "devices/pci.h"
#include "devices/serial.h"
#include "devices/vga.h"
#include "memory/check/audit.h"
#include "memory/start.h"
#include "mmu.h"
#include "init/panic.h"
#include "power.h"
#include "init/init.h"
#include "init/map_line.h"
#include "process/applications.h"

/* Borders of the image: the linker script that the layout compiler writes. */
extern char image_physical_start[], image_physical_end[], image_boot_start[], image_boot_end[];
extern entry_t boot_slot_table[];
extern char boot_stack_guard[];

enum { DEVICES_MAXIMUM = 64, AUDIT_SLICES_A_REST = 64 };
static struct device_range devices[DEVICES_MAXIMUM];
static char                command_line[BOOT_TEXT];
static struct boot_path    way;
static uint32_t            way_magic;

const struct boot_path *boot_path(void) { return &way; }
uint32_t                boot_magic(void) { return way_magic; }

static void refuse_start(const char *why) NORETURN;
static void refuse_start(const char *why)
{
    print("quire: cannot start: %s\n", why);
    power_exit(POWER_STATUS_REFUSED);
}

/* The value of NAME=VALUE on the command line; a value may be put in double quotes. Cuts the line. */
static char *option_value(char *line, const char *name)
{
    size_t length = strlen(name);

    for (char *at = line; *at != '\0'; at++) {
        char *value, *end;

        if ((at != line && at[-1] != ' ') || strncmp(at, name, length) != 0 || at[length] != '=')
            continue;
        value = at + length + 1;
        if (*value == '"')
            end = strchr(++value, '"');
        else
            end = strchr(value, ' ');
        if (end != NULL)
            *end = '\0';
        return value;
    }
    return NULL;
}

/* A slice of the audit; says so once if something is wrong. */
static void audit_a_little(void)
{
    struct audit_report report = { 0 };
    static bool         said;

    if (!audit_step(&report) && !said) {
        print("\n");
        audit_print(&report);
        said = true;
    }
}

/*
 * While nobody types others have their turn, if there are any; else the memory is audited, a good part of it after
 * each key; then the processor sleeps.
 */
static int wait_for_key(void)
{
    unsigned slices = AUDIT_SLICES_A_REST;
    int      byte;

    while ((byte = serial_read()) < 0 && (byte = keyboard_read()) < 0) {
        flat_tell();
        schedule_preempt();                     /* somebody may have asked to be told when programs can run */
        if (schedule_ready() > 0) {
            schedule();
        } else if (slices > 0) {
            slices--;
            audit_a_little();
        } else {
            cpu_wait();
        }
    }
    return byte;
}

/* Where the document lets programs run the kernel's code or read its constants. */
static bool programs_see_kernel(void)
{
    return (layout.purpose[PURPOSE_TEXT]->rights.user | layout.purpose[PURPOSE_RODATA]->rights.user) != 0;
}

/* The permanent view of a physical place that the document fixes; 0: it fixes none. */
static vaddr_t fixed_place(paddr_t at) { return at != 0 ? layout.kernel_offset + (vaddr_t)at : 0; }

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
    char       *commands;

    cpu_start();
    if (serial_start())
        print_to(serial_write);
    print("\nQuire, layout %s\n", layout.name);
    mmu_start(programs_see_kernel());
    start_traps();
    text_copy(command_line, info->text, sizeof command_line);
    way       = info->path;
    way_magic = info->magic;
    panic_options(command_line);
    if (info->problem != NULL)
        refuse_start(info->problem);

    if (pci_ports() != NULL)
        facts.device_count = pci_ranges(pci_ports(), devices, DEVICES_MAXIMUM);
    if (facts.device_count > DEVICES_MAXIMUM)
        refuse_start("more PCI memory ranges than this kernel can keep off");
    init_note_boot(info, command_line);
    problem = memory_start(&facts);
    if (problem != NULL)
        refuse_start(problem);
    shared_start();
    power_off_by(acpi_switch_off);

    if (text_has_word(command_line, "map=com2"))
        map_line_start();
    if (init_is_wanted())
        init_run();
    serial_listen();
    keyboard_start(NULL);
    if (vga_start() == 0)
        print_to(vga_write);
    commands = option_value(command_line, "run");
    if (commands != NULL)
        console_run(commands);
    console_loop(wait_for_key);
    power_halt();
}
