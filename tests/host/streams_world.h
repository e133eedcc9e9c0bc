/*
 * streams_world.h - for tests of pipes, sockets and those who wait for them: bytes to send, and how they are sent.
 *
 * A second party is played by on_sleep(). Included once by each test program.
 */
#ifndef QUIRE_TESTS_STREAMS_WORLD_H
#define QUIRE_TESTS_STREAMS_WORLD_H

#include "files_world.h"

#include "files/ipc/pipe_ring.h"

static char text[PIPE_LARGEST + 2 * PAGE_SIZE];           /* to send: no two pages of it are alike */

static inline long send(struct file *file, const void *bytes, size_t count)
{
    struct buffer buffer = { .user = (user_t)bytes, .bytes = count };

    return file_write(file, &buffer);
}

static inline long receive(struct file *file, void *bytes, size_t count)
{
    struct buffer buffer = { .user = (user_t)bytes, .bytes = count };

    return file_read(file, &buffer);
}

static inline void begin(void)
{
    start_files();
    for (size_t i = 0; i < sizeof text; i++)
        text[i] = (char)(i * 31 + i / 4096);
}

#endif
