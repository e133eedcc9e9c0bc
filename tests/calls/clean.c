/*
 * clean.c - what a batch of the fuzzer leaves is removed: its files, its mounts, what it made above its folder, and its
 * locks on the supervisor's streams.
 */
#include "fuzzer.h"

const char folder[] = "/tmp/fuzz";

static void empty(long at, unsigned depth);

/* A mount whose path is too long for unmount_all(), or has characters that /proc/mounts writes in another way. */
static void unmount_entry(long at, const char *name)
{
    enum { CALL_FCHDIR = 133 };

    if (may_mount && KERNEL(CALL_FCHDIR, at) == 0) {
        KERNEL(CALL_UMOUNT2, (long)name, 2);
        KERNEL(CALL_CHDIR, (long)"/");
    }
}

static bool remove_entry(long at, const char *name, unsigned depth)
{
    enum { FOLDER = 0x200, BUSY = -16, MOUNTS_MOST = 100 };
    long below;

    if (KERNEL(CALL_UNLINKAT, at, (long)name, 0) == 0)
        return true;
    for (unsigned n = 0; (below = KERNEL(CALL_UNLINKAT, at, (long)name, FOLDER)) == BUSY && n < MOUNTS_MOST; n++)
        unmount_entry(at, name);
    if (below == 0)
        return true;
    below = KERNEL(CALL_OPENAT, at, (long)name, O_DIRECTORY | 0400000);
    if (below < 0)
        return false;
    if (depth < 4000)
        empty(below, depth + 1);
    KERNEL(CALL_CLOSE, below);
    return KERNEL(CALL_UNLINKAT, at, (long)name, FOLDER) == 0;
}

/* A batch may have unmounted it, and made files where it was, also one of the name of something in /proc. */
static bool proc_is_mounted(void)
{
    enum { WORDS = 21, PROC_MAGIC = 0x9FA0 };   /* struct statfs64 */
    uint32_t answer[WORDS] = { 0 };

    return KERNEL(CALL_STATFS64, (long)"/tmp/fuzz/proc", sizeof answer, (long)answer) == 0 && answer[0] == PROC_MAGIC;
}

/* Removes the files of a folder, except a mounted /proc. A pass that removed nothing is the last one. */
static void empty(long at, unsigned depth)
{
    char part[512] __attribute__((aligned(8)));
    bool removed = true, mounted = depth == 0 && proc_is_mounted();
    long length;

    while (removed) {
        removed = false;
        KERNEL(140, at, 0, 0, (long)part, 0);                               /* _llseek to the beginning */
        while ((length = KERNEL(CALL_GETDENTS64, at, (long)part, sizeof part)) > 0)
            for (long i = 0; i < length; i += ((struct entry *)(part + i))->length) {
                const char *name = ((struct entry *)(part + i))->name;

                if (!text_same(name, ".") && !text_same(name, "..") && !(mounted && text_same(name, "proc")))
                    removed |= remove_entry(at, name, depth);
            }
    }
}

/* A batch's mounts lie below its folder; its /proc is unmounted too, as it may have mounted over that. */
static void unmount_all(void)
{
    char path[256];

    while (KERNEL(CALL_UMOUNT2, (long)folder, 2) == 0)          /* over its own root */
        ;
    if (!may_mount || file_text("/proc/mounts", text, sizeof text) <= 0)
        return;
    for (const char *at = text; *at != '\0'; at++) {
        size_t length = 0;

        if (memcmp(at, folder, sizeof folder - 1) != 0 || at[sizeof folder - 1] != '/')
            continue;
        while (at[length] > ' ' && length < sizeof path - 1)
            length++;
        memcpy(path, at, length);
        path[length] = '\0';
        KERNEL(CALL_UMOUNT2, (long)path, 2);
    }
}

/* Another file may be in its place. */
static void mount_proc_again(void)
{
    if (proc_is_mounted())
        return;
    KERNEL(CALL_UNLINK, (long)"/tmp/fuzz/proc");
    KERNEL(CALL_MKDIR, (long)"/tmp/fuzz/proc", 0777);
    KERNEL(CALL_MOUNT, (long)"proc", (long)"/tmp/fuzz/proc", (long)"proc", 0, 0);
}

/*
 * The supervisor's own streams, which most batches have as well, are open files that outlive a batch's locks on them.
 */
static void forget_locks(void)
{
    enum { CALL_FLOCK = 143, OFD_SETLK = 37, UNLOCKED = 2, FLOCK_NONE = 8 };
    uint32_t all[6] = { UNLOCKED, 0, 0, 0, 0, 0 };

    for (long stream = 0; stream < 3; stream++) {
        KERNEL(CALL_FLOCK, stream, FLOCK_NONE);
        KERNEL(CALL_FCNTL64, stream, OFD_SETLK, (long)all);
    }
}

/*
 * As on Linux, who may chroot() can leave its root: its working folder lies outside of the new one, and chdir("..")
 * goes up from there. What a batch makes in the folders above is removed as well; `known` has the names that they had.
 */
static const char *const above[] = { "/", "/tmp", "/dev", "/dev/shm", "/etc", "/root", "/var" };
enum { FOLDERS_ABOVE = COUNT_OF(above), KNOWN_NAMES = 32, KNOWN_LENGTH = 32 };
static char known[FOLDERS_ABOVE][KNOWN_NAMES][KNOWN_LENGTH];

static bool is_known(unsigned n, const char *name)
{
    for (unsigned i = 0; i < KNOWN_NAMES; i++)
        if (text_same(known[n][i], name))
            return true;
    return false;
}

/* False where there are more names than have room, or longer ones: they would be removed. */
static bool note_name(unsigned n, const char *name)
{
    size_t length = 0;
    unsigned i = 0;

    while (name[length] != '\0')
        length++;
    while (i < KNOWN_NAMES && known[n][i][0] != '\0')
        i++;
    if (i == KNOWN_NAMES || length >= KNOWN_LENGTH)
        return false;
    memcpy(known[n][i], name, length);
    return true;
}

static bool go_over_folder_above(unsigned n, bool notes)
{
    char part[512] __attribute__((aligned(8)));
    long at = KERNEL(CALL_OPEN, (long)above[n], O_DIRECTORY), length;
    bool good = true;

    while ((length = KERNEL(CALL_GETDENTS64, at, (long)part, sizeof part)) > 0)
        for (long i = 0; i < length; i += ((struct entry *)(part + i))->length) {
            const char *name = ((struct entry *)(part + i))->name;

            if (text_same(name, ".") || text_same(name, ".."))
                continue;
            if (notes)
                good &= note_name(n, name);
            else if (!is_known(n, name))
                remove_entry(at, name, 1);
        }
    KERNEL(CALL_CLOSE, at);
    return good;
}

static bool go_over_folders_above(bool notes)
{
    bool good = true;

    for (unsigned n = 0; n < FOLDERS_ABOVE; n++)
        good &= go_over_folder_above(n, notes);
    return good;
}

bool make_folder(void)
{
    KERNEL(CALL_MKDIR, (long)"/tmp", 0777);
    KERNEL(CALL_MKDIR, (long)folder, 0777);
    mount_proc_again();
    return go_over_folders_above(true);
}

enum { REMOUNT = 32 };

void clean_up(void)
{
    long at;

    forget_locks();
    KERNEL(CALL_MOUNT, 0, (long)"/", 0, REMOUNT, 0);            /* the batch may have made the root read-only */
    unmount_all();
    at = KERNEL(CALL_OPEN, (long)folder, O_DIRECTORY);
    empty(at, 0);
    KERNEL(CALL_CLOSE, at);
    (void)go_over_folders_above(false);
    mount_proc_again();
}
