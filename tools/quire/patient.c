/* patient.c - see patient.h. */
#include "patient.h"
#include "libquire/stream.h"
#include "signals.h"

#include <errno.h>

bool patient_write(int fd, const char *bytes, size_t length)
{
    struct stream stream;
    int problem = 0;

    stream_open(&stream, &(struct stream_to){ .fd = fd }, NULL);
    while (length > 0 && problem == 0) {
        ssize_t done = stream_write(&stream, bytes, length);

        if (done >= 0) {
            bytes  += done;
            length -= (size_t)done;
        } else if (errno == EAGAIN) {
            signals_wait_for_room(stream.fd);
        } else {
            problem = errno;
        }
    }
    stream_close(&stream);
    errno = problem;
    return problem == 0;
}
