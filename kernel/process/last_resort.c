/*
 * last_resort.c - a program's fault that always comes back.
 */
#include "process/last_resort.h"

#include "base/check.h"
#include "base/error.h"
#include "base/print.h"
#include "base/string.h"
#include "process/above.h"
#include "process/process.h"

int program_fault_give_up(const struct fault_repeat *repeat, struct fault_verdict *verdict)
{
    static unsigned said;
    char            line[160];

    assert(current_process() != NULL);
    format_text(line, sizeof line, "process %d (%s): the %s at 0x%08lx faults again and again, its entry stays %08x",
                current_process()->id, current_process()->name,
                fault_repeat_access(repeat) == MAY_WRITE ? "write" : "read",
                (unsigned long)fault_repeat_address(repeat), repeat->entry.raw);
    text_make_plain(line);
    if (said++ < 16)                            /* the log is not the program's to fill */
        report_say(line);
    if (!expect(repeat->unchanged == 0))
        *verdict = (struct fault_verdict){ .signal = SIGSEGV, .code = 1, .address = fault_repeat_address(repeat) };
    format_text(verdict->reason, sizeof verdict->reason, "the fault comes back unchanged");
    return -EFAULT;
}
