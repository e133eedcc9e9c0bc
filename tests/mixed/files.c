/* files.c - rounds of files, folders and readers of /proc. */
#include "mixed.h"

enum { BYTES = 3 * PAGE + 100, NAMES = 24 };
static char buffer[16 * 1024], again[16 * 1024];

static void contents_are(long file, size_t length, uint32_t seed)
{
    SAME(KERNEL(CALL_PREAD64, file, (long)again, sizeof again, 0, 0), length);
    SAME(bytes_hold(again, length, seed, 0), length);
}

/* A shared mapping and the file show the same, both ways. */
static void mapping_and_file_agree(long file, uint32_t seed)
{
    char *map = (char *)DONE(KERNEL(CALL_MMAP2, 0, BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0));

    SAME(bytes_hold(map, BYTES, seed, 0), BYTES);
    bytes_fill(map + PAGE, PAGE, seed + 1, PAGE);
    SAME(KERNEL(CALL_PREAD64, file, (long)again, PAGE, PAGE, 0), PAGE);
    SAME(bytes_hold(again, PAGE, seed + 1, PAGE), PAGE);
    bytes_fill(buffer, PAGE, seed, PAGE);
    SAME(KERNEL(CALL_PWRITE64, file, (long)buffer, PAGE, PAGE, 0), PAGE);
    SAME(bytes_hold(map, BYTES, seed, 0), BYTES);
    SAME(KERNEL(CALL_MUNMAP, (long)map, BYTES), 0);
}

void round_files(void)
{
    char     one[PATH], two[PATH];
    uint32_t seed = chance_word(&me->chance), cut = chance_below(&me->chance, BYTES);
    long     file;

    file = DONE(KERNEL(CALL_OPEN, (long)path_of(one, "file", 1), O_RDWR | O_CREAT | O_EXCL, 0600));
    bytes_fill(buffer, BYTES, seed, 0);
    SAME(write_all(file, buffer, BYTES), BYTES);
    contents_are(file, BYTES, seed);
    mapping_and_file_agree(file, seed);
    SAME(KERNEL(CALL_FTRUNCATE, file, cut), 0);
    contents_are(file, cut, seed);
    SAME(KERNEL(CALL_FTRUNCATE, file, BYTES), 0);
    SAME(KERNEL(CALL_PREAD64, file, (long)again, BYTES - cut, cut, 0), BYTES - cut);
    for (size_t i = 0; i < BYTES - cut; i++)
        if (again[i] != 0)
            SAME(again[i], 0);
    SAME(KERNEL(CALL_LINK, (long)one, (long)path_of(two, "file", 2)), 0);
    SAME(KERNEL(CALL_UNLINK, (long)one), 0);
    SAME(KERNEL(CALL_RENAME, (long)two, (long)one), 0);
    SAME(KERNEL(CALL_OPEN, (long)two, O_RDONLY), -ENOENT);
    SAME(KERNEL(CALL_UNLINK, (long)one), 0);
    bytes_fill(buffer, BYTES, seed + 2, 0);
    SAME(KERNEL(CALL_PWRITE64, file, (long)buffer, BYTES, 0, 0), BYTES);
    contents_are(file, BYTES, seed + 2);                        /* the file has no name any more */
    SAME(KERNEL(CALL_CLOSE, file), 0);
}

struct entry { uint64_t inode, offset; uint16_t length; uint8_t type; char name[]; } __attribute__((packed));

static unsigned names_in(const char *path)
{
    char     part[512] __attribute__((aligned(8)));
    long     folder = DONE(KERNEL(CALL_OPEN, (long)path, O_DIRECTORY)), length;
    unsigned count = 0;

    while ((length = DONE(KERNEL(CALL_GETDENTS64, folder, (long)part, sizeof part))) > 0)
        for (long at = 0; at < length; at += ((struct entry *)(part + at))->length)
            count += ((struct entry *)(part + at))->name[0] != '.';
    SAME(KERNEL(CALL_CLOSE, folder), 0);
    return count;
}

/* A name of two letters. */
static char *short_name(char name[3], unsigned n)
{
    name[0] = (char)('a' + n / 26);
    name[1] = (char)('a' + n % 26);
    name[2] = '\0';
    return name;
}

static void make_empty(const char *name)
{
    long file = DONE(KERNEL(CALL_OPEN, (long)name, O_CREAT | O_EXCL | O_WRONLY, 0600));

    SAME(KERNEL(CALL_CLOSE, file), 0);
}

void round_folders(void)
{
    char path[PATH], name[3], other[3];

    SAME(KERNEL(CALL_MKDIR, (long)path_of(path, "folder", 0), 0700), 0);
    SAME(KERNEL(CALL_CHDIR, (long)path), 0);
    for (unsigned n = 0; n < NAMES; n++)
        if (n % 3 == 0)
            SAME(KERNEL(CALL_MKDIR, (long)short_name(name, n), 0700), 0);
        else
            make_empty(short_name(name, n));
    SAME(names_in("."), NAMES);
    SAME(KERNEL(CALL_RMDIR, (long)"."), -22);
    SAME(KERNEL(CALL_RMDIR, (long)path), -ENOTEMPTY);
    for (unsigned n = 0; n < NAMES; n++)
        SAME(KERNEL(CALL_RENAME, (long)short_name(name, n), (long)short_name(other, n + NAMES)), 0);
    SAME(names_in(path), NAMES);
    for (unsigned n = NAMES; n < 2 * NAMES; n++)
        SAME(KERNEL((n - NAMES) % 3 == 0 ? CALL_RMDIR : CALL_UNLINK, (long)short_name(name, n)), 0);
    SAME(names_in(path), 0);
    SAME(KERNEL(CALL_CHDIR, (long)"/"), 0);
    SAME(KERNEL(CALL_RMDIR, (long)path), 0);
}

/* ---- /proc --------------------------------------------------------------------------------------------- */

/* A file of a process that may be gone by now. */
static void read_of_process(const char *process, const char *file)
{
    char path[PATH] = "/proc/";
    long length;

    memcpy(path + 6, process, strlen(process) + 1);
    memcpy(path + strlen(path), file, strlen(file) + 1);
    length = file_text(path, buffer, sizeof buffer);
    GOOD(length >= 0 || length == -ENOENT || length == -ESRCH);
}

static void read_everybody(void)
{
    static const char *const files[] = { "/stat", "/status", "/maps", "/smaps", "/statm", "/cmdline" };
    char part[512] __attribute__((aligned(8)));
    long folder = DONE(KERNEL(CALL_OPEN, (long)"/proc", O_DIRECTORY)), length;

    while ((length = DONE(KERNEL(CALL_GETDENTS64, folder, (long)part, sizeof part))) > 0)
        for (long at = 0; at < length; at += ((struct entry *)(part + at))->length) {
            const char *name = ((struct entry *)(part + at))->name;

            if (*name >= '0' && *name <= '9')
                read_of_process(name, CHANCE_OF(&me->chance, files));
        }
    SAME(KERNEL(CALL_CLOSE, folder), 0);
}

/* A mapping is listed with its bounds while it exists, and not after. */
static bool maps_tell(long begin)
{
    GOOD(file_text("/proc/self/maps", buffer, sizeof buffer) > 0);
    for (const char *line = buffer; *line != '\0'; line++)
        if (line == buffer || line[-1] == '\n') {
            uint32_t first = 0;

            for (const char *digit = line; *digit != '-' && *digit != '\0'; digit++)
                first = first * 16 + (uint32_t)(*digit <= '9' ? *digit - '0' : *digit - 'a' + 10);
            if (first == (uint32_t)begin)
                return true;
        }
    return false;
}

void round_proc(void)
{
    static long total;
    long kind = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, now;
    long map  = DONE(KERNEL(CALL_MMAP2, 0x30000000, PAGE, PROT_READ, kind, -1, 0));

    GOOD(maps_tell(map));
    SAME(KERNEL(CALL_MUNMAP, map, PAGE), 0);
    GOOD(!maps_tell(map));
    GOOD(file_text("/proc/meminfo", buffer, sizeof buffer) > 0);
    now = number_behind(buffer, "MemTotal:");
    GOOD(now > 0 && (total == 0 || now == total));
    GOOD(number_behind(buffer, "MemFree:") <= now);
    total = now;
    GOOD(file_text("/proc/self/status", buffer, sizeof buffer) > 0);
    SAME(number_behind(buffer, "Pid:\t"), KERNEL(CALL_GETPID, 0));
    SAME(number_behind(buffer, "PPid:\t"), KERNEL(CALL_GETPPID, 0));
    read_everybody();
}
