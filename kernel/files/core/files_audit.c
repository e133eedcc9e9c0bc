/*
 * files_audit.c - descriptors and epolls in the live audit (memory/audit.h), and how they are broken to see that it
 * sees.
 *
 * The tables of all processes are looked at, and the epolls that they have open. What another thread is in the middle
 * of changing is passed over. The specimen is a process without threads that has an epoll and a counter in it open.
 */
#include "base/check.h"
#include "base/string.h"
#include "files/core/descriptor_table.h"
#include "files/core/epoll_set.h"
#include "files/core/event.h"
#include "memory/audit.h"
#include "memory/check/corrupt.h"
#include "process/family.h"

const struct invariant files_invariants[] = {
    { "D1", "descriptor.c", "a number is in the set of open ones if and only if it has a file, or is reserved" },
    { "D2", "descriptor.c", "a number that closes on exec is open" },
    { "D3", "descriptor.c", "both sets of a table of descriptors are sound" },
    { "V1", "epoll.h",      "an entry is in its epoll's table, under its hash, and in the list of its open file" },
    { "V2", "epoll.h",      "an entry's waiter stands in a queue" },
    { "V3", "epoll.h",      "an epoll's ready list is sound in both directions and holds entries of its own" },
    { "V4", "epoll.h",      "no epoll reaches itself" },
    { 0 },
};

static void note_broken(struct audit_report *report, const char *broken, int32_t id, uint32_t number)
{
    report->checked++;
    if (broken != NULL)
        audit_fail(report, broken, "process %d, descriptor %u", (int)id, (unsigned)number);
}

static bool is_changing(const struct mutex *mutex) { return mutex->holder != NULL && !mutex_held(mutex); }

static void audit_files(struct process *process, void *data)
{
    struct audit_report *report = data;
    struct files        *files  = process->files;
    const char          *broken = files != NULL ? files_broken(files) : NULL;

    note_broken(report, broken, process->id, 0);
    if (files == NULL || broken != NULL || is_changing(&epolls_lock))
        return;
    for (uint32_t n = 0; (n = bitset_next(&files->table.open, n)) < files->table.room; n++) {
        const struct file *file = files->table.slots[n];

        if (file != NULL && is_epoll(file) && !is_changing(&file->node->lock))
            note_broken(report, epoll_broken(file), process->id, n);
    }
}

static void audit_all_files(struct audit_report *report) { process_each(audit_files, report); }

const struct audit_part files_audits[] = { { "files", audit_all_files }, { 0 } };

/* ---- Breaking them ------------------------------------------------------------------------------- */

enum { EPOLL_NUMBER, EVENT_NUMBER, NUMBERS_HELD };

static struct process *holder;                  /* the specimen */

static void free_holder(void)
{
    lock_state state;

    if (holder->id != 0) {
        state = lock_take(&process_lock);
        process_delist(holder);
        lock_drop(&process_lock, state);
    }
    process_let_go(holder);
    process_free(holder);
    holder = NULL;
}

static struct file *held(uint32_t number) { return holder->files->table.slots[number]; }

static bool open_in_holder(struct file *file)
{
    if (file == NULL)
        return false;
    if (descriptor_add(holder->files, file, 0, false, NUMBERS_HELD) >= 0)
        return true;
    file_release(file);
    return false;
}

static bool make_holder(void)
{
    struct epoll_event event = { .events = POLL_IN };

    holder = process_new();
    if (holder == NULL)
        return false;
    holder->files = files_new();
    if (holder->files != NULL && process_enlist(holder, NULL, NULL) == 0 && open_in_holder(epoll_make()) &&
        open_in_holder(event_make(0, 0, false)) &&
        epoll_control(held(EPOLL_NUMBER), EPOLL_ADD, EVENT_NUMBER, held(EVENT_NUMBER), &event) == 0)
        return true;
    free_holder();
    return false;
}

static struct table      *held_table(void) { return &holder->files->table; }
static struct epoll      *held_epoll(void) { return epoll_of(held(EPOLL_NUMBER)); }
static struct epoll_item *held_item(void)  { return held(EVENT_NUMBER)->watchers; }

static bool corrupt_d1(void)
{
    if (!make_holder())
        return false;
    bitset_remove(&held_table()->open, EVENT_NUMBER);
    return true;
}

static void restore_d1(void)
{
    bitset_add(&held_table()->open, EVENT_NUMBER);
    free_holder();
}

static bool corrupt_d2(void)
{
    if (!make_holder())
        return false;
    bitset_add(&held_table()->close_on_exec, NUMBERS_HELD);
    return true;
}

static void restore_d2(void)
{
    bitset_remove(&held_table()->close_on_exec, NUMBERS_HELD);
    free_holder();
}

static bool corrupt_d3(void)
{
    if (!make_holder())
        return false;
    held_table()->open.full[0] ^= 1;
    return true;
}

static void restore_d3(void)
{
    held_table()->open.full[0] ^= 1;
    free_holder();
}

static bool corrupt_v1(void)
{
    if (!make_holder())
        return false;
    held_epoll()->count++;
    return true;
}

static void restore_v1(void)
{
    held_epoll()->count--;
    free_holder();
}

static struct waiter_list *queue_before;

static bool corrupt_v2(void)
{
    if (!make_holder())
        return false;
    queue_before = held_item()->waiter.queue;
    held_item()->waiter.queue = NULL;
    return true;
}

static void restore_v2(void)
{
    held_item()->waiter.queue = queue_before;
    free_holder();
}

static bool corrupt_v3(void)
{
    if (!make_holder())
        return false;
    held_epoll()->ready_end = NULL;
    return true;
}

static void restore_v3(void)
{
    struct epoll_item **end = &held_epoll()->ready;

    while (*end != NULL)
        end = &(*end)->next_ready;
    held_epoll()->ready_end = end;
    free_holder();
}

/* The entry is about another open file, under the hash of that. */
static void turn_item(struct epoll_item *item, struct file *from, struct file *to)
{
    struct epoll *self = item->epoll;

    from->watchers   = NULL;
    to->watchers     = item;
    item->to_of_file = &to->watchers;
    item->file       = to;
    memset(self->table, 0, self->size * sizeof self->table[0]);
    self->table[epoll_item_hash(item->number, to) & (self->size - 1)] = item;
}

static bool corrupt_v4(void)
{
    if (!make_holder())
        return false;
    turn_item(held_item(), held(EVENT_NUMBER), held(EPOLL_NUMBER));
    return true;
}

static void restore_v4(void)
{
    turn_item(held(EPOLL_NUMBER)->watchers, held(EPOLL_NUMBER), held(EVENT_NUMBER));
    free_holder();
}

const struct corruption files_corruptions[] = {
    CORRUPTION_ROW("D1", d1, 0, "an open descriptor is not in the set of those"),
    CORRUPTION_ROW("D2", d2, 0, "a descriptor that is not open closes on exec"),
    CORRUPTION_ROW("D3", d3, 0, "a word of the set of open descriptors says that it is full"),
    CORRUPTION_ROW("V1", v1, 0, "an epoll counts an entry that it does not have"),
    CORRUPTION_ROW("V2", v2, 0, "an entry of an epoll waits in no queue"),
    CORRUPTION_ROW("V3", v3, 0, "an epoll forgets the end of its ready list"),
    CORRUPTION_ROW("V4", v4, 0, "an epoll watches itself"),
    { 0 },
};
