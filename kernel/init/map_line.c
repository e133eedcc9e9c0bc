/*
 * map_line.c - snapshots and single changes of memory on the second serial line. See map_line.h.
 */
#include "init/map_line.h"

#include "base/print.h"
#include "base/string.h"
#include "cpu.h"
#include "devices/uart.h"
#include "init/snapshot.h"
#include "memory/frames/frame.h"
#include "memory/spaces/space.h"
#include "memory/tables/watch.h"
#include "process/abi.h"
#include "process/process.h"
#include "process/schedule.h"
#include "trap.h"

enum { ASK = 'm', WATCH = 'w', NEXT = 'n', END = 'e', QUIT = 'q', LINE_LONGEST = 256, WORDS_LONGEST = 64 };

/* ---- The port ------------------------------------------------------------------------------ */

static bool port_is_there(void)
{
    port_write8(UART_COM2 + UART_SCRATCH, 0xA5);
    return port_read8(UART_COM2 + UART_SCRATCH) == 0xA5;
}

static void send_line(const char *bytes, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        for (uint32_t n = 0; n < UART_PATIENCE; n++)
            if (port_read8(UART_COM2 + UART_LINE_STATUS) & UART_CAN_SEND)
                break;
        port_write8(UART_COM2 + UART_DATA, (uint8_t)bytes[i]);
    }
}

/* A byte that has come, or -1. */
static int receive_byte(void)
{
    return port_read8(UART_COM2 + UART_LINE_STATUS) & UART_RECEIVED ? port_read8(UART_COM2 + UART_DATA) : -1;
}

/* ---- Snapshots ------------------------------------------------------------------------------ */

static void put_line(struct snapshot_sink *sink __attribute__((unused)), const char *line, size_t length)
{
    send_line(line, length);
}

static void tell_all(void)
{
    struct snapshot_sink  sink    = { .put = put_line, .room = SIZE_MAX };
    const struct process *process = current_process();
    unsigned long         state   = interrupts_off();
    char                  moment[WORDS_LONGEST];

    if (process != NULL)
        format_text(moment, sizeof moment, "process %d (%s) runs", process->id,
                    process->name[0] != '\0' ? process->name : "no name");
    else
        text_copy(moment, "nobody runs", sizeof moment);
    snapshot_write(&sink, moment);
    interrupts_restore(state);
}

/* ---- Single changes --------------------------------------------------------------------------- */

static void grant_wish(int byte);

static void describe_entry(char text[WORDS_LONGEST], entry_t e)
{
    static const char *const kinds[] = {
        [ENTRY_EMPTY] = "empty", [ENTRY_PRESENT] = "present", [ENTRY_SWAP] = "swap", [ENTRY_GUARD] = "guard",
        [ENTRY_TRANSIT] = "transit", [ENTRY_IDENTITY] = "identity", [ENTRY_BLOCKED] = "blocked",
    };
    enum entry_kind kind  = entry_kind(e, 1);
    struct rights   may   = kind == ENTRY_PRESENT ? entry_rights(e) : (struct rights){ 0, 0 };
    bool            owns  = kind == ENTRY_PRESENT || kind == ENTRY_BLOCKED;
    frame_t         frame = owns ? entry_frame(e) : (frame_t){ 0 };
    char            place[16] = "-";

    if (owns)
        format_text(place, sizeof place, "%llx", (unsigned long long)frame_address(frame));
    format_text(text, WORDS_LONGEST, "%s %s %s %s %u", kinds[kind], snapshot_letters(may.kernel).text,
                snapshot_letters(may.user).text, place, owns && frame.no < frames_end() ? frame_references(frame) : 0);
}

static void describe_cause(char text[WORDS_LONGEST])
{
    const struct thread  *thread = current_thread();
    const struct process *process = thread->process;
    long                  call;

    if (process == NULL) {
        text_copy(text, "0 kernel - -", WORDS_LONGEST);
        return;
    }
    call = registers_call(thread_frame(thread));
    if (call >= 0)
        format_text(text, WORDS_LONGEST, "%d call %ld %s", process->id, call, process->name);
    else
        format_text(text, WORDS_LONGEST, "%d fault %lx %s", process->id, (unsigned long)trap_address(), process->name);
    text_make_plain(text);
}

/* The cause whose changes are reported without stopping; "": every change stops. */
static char passing[WORDS_LONGEST];

static void stop_at(const struct space *space, page_t page, entry_t old, entry_t new)
{
    static char           line[LINE_LONGEST], before[WORDS_LONGEST], after[WORDS_LONGEST], cause[WORDS_LONGEST];
    const struct process *process = current_process();
    int                   byte = 0;

    describe_entry(before, old);
    describe_entry(after, new);
    describe_cause(cause);
    send_line(line, (size_t)format_text(line, sizeof line, "change %s %lx %s %s %s\n",
                                        space == &kernel_space ? "kernel" :
                                        process != NULL && process->memory != NULL &&
                                            space == &process->memory->space ? "own" : "other",
                                        (unsigned long)page_address(page), before, after, cause));
    if (strcmp(cause, passing) == 0)
        return;
    passing[0] = '\0';
    while (entry_watcher != NULL && byte != NEXT && byte != END) {
        byte = receive_byte();
        grant_wish(byte);
    }
    if (byte == END)
        text_copy(passing, cause, sizeof passing);
}

/* ---- Commands ------------------------------------------------------------------------------------- */

static void watch_entries(bool on)
{
    static const char yes[] = "watching yes\n", no[] = "watching no\n";

    on = on && IS_CHECKED;
    entry_watcher = on ? stop_at : NULL;
    if (on)
        send_line(yes, sizeof yes - 1);
    else
        send_line(no, sizeof no - 1);
}

static void grant_wish(int byte)
{
    switch (byte) {
    case ASK:   schedule_probe(PROBE_MAP_LINE, tell_all);   break;
    case WATCH: watch_entries(true);                        break;
    case QUIT:  watch_entries(false);                       break;
    default:                                                break;
    }
}

static void hear_wishes(void *unused)
{
    int byte;

    (void)unused;
    while ((byte = receive_byte()) >= 0)        /* bound: what the line brings meanwhile, UART_QUEUE and a few */
        grant_wish(byte);
}

void map_line_start(void)
{
    if (!port_is_there())
        return;
    uart_start(UART_COM2);
    interrupt_handle(UART_COM2_IRQ, hear_wishes, NULL);
    port_write8(UART_COM2 + UART_INTERRUPTS, UART_ON_RECEIVE);
}
