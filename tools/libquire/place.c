/* place.c - input written into a machine's RAM. See place.h. */
#include "place.h"
#include "channel.h"

#include <errno.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

/*
 * Of little input the socket's way is cheaper: a machine whose RAM is a file takes a thirtieth more of the processor to
 * start. RAM up to the bound lies in one piece from byte 0 in both kinds of machine.
 */
static const uint64_t MEMORY_MOST = UINT64_C(3) << 30;
enum { WORTH_IT = 65536 };

/* A pipe, a socket, or more than a few bytes. */
static bool may_be_much(const struct input *input)
{
    struct stat status;

    if (input->fd < 0)
        return input->length >= WORTH_IT;
    if (fstat(input->fd, &status) != 0)
        return false;
    return S_ISFIFO(status.st_mode) || S_ISSOCK(status.st_mode) ||
           (S_ISREG(status.st_mode) && status.st_size >= WORTH_IT);
}

/* A file longer than the limit cannot be made, and trying brings a signal. */
static bool may_be_made(uint64_t memory)
{
    struct rlimit limit;

    return getrlimit(RLIMIT_FSIZE, &limit) == 0 && (limit.rlim_cur == RLIM_INFINITY || memory <= limit.rlim_cur);
}

int place_ram(uint64_t memory, const struct input *input)
{
    int ram = -1;

    if (memory <= MEMORY_MOST && may_be_much(input) && may_be_made(memory))
        ram = memfd_create("quire: a machine's RAM", MFD_CLOEXEC);
    if (ram >= 0 && ftruncate(ram, (off_t)memory) != 0) {
        close(ram);
        ram = -1;
    }
    return ram;
}

bool place_take(struct place *place, const uint8_t *list, size_t length)
{
    size_t count = length / sizeof(uint32_t);

    place->length = 0;
    if (length % sizeof(uint32_t) != 0 || count > CHANNEL_PLACE_MOST)
        return false;
    for (size_t i = 0; i < count; i++) {
        place->pages[i] = channel_number(list + i * sizeof(uint32_t));
        if (place->ram >= 0 && place->pages[i] >= place->memory / CHANNEL_PLACE_PAGE)
            return false;
    }
    place->length = count * CHANNEL_PLACE_PAGE;
    return true;
}

/* How many pages, from one of the list on, lie in a row. */
static size_t row_from(const struct place *place, size_t page)
{
    size_t count = 1, pages = place->length / CHANNEL_PLACE_PAGE;

    while (page + count < pages && place->pages[page + count] == place->pages[page] + count)
        count++;
    return count;
}

bool place_write(const struct place *place, const uint8_t *bytes, size_t count)
{
    for (size_t page = 0, row; count > 0; page += row) {
        off_t at = (off_t)place->pages[page] * CHANNEL_PLACE_PAGE;

        row = row_from(place, page);
        for (size_t part = row * CHANNEL_PLACE_PAGE; part > 0 && count > 0;) {
            ssize_t done = pwrite(place->ram, bytes, part < count ? part : count, at);

            if (done < 0 && errno == EINTR)
                continue;
            if (done <= 0)
                return false;
            at    += done;
            bytes += done;
            count -= (size_t)done;
            part  -= (size_t)done;
        }
    }
    return true;
}
