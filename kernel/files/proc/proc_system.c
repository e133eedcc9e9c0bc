/*
 * proc_system.c - /proc's files about the machine as a whole.
 */
#include "arch/contract.h"
#include "base/check.h"
#include "base/error.h"
#include "base/print.h"
#include "base/random.h"
#include "base/string.h"
#include "files/core/block_file.h"
#include "files/core/lock.h"
#include "files/proc/proc_node.h"
#include "memory/frames/frame.h"
#include "memory/heap/heap.h"
#include "memory/pageout/swap.h"
#include "memory/pageout/transfer.h"
#include "memory/spaces/map.h"
#include "process/load.h"
#include "process/machine_names.h"
#include "process/process.h"

enum { NANOSECONDS = 1000000000, TICK = 10000000, KILOBYTES = PAGE_SIZE / 1024, PIDS = 32768 };

static const char release[] = "6.1.0-quire";

/* ---- Memory ------------------------------------------------------------------------------------- */

static void add_kilobytes(struct text *text, const char *name, unsigned long pages)
{
    text_add_kilobytes(text, name, pages * KILOBYTES);
}

static void add_locked(struct process *process, void *pages)
{
    if (process->memory != NULL)
        *(uint64_t *)pages += map_locked(&process->memory->space);
}

/* A space that several processes share counts for each of them: until a vfork's child has memory of its own. */
static uint64_t locked_pages(void)
{
    uint64_t pages = 0;

    process_each(add_locked, &pages);
    return pages;
}

static int write_memory(struct text *text, struct proc_node *node __attribute__((unused)))
{
    struct frame_sums sums;
    struct swap_sums  swap;
    uint64_t          locked = locked_pages();

    frames_sums(&sums);
    swap_sums(&swap);
    add_kilobytes(text, "MemTotal:", sums.ram);
    add_kilobytes(text, "MemFree:", sums.owned[OWNER_FREE] + sums.owned[OWNER_CACHE]);
    add_kilobytes(text, "MemAvailable:", sums.owned[OWNER_FREE] + sums.owned[OWNER_CACHE]);
    add_kilobytes(text, "Buffers:", 0);
    add_kilobytes(text, "Cached:", sums.owned[OWNER_FILE] + sums.owned[OWNER_SHARED]);
    add_kilobytes(text, "SwapCached:", 0);
    add_kilobytes(text, "Active:", sums.owned[OWNER_USER]);
    add_kilobytes(text, "Inactive:", sums.owned[OWNER_FILE]);
    add_kilobytes(text, "SwapTotal:", swap_total(&swap));
    add_kilobytes(text, "SwapFree:", swap.device - swap.written);
    add_kilobytes(text, "Zswap:", swap.frames);
    add_kilobytes(text, "Zswapped:", swap.used - swap.written);
    add_kilobytes(text, "Unevictable:", locked);
    add_kilobytes(text, "Mlocked:", locked);
    add_kilobytes(text, "Dirty:", 0);
    add_kilobytes(text, "Writeback:", 0);
    add_kilobytes(text, "AnonPages:", sums.owned[OWNER_USER]);
    add_kilobytes(text, "Mapped:", 0);
    add_kilobytes(text, "Shmem:", sums.owned[OWNER_FILE] + sums.owned[OWNER_SHARED]);
    add_kilobytes(text, "Slab:", sums.owned[OWNER_HEAP]);
    add_kilobytes(text, "SReclaimable:", 0);
    add_kilobytes(text, "SUnreclaim:", sums.owned[OWNER_HEAP]);
    add_kilobytes(text, "KernelStack:", sums.owned[OWNER_STACK]);
    add_kilobytes(text, "PageTables:", sums.owned[OWNER_TABLES]);
    add_kilobytes(text, "CommitLimit:", sums.ram / 2 + swap.device);
    add_kilobytes(text, "Committed_AS:", map_committed);
    add_kilobytes(text, "AnonHugePages:", 0);
    text_add_literal(text, "HugePages_Total:       0\nHugePages_Free:        0\nHugePages_Rsvd:        0\n"
                           "HugePages_Surp:        0\n");
    add_kilobytes(text, "Hugepagesize:", MMU_ENTRIES);
    return 0;
}

static int write_vmstat(struct text *text, struct proc_node *node __attribute__((unused)))
{
    struct frame_sums sums;
    struct swap_sums  swap;

    frames_sums(&sums);
    swap_sums(&swap);
    text_add(text, "nr_free_pages %u\nnr_anon_pages %u\nnr_file_pages %u\nnr_page_table_pages %u\n"
                   "pgpgin 0\npgpgout 0\n",
             (unsigned)sums.owned[OWNER_FREE], (unsigned)sums.owned[OWNER_USER], (unsigned)sums.owned[OWNER_FILE],
             (unsigned)sums.owned[OWNER_TABLES]);
    text_add(text, "pswpin %llu\npswpout %llu\npgalloc_normal %llu\npgfree %llu\n", (unsigned long long)swap.in,
             (unsigned long long)swap.out, (unsigned long long)sums.gets, (unsigned long long)sums.puts);
    return 0;
}

/* ---- Locks ---------------------------------------------------------------------------------------- */

static const char *lock_sort(const struct lock_request *lock)
{
    return lock->world == LOCKS_OF_FLOCK ? "FLOCK " : lock->process < 0 ? "OFDLCK" : "POSIX ";
}

static void add_lock(uint32_t number, const struct node *node, const struct lock_request *lock, bool waits, void *data)
{
    struct text *text = data;

    deep_assert(node != NULL && lock != NULL && data != NULL);
    text_add(text, "%u: %s%s ADVISORY  %s %d %02x:%02x:%llu %llu ", (unsigned)number, waits ? "-> " : "",
             lock_sort(lock), lock->kind == LOCK_EXCLUSIVE ? "WRITE" : "READ", (int)lock->process, 0u,
             node->system != NULL ? (unsigned)node->system->device : 0u, (unsigned long long)node->inode,
             (unsigned long long)lock->first);
    if (lock->last == UINT64_MAX)
        text_add(text, "EOF\n");
    else
        text_add(text, "%llu\n", (unsigned long long)lock->last);
}

static int write_locks(struct text *text, struct proc_node *node __attribute__((unused)))
{
    locks_each(add_lock, text);
    return 0;
}

/* ---- Time and load ---------------------------------------------------------------------------------- */

struct activity { uint32_t running, blocked; };

static void add_activity(struct thread *thread, void *data)
{
    struct activity *found = data;

    found->running += thread->phase == THREAD_READY || thread->phase == THREAD_RUNNING;
    found->blocked += thread->phase == THREAD_WAITING && !thread->interruptible;
}

static struct activity activity_now(void)
{
    struct activity found = { 0 };

    thread_each(add_activity, &found);
    return found;
}

static int write_machine_stat(struct text *text, struct proc_node *node __attribute__((unused)))
{
    struct activity    active = activity_now();
    uint64_t           now  = clock_now(), idle = schedule_idle_time();
    unsigned long long idle_ticks = idle / TICK, busy = now > idle ? (now - idle) / TICK : 0;

    for (unsigned i = 0; i < 2; i++)
        text_add(text, "%s %llu 0 0 %llu 0 0 0 0 0 0\n", i == 0 ? "cpu " : "cpu0", busy, idle_ticks);
    text_add(text, "intr %llu\nctxt %llu\nbtime %llu\nprocesses %llu\nprocs_running %u\nprocs_blocked %u\n"
             "softirq 0 0 0 0 0 0 0 0 0 0 0\n", (unsigned long long)interrupts_taken(),
             (unsigned long long)schedule_switches(), (unsigned long long)((clock_wall() - now) / NANOSECONDS),
             (unsigned long long)processes_made(), (unsigned)active.running, (unsigned)active.blocked);
    return 0;
}

/* One row for each line that has interrupted, and one for what came by none: the local APIC's timer. */
static int write_interrupts(struct text *text, struct proc_node *node __attribute__((unused)))
{
    uint64_t all = interrupts_taken(), counted = 0;

    text_add(text, "           CPU0       \n");
    for (unsigned line = 0; line < INTERRUPT_LINES; line++) {
        uint64_t taken = interrupts_by(line);

        counted += taken;
        if (taken > 0)
            text_add(text, "%3u: %10llu    XT-PIC  line %u\n", line, (unsigned long long)taken, line);
    }
    text_add(text, "LOC: %10llu   Local timer interrupts\n", (unsigned long long)(all > counted ? all - counted : 0));
    return 0;
}

static int write_uptime(struct text *text, struct proc_node *node __attribute__((unused)))
{
    unsigned long long now = clock_now() / TICK, idle = schedule_idle_time() / TICK;

    text_add(text, "%llu.%02u %llu.%02u\n", now / 100, (unsigned)(now % 100), idle / 100, (unsigned)(idle % 100));
    return 0;
}

static int write_loadavg(struct text *text, struct proc_node *node __attribute__((unused)))
{
    uint32_t average[LOADS];

    schedule_load(average);
    for (unsigned i = 0; i < LOADS; i++) {
        uint32_t hundredths = (average[i] * 100 + LOAD_ONE / 2) >> LOAD_SHIFT;

        text_add(text, "%u.%02u ", hundredths / 100, hundredths % 100);
    }
    text_add(text, "%u/%u %d\n", (unsigned)schedule_running(), (unsigned)threads_alive(), process_last_number());
    return 0;
}

/* ---- What it is ---------------------------------------------------------------------------------------- */

/* Ticks a nanosecond are thousands of MHz; a thousand million of them are enough digits. */
#define MANY_TICKS 1000000000ull

static int write_processors(struct text *text, struct proc_node *node __attribute__((unused)))
{
    uint64_t         span      = clock_span(MANY_TICKS);
    unsigned         megahertz = span > 0 ? (unsigned)(MANY_TICKS * 1000 / span) : 0;
    struct cpu_facts facts;
    char             name[32];

    cpu_facts(&facts);
    text_add(text, "processor\t: 0\nvendor_id\t: %s\ncpu family\t: %u\nmodel\t\t: %u\nmodel name\t: %s\n"
                   "stepping\t: %u\n",
             facts.maker, facts.family, facts.model, facts.name, facts.stepping);
    text_add(text, "cpu MHz\t\t: %u.000\ncache size\t: 0 KB\nphysical id\t: 0\nsiblings\t: 1\ncore id\t\t: 0\n"
                   "cpu cores\t: 1\nfpu\t\t: yes\nfpu_exception\t: yes\nwp\t\t: yes\nflags\t\t:", megahertz);
    for (unsigned i = 0; cpu_fact_flag(&facts, i, name, sizeof name); i++)
        if (name[0] != '\0')
            text_add(text, " %s", name);
    text_add(text, "\nbugs\t\t:\nbogomips\t: %u.00\nclflush size\t: 64\ncache_alignment\t: 64\n"
             "address sizes\t: 32 bits physical, 32 bits virtual\n\n", 2 * megahertz);
    return 0;
}

static int write_version(struct text *text, struct proc_node *node __attribute__((unused)))
{
    text_add(text, "Linux version %s (quire) #1 Quire\n", release);
    return 0;
}

static int write_systems(struct text *text, struct proc_node *node __attribute__((unused)))
{
    text_add(text, "nodev\tsysfs\nnodev\ttmpfs\nnodev\tproc\nnodev\tpipefs\nnodev\tsockfs\n");
    return 0;
}

static void add_swap(struct text *text, const char *name, uint32_t pages, uint32_t used, int priority)
{
    text_add(text, "%-40s%s\t%lu\t\t%lu\t\t%d\n", name, "partition", pages * (unsigned long)(PAGE_SIZE / 1024),
             used * (unsigned long)(PAGE_SIZE / 1024), priority);
}

static int write_swaps(struct text *text, struct proc_node *node __attribute__((unused)))
{
    struct swap_sums swap;

    swap_sums(&swap);
    text_add(text, "Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n");
    if (swap.used > swap.written)
        add_swap(text, "/dev/packed", swap.used - swap.written, swap.used - swap.written, -2);
    if (swap_device_is_on())
        add_swap(text, BLOCK_NAME, swap.device, swap.written, -3);
    return 0;
}

static int write_empty(struct text *text __attribute__((unused)), struct proc_node *node __attribute__((unused)))
{
    return 0;
}

/* ---- sys -------------------------------------------------------------------------------------------------- */

static int write_type(struct text *text, struct proc_node *node __attribute__((unused)))
{
    text_add(text, "Linux\n");
    return 0;
}

static int write_release(struct text *text, struct proc_node *node __attribute__((unused)))
{
    text_add(text, "%s\n", release);
    return 0;
}

static enum machine_name name_in(const struct proc_node *node)
{
    return node->entry->name[0] == 'h' ? NAME_OF_HOST : NAME_OF_DOMAIN;
}

static int write_machine_name(struct text *text, struct proc_node *node)
{
    char name[MACHINE_NAME];

    machine_name_copy(name_in(node), name);
    text_add(text, "%s\n", name);
    return 0;
}

/* A name ends with its line, and is cut to what fits. */
static int store_machine_name(struct proc_node *node, const char *bytes)
{
    size_t length = 0;

    while (bytes[length] != '\0' && bytes[length] != '\n' && length < MACHINE_NAME - 1)
        length++;
    machine_name_set(name_in(node), bytes, length);
    return 0;
}

/* Files that hold one number, which is in the entry's name's row. */
static const struct { const char *name; uint32_t value; } numbers[] = {
    { "pid_max", PIDS }, { "threads-max", PIDS }, { "ngroups_max", 65536 }, { "cap_last_cap", 40 },
    { "mmap_min_addr", 65536 }, { "max_map_count", 65530 }, { "pipe-max-size", 1048576 }, { "file-max", 1048576 },
    { "nr_open", 1048576 }, { "entropy_avail", 256 }, { "poolsize", 256 }, { "randomize_va_space", 0 },
    { "overcommit_ratio", 50 }, { "swappiness", 0 }, { "somaxconn", 4096 },
};

static int write_number(struct text *text, struct proc_node *node)
{
    for (unsigned i = 0; i < COUNT_OF(numbers); i++)
        if (strcmp(numbers[i].name, node->entry->name) == 0)
            text_add(text, "%u\n", (unsigned)numbers[i].value);
    return 0;
}

static int write_overcommit(struct text *text, struct proc_node *node __attribute__((unused)))
{
    text_add(text, "%d\n", map_overcommit);
    return 0;
}

static int store_overcommit(struct proc_node *node __attribute__((unused)), const char *bytes)
{
    if (bytes[0] < '0' || bytes[0] > '2' || (bytes[1] != '\0' && bytes[1] != '\n'))
        return -EINVAL;
    map_overcommit = bytes[0] - '0';
    return 0;
}

static int write_drop(struct text *text, struct proc_node *node __attribute__((unused)))
{
    text_add(text, "0\n");
    return 0;
}

/*
 * As on Linux: 1 for contents of files, of which none are cached here, 2 for what the kernel keeps ready for itself, 3.
 */
static int store_drop(struct proc_node *node __attribute__((unused)), const char *bytes)
{
    if (bytes[0] < '1' || bytes[0] > '3' || (bytes[1] != '\0' && bytes[1] != '\n'))
        return -EINVAL;
    if ((bytes[0] - '0') & 2)
        heap_drain();
    return 0;
}

/* A random UUID, version 4: RFC 4122. */
static void add_uuid(struct text *text, const uint8_t b[16])
{
    for (unsigned i = 0; i < 16; i++)
        text_add(text, "%02x%s", i == 6 ? (b[i] & 15) | 0x40u : i == 8 ? (b[i] & 0x3F) | 0x80u : b[i],
                 i == 3 || i == 5 || i == 7 || i == 9 ? "-" : "");
    text_add(text, "\n");
}

static int write_uuid(struct text *text, struct proc_node *node __attribute__((unused)))
{
    uint8_t bytes[16];

    random_bytes(bytes, sizeof bytes);
    add_uuid(text, bytes);
    return 0;
}

static int write_boot_id(struct text *text, struct proc_node *node __attribute__((unused)))
{
    static uint8_t bytes[16];
    static bool    known;

    if (!known)
        random_bytes(bytes, sizeof bytes);
    known = true;
    add_uuid(text, bytes);
    return 0;
}

/* ---- The folders --------------------------------------------------------------------------------------------- */

#define PROC_FILE(name_, text_)       { .name = name_, .mode = S_REGULAR | 0444, .text = text_ }
#define PROC_FIXED(name_, fixed_)     { .name = name_, .mode = S_REGULAR | 0444, .fixed = fixed_ }
#define PROC_FOLDER(name_, children_) { .name = name_, .mode = S_FOLDER | 0555, .children = children_ }
#define PROC_NUMBER(name_)            PROC_FILE(name_, write_number)
#define PROC_NAME(name_)              { .name = name_, .mode = S_REGULAR | 0644, .text = write_machine_name,      \
                                        .store = store_machine_name }
#define PROC_END                      { .name = NULL }

static const struct proc_entry random_entries[] = {
    PROC_FILE("uuid", write_uuid), PROC_FILE("boot_id", write_boot_id), PROC_NUMBER("entropy_avail"),
    PROC_NUMBER("poolsize"), PROC_END,
};
static const struct proc_entry kernel_entries[] = {
    PROC_FILE("ostype", write_type), PROC_FILE("osrelease", write_release), PROC_NAME("hostname"),
    PROC_NAME("domainname"), PROC_FIXED("version", "#1 Quire\n"), PROC_FIXED("arch", "i686\n"),
    PROC_FIXED("overflowuid", "65534\n"), PROC_FIXED("overflowgid", "65534\n"), PROC_FIXED("tainted", "0\n"),
    PROC_FIXED("modules_disabled", "1\n"), PROC_FIXED("dmesg_restrict", "1\n"), PROC_NUMBER("pid_max"),
    PROC_NUMBER("threads-max"),
    PROC_NUMBER("ngroups_max"), PROC_NUMBER("cap_last_cap"), PROC_NUMBER("randomize_va_space"),
    PROC_FOLDER("random", random_entries), PROC_END,
};
static const struct proc_entry vm_entries[] = {
    { .name = "overcommit_memory", .mode = S_REGULAR | 0644, .text = write_overcommit, .store = store_overcommit },
    { .name = "drop_caches", .mode = S_REGULAR | 0200, .text = write_drop, .store = store_drop },
    PROC_NUMBER("overcommit_ratio"), PROC_FIXED("overcommit_kbytes", "0\n"), PROC_FIXED("panic_on_oom", "0\n"),
    PROC_FIXED("nr_hugepages", "0\n"), PROC_FIXED("nr_overcommit_hugepages", "0\n"),
    PROC_FIXED("oom_kill_allocating_task", "0\n"), PROC_FIXED("legacy_va_layout", "0\n"),
    PROC_FIXED("vdso_enabled", "1\n"), PROC_NUMBER("mmap_min_addr"), PROC_NUMBER("max_map_count"),
    PROC_NUMBER("swappiness"), PROC_END,
};
static const struct proc_entry fs_entries[] = {
    PROC_FIXED("overflowuid", "65534\n"), PROC_FIXED("overflowgid", "65534\n"), PROC_NUMBER("pipe-max-size"),
    PROC_NUMBER("file-max"), PROC_NUMBER("nr_open"), PROC_FIXED("protected_hardlinks", "1\n"),
    PROC_FIXED("protected_symlinks", "1\n"), PROC_END,
};
static const struct proc_entry core_entries[] = { PROC_NUMBER("somaxconn"), PROC_END };
static const struct proc_entry net_entries[]  = { PROC_FOLDER("core", core_entries), PROC_END };
static const struct proc_entry sys_entries[]  = {
    PROC_FOLDER("kernel", kernel_entries), PROC_FOLDER("vm", vm_entries), PROC_FOLDER("fs", fs_entries),
    PROC_FOLDER("net", net_entries), PROC_END,
};

static int write_self(struct text *text, struct proc_node *node __attribute__((unused)))
{
    text_add(text, "%d", current_process()->id);
    return 0;
}

static int write_thread_self(struct text *text, struct proc_node *node __attribute__((unused)))
{
    text_add(text, "%d/task/%d", current_process()->id, current_thread()->id);
    return 0;
}

static int write_own_mounts(struct text *text, struct proc_node *node __attribute__((unused)))
{
    text_add(text, "self/mounts");
    return 0;
}

#define PROC_TEXT_LINK(name_, text_) { .name = name_, .mode = S_LINK | 0777, .text = text_ }

const struct proc_entry proc_root_entries[] = {
    PROC_TEXT_LINK("self", write_self), PROC_TEXT_LINK("thread-self", write_thread_self),
    PROC_TEXT_LINK("mounts", write_own_mounts), PROC_FILE("meminfo", write_memory), PROC_FILE("vmstat", write_vmstat),
    PROC_FILE("stat", write_machine_stat), PROC_FILE("interrupts", write_interrupts),
    PROC_FILE("uptime", write_uptime), PROC_FILE("loadavg", write_loadavg),
    PROC_FILE("cpuinfo", write_processors), PROC_FILE("version", write_version),
    PROC_FILE("filesystems", write_systems), PROC_FILE("swaps", write_swaps), PROC_FILE("cmdline", write_empty),
    PROC_FIXED("modules", ""), PROC_FIXED("diskstats", ""), PROC_FIXED("partitions", ""), PROC_FIXED("misc", ""),
    PROC_FILE("locks", write_locks),
    PROC_FIXED("devices", "Character devices:\n  1 mem\n  5 /dev/tty\n  5 /dev/console\n\nBlock devices:\n"),
    PROC_FIXED("cgroups", "#subsys_name\thierarchy\tnum_cgroups\tenabled\n"), PROC_FOLDER("sys", sys_entries),
    PROC_FOLDER("quire", proc_quire_entries), PROC_END,
};
