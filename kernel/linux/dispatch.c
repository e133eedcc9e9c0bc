/*
 * dispatch.c - system calls: from the trap to a function of the table. See call.h.
 */
#include "base/check.h"
#include "base/error.h"
#include "base/lock.h"
#include "linux/calls.h"
#include "memory/frames/frame.h"
#include "memory/pageout/hand.h"
#include "memory/spaces/map_pages.h"
#include "memory/spaces/user.h"
#include "process/applications.h"
#include "process/process.h"
#include "process/torture.h"

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

/*
 * A call that found no frame has changed nothing that the program could see, so when pages have made room it is made
 * again: each time more of them, as one call may need many frames. Others have no memory for other reasons.
 */
static long __attribute__((noinline)) call_with_room(struct trap_frame *frame)
{
    enum { TRIES = 8 };
    struct call_arguments given;
    linux_call            call   = linux_table[call_arguments_of(frame, &given)];
    long                  result = -ENOMEM;

    for (unsigned n = 0; result == -ENOMEM && n < TRIES && frames_were_refused() && make_room(ROOM_PORTION << n); n++)
        result = call(&given);
    return result;
}

/* No call of the table has this number. */
static long __attribute__((noinline)) call_of_no_table(uint32_t number, const uintptr_t *word)
{
    if (number == QUIRE_MAP_PAGES && layout_kernel_has_own())
        return map_pages_for_program(word[0], word[1], word[2], word[3]);
    linux_unknown[number < linux_table_size ? number : linux_table_size]++;
    return -ENOSYS;
}

static void __attribute__((noinline)) kill_caller(void)
{
    struct signal_info kill = { .number = SIGSYS };

    signal_fault(&kill);
}

void linux_dispatch(struct trap_frame *frame)
{
    struct call_arguments given;
    uint32_t              number = call_arguments_of(frame, &given);
    linux_call            call;
    long                  result;

    deep_assert(frame != NULL);
    may_sleep();
    if (!builtin_may_call(number)) {
        kill_caller();
        return;
    }
    if (IS_CHECKED)
        torture_call_begins();
    if (number < linux_table_size && (call = linux_table[number]) != NULL) {
        result = call(&given);
        if (__builtin_expect(result == -ENOMEM, 0))
            result = call_with_room(frame);
    } else {
        result = call_of_no_table(number, given.word);
    }
    call_write_result(frame, result);
    may_sleep();                        /* as before the call: a call leaves no lock held */
    deep_assert(rwlock_none_held());
    if (IS_CHECKED)
        torture_call_ends();
}
