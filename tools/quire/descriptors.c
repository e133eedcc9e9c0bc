/* descriptors.c - descriptors 0, 1 and 2 are opened. See descriptors.h. */
#include "descriptors.h"

#include <fcntl.h>
#include <unistd.h>

static bool was_closed[3];

bool descriptors_open(void)
{
    for (int number = 0; number < 3; number++) {
        was_closed[number] = fcntl(number, F_GETFD) < 0;
        /* open() returns the lowest free number, which is `number`: those below are open by now. */
        if (was_closed[number] && open("/dev/null", O_RDWR) != number)
            return false;
    }
    return true;
}

bool descriptor_was_closed(int number) { return was_closed[number]; }
