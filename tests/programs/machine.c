/*
 * machine.c - the machine as /sys and /proc show it: one processor, no large pages, no devices, no control groups.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <unistd.h>

static void text_of(const char *path)
{
    char text[512];
    int  file = open(path, O_RDONLY);
    long got  = file < 0 ? -1 : read(file, text, sizeof text - 1);

    text[got > 0 ? got : 0] = '\0';
    printf("%s: %d [%s]\n", path, got < 0 ? errno : 0, text);
    close(file);
}

static void listing(const char *path)
{
    DIR           *folder = opendir(path);
    struct dirent *entry;
    int            count = 0, agree = 0;

    if (folder == NULL) {
        printf("%s: errno %d\n", path, errno);
        return;
    }
    while ((entry = readdir(folder)) != NULL) {
        char        name[512];
        struct stat facts;

        if (entry->d_name[0] == '.')
            continue;
        snprintf(name, sizeof name, "%s/%s", path, entry->d_name);
        agree += lstat(name, &facts) == 0 && facts.st_ino == entry->d_ino;
        count++;
    }
    printf("%s: %s, %s\n", path, count > 0 ? "something" : "nothing", count == agree ? "numbers agree"
           : "numbers differ");
    closedir(folder);
}

int main(void)
{
    static const char *const texts[] = {
        "/sys/devices/system/cpu/online", "/sys/devices/system/cpu/possible", "/sys/devices/system/cpu/present",
        "/sys/devices/system/cpu/offline", "/sys/devices/system/cpu/cpu0/topology/core_id",
        "/sys/devices/system/cpu/cpu0/topology/physical_package_id",
        "/sys/devices/system/cpu/cpu0/topology/thread_siblings_list",
        "/sys/devices/system/cpu/cpu0/topology/core_siblings", "/sys/devices/system/cpu/smt/active",
        "/sys/devices/system/cpu/cpu1/topology/core_id", "/sys/kernel/mm/transparent_hugepage/enabled",
        "/sys/fs/cgroup/memory/memory.limit_in_bytes", "/sys/fs/cgroup/cgroup.controllers",
        "/sys/devices/system/node/online", "/proc/sys/vm/overcommit_memory", "/proc/sys/vm/overcommit_ratio",
        "/proc/sys/vm/max_map_count", "/proc/sys/vm/nr_hugepages", "/proc/sys/kernel/ostype",
        "/proc/sys/kernel/pid_max", "/proc/sys/kernel/overflowuid", "/proc/sys/kernel/arch", "/proc/sys/fs/nr_open",
        "/proc/partitions", "/proc/swaps", "/proc/no/such", "/sys/no/such", "/sys/kernel",
    };
    static const char *const folders[] = {
        "/sys", "/sys/devices/system/cpu", "/sys/devices/system/cpu/cpu0/topology", "/sys/block", "/sys/fs/cgroup",
        "/sys/class",
    };
    struct statfs system;
    struct stat   facts;

    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        text_of(texts[i]);
    for (size_t i = 0; i < sizeof folders / sizeof folders[0]; i++)
        listing(folders[i]);
    if (statfs("/sys", &system) == 0)
        printf("/sys is 0x%lx\n", (long)system.f_type);
    if (stat("/sys/devices/system/cpu/online", &facts) == 0)
        printf("a file is %o, of %ld bytes\n", (unsigned)facts.st_mode, (long)facts.st_size);
    printf("open to write: %d\n", open("/sys/devices/system/cpu/online", O_WRONLY) < 0 ? errno : 0);
    printf("create: %d\n", open("/sys/new", O_WRONLY | O_CREAT, 0600) < 0);
    printf("make: %d, remove: %d\n", mkdir("/sys/new", 0700) < 0, unlink("/sys/devices/system/cpu/online") < 0);
    printf("mount: %d\n", mount("sysfs", "/sys", "sysfs", 0, "") < 0 ? errno : 0);
    return 0;
}
