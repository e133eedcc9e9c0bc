/* swap_file.c - the file that a machine swaps to. See swap_file.h. */
#include "swap_file.h"
#include "arena.h"
#include "sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

/* The header as mkswap writes it: its version and the last page's number in the middle, its name at the page's end. */
enum { PAGE = 4096, VERSION = 1024, MAGIC = PAGE - 10 };

static const char *folder(void)
{
    const char *said = getenv("TMPDIR");

    return said != NULL && said[0] != '\0' ? said : "/tmp";
}

/* A file without a name; where the file system cannot make one, a file whose name goes at once. */
static int open_nameless(void)
{
    int fd = open(folder(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);

    if (fd < 0 && (errno == EOPNOTSUPP || errno == EISDIR)) {
        char *name = text("%s/quire-swap-XXXXXX", folder());

        fd = mkostemp(name, O_CLOEXEC);
        if (fd >= 0)
            unlink(name);
        drop(name);
    }
    return fd;
}

/* A file longer than the limit cannot be made, and trying brings a signal. */
static bool is_allowed(uint64_t size)
{
    struct rlimit limit;

    return getrlimit(RLIMIT_FSIZE, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY || size <= limit.rlim_cur;
}

static bool write_header(int fd, uint64_t size)
{
    static const char magic[] = "SWAPSPACE2";
    const uint32_t words[2] = { 1, (uint32_t)(size / PAGE - 1) };

    return ftruncate(fd, (off_t)size) == 0 && pwrite(fd, words, sizeof(words), VERSION) == sizeof(words) &&
           pwrite(fd, magic, sizeof(magic) - 1, MAGIC) == sizeof(magic) - 1;
}

/* The file grows as the machine writes: it is refused where that could not come to an end. */
static int fill_file(int fd, uint64_t size)
{
    struct statvfs system;

    if (fstatvfs(fd, &system) == 0 && (uint64_t)system.f_bavail * system.f_frsize < size)
        return tell(SANDBOX_FAILED, "--swap: %s has room for %" PRIu64 " KiB, not for %" PRIu64, folder(),
                    (uint64_t)system.f_bavail * system.f_frsize / 1024, size / 1024);
    if (!is_allowed(size))
        return tell(SANDBOX_FAILED, "--swap: a file may not be %" PRIu64 " KiB long here (ulimit -f)", size / 1024);
    if (!write_header(fd, size))
        return tell(SANDBOX_FAILED, "--swap: a file in %s: %s", folder(), strerror(errno));
    return 0;
}

int swap_file_make(uint64_t bytes, int *fd, uint64_t *size)
{
    int status;

    if (bytes < SWAP_LEAST || bytes > SWAP_MOST)
        return tell(SANDBOX_FAILED, "--swap: %" PRIu64 " KiB is too %s: at least %" PRIu64 "K, at most %" PRIu64 "M",
                    bytes / 1024, bytes < SWAP_LEAST ? "little" : "much", (uint64_t)(SWAP_LEAST >> 10),
                    (uint64_t)(SWAP_MOST >> 20));
    *size = bytes / PAGE * PAGE + PAGE;
    *fd   = open_nameless();
    if (*fd < 0)
        return tell(SANDBOX_FAILED, "--swap: no file can be made in %s: %s", folder(), strerror(errno));
    status = fill_file(*fd, *size);
    if (status != 0)
        close(*fd);
    return status;
}
