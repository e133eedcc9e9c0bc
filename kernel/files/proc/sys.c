/*
 * sys.c - the tree of /sys, made of entries as /proc is.
 *
 * Source: Linux, Documentation/ABI (sysfs-devices-system-cpu, sysfs-kernel-mm-transparent-hugepage).
 */
#include "files/proc/sys.h"

#include "files/proc/proc_node.h"
#include "mmu.h"

enum { SYS_MAGIC = 0x62656572 };

#define SYS_FIXED(name_, fixed_)     { .name = name_, .mode = S_REGULAR | 0444, .fixed = fixed_ }
#define SYS_FOLDER(name_, children_) { .name = name_, .mode = S_FOLDER | 0555, .children = children_ }
#define SYS_EMPTY(name_)             SYS_FOLDER(name_, nothing)
#define SYS_END                      { .name = NULL }

static const struct proc_entry nothing[] = { SYS_END };

/* ---- Processors: one, alone in its core, die and package ------------------------------------- */

static const struct proc_entry topology_entries[] = {
    SYS_FIXED("physical_package_id", "0\n"), SYS_FIXED("die_id", "0\n"), SYS_FIXED("cluster_id", "0\n"),
    SYS_FIXED("core_id", "0\n"), SYS_FIXED("thread_siblings", "1\n"), SYS_FIXED("thread_siblings_list", "0\n"),
    SYS_FIXED("core_cpus", "1\n"), SYS_FIXED("core_cpus_list", "0\n"), SYS_FIXED("core_siblings", "1\n"),
    SYS_FIXED("core_siblings_list", "0\n"), SYS_FIXED("cluster_cpus", "1\n"), SYS_FIXED("cluster_cpus_list", "0\n"),
    SYS_FIXED("die_cpus", "1\n"), SYS_FIXED("die_cpus_list", "0\n"), SYS_FIXED("package_cpus", "1\n"),
    SYS_FIXED("package_cpus_list", "0\n"), SYS_END,
};
static const struct proc_entry first_cpu_entries[] = { SYS_FOLDER("topology", topology_entries), SYS_END };
static const struct proc_entry threads_entries[]   = { SYS_FIXED("active", "0\n"),
                                                       SYS_FIXED("control", "notsupported\n"), SYS_END };
static const struct proc_entry cpu_entries[] = {
    SYS_FOLDER("cpu0", first_cpu_entries), SYS_FIXED("possible", "0\n"), SYS_FIXED("present", "0\n"),
    SYS_FIXED("online", "0\n"), SYS_FIXED("offline", "\n"), SYS_FIXED("isolated", "\n"), SYS_FIXED("kernel_max", "0\n"),
    SYS_FOLDER("smt", threads_entries), SYS_END,
};

/* ---- Memory ------------------------------------------------------------------------------------- */

static int write_large_page(struct text *text, struct proc_node *node __attribute__((unused)))
{
    text_add(text, "%u\n", (unsigned)(MMU_ENTRIES * PAGE_SIZE));
    return 0;
}

/* Programs get no large pages, whatever they advise. */
static const struct proc_entry large_entries[] = {
    SYS_FIXED("enabled", "always madvise [never]\n"),
    SYS_FIXED("defrag", "always defer defer+madvise madvise [never]\n"),
    SYS_FIXED("shmem_enabled", "always within_size advise [never] deny force\n"), SYS_FIXED("use_zero_page", "0\n"),
    { .name = "hpage_pmd_size", .mode = S_REGULAR | 0444, .text = write_large_page }, SYS_END,
};
static const struct proc_entry memory_entries[] = { SYS_FOLDER("transparent_hugepage", large_entries), SYS_END };

/* ---- The folders ---------------------------------------------------------------------------------- */

static const struct proc_entry kernel_entries[]  = { SYS_FOLDER("mm", memory_entries), SYS_END };
static const struct proc_entry system_entries[]  = { SYS_FOLDER("cpu", cpu_entries), SYS_END };
static const struct proc_entry devices_entries[] = { SYS_FOLDER("system", system_entries), SYS_EMPTY("virtual"),
                                                     SYS_END };
static const struct proc_entry fs_entries[]      = { SYS_EMPTY("cgroup"), SYS_END };
static const struct proc_entry class_entries[]   = { SYS_EMPTY("block"), SYS_EMPTY("net"), SYS_EMPTY("tty"), SYS_END };
static const struct proc_entry dev_entries[]     = { SYS_EMPTY("block"), SYS_EMPTY("char"), SYS_END };
static const struct proc_entry root_entries[]    = {
    SYS_EMPTY("block"), SYS_EMPTY("bus"), SYS_FOLDER("class", class_entries), SYS_FOLDER("dev", dev_entries),
    SYS_FOLDER("devices", devices_entries), SYS_EMPTY("firmware"), SYS_FOLDER("fs", fs_entries),
    SYS_FOLDER("kernel", kernel_entries), SYS_EMPTY("module"), SYS_EMPTY("power"), SYS_END,
};

struct file_system *sys_new(void)
{
    static const struct proc_entry root = { .mode = S_FOLDER | 0555, .children = root_entries };

    return proc_system(&root, "sysfs", SYS_MAGIC);
}
