/* look.c - what memory shows, page by page, and what the kernel says about it. */
#include "traces.h"

enum { CALL_PREAD64 = 180, MADV_PAGEOUT = 21 };
enum { TOLD = 0x30000000, GONE = 0x2F000000, TEXT = 65536, MOST_PAGES = MIDDLE_PAGES + GROWN_PAGES + HEAP_PAGES,
       MOST_NAMELESS = 64, NAME = 24, NOT_MAPPED = SIGSEGV << 8 | 1, LINE_MOST = 1500 };

/* A page's digest, of which zeros have 0 and others never; or signal and code. */
struct shown { bool failed; uint32_t value; };

/* What was told last. It lies in shared memory, so that a child can look. */
static struct told {
    struct shown pages[MOST_PAGES];
    char         maps[LINE];
    uint32_t     nameless[MOST_NAMELESS];       /* numbers of shared memory without a name */
    unsigned     nameless_count;
} *const told = (struct told *)TOLD;

/* What was out after pages were sent, page by page and step by step; of the task and all its children. */
static struct gone {
    uint32_t steps, private, shared, device;
} *const gone = (struct gone *)GONE;

/* One region of /proc/self/maps, cut to its window. */
struct region { uint32_t start, end, offset, nameless; char rights[5], object[NAME]; };

struct window windows[WINDOWS] = {
    { 'm', 0x20000000, MIDDLE_PAGES }, { 'g', 0x28000000, GROWN_PAGES }, { 'h', 0, HEAP_PAGES },
};
unsigned    step_number, depth, forked_in;
bool        look_at_once;
static char text[TEXT];

void begin_looking(void)
{
    KERNEL(CALL_MMAP2, TOLD, (sizeof *told + PAGE - 1) & -(unsigned)PAGE, PROT_READ | PROT_WRITE,
           MAP_SHARED | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
    for (unsigned i = 0; i < MOST_PAGES; i++)
        told->pages[i] = (struct shown){ true, NOT_MAPPED };
}

void tell_step(const char *name)
{
    tell("%u ", step_number);
    if (depth > 0)
        tell("%u", forked_in);
    for (unsigned i = 0; i < depth; i++)
        tell(">");
    tell(depth > 0 ? " %s" : "%s", name);
}

/* ---- Places --------------------------------------------------------------------------------------------- */

static const struct window *window_of(uint32_t address)
{
    for (unsigned i = 0; i < WINDOWS; i++)
        if (address - windows[i].start <= windows[i].pages * PAGE)
            return &windows[i];
    return 0;
}

bool is_inside(uint32_t address) { return window_of(address) != 0; }

void tell_place(uint32_t address)
{
    const struct window *window = window_of(address);

    if (!window)
        tell("elsewhere");
    else if (address % PAGE == 0)
        tell("%c%u", window->letter, (address - window->start) / PAGE);
    else
        tell("%c%u.%x", window->letter, (address - window->start) / PAGE, address % PAGE);
}

void tell_probe(long value)
{
    if (value < 0)
        tell(" -%u.%u", (unsigned)-value >> 8, (unsigned)-value & 0xFF);
    else
        tell(" %u", (unsigned)value);
}

/* ---- Pages ---------------------------------------------------------------------------------------------- */

static struct shown page_shows(uint32_t at)
{
    long            first = probe((char *)at, 0);
    const uint32_t *words = (const uint32_t *)at;
    uint32_t        sum = 1, any = 0;

    if (first < 0)
        return (struct shown){ true, (uint32_t)-first };
    for (unsigned i = 0; i < PAGE / sizeof *words; i++) {
        sum = (sum << 5 | sum >> 27) ^ words[i] * 0x9E3779B1u;
        any |= words[i];
    }
    return (struct shown){ false, any ? sum | 1 : 0 };
}

static void tell_page(struct shown *last, uint32_t at, struct shown now, unsigned *count)
{
    if (last->failed == now.failed && last->value == now.value)
        return;
    if (*count % 64 == 0) {
        if (*count > 0)
            tell("\n"), flush();
        tell_step("shows");
    }
    tell(" ");
    tell_place(at);
    if (now.failed)
        tell("=-%u.%u", now.value >> 8, now.value & 0xFF);
    else
        tell("=%x", now.value);
    *last = now;
    ++*count;
}

/* ---- /proc/self/maps ------------------------------------------------------------------------------------ */

static void read_text(const char *path)
{
    if (file_text(path, text, sizeof text) < 0)
        text[0] = '\0';
}

static uint32_t hex(const char **at)
{
    uint32_t value = 0;

    for (;; (*at)++)
        if (**at >= '0' && **at <= '9')
            value = value * 16 + (uint32_t)(**at - '0');
        else if (**at >= 'a' && **at <= 'f')
            value = value * 16 + (uint32_t)(**at - 'a') + 10;
        else
            return value;
}

static const char *next_line(const char *at)
{
    while (*at != '\0' && *at != '\n')
        at++;
    return *at == '\n' ? at + 1 : at;
}

static bool begins(const char *at, const char *word) { return memcmp(at, word, strlen(word)) == 0; }

/* In the order in which they were told first. */
static unsigned nameless(uint32_t number)
{
    unsigned i = 0;

    while (i < told->nameless_count && told->nameless[i] != number)
        i++;
    if (i == told->nameless_count && i < MOST_NAMELESS)
        told->nameless[told->nameless_count++] = number;
    return i;
}

/* A file in a folder by the end of its name, one that is in none by its number as well. */
static void name_object(struct region *region, const char *name, uint32_t number)
{
    const char  *last = name;
    unsigned     length = 0;

    for (const char *at = name; *at != '\n' && *at != '\0'; at++)
        if (*at == '/')
            last = at + 1;
    while (last[length] != '\n' && last[length] != '\0' && length < NAME - 8)
        length++;
    memset(region->object, 0, NAME);
    region->nameless = 0;
    if (name[0] != '/')
        return;
    if (begins(name, "/dev/zero\n"))         /* private: anonymous memory under that name, its offset means nothing */
        memcpy(region->object, "zero", 4), region->offset = 0;
    else if (begins(name, "/dev/zero (deleted)"))
        memcpy(region->object, "shared", 6), region->nameless = number;
    else if (begins(name, "/memfd:"))
        memcpy(region->object, "memfd", 5);
    else
        memcpy(region->object, last, length);
}

/* Reads a line of /proc/self/maps; false at the end. */
static bool read_region(const char **at, struct region *region, const char **name)
{
    uint32_t number = 0;

    if (**at == '\0')
        return false;
    region->start = hex(at), ++*at;
    region->end = hex(at), ++*at;
    memcpy(region->rights, *at, 4);
    region->rights[4] = '\0';
    *at += 5;
    region->offset = hex(at), ++*at;
    while (**at != ' ')
        ++*at;
    for (++*at; **at >= '0' && **at <= '9'; ++*at)
        number = number * 10 + (uint32_t)(**at - '0');
    while (**at == ' ')
        ++*at;
    *name = *at;
    name_object(region, *at, number);
    *at = next_line(*at);
    return true;
}

static bool cut_to_window(struct region *region)
{
    for (unsigned i = 0; i < WINDOWS; i++) {
        uint32_t start = windows[i].start, end = start + windows[i].pages * PAGE;

        if (region->end <= start || region->start >= end)
            continue;
        if (region->start < start) {
            region->offset += start - region->start;
            region->start = start;
        }
        region->end = region->end < end ? region->end : end;
        return true;
    }
    return false;
}

/* Where Linux keeps two regions that mean the same apart is its own business. */
static bool joins(const struct region *first, const struct region *second)
{
    return first->end == second->start && text_same(first->rights, second->rights) &&
        text_same(first->object, second->object) && first->nameless == second->nameless &&
        (first->object[0] == '\0' || text_same(first->object, "zero") ||
         first->offset + (first->end - first->start) == second->offset);
}

static void put_place(struct line *line, uint32_t address)
{
    const struct window *window = window_of(address);

    line_put(line, "%c%u", window->letter, (address - window->start) / PAGE);
}

static void put_region(struct line *line, const struct region *region)
{
    if (line->length > LINE_MOST)
        return;
    line_put(line, " ");
    put_place(line, region->start);
    line_put(line, "-%u %s", (region->end - window_of(region->start)->start) / PAGE, region->rights);
    if (region->object[0] != '\0')
        line_put(line, " %s", region->object);
    if (region->nameless != 0)
        line_put(line, "%u", nameless(region->nameless));
    if (region->object[0] != '\0')
        line_put(line, "@%u", region->offset / PAGE);
    line_put(line, ";");
}

/* The regions in the windows, as text; and what pages of the window for stacks show. */
static void look_at_maps(struct line *line, unsigned *count)
{
    static bool   mapped[GROWN_PAGES];
    struct region region, last = { .end = 0 };
    uint32_t      grown = windows[GROWN].start;
    const char   *at = text, *name;

    memset(mapped, 0, sizeof mapped);
    read_text("/proc/self/maps");
    while (read_region(&at, &region, &name)) {
        if (!cut_to_window(&region))
            continue;
        if (last.end != 0 && joins(&last, &region)) {
            last.end = region.end;
        } else {
            if (last.end != 0)
                put_region(line, &last);
            last = region;
        }
        if (region.start - grown < GROWN_PAGES * PAGE)
            memset(mapped + (region.start - grown) / PAGE, 1, (region.end - region.start) / PAGE);
    }
    if (last.end != 0)
        put_region(line, &last);
    for (unsigned i = 0; i < GROWN_PAGES; i++)
        tell_page(&told->pages[MIDDLE_PAGES + i], grown + i * PAGE,
                  mapped[i] ? page_shows(grown + i * PAGE) : (struct shown){ true, NOT_MAPPED }, count);
}

static void look_here(void)
{
    struct line maps = { .length = 0 };
    unsigned    count = 0;

    for (unsigned i = 0; i < MIDDLE_PAGES; i++)
        tell_page(&told->pages[i], windows[MIDDLE].start + i * PAGE, page_shows(windows[MIDDLE].start + i * PAGE),
                  &count);
    look_at_maps(&maps, &count);
    for (unsigned i = 0; i < HEAP_PAGES; i++)
        tell_page(&told->pages[MIDDLE_PAGES + GROWN_PAGES + i], windows[HEAP].start + i * PAGE,
                  page_shows(windows[HEAP].start + i * PAGE), &count);
    if (count > 0)
        tell("\n"), flush();
    line_put(&maps, "%c", '\0');
    if (text_same(maps.text, told->maps))
        return;
    memcpy(told->maps, maps.text, maps.length);
    tell_step("maps");
    tell("%s\n", maps.text);
    flush();
}

void look(int how)
{
    int  status = 0;
    long child;

    if (how == LOOKS_SELDOM && step_number % 5 != 4 && !look_at_once)
        return;
    look_at_once = false;
    if (how != LOOKS_IN_CHILD) {
        look_here();
        return;
    }
    child = split();
    if (child == 0) {
        look_here();
        leave(0);
    }
    KERNEL(CALL_WAIT4, child, (long)&status, 0, 0);
    if (status != 0) {
        tell_step("looks");
        tell(" = status %x\n", (unsigned)status);
        flush();
    }
}

/* ---- More of what the kernel says ----------------------------------------------------------------------- */

static const char kept_flags[][3] = { "lo", "gd", "dc", "wf", "dd", "sr", "rr" };

static unsigned flags_of(const char *line)
{
    unsigned flags = 0;

    for (const char *word = line; *word == ' ' && word[1] != '\n'; word += 3)
        for (unsigned i = 0; i < COUNT_OF(kept_flags); i++)
            flags |= begins(word + 1, kept_flags[i]) ? 1u << i : 0;
    return flags;
}

static void tell_flags_of(const struct region *region, unsigned flags)
{
    if (flags == 0)
        return;
    tell(" ");
    tell_place(region->start);
    tell("-%u", (region->end - window_of(region->start)->start) / PAGE);
    for (unsigned i = 0; i < COUNT_OF(kept_flags); i++)
        if (flags & 1u << i)
            tell(" %s", kept_flags[i]);
}

void tell_flags(void)
{
    const char   *at = text, *name;
    struct region region = { .end = 0 }, last = { .end = 0 };
    unsigned      flags, last_flags = 0;
    bool          inside = false;

    read_text("/proc/self/smaps");
    while (*at != '\0') {
        if ((*at >= '0' && *at <= '9') || (*at >= 'a' && *at <= 'f')) {
            inside = read_region(&at, &region, &name) && cut_to_window(&region);
            continue;
        }
        if (inside && begins(at, "VmFlags:")) {
            flags = flags_of(at + 8);
            if (last.end == region.start && last_flags == flags) {
                last.end = region.end;
            } else {
                tell_flags_of(&last, last_flags);
                last       = region;
                last_flags = flags;
            }
        }
        at = next_line(at);
    }
    tell_flags_of(&last, last_flags);
}

uint32_t stack_pages(uint32_t *end)
{
    const char   *at = text, *name;
    struct region region;

    read_text("/proc/self/maps");
    while (read_region(&at, &region, &name))
        if (begins(name, "[stack]")) {
            *end = region.end;
            return (region.end - region.start) / PAGE;
        }
    return 0;
}

/* ---- Pages that are sent out ------------------------------------------------------------------------------ */

enum { ALL_EACH = 4 };                  /* after each so many steps the program itself goes too: text, stack, data */

static bool sends(void) { return text_same(task_mode, "out"); }

void begin_sending(void)
{
    if (sends())
        KERNEL(CALL_MMAP2, GONE, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
}

/* The device's line in /proc/swaps: name, kind, size, and what is used, in KiB. */
static uint32_t pages_on_device(void)
{
    const char *at = text;

    read_text("/proc/swaps");
    while (*at != '\0' && !begins(at, "/dev/vda"))
        at = next_line(at);
    for (unsigned i = 0; i < 2 && *at != '\0'; i++) {
        while (*at != '\0' && (*at < '0' || *at > '9'))
            at++;
        while (i == 0 && *at >= '0' && *at <= '9')
            at++;
    }
    return (uint32_t)number_of(at) / (PAGE / 1024);
}

/* By what /proc/self/smaps says of each region in the windows. */
static void count_gone(void)
{
    const char   *at = text, *name;
    struct region region = { .end = 0 };
    bool          inside = false;

    read_text("/proc/self/smaps");
    while (*at != '\0') {
        if ((*at >= '0' && *at <= '9') || (*at >= 'a' && *at <= 'f')) {
            inside = read_region(&at, &region, &name) && cut_to_window(&region);
            continue;
        }
        if (inside && begins(at, "Swap:"))
            *(region.rights[3] == 's' ? &gone->shared : &gone->private) += (uint32_t)number_behind(at, "Swap:") / 4;
        at = next_line(at);
    }
    gone->steps++;
    gone->device += pages_on_device();
}

void send_out(void)
{
    const char   *at = text, *name;
    struct region region;

    if (!sends())
        return;
    read_text("/proc/self/maps");
    while (read_region(&at, &region, &name))
        if (cut_to_window(&region) || step_number % ALL_EACH == 0)
            KERNEL(CALL_MADVISE, region.start, region.end - region.start, MADV_PAGEOUT);
    count_gone();
}

void tell_sent(void)
{
    if (sends())
        say("sent %u %u %u %u\n", (unsigned)gone->steps, (unsigned)gone->private, (unsigned)gone->shared,
            (unsigned)gone->device);
}
