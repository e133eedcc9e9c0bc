/*
 * poll.c - poll, select and epoll.
 *
 * After a signal that runs no handler the call goes on for the rest of its time: ppoll, select and pselect6 write the
 * rest back and begin again (where they cannot write it, they end with -EINTR), poll goes on by restart_syscall().
 */
#include "base/check.h"
#include "base/error.h"
#include "base/string.h"
#include "files/core/epoll.h"
#include "files/core/poll_wait.h"
#include "linux/calls.h"
#include "linux/files.h"
#include "linux/structures.h"
#include "memory/heap/heap.h"
#include "process/process.h"

enum { MILLISECOND = 1000000 };

/* The time left until a deadline, for programs that want to know. */
static uint64_t left_until(uint64_t deadline)
{
    uint64_t now = clock_now();

    return deadline > now ? deadline - now : 0;
}

/* ---- poll ------------------------------------------------------------------------------------------- */

struct asked { int32_t descriptor; int16_t wanted, got; };         /* struct pollfd */

static void begin_poll(const struct asked *asked, struct poll_wait *files, size_t count)
{
    deep_assert(asked != NULL && files != NULL);
    for (size_t i = 0; i < count; i++) {
        files[i] = (struct poll_wait){ .file = asked[i].descriptor < 0 ? NULL : whole_file_of(asked[i].descriptor),
                                     .wanted = (uint16_t)asked[i].wanted };
        poll_rest(i);
    }
}

/* The number of descriptors that are not open: they are "ready" at once. */
static long mark_closed(struct asked *asked, const struct poll_wait *files, size_t count)
{
    long bad = 0;

    deep_assert(asked != NULL && files != NULL);
    for (size_t i = 0; i < count; i++) {
        asked[i].got = asked[i].descriptor >= 0 && files[i].file == NULL ? POLL_NVAL : 0;
        bad += asked[i].got != 0;
    }
    return bad;
}

static void finish_poll(struct asked *asked, struct poll_wait *files, size_t count)
{
    deep_assert(asked != NULL && files != NULL);
    for (size_t i = 0; i < count; i++) {
        if (files[i].file != NULL) {
            asked[i].got = (int16_t)files[i].got;
            file_release(files[i].file);
        }
        poll_rest(i);
    }
}

static long poll_all(struct asked *asked, struct poll_wait *files, size_t count, uint64_t deadline)
{
    long bad, ready;

    deep_assert(asked != NULL && files != NULL);
    begin_poll(asked, files, count);
    bad   = mark_closed(asked, files, count);
    ready = poll_wait(files, count, bad > 0 ? 0 : deadline);
    finish_poll(asked, files, count);
    return ready < 0 ? ready : ready + bad;
}

static long poll_with(user_t to, size_t count, struct asked *asked, struct poll_wait *files, uint64_t deadline)
{
    long ready;

    deep_assert(asked != NULL && files != NULL);
    if (user_read(asked, to, count * sizeof *asked) != 0)
        return -EFAULT;
    ready = poll_all(asked, files, count, deadline);
    if (ready < 0)
        return ready;
    for (size_t i = 0; i < count; i++) {
        if (user_write(to + i * sizeof *asked + offsetof(struct asked, got), &asked[i].got, sizeof asked[i].got) != 0)
            return -EFAULT;
        poll_rest(i);
    }
    return ready;
}

/* The waiters in `files` must not lie on the stack. */
static long poll_waiting(user_t to, size_t count, uint64_t deadline)
{
    struct asked   *asked = heap_alloc(count * sizeof *asked, 0);
    struct poll_wait *files = heap_alloc(count * sizeof *files, 0);
    long            ready = asked != NULL && files != NULL ? poll_with(to, count, asked, files, deadline) : -ENOMEM;

    heap_free(asked);
    heap_free(files);
    return ready;
}

/* The events that an open file is ready for now. */
static int16_t state_of_file(struct file *file, const struct asked *asked)
{
    struct wait_queue *queue;

    deep_assert(asked != NULL);
    if (file == NULL || (file->flags & O_PATH))
        return POLL_NVAL;
    if (file->operations->poll == NULL)
        return (int16_t)(file_poll(file, &queue) & (uint16_t)asked->wanted);
    return (int16_t)(file->operations->poll(file, &queue) &
                     ((uint16_t)asked->wanted | POLL_ERR | POLL_HUP | POLL_NVAL));
}

static int16_t probe_one(struct files *table, const struct asked *asked)
{
    struct file *file;
    int16_t      got;

    deep_assert(table != NULL && asked != NULL);
    file = descriptor_file(table, asked->descriptor);
    got  = state_of_file(file, asked);
    if (file != NULL)
        file_release(file);
    return got;
}

/*
 * Ask a row of descriptors for their state. A process of one thread needs no references: no other thread can close
 * the files.
 */
static void probe_all(struct files *table, const struct asked *asked, size_t count, int16_t *got, bool alone)
{
    deep_assert(table != NULL && asked != NULL && got != NULL);
    for (size_t i = 0; i < count; i++)
        got[i] = asked[i].descriptor < 0 ? 0
               : alone ? state_of_file(descriptor_peek(table, asked[i].descriptor), &asked[i]) :
                   probe_one(table, &asked[i]);
}

enum { AT_ONCE = 64 };

/*
 * Write the answers that differ from what the program's memory has, and at least one in each page, so that a page that
 * cannot be written is noticed.
 */
static int answer_row(user_t at, const struct asked *asked, const int16_t *got, size_t count)
{
    deep_assert(asked != NULL && got != NULL);
    for (size_t i = 0; i < count; i++, at += sizeof *asked)
        if ((i == 0 || got[i] != asked[i].got || at % PAGE_SIZE < sizeof *asked) &&
            user_write(at + offsetof(struct asked, got), &got[i], sizeof got[i]) != 0)
            return -EFAULT;
    return 0;
}

static long count_ready(const int16_t *got, size_t count)
{
    long ready = 0;

    deep_assert(got != NULL);
    for (size_t i = 0; i < count; i++)
        ready += got[i] != 0;
    return ready;
}

/*
 * The number of descriptors that are ready now. Most calls find some, or do not wait: then no waiters are allocated,
 * and the request is read through a small block.
 */
static long poll_now(user_t to, size_t count)
{
    const struct process *process = current_process();
    bool                  alone   = process->thread_count == 1 && files_are_own(process->files);
    struct asked          block[AT_ONCE];
    int16_t               got[AT_ONCE];
    long                  ready = 0;

    for (size_t done = 0; done < count; done += AT_ONCE) {
        size_t part = count - done < AT_ONCE ? count - done : AT_ONCE;
        user_t at   = to + done * sizeof *block;

        if (user_read(block, at, part * sizeof *block) != 0)
            return -EFAULT;
        probe_all(process->files, block, part, got, alone);
        ready += count_ready(got, part);
        if (answer_row(at, block, got, part) != 0)
            return -EFAULT;
        point_of_rest();
    }
    return ready;
}

static long poll_for(user_t to, size_t count, uint64_t deadline)
{
    long ready;

    if (count > current_process()->limits[RLIMIT_NOFILE].soft)
        return -EINVAL;
    ready = poll_now(to, count);
    return ready != 0 || deadline == 0 ? ready : poll_waiting(to, count, deadline);
}

static uint64_t deadline_of(int32_t milliseconds)
{
    if (milliseconds <= 0)
        return milliseconds < 0 ? NEVER : 0;
    return deadline_after((uint64_t)milliseconds * MILLISECOND);
}

/* The rest of the time cannot be written back, so a call that is interrupted goes on by restart_syscall(). */
static long poll_until(user_t to, size_t count, uint64_t deadline);

static long poll_on(const struct restart *restart)
{
    return poll_until(restart->arguments[0], restart->arguments[1], restart->deadline);
}

static long poll_until(user_t to, size_t count, uint64_t deadline)
{
    long ready = poll_for(to, count, deadline);

    if (ready != -ERESTARTNOHAND)
        return ready;
    current_thread()->restart = (struct restart){ .again = poll_on, .deadline = deadline, .arguments = { to, count } };
    return -ERESTART_RESTARTBLOCK;
}

SYSTEM_CALL(poll, user_t, list, unsigned, count, int32_t, milliseconds)
{
    return poll_until(list, count, deadline_of(milliseconds));
}

typedef int (*time_reader)(user_t from, uint64_t *out);
typedef int (*time_writer)(user_t to, uint64_t nanoseconds);

static int read_deadline(user_t from, time_reader reader, uint64_t *out)
{
    uint64_t time;
    int      err;

    deep_assert(reader != NULL && out != NULL);
    *out = NEVER;
    if (from == 0)
        return 0;
    err = reader(from, &time);
    if (err == 0)
        *out = time == 0 ? 0 : deadline_after(time);
    return err;
}

enum { STICKY_TIMEOUTS = 0x4000000 };               /* personality(2): the rest of the time is not written */

/*
 * Write the rest of the time back to the program. If it cannot be written the call succeeds nevertheless, but must not
 * begin again: it would wait for the whole time.
 */
static long write_left(long ready, user_t to, time_writer writer, uint64_t deadline)
{
    bool written = to == 0 || (!(current_process()->personality & STICKY_TIMEOUTS) &&
                               writer(to, deadline == 0 ? 0 : left_until(deadline)) == 0);

    deep_assert(writer != NULL);
    return ready == -ERESTARTNOHAND && !written ? -EINTR : ready;
}

static long ppoll_for(user_t to, size_t count, user_t time, time_reader reader, time_writer writer, user_t mask,
                      size_t mask_bytes)
{
    uint64_t deadline;
    long     ready;

    deep_assert(reader != NULL && writer != NULL);
    ready = read_deadline(time, reader, &deadline);
    if (ready == 0 && mask != 0)
        ready = mask_for_call(mask, mask_bytes);
    if (ready != 0)
        return ready;
    ready = poll_for(to, count, deadline);
    return write_left(ready, time, writer, deadline);
}

SYSTEM_CALL(ppoll, user_t, list, unsigned, count, user_t, time_at, user_t, mask, size_t, mask_bytes)
{
    return ppoll_for(list, count, time_at, time_read32, time_write32, mask, mask_bytes);
}

SYSTEM_CALL(ppoll_time64, user_t, list, unsigned, count, user_t, time_at, user_t, mask, size_t, mask_bytes)
{
    return ppoll_for(list, count, time_at, time_read64, time_write64, mask, mask_bytes);
}

/* ---- select -------------------------------------------------------------------------------------------- */

enum { WORD = 32, SETS = 3, SELECT_SURELY = 1024 };

/* Each of select's three sets as events of poll. */
static const unsigned set_wants[SETS] = { POLL_IN | POLL_RDNORM, POLL_OUT | POLL_WRNORM, POLL_PRI };
static const unsigned set_gets[SETS]  = { POLL_IN | POLL_RDNORM | POLL_HUP | POLL_ERR,
                                          POLL_OUT | POLL_WRNORM | POLL_ERR, POLL_PRI };

struct selection {
    size_t    bits, words;
    user_t    at[SETS];
    uint32_t *sets[SETS], *answers[SETS];   /* one after another in one block */
};

/* The first selected number from n on; as many as there are bits, or more, when there is none. */
static size_t next_selected(const struct selection *s, size_t n)
{
    deep_assert(s != NULL);
    for (; n < s->bits; n = (n | (WORD - 1)) + 1) {
        uint32_t left = (s->sets[0][n / WORD] | s->sets[1][n / WORD] | s->sets[2][n / WORD]) >> n % WORD;

        if (left != 0)
            return n + (size_t)__builtin_ctz(left);
    }
    return n;
}

static unsigned wanted_of(const struct selection *s, size_t n)
{
    unsigned bits = 0;

    deep_assert(s != NULL);
    for (unsigned set = 0; set < SETS; set++)
        if (s->sets[set][n / WORD] >> (n % WORD) & 1)
            bits |= set_wants[set];
    return bits;
}

/* Returns in how many of the sets the number is ready. */
static long answer_number(struct selection *s, size_t n, unsigned wanted, unsigned got)
{
    long total = 0;

    deep_assert(s != NULL);
    for (unsigned set = 0; set < SETS; set++)
        if ((got & set_gets[set]) && (wanted & set_wants[set])) {
            s->answers[set][n / WORD] |= 1u << (n % WORD);
            total++;
        }
    return total;
}

/* As poll_now(): what is ready now, without waiters. */
static long select_now(struct selection *s)
{
    const struct process *process = current_process();
    bool                  alone   = process->thread_count == 1 && files_are_own(process->files);
    long                  total   = 0;

    deep_assert(s != NULL);
    for (size_t n = 0; (n = next_selected(s, n)) < s->bits; n++) {
        struct asked asked = { (int32_t)n, (int16_t)wanted_of(s, n), 0 };
        int16_t      got;

        probe_all(process->files, &asked, 1, &got, alone);
        if (got & POLL_NVAL)
            return -EBADF;
        if (got != 0)
            total += answer_number(s, n, (unsigned)asked.wanted, (unsigned)got);
    }
    return total;
}

static long select_files(struct selection *s, struct poll_wait *files, uint64_t deadline)
{
    size_t count = 0, n;
    long   ready = 0, total = 0;

    deep_assert(s != NULL && files != NULL);
    for (n = 0; ready == 0 && (n = next_selected(s, n)) < s->bits; n++) {
        files[count] = (struct poll_wait){ .file = whole_file_of((int)n), .wanted = wanted_of(s, n) };
        if (files[count].file != NULL)
            count++;
        else
            ready = -EBADF;
        poll_rest(count);
    }
    if (ready == 0)
        ready = poll_wait(files, count, deadline);
    n = 0;
    for (size_t i = 0; i < count; i++, n++) {
        n = next_selected(s, n);
        if (ready > 0)
            total += answer_number(s, n, files[i].wanted, files[i].got);
        file_release(files[i].file);
        poll_rest(i);
    }
    return ready > 0 ? total : ready;
}

/* The waiters in `files` must not lie on the stack. */
static long select_waiting(struct selection *s, uint64_t deadline)
{
    struct poll_wait *files;
    size_t            count = 0;
    long              ready;

    deep_assert(s != NULL);
    for (size_t n = 0; (n = next_selected(s, n)) < s->bits; n++)
        poll_rest(count++);
    files = heap_alloc(count * sizeof *files, 0);
    ready = files != NULL ? select_files(s, files, deadline) : -ENOMEM;
    heap_free(files);
    return ready;
}

static long select_sets(struct selection *s, uint64_t deadline)
{
    long ready = 0;

    deep_assert(s != NULL);
    for (unsigned set = 0; set < SETS; set++)
        if (s->at[set] != 0 && user_read(s->sets[set], s->at[set], s->words * sizeof(uint32_t)) != 0)
            return -EFAULT;
    if (s->bits <= SELECT_SURELY)
        ready = select_now(s);
    if (ready == 0 && (deadline != 0 || s->bits > SELECT_SURELY))       /* waiting has rests, for many */
        ready = select_waiting(s, deadline);
    for (unsigned set = 0; set < SETS && ready >= 0; set++)
        if (s->at[set] != 0 && user_write(s->at[set], s->answers[set], s->words * sizeof(uint32_t)) != 0)
            return -EFAULT;
    return ready;
}

/* Numbers for which the process's table has no room, beyond those that every set has, are ignored, as on Linux. */
static size_t select_most(size_t bits)
{
    size_t room = files_room(current_process()->files), most = room > SELECT_SURELY ? room : SELECT_SURELY;

    return bits < most ? bits : most;
}

static long select_for(uintptr_t bits, user_t in, user_t out, user_t extra, uint64_t deadline)
{
    size_t           most = select_most(bits);
    struct selection s    = { .bits = most, .words = (most + WORD - 1) / WORD, .at = { in, out, extra } };
    uint32_t        *block;
    long             ready;

    if ((intptr_t)bits < 0)
        return -EINVAL;
    block = heap_alloc(2 * SETS * s.words * sizeof *block, HEAP_ZERO);
    if (block == NULL)
        return -ENOMEM;
    for (unsigned set = 0; set < SETS; set++) {
        s.sets[set]    = block + set * s.words;
        s.answers[set] = block + (SETS + set) * s.words;
    }
    ready = select_sets(&s, deadline);
    heap_free(block);
    return ready;
}

static int read_timeval(user_t from, uint64_t *out)
{
    struct linux_timeval time;

    deep_assert(out != NULL);
    if (user_read(&time, from, sizeof time) != 0)
        return -EFAULT;
    if (time.seconds < 0 || time.microseconds < 0)
        return -EINVAL;
    *out = (uint64_t)time.seconds * NANOSECONDS + (uint64_t)time.microseconds * 1000;
    return 0;
}

static int write_timeval(user_t to, uint64_t nanoseconds)
{
    struct linux_timeval time = { (int32_t)(nanoseconds / NANOSECONDS), (int32_t)(nanoseconds % NANOSECONDS / 1000) };

    return user_write(to, &time, sizeof time);
}

SYSTEM_CALL(_newselect, int, count, user_t, readable, user_t, writable, user_t, exceptional, user_t, time_at)
{
    uint64_t deadline;
    long     ready = read_deadline(time_at, read_timeval, &deadline);

    if (ready != 0)
        return ready;
    ready = select_for(count, readable, writable, exceptional, deadline);
    return write_left(ready, time_at, write_timeval, deadline);
}

/* The sixth argument points to a pair: the mask's address, and its size. */
static long pselect_for(uintptr_t bits, user_t in, user_t out, user_t extra, user_t time, time_reader reader,
                        time_writer writer, user_t pair)
{
    uint32_t mask[2] = { 0, 0 };
    uint64_t deadline;
    long     ready;

    deep_assert(reader != NULL && writer != NULL);
    ready = read_deadline(time, reader, &deadline);
    if (ready == 0 && pair != 0 && user_read(mask, pair, sizeof mask) != 0)
        ready = -EFAULT;
    if (ready == 0 && mask[0] != 0)
        ready = mask_for_call(mask[0], mask[1]);
    if (ready != 0)
        return ready;
    ready = select_for(bits, in, out, extra, deadline);
    return write_left(ready, time, writer, deadline);
}

SYSTEM_CALL(pselect6, int, count, user_t, readable, user_t, writable, user_t, exceptional, user_t, time_at,
            user_t, mask)
{
    return pselect_for(count, readable, writable, exceptional, time_at, time_read32, time_write32, mask);
}

SYSTEM_CALL(pselect6_time64, int, count, user_t, readable, user_t, writable, user_t, exceptional, user_t, time_at,
            user_t, mask)
{
    return pselect_for(count, readable, writable, exceptional, time_at, time_read64, time_write64, mask);
}

/* ---- epoll -------------------------------------------------------------------------------------------------- */

static long make_epoll(unsigned flags)
{
    struct file *file = epoll_make();

    return file == NULL ? -ENOMEM : new_descriptor(file, flags & O_CLOEXEC);
}

SYSTEM_CALL(epoll_create, int32_t, size) { return size <= 0 ? -EINVAL : make_epoll(0); }
SYSTEM_CALL(epoll_create1, unsigned, flags) { return flags & ~(uintptr_t)O_CLOEXEC ? -EINVAL : make_epoll(flags); }

SYSTEM_CALL(epoll_ctl, int, epoll_descriptor, int, operation, int, descriptor, user_t, event_at)
{
    struct epoll_event event = { 0, 0 };
    struct file       *epoll, *file;
    long               err;

    if (operation != EPOLL_DELETE && user_read(&event, event_at, sizeof event) != 0)
        return -EFAULT;
    epoll = whole_file_of(epoll_descriptor);
    file  = whole_file_of(descriptor);
    err   = epoll == NULL || file == NULL ? -EBADF : epoll_control(epoll, operation, descriptor, file, &event);
    if (epoll != NULL)
        file_release(epoll);
    if (file != NULL)
        file_release(file);
    return err;
}

static long wait_for_events(int descriptor, user_t to, uintptr_t most, uint64_t deadline)
{
    struct buffer buffer;
    struct file  *epoll;
    long          got;

    if ((int32_t)most <= 0 || most > BYTES_A_CALL / sizeof(struct epoll_event))
        return -EINVAL;
    if (!user_range(to, most * sizeof(struct epoll_event)))
        return -EFAULT;
    epoll = whole_file_of(descriptor);
    if (epoll == NULL)
        return -EBADF;
    buffer = (struct buffer){ .user = to, .bytes = most * sizeof(struct epoll_event) };
    got    = epoll_wait_for(epoll, &buffer, most, deadline);
    file_release(epoll);
    return got;
}

SYSTEM_CALL(epoll_wait, int, epoll, user_t, events, int, count, int32_t, milliseconds)
{
    return wait_for_events(epoll, events, count, deadline_of(milliseconds));
}

SYSTEM_CALL(epoll_pwait, int, epoll, user_t, events, int, count, int32_t, milliseconds, user_t, mask,
            size_t, mask_bytes)
{
    int err = mask != 0 ? mask_for_call(mask, mask_bytes) : 0;

    return err != 0 ? err : wait_for_events(epoll, events, count, deadline_of(milliseconds));
}

SYSTEM_CALL(epoll_pwait2, int, epoll, user_t, events, int, count, user_t, time_at, user_t, mask, size_t, mask_bytes)
{
    uint64_t deadline;
    int      err = read_deadline(time_at, time_read64, &deadline);

    if (err == 0 && mask != 0)
        err = mask_for_call(mask, mask_bytes);
    return err != 0 ? err : wait_for_events(epoll, events, count, deadline);
}
