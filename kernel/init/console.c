/*
 * init/console.c - the console on the machine's own devices, from the command line on.
 */
#include "init/checks.h"

#include "base/print.h"
#include "base/string.h"
#include "console/console.h"
#include "cpu.h"
#include "devices/keyboard.h"
#include "devices/serial.h"
#include "devices/screen.h"
#include "memory/audit.h"
#include "power.h"
#include "process/schedule.h"

enum { AUDIT_SLICES_A_REST = 64 };

/* The value of NAME=VALUE on the command line; a value may be put in double quotes. Writes a NUL into the line. */
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

/* Do a slice of the audit. The first failure is printed, once. */
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

static int typed_key(void)
{
    int byte = serial_read();

    return byte >= 0 ? byte : keyboard_read();
}

/*
 * While no key comes other threads run, if there are any; else memory is audited, a good part of it after each key;
 * then the processor sleeps.
 */
static int wait_for_key(void)
{
    unsigned long interrupts = interrupts_off();       /* no key comes between the look and the rest */
    unsigned      slices     = AUDIT_SLICES_A_REST;
    int           byte;

    while ((byte = typed_key()) < 0) {
        if (console_idle != NULL)
            console_idle();
        schedule_preempt();                     /* a map or a PING may wait for the moment when programs can run */
        if (schedule_ready() > 0) {
            interrupts_restore(interrupts);
            schedule();
            interrupts = interrupts_off();
        } else if (slices > 0) {
            slices--;
            audit_a_little();
        } else {
            cpu_wait();
        }
    }
    interrupts_restore(interrupts);
    return byte;
}

void console_start(char *command_line)
{
    char *commands;

    console_typed = typed_key;
    serial_listen();
    keyboard_start(NULL);
    if (screen_start() == 0)
        print_to(screen_write);
    interrupts_on();                    /* commands may sleep: they start programs and wait for them */
    commands = option_value(command_line, "run");
    if (commands != NULL)
        console_run(commands);
    console_loop(wait_for_key);
    power_halt();
}
