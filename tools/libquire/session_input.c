/* session_input.c - what the guest asks for of a session's input, and what it is given. See session_input.h. */
#include "session_input.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    INPUT_AT_ONCE = 16384,          /* through the socket */
    ESCAPE        = 0x1D,           /* Ctrl-], twice: end the machine */
};

/* ---- Reading ------------------------------------------------------------------------------- */

/* Look for the escape among the keys. True when it was pressed twice. */
static bool escapes(struct session *session, const uint8_t *bytes, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (bytes[i] == ESCAPE && session->escape)
            return true;
        session->escape = bytes[i] == ESCAPE;
    }
    return false;
}

/* What a file's last answer had beyond the question has been read, but for `unread` bytes of the whole answer. */
static void position(struct session *session, size_t unread)
{
    off_t change = (off_t)session->ahead - (off_t)unread;

    if (change != 0)
        lseek(session->input->fd, change, SEEK_CUR);
    session->ahead = 0;
}

/*
 * As pread(2) at the file's position, which moves as far as was asked: what was read ahead is counted when it is read
 * there (position()). -1 with ESPIPE: this is no file with contents of its own.
 */
static ssize_t read_file(struct session *session, uint8_t *bytes, size_t asked, size_t room)
{
    int fd = session->input->fd;
    struct stat status;
    off_t at = -1;
    ssize_t got;

    if (fstat(fd, &status) == 0 && S_ISREG(status.st_mode) && status.st_size > 0)
        at = lseek(fd, 0, SEEK_CUR);
    if (at < 0) {
        errno = ESPIPE;
        return -1;
    }
    got = pread(fd, bytes, room > asked ? room : asked, at);
    if (got > 0) {
        session->answered = (size_t)got;
        session->ahead    = (size_t)got > asked ? (size_t)got - asked : 0;
        lseek(fd, got - (ssize_t)session->ahead, SEEK_CUR);
    }
    return got;
}

void input_start(struct session *session)
{
    int fd = session->no_input ? -1 : session->input->fd, how = fd >= 0 ? fcntl(fd, F_GETFL) : -1;
    struct stat status;

    session->input_again = -1;
    if (how < 0 || fstat(fd, &status) != 0)
        return;
    session->input_socket = S_ISSOCK(status.st_mode);
    if (S_ISFIFO(status.st_mode) && (how & O_ACCMODE) != O_WRONLY)
        session->input_again = stream_again(fd, O_RDONLY);
}

void input_end(struct session *session)
{
    if (session->input_again >= 0)
        close(session->input_again);
    session->input_again = -1;
}

/*
 * As read(2), but of a pipe or a socket without waiting: another process that shares it may have taken what poll(2) has
 * seen.
 */
static ssize_t read_stream(const struct session *session, uint8_t *bytes, size_t asked)
{
    int fd = session->input->fd;

    return session->input_socket ? recv(fd, bytes, asked, MSG_DONTWAIT)
                                 : read(session->input_again >= 0 ? session->input_again : fd, bytes, asked);
}

/*
 * As read(2) of `asked` bytes: from the descriptor, or from memory, of which the bytes that were read are cut off. Of a
 * file up to `room` bytes, if that is more.
 */
static ssize_t read_input(struct session *session, uint8_t *bytes, size_t asked, size_t room)
{
    struct input *input = session->input;
    size_t count = input->length < asked ? input->length : asked;
    ssize_t got;

    session->answered = 0;
    if (session->no_input)
        return 0;
    if (input->fd >= 0) {
        got = read_file(session, bytes, asked, room);
        return got < 0 && errno == ESPIPE ? read_stream(session, bytes, asked) : got;
    }
    if (count > 0)
        memcpy(bytes, input->bytes, count);
    input->bytes  += count;
    input->length -= count;
    return (ssize_t)count;
}

/* ---- Answers ------------------------------------------------------------------------------- */

/* The end of input, or an error: a folder, a descriptor that cannot be read, a broken disk. */
static void end_input(struct session *session, int error)
{
    const uint8_t number = (uint8_t)error;

    if (error != 0)
        channel_send(&session->channel, CHANNEL_INPUT_FAILED, &number, 1);
    channel_send(&session->channel, CHANNEL_INPUT, NULL, 0);
    session->credit = 0;
}

/* Give the guest `count` bytes of input: in the place that it has for them, or else in a frame. */
static void answer(struct session *session, size_t count, bool placed)
{
    const uint8_t number[4] = { (uint8_t)count, (uint8_t)(count >> 8), (uint8_t)(count >> 16), 0 };

    _Static_assert(PLACE_BYTES < 1 << 24, "three bytes are enough");
    if (!placed)
        channel_send(&session->channel, CHANNEL_INPUT, session->taken, (uint16_t)count);
    else if (place_write(&session->place, session->taken, count))
        channel_send(&session->channel, CHANNEL_PLACED, number, sizeof(number));
    else
        end_input(session, errno);
}

/*
 * Read once: as many bytes as the guest asked for at most, or of a file as it has a place for. False: there is nothing
 * yet.
 */
static bool give_input(struct session *session)
{
    size_t room = session->keys ? 0 : session->place.length;
    bool placed = session->place.ram >= 0 && room > 0;
    size_t most = placed ? room : INPUT_AT_ONCE;
    ssize_t got = read_input(session, session->taken, session->credit < most ? (size_t)session->credit : most,
                             room < most ? room : most);

    if (got < 0 && (errno == EINTR || errno == EAGAIN))
        return false;
    if (got <= 0) {
        end_input(session, got < 0 ? errno : 0);
    } else if (session->terminal && escapes(session, session->taken, (size_t)got)) {
        session->escaped = true;
    } else {
        session->credit = session->keys ? session->credit - (uint64_t)got : 0;
        answer(session, (size_t)got, placed);
    }
    return true;
}

/* Without a descriptor input has come, or has ended: a read does not wait. */
bool input_waits(const struct session *session)
{
    return !session->no_input && session->input->fd >= 0;
}

/* Whether a read would not wait now. Without input a read gets the end of file at once. */
static short input_now(const struct session *session)
{
    struct pollfd on = { .fd = session->input->fd, .events = POLLIN };

    return !input_waits(session) ? POLLIN : poll(&on, 1, 0) > 0 ? on.revents : 0;
}

static void give_input_state(struct session *session, enum channel_input_state state)
{
    const uint8_t byte = (uint8_t)state;

    channel_send(&session->channel, CHANNEL_INPUT_STATE, &byte, 1);
}

/*
 * Answer at once, also when the guest asked for no bytes. A guest that takes no frames gets no answer.
 */
static void answer_now(struct session *session)
{
    if (session->channel.out_length >= UNSENT_MOST) {
        session->credit = 0;
        return;
    }
    if (session->credit == 0 || input_now(session) == 0 || !give_input(session))
        give_input_state(session, CHANNEL_INPUT_NOTHING);
    session->credit = 0;
}

/* ---- Questions ----------------------------------------------------------------------------- */

bool input_is_wanted(const struct session *session)
{
    return (session->look || session->credit > 0) && session->channel.out_length < INPUT_AT_ONCE;
}

void input_all_read(struct session *session) { position(session, 0); }

void input_unread(struct session *session, const struct channel_frame *frame)
{
    uint32_t unread = frame->length == sizeof(uint32_t) ? channel_number(frame->bytes) : 0;

    position(session, unread < session->answered ? unread : session->answered);
    session->answered = 0;
}

bool input_wanted(struct session *session, const struct channel_frame *frame)
{
    uint8_t how = frame->length >= CHANNEL_WANT_LENGTH ? frame->bytes[4] : UINT8_MAX;

    if (how > CHANNEL_WANT_MORE || !place_take(&session->place, frame->bytes + CHANNEL_WANT_LENGTH,
                                               (size_t)frame->length - CHANNEL_WANT_LENGTH))
        return false;
    if (how != CHANNEL_WANT_MORE)
        input_all_read(session);
    session->keys   = how == CHANNEL_WANT_MORE;
    session->look   = how == CHANNEL_WANT_LOOK;
    session->credit = channel_number(frame->bytes) + (session->keys ? session->credit : 0);
    if (how == CHANNEL_WANT_NOW)
        answer_now(session);
    return true;
}

void input_is_there(struct session *session, short events)
{
    if (session->credit > 0) {
        give_input(session);
    } else if (session->look) {
        session->look = false;
        give_input_state(session, (events & POLLIN) != 0 ? CHANNEL_INPUT_READABLE : CHANNEL_INPUT_ENDED);
    }
}
