/* frozen.c - machines stopped before their program's first instruction. See frozen.h. */
#define _FILE_OFFSET_BITS 64
#include "frozen.h"
#include "arena.h"
#include "thaw.h"

#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PAGE = 4096 };

/* What a frozen machine depends on. */
struct key {
    char        *text;
    const char  *archive;       /* mapped */
    size_t       archive_size;
    struct held *held;          /* the mapping */
};

/* ---- The key ---------------------------------------------------------------------------- */

/* FNV-1a, eight bytes at a time: it names a folder, and what is in the folder is compared. */
static uint64_t hash(uint64_t sum, const char *bytes, size_t size)
{
    for (; size >= sizeof(sum); bytes += sizeof(sum), size -= sizeof(sum)) {
        uint64_t word;

        memcpy(&word, bytes, sizeof(word));
        sum = (sum ^ word) * 0x100000001B3;
        sum ^= sum >> 29;
    }
    for (; size > 0; size--)
        sum = (sum ^ (uint8_t)*bytes++) * 0x100000001B3;
    return sum;
}

/* The whole of a file, mapped; NULL when it is empty or cannot be read. */
static const char *map_file(int fd, size_t *size)
{
    struct stat status;
    void *bytes;

    if (fd < 0 || fstat(fd, &status) != 0 || status.st_size == 0)
        return NULL;
    *size = (size_t)status.st_size;
    bytes = mmap(NULL, *size, PROT_READ, MAP_PRIVATE, fd, 0);
    return bytes != MAP_FAILED ? bytes : NULL;
}

/* Place, size and times of a file; "" when there is none. */
static char *file_text(const char *path)
{
    struct stat s;

    if (stat(path, &s) != 0)
        return text("%s", "");
    return text("%s %ju:%ju %jd %jd.%09ld %jd.%09ld\n", path, (uintmax_t)s.st_dev, (uintmax_t)s.st_ino,
                (intmax_t)s.st_size, (intmax_t)s.st_mtim.tv_sec, s.st_mtim.tv_nsec, (intmax_t)s.st_ctim.tv_sec,
                s.st_ctim.tv_nsec);
}

static uint64_t contents_of(const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    size_t size = 0;
    const char *bytes = map_file(fd, &size);
    uint64_t sum = bytes != NULL ? hash(size, bytes, size) : 0;

    if (bytes != NULL)
        munmap((void *)bytes, size);
    if (fd >= 0)
        close(fd);
    return sum;
}

/* This start of the host: its time-stamp counter's rate, and its QEMU's libraries, do not change until the next. */
static void read_boot(char boot[64])
{
    FILE *file = fopen("/proc/sys/kernel/random/boot_id", "re");

    boot[0] = '\0';
    if (file != NULL && fgets(boot, 64, file) == NULL)
        boot[0] = '\0';
    if (file != NULL)
        fclose(file);
}

static void unmap_archive(void *what)
{
    const struct key *key = what;

    if (key->archive != NULL)
        munmap((void *)key->archive, key->archive_size);
}

static bool key_make(struct key *key, const struct machine_plan *plan, const char **why)
{
    char boot[64], *kernel = file_text(plan->kernel), *qemu = NULL, *words = machine_text(plan);
    char *emulator = machine_emulator_file();

    *key = (struct key){ 0 };
    key->held = hold(unmap_archive, key);
    read_boot(boot);
    if (emulator != NULL)
        qemu = file_text(emulator);
    *why = "QEMU is no program, but a script";
    if (qemu != NULL) {
        key->archive = map_file(plan->archive, &key->archive_size);
        key->text = text("frozen machine 1\n%s%016" PRIx64 "\n%s%s%s\n", kernel, contents_of(plan->kernel), qemu, boot,
                         words);
        *why = boot[0] == '\0' ? "the host does not say when it was started" : "there is no archive";
    }
    drop(kernel);
    drop(emulator);
    drop(qemu);
    drop(words);
    return key->text != NULL && key->archive != NULL && boot[0] != '\0';
}

static void key_free(struct key *key)
{
    drop(key->text);
    let_go(key->held);
    drop(key);
}

/* ---- A folder ------------------------------------------------------------------------------- */

static int open_in(const char *folder, const char *name, int flags)
{
    char *path = text("%s/%s", folder, name);
    int fd = open(path, flags | O_CLOEXEC | O_NOFOLLOW, 0600);

    drop(path);
    return fd;
}

/* True for a file or folder of this user's that nobody else can write. */
static bool is_ours(int fd)
{
    struct stat status;

    return fd >= 0 && fstat(fd, &status) == 0 && status.st_uid == geteuid() && (status.st_mode & 022) == 0;
}

static bool has_contents(const char *folder, const char *name, const char *bytes, size_t size)
{
    int fd = open_in(folder, name, O_RDONLY);
    size_t length = 0;
    const char *found = is_ours(fd) ? map_file(fd, &length) : NULL;
    bool same = found != NULL && length == size && memcmp(found, bytes, size) == 0;

    if (found != NULL)
        munmap((void *)found, length);
    if (fd >= 0)
        close(fd);
    return same;
}

static bool is_for(const char *folder, const struct key *key)
{
    int self = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    struct held *held = hold_fd(self);
    bool good = is_ours(self) && has_contents(folder, "key", key->text, strlen(key->text)) &&
                has_contents(folder, "archive", key->archive, key->archive_size);

    if (good)
        futimens(self, NULL);           /* used now: others go first */
    let_go(held);
    return good;
}

static void remove_folder(const char *folder)
{
    static const char *const names[] = { "key", "archive", "ram", "state" };

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        char *path = text("%s/%s", folder, names[i]);

        unlink(path);
        drop(path);
    }
    rmdir(folder);
}

static void close_list(void *list)
{
    if (list != NULL)
        closedir(list);
}

/* Of more than FROZEN_MOST folders remove the one that was not used for the longest time. */
static void remove_oldest(const char *above)
{
    DIR *list = opendir(above);
    struct held *held = hold(close_list, list);
    struct stat status, oldest_status = { 0 };
    char *oldest = NULL;
    size_t count = 0;

    for (struct dirent *entry; list != NULL && (entry = readdir(list)) != NULL;) {
        if (entry->d_name[0] == '.' || fstatat(dirfd(list), entry->d_name, &status, AT_SYMLINK_NOFOLLOW) != 0 ||
            !S_ISDIR(status.st_mode))
            continue;
        if (count++ == 0 || status.st_mtim.tv_sec < oldest_status.st_mtim.tv_sec) {
            drop(oldest);
            oldest = text("%s/%s", above, entry->d_name);
            oldest_status = status;
        }
    }
    let_go(held);
    if (count > FROZEN_MOST)
        remove_folder(oldest);
    drop(oldest);
}

/* ---- Writing ---------------------------------------------------------------------------------- */

static bool write_at(int fd, const char *bytes, size_t size, off_t at)
{
    while (size > 0) {
        ssize_t done = pwrite(fd, bytes, size, at);

        if (done <= 0)
            return false;
        bytes += done;
        size  -= (size_t)done;
        at    += done;
    }
    return true;
}

static bool write_file(const char *folder, const char *name, const char *bytes, size_t size)
{
    int fd = open_in(folder, name, O_WRONLY | O_CREAT | O_EXCL);
    bool good = fd >= 0 && write_at(fd, bytes, size, 0);

    if (fd >= 0)
        close(fd);
    return good;
}

static bool is_zero(const char *page) { return page[0] == '\0' && memcmp(page, page + 1, PAGE - 1) == 0; }

/* The pages of memory that are not zero; the file is as long as the memory. */
static bool write_pages(int fd, const char *memory, int ram, off_t size)
{
    for (off_t at = 0, end; (at = lseek(ram, at, SEEK_DATA)) >= 0 && at < size; at = end) {
        end = lseek(ram, at, SEEK_HOLE);
        for (off_t page = at; page < end; page += PAGE)
            if (!is_zero(memory + page) && !write_at(fd, memory + page, PAGE, page))
                return false;
    }
    return true;
}

static bool write_ram(const char *folder, int ram)
{
    int fd = open_in(folder, "ram", O_WRONLY | O_CREAT | O_EXCL);
    size_t size = 0;
    const char *memory = map_file(ram, &size);
    bool good = fd >= 0 && memory != NULL && ftruncate(fd, (off_t)size) == 0 &&
                write_pages(fd, memory, ram, (off_t)size);

    if (memory != NULL)
        munmap((void *)memory, size);
    if (fd >= 0)
        close(fd);
    return good;
}

/* ---- Making ------------------------------------------------------------------------------------- */

/* Write all of it to a folder of another name, which then gets its name. */
static bool keep_machine(const char *folder, const char *above, const struct key *key, int ram,
                         const struct thawed *state)
{
    char *making = text("%s/making-%d", above, getpid());
    bool good = mkdir(making, 0700) == 0 && write_file(making, "key", key->text, strlen(key->text)) &&
                write_file(making, "archive", key->archive, key->archive_size) && write_ram(making, ram) &&
                write_file(making, "state", state->bytes, state->length);

    if (good && rename(making, folder) != 0) {
        if (!is_for(folder, key))       /* else another run was faster */
            remove_folder(folder);
        good = rename(making, folder) == 0 || is_for(folder, key);
    }
    remove_folder(making);
    drop(making);
    return good;
}

static bool make_frozen(const char *folder, const char *above, const struct key *key, const struct machine_plan *plan,
                        const char **why)
{
    struct machine_plan freezing = *plan;
    struct thawed state = { 0 };
    struct held *held;
    bool good = false;

    *why = "there is no memory for one";
    freezing.verbose = false;
    freezing.ram = memfd_create("quire-ram", MFD_CLOEXEC);
    held = hold_fd(freezing.ram);
    if (freezing.ram >= 0 && ftruncate(freezing.ram, (off_t)plan->memory) == 0) {
        *why = "its machine could not be stopped before the program";
        good = thaw_take(&freezing, &state);
    }
    if (good) {
        *why = "it cannot be written beside the kernel";
        good = keep_machine(folder, above, key, freezing.ram, &state);
        remove_oldest(above);
    }
    drop(state.bytes);
    let_go(held);
    return good;
}

/* ---- The public calls ------------------------------------------------------------------------------ */

bool frozen_open(struct frozen *frozen, const struct machine_plan *plan, const char **why)
{
    struct key *key = grown(NULL, 1, sizeof(*key));
    char *above = text("%.*s/frozen", (int)(strrchr(plan->kernel, '/') - plan->kernel), plan->kernel);
    bool good = key_make(key, plan, why);

    *frozen = (struct frozen){ NULL, -1, -1 };
    if (good) {
        uint64_t sum = hash(hash(key->archive_size, key->text, strlen(key->text)), key->archive, key->archive_size);

        frozen->folder = text("%s/%016" PRIx64, above, sum);
        mkdir(above, 0700);
        good = is_for(frozen->folder, key) || make_frozen(frozen->folder, above, key, plan, why);
    }
    if (good) {
        frozen->ram   = open_in(frozen->folder, "ram", O_RDWR);
        frozen->state = open_in(frozen->folder, "state", O_RDONLY);
        *why = "its files cannot be opened";
        good = is_ours(frozen->ram) && is_ours(frozen->state);
    }
    if (!good)
        frozen_close(frozen);
    key_free(key);
    drop(above);
    return good;
}

void frozen_close(struct frozen *frozen)
{
    if (frozen->ram >= 0)
        close(frozen->ram);
    if (frozen->state >= 0)
        close(frozen->state);
    drop(frozen->folder);
    *frozen = (struct frozen){ NULL, -1, -1 };
}

void frozen_remove(const struct frozen *frozen)
{
    if (frozen->folder != NULL)
        remove_folder(frozen->folder);
}
