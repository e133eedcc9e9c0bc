/*
 * swapping.c - swapon(2) and swapoff(2) with right and wrong arguments, and what /dev/vda answers: lines for a test.
 * `swapping MIB` holds so much that does not shrink, and reads it again in another order; `swapping MIB shared` in
 * shared memory, `swapping MIB file` in a file that nobody maps.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/swap.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PAGE = 4096, PAGES = 512 };

static void tell(const char *what, long result)
{
    printf("%s: %s\n", what, result < 0 ? strerrorname_np(errno) : "good");
    fflush(stdout);
}

static unsigned long kilobytes(const char *name)
{
    FILE *file = fopen("/proc/meminfo", "r");
    char line[128];
    unsigned long value = 0;

    while (fgets(line, sizeof line, file) != NULL)
        if (strncmp(line, name, strlen(name)) == 0)
            value = strtoul(line + strlen(name), NULL, 10);
    fclose(file);
    return value;
}

static unsigned noise(unsigned x)
{
    x = (x ^ x >> 16) * 0x7feb352d;
    x = (x ^ x >> 15) * 0x846ca68b;
    return x ^ x >> 16;
}

static void try_wrong(void)
{
    static char longer[5000];

    memset(longer, 'x', sizeof longer - 1);
    tell("on nothing", swapon("/dev/nothing", 0));
    tell("on a folder", swapon("/tmp", 0));
    tell("on a terminal", swapon("/dev/null", 0));
    tell("on no address", syscall(SYS_swapon, 8, 0));
    tell("on a long path", swapon(longer, 0));
    tell("on empty", swapon("", 0));
    tell("on with flags", swapon("/dev/vda", -1));
    tell("off nothing", swapoff("/dev/nothing"));
    tell("off a terminal", swapoff("/dev/null"));
    tell("off no address", syscall(SYS_swapoff, -1));
}

static void try_without_rights(void)
{
    if (fork() == 0) {
        if (setgid(1000) != 0 || setuid(1000) != 0)
            _exit(1);
        tell("a stranger's on", swapon("/dev/vda", 0));
        tell("a stranger's off", swapoff("/dev/vda"));
        tell("a stranger's open", open("/dev/vda", O_RDONLY));
        _exit(0);
    }
    wait(NULL);
}

static void try_file(void)
{
    char page[PAGE];
    int file = open("/dev/vda", O_RDWR);

    tell("open", file);
    printf("size %lld\n", (long long)lseek(file, 0, SEEK_END) / 1024);
    tell("read the header", pread(file, page, 10, PAGE - 10) == 10 && memcmp(page, "SWAPSPACE2", 10) == 0 ? 0 : -1);
    tell("write while on", pwrite(file, page, 10, 3 * PAGE));
    tell("read to no address", syscall(SYS_pread64, file, 8, 10, 0, 0));
    printf("behind the end %zd\n", pread64(file, page, 10, 1ll << 40));
    close(file);
}

static int wrong_words(const unsigned *words)
{
    int bad = 0;

    for (unsigned i = 0; i < PAGES * PAGE / 4; i++)
        bad += words[i] != noise(i);
    return bad;
}

static int hold(unsigned mebibytes, int kind)
{
    unsigned pages = mebibytes * 256, each = PAGE / 4, bad = 0;
    unsigned *words = mmap(NULL, pages * PAGE, PROT_READ | PROT_WRITE, kind | MAP_ANONYMOUS, -1, 0);

    if (words == MAP_FAILED)
        return 1;
    for (unsigned i = 0; i < pages * each; i++)
        words[i] = noise(i);
    for (unsigned n = 0; n < pages; n++)
        for (unsigned page = n * 7 % pages, i = 0; i < each; i += 37)
            bad += words[page * each + i] != noise(page * each + i);
    printf("%u pages held, %u words wrong\n", pages, bad);
    return bad != 0;
}

/* What cannot be read is an error of read(), each time. The program's own pages stay. */
static int hold_file(unsigned mebibytes)
{
    unsigned page[PAGE / 4], pages = mebibytes * 256, bad = 0, refused = 0;
    int file = open("/tmp/noise", O_RDWR | O_CREAT, 0600);

    mlockall(MCL_CURRENT);
    for (unsigned n = 0; n < pages; n++) {
        for (unsigned i = 0; i < PAGE / 4; i++)
            page[i] = noise(n * (PAGE / 4) + i);
        if (write(file, page, PAGE) != PAGE)
            return 1;
    }
    for (unsigned n = 0; n < pages; n++) {
        unsigned at = n * 7 % pages;

        if (pread(file, page, PAGE, (off_t)at * PAGE) != PAGE) {
            if (errno != EIO)
                return 1;
            refused++;
        } else {
            for (unsigned i = 0; i < PAGE / 4; i++)
                bad += page[i] != noise(at * (PAGE / 4) + i);
        }
    }
    printf("%u pages in a file, %u words wrong, %s refused\n", pages, bad, refused > 0 ? "some" : "none");
    return bad != 0;
}

/* Let go what does not shrink, of private or of shared memory, and swapoff brings it back. */
static void try_off(int kind)
{
    unsigned *words = mmap(NULL, PAGES * PAGE, PROT_READ | PROT_WRITE, kind | MAP_ANONYMOUS, -1, 0);
    unsigned long total = kilobytes("SwapTotal:"), before;
    unsigned char there[PAGES];
    int out = 0;

    for (unsigned i = 0; i < PAGES * PAGE / 4; i++)
        words[i] = noise(i);
    before = kilobytes("SwapFree:");
    tell("advice", madvise(words, PAGES * PAGE, MADV_PAGEOUT));
    mincore(words, PAGES * PAGE, there);
    for (int i = 0; i < PAGES; i++)
        out += !(there[i] & 1);
    printf("%s out, and %s\n", out > PAGES / 2 ? "most" : "few",
           before - kilobytes("SwapFree:") == (unsigned long)out * 4 ? "told" : "not told");
    tell("off", swapoff("/dev/vda"));
    printf("wrong words: %d; total %lu, then %lu\n", wrong_words(words), total, kilobytes("SwapTotal:"));
    munmap(words, PAGES * PAGE);
}

static void try_calls(void)
{
    unsigned long total = kilobytes("SwapTotal:");

    try_wrong();
    try_without_rights();
    try_file();
    tell("on again", swapon("/dev/vda", 0));
    try_off(MAP_PRIVATE);
    tell("off again", swapoff("/dev/vda"));
    tell("on", swapon("/dev/vda", 0));
    printf("total %s\n", kilobytes("SwapTotal:") == total ? "as before" : "another");
    try_off(MAP_SHARED);
}

int main(int argc, char **argv)
{
    if (argc > 2 && strcmp(argv[2], "file") == 0)
        return hold_file((unsigned)atoi(argv[1]));
    if (argc > 1)
        return hold((unsigned)atoi(argv[1]), argc > 2 ? MAP_SHARED : MAP_PRIVATE);
    try_calls();
    return 0;
}
