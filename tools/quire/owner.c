/* owner.c - the result of a run for libquire. See owner.h. */
#include "owner.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <unistd.h>
#include <fcntl.h>

static int    owner = -1, report = -1;
static char  *complaints;
static size_t complained;

/* Write without SIGPIPE. False: the owner has gone. */
static bool send_all(const char *bytes, size_t count)
{
    while (count > 0) {
        ssize_t done = send(owner, bytes, count, MSG_NOSIGNAL);

        if (done <= 0)
            return false;
        bytes += done;
        count -= (size_t)done;
    }
    return true;
}

static void send_report(void)
{
    char bytes[16384];
    off_t at = 0;
    ssize_t got;

    while (report >= 0 && (got = pread(report, bytes, sizeof(bytes), at)) > 0 && send_all(bytes, (size_t)got))
        at += got;
}

static void tell_owner(int status, void *none)
{
    char line[48];

    (void)none;
    fflush(stderr);
    if (send_all(line, (size_t)snprintf(line, sizeof(line), "%d %zu\n", status, complained)) &&
        send_all(complaints, complained))
        send_report();
    close(owner);
}

bool owner_begin(int connection)
{
    FILE *kept = open_memstream(&complaints, &complained);

    if (kept == NULL || on_exit(tell_owner, NULL) != 0)
        return false;
    fcntl(connection, F_SETFD, FD_CLOEXEC);
    owner  = connection;
    stderr = kept;
    fflush(stderr);             /* sets `complaints`, also without a complaint */
    return true;
}

int owner_report(void)
{
    report = memfd_create("report", MFD_CLOEXEC);
    return report >= 0 ? fcntl(report, F_DUPFD_CLOEXEC, 0) : -1;
}
