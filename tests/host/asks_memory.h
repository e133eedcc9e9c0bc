/*
 * asks_memory.h - a thread whose faults never find a frame: it asks for memory until somebody is chosen.
 */
#ifndef TESTS_ASKS_MEMORY_H
#define TESTS_ASKS_MEMORY_H

#include "process/out_of_memory.h"
#include "process/process.h"

/* Who asks for the first time since memory came back is told to try again; that is in vain, so it asks once more. */
static inline bool asks_for_memory(void)
{
    uint32_t news  = current_thread()->memory_gone;
    bool     again = process_give_memory_back();

    return again && current_thread()->memory_gone != news ? process_give_memory_back() : again;
}

#endif
