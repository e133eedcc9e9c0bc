/*
 * terminals.c - the device files of the one terminal, and the two devices it can be on. See terminals.h.
 */
#include "files/terminal/terminals.h"

#include "base/error.h"
#include "base/print.h"
#include "base/string.h"
#include "cpu.h"
#include "devices/channel_link.h"
#include "devices/keyboard.h"
#include "devices/serial.h"
#include "devices/screen.h"
#include "files/core/devices.h"
#include "files/terminal/terminal.h"
#include "memory/heap/heap.h"
#include "process/process.h"

enum { DEVICE_TTY = DEVICE(5, 0), DEVICE_CONSOLE = DEVICE(5, 1), DEVICE_SERIAL = DEVICE(4, 64),
       DEVICE_CHANNEL = DEVICE(229, 0) };

static struct terminal *terminal;               /* NULL: there is none */

/* ---- On the channel --------------------------------------------------------------------------- */

static size_t put_on_channel(const char *bytes, size_t count) { return channel_try(CHANNEL_OUTPUT, bytes, count); }

static bool want_from_channel(uint32_t bytes)
{
    const uint8_t words[CHANNEL_WANT_LENGTH] = { (uint8_t)bytes, (uint8_t)(bytes >> 8), (uint8_t)(bytes >> 16),
                                                 (uint8_t)(bytes >> 24), CHANNEL_WANT_MORE };
    bool          said = channel_try(CHANNEL_WANT, words, sizeof words) == sizeof words;

    if (said)
        channel_flush();
    return said;
}

static void terminal_heard(const uint8_t *bytes, size_t count) { terminal_input(terminal, bytes, count); }
static void terminal_heard_end(void)                           { terminal_input_end(terminal); }
static void terminal_has_room(void)                          { terminal_room(terminal); }

static void terminal_resized(unsigned columns, unsigned rows)
{
    const struct window window = { .rows = (uint16_t)rows, .columns = (uint16_t)columns };

    terminal_resize(terminal, &window);
}

static void listen_to_channel(void)
{
    static const struct channel_listener listener = { terminal_heard, terminal_heard_end, terminal_resized,
                                                      terminal_has_room };

    channel_listen(&listener);
}

/* ---- On the serial line; the PC's screen and keyboard as well --------------------------------------------- */

static size_t put_on_serial(const char *bytes, size_t count)
{
    serial_send(bytes, count);
    print_only_to(screen_write, bytes, count);
    return count;
}

static void flush_nothing(void) {}

/* ---- Files ----------------------------------------------------------------------------------------- */

static int terminal_open(struct node *node, struct file *file)
{
    struct terminal *t = node->device == DEVICE_TTY ? current_process()->terminal : terminal;

    if (t == NULL)
        return -ENXIO;
    file->own = t;
    if (!(file->flags & O_NOCTTY))
        terminal_adopt(t);
    return 0;
}

static long read_terminal(struct file *file, struct buffer *to, uint64_t at __attribute__((unused)))
{
    return terminal_read(file->own, to, file->flags);
}

static long write_terminal(struct file *file, struct buffer *from, uint64_t at __attribute__((unused)))
{
    return terminal_write(file->own, from, file->flags);
}

static unsigned poll_terminal(struct file *file, struct wait_queue **queue) { return terminal_poll(file->own, queue); }

static long control_terminal(struct file *file, unsigned request, user_t argument)
{
    return terminal_control(file->own, request, argument);
}

static const struct node_operations operations = {
    .traits = NODE_STREAM, .open = terminal_open, .read = read_terminal, .write = write_terminal, .poll = poll_terminal,
    .control = control_terminal,
};

void terminals_signal(int number) { terminal_signal(terminal, number); }

void terminals_start(void)
{
    device_register(DEVICE_TTY, &operations);
    device_register(DEVICE_CONSOLE, &operations);
    device_register(DEVICE_SERIAL, &operations);
    device_register(DEVICE_CHANNEL, &operations);
}

int terminals_open_first(struct fs_context *fs, struct file **out)
{
    static const struct terminal_device on_channel = { put_on_channel, channel_flush, want_from_channel };
    static const struct terminal_device on_serial  = { put_on_serial, flush_nothing, NULL };

    bool             channel = channel_is_there();
    const char      *path    = channel ? "/dev/hvc0" : "/dev/ttyS0";
    struct terminal *t       = heap_alloc(sizeof *t, 0);
    int              err     = path_make_node(fs, NULL, path, S_CHARACTER | 0600,
                                              channel ? DEVICE_CHANNEL : DEVICE_SERIAL, NULL);
    unsigned long    interrupts;

    if (t == NULL || (err != 0 && err != -EEXIST)) {
        heap_free(t);
        return t == NULL ? -ENOMEM : err;
    }
    interrupts = interrupts_off();      /* the terminal's input is not to come before its listener is set */
    terminal   = t;
    terminal_start(t, channel ? &on_channel : &on_serial);
    if (channel)
        listen_to_channel();
    interrupts_restore(interrupts);
    if (!channel) {
        serial_listen_for(terminal_heard);
        keyboard_start(terminal_heard);
    }
    return path_open(fs, NULL, path, O_RDWR, 0, out);
}
