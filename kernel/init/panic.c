/*
 * panic.c - a report in parts that do not depend on each other. See panic.h.
 *
 * Any data may be damaged, the page tables and the auditor's own included. So panic_go_on() runs the
 * parts one after the other and remembers the current one: a trap or a failed assertion inside a part
 * comes back here, is noted, and the remaining parts are still printed.
 */
#include "init/panic.h"
#include "init/checks.h"
#include "base/lock.h"
#include "base/print.h"
#include "base/string.h"
#include "base/symbol.h"
#include "cpu.h"
#include "memory/frames/frame.h"
#include "memory/spaces/space.h"
#include "memory/heap/stack.h"
#include "memory/tables/table.h"
#include "power.h"
#include "trap.h"

enum { PANICS_MOST = 8, BACKTRACE_LINES = 24, BACKTRACE_FRAMES = 4096 };

static bool leaves_emulator;

/* What is known of this panic. Set once, by the first call. */
static struct {
    char                     why[192];
    const struct trap_frame *trap;      /* the trap, NULL: a call      */
    bool                     has_address;
    vaddr_t                  address;   /* the address in question  */
    vaddr_t                  counter, frame_pointer;    /* where the backtrace begins */
    bool                     exact;     /* counter is the failed instruction, not a return address */
} now;

static unsigned panics, parts_done;
static void   (*last_act)(void);

void panic_last(void (*act)(void)) { last_act = act; }

void panic_options(const char *command_line)
{
    const char *word = "panic=exit", *at = command_line;
    size_t      length = strlen(word);

    for (; *at; at++)
        if ((at == command_line || at[-1] == ' ') && strncmp(at, word, length) == 0 &&
            (at[length] == ' ' || at[length] == '\0'))
            leaves_emulator = true;
}

/* ---- The parts ---------------------------------------------------------------------- */

/* Print an address and the function that holds `look_up`, which is the address or the one before it. */
static void print_place(const char *before, vaddr_t address, vaddr_t look_up)
{
    uint32_t    offset;
    const char *name = symbol_of(look_up, &offset);

    print("%s%08lx", before, (unsigned long)address);
    if (name)
        print("  %s+0x%x", name, offset + (uint32_t)(address - look_up));
}

static void tell_why(void)
{
    print("\npanic: %s\n", now.why);
}

static void tell_registers(void)
{
    if (now.trap == NULL)
        return;
    print_place("  at ", now.counter, now.counter);
    trap_print_registers(now.trap);
}

struct rights_text { char text[4]; };

static struct rights_text rights_text(unsigned may)
{
    return (struct rights_text){ { may & MAY_READ ? 'r' : '-', may & MAY_WRITE ? 'w' : '-',
                                   may & MAY_EXECUTE ? 'x' : '-', '\0' } };
}

/* Print what the document, kernel space and the page tables say of the address: three lines. */
static void tell_address(void)
{
    static const char *const kinds[] = { "empty", "swapped out", "a guard", "in transit", "identity", "blocked" };
    const struct layout_region *line;
    const struct region        *region;
    page_t                      page = page_of(now.address);
    unsigned                    level;
    entry_t                     entry;

    if (!now.has_address)
        return;
    line = layout_kernel_region_of(page);
    print("  %08lx  %s:%u: %s, kernel %s, user %s\n", (unsigned long)now.address, layout.file, line->line,
              line->name, rights_text(line->rights.kernel).text, rights_text(line->rights.user).text);
    if (page_is_users(page) && !layout_kernel_has_own())
        return;
    region = region_find(&kernel_space.map, page);
    if (region)
        print("            region %s [%08lx, %08lx), kernel %s\n", region->name,
              (unsigned long)page_address(region->span.first), (unsigned long)page_address(region->span.end),
              rights_text(region->rights.kernel).text);
    else
        print("            no region of kernel space is here\n");
    entry = table_lookup(&kernel_space, page, &level);
    if (entry_present(entry))
        print("            entry %08x: frame %05x, kernel %s, user %s\n", entry.raw, entry_frame(entry).no,
              rights_text(entry_rights(entry).kernel).text, rights_text(entry_rights(entry).user).text);
    else
        print("            entry %08x: not present, %s%s\n", entry.raw,
              entry_kind(entry, level) < COUNT_OF(kinds) ? kinds[entry_kind(entry, level)] : "malformed",
              level > 1 ? ", there is no table" : "");
}

/* Print one line for a frame, or for several in a row that return to the same address: recursion. */
static void print_frames(vaddr_t address, vaddr_t look_up, uint32_t times)
{
    print_place("     ", address, look_up);
    if (times > 1)
        print(", %u times", times);
    print("\n");
}

static bool next_frame(vaddr_t *frame_pointer, vaddr_t *return_to)
{
    return (!page_is_users(page_of(*frame_pointer)) || layout_kernel_has_own()) &&
           trap_caller(frame_pointer, return_to);
}

/*
 * Print the functions that called each other, innermost first; a function that called itself takes
 * one line. The stack may be damaged: memory is probed, and the number of frames is limited.
 *
 * A return address may be the next function's first, when the call was its function's last instruction.
 */
static void backtrace(vaddr_t counter, vaddr_t frame_pointer)
{
    vaddr_t  at = counter, look_up = now.trap != NULL || now.exact ? counter : counter - 1, return_to;
    uint32_t times = 1;
    int      lines = 0;

    for (int frames = 0; frames < BACKTRACE_FRAMES && next_frame(&frame_pointer, &return_to); frames++) {
        if (return_to == at) {
            times++;
            continue;
        }
        print_frames(at, look_up, times);
        if (++lines == BACKTRACE_LINES)
            return;
        at = return_to;
        look_up = return_to - 1;
        times = 1;
    }
    print_frames(at, look_up, times);
}

static void tell_backtrace(void)
{
    print("  called by, innermost first:\n");
    backtrace(now.counter, now.frame_pointer);
}

static void act_last(void)
{
    if (last_act != NULL)
        last_act();
}

/* ---- One after the other ------------------------------------------------------------ */

static NORETURN void panic_finish(void)
{
    print("  the machine stops here\n");
    power_off_by(NULL);                         /* the reader needs the machine on, and ACPI needs memory */
    if (leaves_emulator)
        power_exit(POWER_STATUS_PANIC);
    power_halt();
}

static NORETURN void panic_go_on(void)
{
    static void (*const parts[])(void) = { tell_why, tell_registers, tell_address, tell_backtrace, checks_print,
                                     act_last };

    while (parts_done < COUNT_OF(parts))
        parts[parts_done++]();
    panic_finish();
}

/*
 * Begin a panic. Returns for the first, whose facts the caller then fills in; a panic inside a
 * panic is noted and the next part is printed instead.
 */
static void panic_begin(const char *why, vaddr_t counter)
{
    interrupts_off();
    locks_ignore();
    print_unlocked();
    panics++;
    if (panics == 1)
        return;
    if (panics > PANICS_MOST)
        power_halt();                       /* printing itself fails */
    print("  (this part failed: %s)\n", why);
    print_place("   at ", counter, counter);
    print("\n");
    panic_go_on();
}

static void copy_why(const char *why) { text_copy(now.why, why, sizeof now.why); }

static NORETURN void panic_here(const char *why, vaddr_t counter, vaddr_t frame_pointer)
{
    panic_begin(why, counter);
    copy_why(why);
    now.counter       = counter;
    now.frame_pointer = frame_pointer;
    panic_go_on();
}

void panic(const char *format, ...)
{
    char    why[sizeof now.why];
    va_list list;

    va_start(list, format);
    format_list(why, sizeof why, format, list);
    va_end(list);
    panic_here(why, caller_address(), *(vaddr_t *)__builtin_frame_address(0));
}

void stop(const char *file, int line, const char *why)
{
    char text[sizeof now.why];

    format_text(text, sizeof text, "%s:%d: %s", file, line, why);
    panic_here(text, caller_address(), *(vaddr_t *)__builtin_frame_address(0));
}

void panic_assertion(const struct failed_assertion *failed, vaddr_t counter, vaddr_t frame_pointer)
{
    char text[sizeof now.why];

    if (failed != NULL)
        format_text(text, sizeof text, "%s:%d: assertion failed: %s", failed->file, failed->line, failed->what);
    else
        format_text(text, sizeof text, "assertion failed at %08lx", (unsigned long)counter);
    panic_begin(text, counter);
    copy_why(text);
    now.counter       = counter;
    now.frame_pointer = frame_pointer;
    now.exact         = true;
    panic_go_on();
}

/* ---- A trap -------------------------------------------------------------------------- */

extern const char boot_stack_guard[], boot_stack[], boot_stack_top[];      /* entry.S */

/* If `address` lies in the guard of some kernel stack, say whose overflow this is. */
static bool name_overflow(vaddr_t address, char *why, size_t size)
{
    struct stack stack;

    if (address >= address_of(boot_stack_guard) && address < address_of(boot_stack)) {
        format_text(why, size, "kernel stack overflow: the boot stack [%p, %p) is too small; below it lies %s",
                    (void *)boot_stack, (void *)boot_stack_top, layout_region_of(page_of(address))->name);
        return true;
    }
    if (!frames_are_open() || !stack_guarding(address, &stack))
        return false;
    format_text(why, size, "kernel stack overflow: stack %u [%08lx, %08lx) is too small", stack.slot,
                (unsigned long)stack.bottom, (unsigned long)stack.top);
    return true;
}

void panic_trap(const struct trap_frame *frame)
{
    char    why[sizeof now.why];
    vaddr_t address = trap_address();

    if (!trap_is_double_fault(frame) ||
        (!name_overflow(address, why, sizeof why) && !name_overflow(trap_stack_pointer(frame) - 1, why, sizeof why)))
        trap_describe(frame, why, sizeof why);
    panic_begin(why, trap_counter(frame));
    copy_why(why);
    now.trap          = frame;
    now.has_address   = trap_has_address(frame);
    now.address       = address;
    now.counter       = trap_counter(frame);
    now.frame_pointer = trap_frame_pointer(frame);
    panic_go_on();
}
