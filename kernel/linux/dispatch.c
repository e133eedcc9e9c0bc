/*
 * dispatch.c - system calls: from the trap to a function of the table. See call.h.
 */
#include "base/check.h"
#include "base/error.h"
#include "base/lock.h"
#include "base/print.h"
#include "linux/calls.h"
#include "memory/spaces/map_pages.h"
#include "memory/spaces/user.h"
#include "process/applications.h"
#include "process/process.h"

/*
 * A call that Linux does not have, with a number far from Linux's, where the kernel has a space of its own: the pat
 * layout's mmap (K18). Arguments: virtual start, physical start or 0, length, address of a status (0: none). The result
 * is the start, or 0; the status 0, or a negative errno (memory/spaces/map_pages.h).
 */
enum { QUIRE_MAP_PAGES = 0x51000000 };

static long map_pages_for_program(vaddr_t start, uintptr_t physical, size_t bytes, user_t status_to)
{
    int     status = 0;
    vaddr_t got;

    /* The status must be written in any case, so its page is made present before the call maps pages. */
    if (status_to != 0 && user_write(status_to, &status, sizeof status) != 0)
        return -EFAULT;
    got = try_map_pages(&current_process()->memory->space, start, physical, bytes, &status);
    if (status_to != 0 && user_write(status_to, &status, sizeof status) != 0)
        return -EFAULT;
    return (long)got;
}

void linux_dispatch(struct trap_frame *frame)
{
    struct call_arguments given;
    uint32_t              number;
    linux_call            call;

    deep_assert(frame != NULL);
    may_sleep();
    number = call_arguments_of(frame, &given);
    call   = number < linux_table_size ? linux_table[number].call : NULL;
    if (number == QUIRE_MAP_PAGES && layout_kernel_has_own()) {
        call_write_result(frame, map_pages_for_program(given.word[0], given.word[1], given.word[2], given.word[3]));
        return;
    }
    if (!builtin_may_call(number)) {
        struct signal_info kill = { .number = SIGSYS };

        signal_fault(&kill);
        return;
    }
    if (call == NULL) {
        linux_unknown[number < linux_table_size ? number : linux_table_size]++;
        call_write_result(frame, -ENOSYS);
        return;
    }
    call_write_result(frame, call(&given));
    may_sleep();                        /* as before the call: a call leaves no lock held */
    deep_assert(rwlock_none_held());
}

void linux_report_unknown(void (*line)(const char *text))
{
    char text[80];

    for (uint32_t n = 0; n <= linux_table_size; n++) {
        const char *name = n < linux_table_size ? linux_table[n].name : NULL;

        if (linux_unknown[n] == 0)
            continue;
        if (name != NULL)
            format_text(text, sizeof text, "%s (%u) %u", name, n, linux_unknown[n]);
        else if (n < linux_table_size)
            format_text(text, sizeof text, "number %u %u", n, linux_unknown[n]);
        else
            format_text(text, sizeof text, "numbers beyond %u %u", linux_table_size - 1, linux_unknown[n]);
        line(text);
    }
}
