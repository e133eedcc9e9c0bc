/*
 * futex.c - the operations of the futex call.
 */
#include "base/check.h"
#include "base/error.h"
#include "linux/calls.h"
#include "linux/structures.h"
#include "process/futex.h"
#include "process/process.h"

enum {
    WAIT = 0, WAKE = 1, REQUEUE = 3, CMP_REQUEUE = 4, WAKE_OP = 5, WAIT_BITSET = 9, WAKE_BITSET = 10,
    PRIVATE = 128, REALTIME = 256, COMMAND = ~(128 | 256),
};

/* FUTEX_WAIT's time is relative, FUTEX_WAIT_BITSET's a moment of a clock. */
static uint64_t futex_deadline(uint32_t operation, uint64_t time)
{
    if ((operation & COMMAND) == WAIT)
        return deadline_after(time);
    if (operation & REALTIME) {
        uint64_t wall = clock_wall(), now = clock_now();

        return time <= wall ? now : deadline_after(time - wall);
    }
    return time;
}

/* FUTEX_WAKE_OP: change the second word, wake waiters of the first, and of the second if its old value says so. */
static long wake_and_change(uintptr_t at, bool private, int32_t most, int32_t second_most, uintptr_t second,
                            uint32_t code)
{
    uint32_t operation = code >> 28 & 7, compare = code >> 24 & 15, old, seen;
    uint32_t argument  = (uint32_t)((int32_t)(code << 8) >> 20), against = (uint32_t)((int32_t)(code << 20) >> 20);
    bool     also;
    int      woken, more, err = futex_check(at, private);

    if (err == 0)
        err = futex_check(second, private);
    if (err != 0)
        return err;
    if (code >> 28 & 8)
        argument = 1u << (argument & 31);
    if (operation > 4)
        return -ENOSYS;
    if (user_load_word(second, &old) != 0)
        return -EFAULT;
    for (;;) {
        uint32_t new = operation == 0 ? argument : operation == 1 ? old + argument : operation == 2 ? old | argument :
                       operation == 3 ? old & ~argument : old ^ argument;

        if (user_exchange_word(second, old, new, &seen) != 0)
            return -EFAULT;
        if (seen == old)
            break;
        old = seen;
    }
    switch (compare) {
    case 0:  also = old == against; break;
    case 1:  also = old != against; break;
    case 2:  also = (int32_t)old < (int32_t)against; break;
    case 3:  also = (int32_t)old <= (int32_t)against; break;
    case 4:  also = (int32_t)old > (int32_t)against; break;
    case 5:  also = (int32_t)old >= (int32_t)against; break;
    default: return -ENOSYS;
    }
    woken = futex_wake(at, private, most, (uint32_t)FUTEX_ALL_BITS);
    more  = woken >= 0 && also ? futex_wake(second, private, second_most, (uint32_t)FUTEX_ALL_BITS) : 0;
    return woken < 0 ? woken : more < 0 ? more : woken + more;
}

/* ---- Waiting ------------------------------------------------------------------------------------ */

static long wait_until(uintptr_t at, uint32_t operation, uint32_t expect, uint64_t deadline, uint32_t bits);

static long wait_on_word(const struct restart *restart)
{
    deep_assert(restart != NULL);
    return wait_until(restart->arguments[0], (uint32_t)restart->arguments[1], (uint32_t)restart->arguments[2],
                      restart->deadline, (uint32_t)restart->arguments[3]);
}

/* Interrupted by a signal, a wait with a limit goes on for the rest of its time; a wait without limit begins again. */
static long wait_until(uintptr_t at, uint32_t operation, uint32_t expect, uint64_t deadline, uint32_t bits)
{
    int err = futex_wait(at, operation & PRIVATE, expect, deadline, bits);

    if (err != -EINTR)
        return err;
    if (deadline == NEVER)
        return -ERESTARTSYS;
    current_thread()->restart = (struct restart){ .again = wait_on_word, .deadline = deadline,
                                                  .arguments = { at, operation, expect, bits } };
    return -ERESTART_RESTARTBLOCK;
}

static long operate_on_word(uintptr_t at, uint32_t operation, uint32_t value, uintptr_t fourth, uint64_t deadline,
                    uintptr_t second, uint32_t sixth)
{
    bool    private = operation & PRIVATE;
    int32_t count   = (int32_t)value;

    if ((operation & REALTIME) && (operation & COMMAND) != WAIT_BITSET)
        return -ENOSYS;
    switch (operation & COMMAND) {
    case WAIT:        return wait_until(at, operation, value, deadline, (uint32_t)FUTEX_ALL_BITS);
    case WAIT_BITSET: return wait_until(at, operation, value, deadline, sixth);
    case WAKE:        return futex_wake(at, private, count, (uint32_t)FUTEX_ALL_BITS);
    case WAKE_BITSET: return futex_wake(at, private, count, sixth);
    case REQUEUE:     return futex_requeue(at, private, count, second, (int32_t)fourth, false, 0);
    case CMP_REQUEUE: return futex_requeue(at, private, count, second, (int32_t)fourth, true, sixth);
    case WAKE_OP:     return wake_and_change(at, private, count, (int32_t)fourth, second, sixth);
    default:          return -ENOSYS;
    }
}

static bool takes_time(uint32_t operation)
{
    return (operation & COMMAND) == WAIT || (operation & COMMAND) == WAIT_BITSET;
}

/* The deadline of an operation that may wait, read by `read`; NEVER for others. */
static int deadline_of(uint32_t operation, user_t time_at, int (*read)(user_t, uint64_t *), uint64_t *out)
{
    uint64_t time = 0;
    int      err  = 0;

    *out = NEVER;
    if (takes_time(operation) && time_at != 0) {
        err  = read(time_at, &time);
        *out = futex_deadline(operation, time);
    }
    return err;
}

SYSTEM_CALL(futex, user_t, word, uint32_t, operation, uint32_t, value, user_t, time_at, user_t, other, uint32_t, value3)
{
    uint64_t deadline;
    int      err = deadline_of(operation, time_at, time_read32, &deadline);

    return err != 0 ? err : operate_on_word(word, operation, value, time_at, deadline, other, value3);
}

SYSTEM_CALL(futex_time64, user_t, word, uint32_t, operation, uint32_t, value, user_t, time_at, user_t, other,
            uint32_t, value3)
{
    uint64_t deadline;
    int      err = deadline_of(operation, time_at, time_read64, &deadline);

    return err != 0 ? err : operate_on_word(word, operation, value, time_at, deadline, other, value3);
}
