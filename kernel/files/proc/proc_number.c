/*
 * proc_number.c - inode numbers of /proc and /sys: always the same for the same file, and of 32 bits.
 *
 * Programs that are not built for large files cannot be told a wider number: their stat() and readdir() fail with
 * EOVERFLOW. So the number is put together from what the file is about:
 *
 *     31 .. 17  number of the process or thread, 0 for files about the machine
 *           16  set below /proc/PID/task/TID
 *     15 ..  0  which file: its place in a walk through the tree of entries; or, from DESCRIPTORS_FROM on, which
 *               descriptor, even in fd and odd in fdinfo
 *
 * Descriptors from DESCRIPTORS on share numbers with lower ones: there is no room for a million of each process.
 */
#include "base/check.h"
#include "files/proc/proc_node.h"
#include "process/numbers.h"

enum { ROOT = 1, ABOUT_SHIFT = 17, TASK = 1 << 16, DESCRIPTORS_FROM = 1024,
       DESCRIPTORS = (TASK - DESCRIPTORS_FROM) / 2 };
_Static_assert((uint64_t)NUMBERS << ABOUT_SHIFT <= 1ull << 32, "the number of a process fits above");

/* Count the entries of a tree in order, up to the wanted one: true when it was found. As deep as the tree. */
static bool count_to(const struct proc_entry *entries, const struct proc_entry *wanted, uint32_t *number)
{
    for (const struct proc_entry *entry = entries; entry != NULL && entry->name != NULL; entry++) {
        ++*number;
        if (entry == wanted || count_to(entry->children, wanted, number))
            return true;
    }
    return false;
}

static const struct proc_entry *tree_of(const struct proc_node *folder)
{
    if (folder->thread != 0)
        return proc_task_entry.children;
    if (folder->process != 0)
        return proc_process_entry.children;
    return proc_of(folder->node.system->root)->entry->children;
}

static uint32_t number_about(const struct proc_node *folder)
{
    if (folder->thread != 0)
        return (uint32_t)folder->thread << ABOUT_SHIFT | TASK;
    return (uint32_t)folder->process << ABOUT_SHIFT;
}

uint32_t proc_entry_number(const struct proc_node *folder, const struct proc_entry *entry)
{
    uint32_t place = ROOT;
    bool     found = count_to(tree_of(folder), entry, &place);

    assert(found && place < DESCRIPTORS_FROM);
    return number_about(folder) + place;
}

uint32_t proc_number_number(const struct proc_node *folder, enum proc_kind kind, int32_t number)
{
    switch (kind) {
    case PROC_PROCESS: return (uint32_t)number << ABOUT_SHIFT;
    case PROC_TASK:    return (uint32_t)number << ABOUT_SHIFT | TASK;
    default:
        return number_about(folder) + DESCRIPTORS_FROM + 2 * ((uint32_t)number % DESCRIPTORS) +
               (kind == PROC_DESCRIPTOR_INFO);
    }
}
