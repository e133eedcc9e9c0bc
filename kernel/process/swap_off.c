/*
 * swap_off.c - the pages of all processes, and of all objects, come back from the swap device. See swap_off.h.
 */
#include "process/swap_off.h"

#include "base/check.h"
#include "base/error.h"
#include "memory/pageout/back.h"
#include "memory/pageout/hand.h"
#include "memory/pageout/swap.h"
#include "memory/pageout/transfer.h"
#include "process/errand.h"
#include "process/family.h"
#include "process/make_room.h"

static struct mutex turn = MUTEX("swap device");

/* Frames of slots' tables, when the last slot has come free. */
static void give_rest(struct errand *errand)
{
    (void)errand;
    while (!swap_drop_some())                   /* bound: SWAP_TABLES */
        interrupts_let_in();
}

static struct errand rest_of_tables = { .work = give_rest };

void swap_leaves_frames(void) { errand_post(&rest_of_tables); }

/* One process after the other, by numbers; then objects. */
static int bring_all_back(void)
{
    struct shared_space *memory;
    int                  err = 0;

    for (int32_t id = 0; err == 0 && (memory = memory_from(&id)) != NULL; id++) {      /* bound: rests */
        err = space_bring_back(&memory->space, caller_is_ending);
        memory_release_tables(memory);
        point_of_rest();
    }
    return err != 0 ? err : objects_bring_back(caller_is_ending);
}

int swap_on(void)
{
    int err;

    may_sleep();
    mutex_take(&turn);
    err = swap_device_on();
    mutex_drop(&turn);
    return err;
}

/* A fork that was under way may have made more entries; and who reads a page is not done with it at once. */
static int off_locked(void)
{
    int err;

    if (!swap_device_is_on())
        return -EINVAL;
    swap_device_leave(true);
    for (;;) {                                  /* bound: gives way in each step */
        err = bring_all_back();
        if (err != 0 || swap_device_off())
            break;
        schedule();
        err = caller_is_ending() ? -EINTR : 0;
        if (err != 0)
            break;
    }
    if (err != 0)
        swap_device_leave(false);
    return err;
}

int swap_off(void)
{
    int err;

    may_sleep();
    mutex_take(&turn);
    err = off_locked();
    mutex_drop(&turn);
    return err;
}
