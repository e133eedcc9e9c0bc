/*
 * mmu.c (host) - the translation cache that never forgets, and the mirror that shows it.
 *
 * Each page of the address space has a record of its cached translation. A cached translation that kernel
 * code has used is also a mapping of the arena in the mirror: never with more rights than cached, and
 * writable only once the entry's dirty bit is set, so that the first write of each page is seen.
 *
 * Where the cache does not allow an access, the tables are walked again before a fault is raised: processors
 * drop a translation that faults, which is why granting rights needs no flush.
 */
#include "machine.h"

#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>
#include <unistd.h>

#include "base/check.h"
#include "cpu.h"
#include "memory/audit.h"
#include "memory/spaces/space.h"

#define MIRROR_BYTES ((size_t)MMU_SPACE_END * PAGE_SIZE)

struct cached {
    uint32_t frame, place;                  /* place: index in `valid`                       */
    uint8_t  kernel, user;                  /* MAY_*                                         */
    bool     is_valid, global, dirty;
    uint8_t  shown;                         /* protection of the mirror's page, PROT_NONE: not mapped */
};

struct mmu_features   mmu_features;
struct machine_counts machine_counts;

static struct cached tlb[MMU_SPACE_END];
static uint32_t      valid[MMU_SPACE_END];  /* pages whose record is valid, in no order      */
static uint32_t      valid_count;

char *machine_mirror;

static frame_t     active = { UINT32_MAX };
static frame_t     returns_to = { UINT32_MAX };
static int         arena = -1;
static atomic_flag busy = ATOMIC_FLAG_INIT; /* one walk at a time                            */
static uint32_t    skip;                    /* the flush to leave out, counted down          */
static page_t      skipped;

static struct sigaction      others;        /* the handler of SIGSEGV before: a sanitizer's   */
static struct machine_fault *expected;
static sigjmp_buf            expected_jump;

static void enter_walk(void)
{
    while (atomic_flag_test_and_set_explicit(&busy, memory_order_acquire))
        cpu_relax();
}

static void leave_walk(void)
{
    atomic_flag_clear_explicit(&busy, memory_order_release);
}

/* ---- The mirror ------------------------------------------------------------------------ */

static NORETURN void give_up(const char *what)
{
    fprintf(stderr, "machine: %s: %s\n", what, strerror(errno));
    abort();
}

static void hide_page(page_t first, size_t pages)
{
    if (mmap(host_mirror + page_address(first), pages * PAGE_SIZE, PROT_NONE,
             MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED, -1, 0) == MAP_FAILED)
        give_up("hiding a page");
}

static int protection(const struct cached *c)
{
    if (!(c->kernel & MAY_READ))
        return PROT_NONE;                   /* the host cannot map a page for writing or execution only */
    return PROT_READ | (c->kernel & MAY_WRITE && c->dirty ? PROT_WRITE : 0) | (c->kernel & MAY_EXECUTE ? PROT_EXEC : 0);
}

/* Without RAM reads yield ones and writes are lost, as on a bus. */
static void show_nothing(page_t page, int prot)
{
    char *at = mmap(host_mirror + page_address(page), PAGE_SIZE, PROT_READ | PROT_WRITE,
                    MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);

    if (at == MAP_FAILED)
        give_up("showing a page");
    memset(at, 0xFF, PAGE_SIZE);
    if (mprotect(at, PAGE_SIZE, prot) != 0)
        give_up("protecting a page");
}

static void show_page(page_t page, struct cached *c)
{
    int prot = protection(c);

    if (prot == PROT_NONE)
        return;
    if (c->frame >= machine_frames)
        show_nothing(page, prot);
    else if (mmap(host_mirror + page_address(page), PAGE_SIZE, prot, MAP_SHARED | MAP_FIXED, arena,
                  (off_t)c->frame * PAGE_SIZE) == MAP_FAILED)
        give_up("showing a page");
    c->shown = (uint8_t)prot;
}

/* ---- The cache ------------------------------------------------------------------------- */

/* Drop a page's translation. True when its page in the mirror is to be hidden as well. */
static bool drop_record(page_t page)
{
    struct cached *c     = &tlb[page];
    bool           shown = c->shown != PROT_NONE;

    valid[c->place] = valid[--valid_count];
    tlb[valid[c->place]].place = c->place;
    *c = (struct cached){ .is_valid = false };
    return shown;
}

static void forget_page(page_t page)
{
    if (tlb[page].is_valid && drop_record(page))
        hide_page(page, 1);
}

static bool cached_allows(const struct cached *c, const struct access *access)
{
    unsigned rights = access->user ? c->user : c->kernel;
    unsigned wanted = access->write ? MAY_WRITE : access->fetch ? MAY_EXECUTE : MAY_READ;

    return c->is_valid && (rights & wanted) && (!access->write || c->dirty);
}

static void remember_translation(page_t page, const struct translation *got)
{
    struct cached *c = &tlb[page];

    if (c->shown != PROT_NONE)
        hide_page(page, 1);
    if (!c->is_valid) {
        c->place = valid_count;
        valid[valid_count++] = (uint32_t)page;
    }
    *c = (struct cached){ .frame = got->frame.no, .place = c->place, .is_valid = true,
                          .kernel = got->kernel, .user = got->user,
                          .global = got->global && mmu_features.global, .dirty = got->dirty };
}

/*
 * Translate for an access: from the cache if it allows it, else from the tables. False: a page fault.
 * A processor that walks the tables again, for a right or a dirty bit, does not notice that its cached
 * translation was stale; this function does.
 */
static bool translate(page_t page, const struct access *access, struct machine_fault *fault)
{
    const struct cached *old = &tlb[page];
    struct translation   got;
    bool                 present;

    if (cached_allows(old, access))
        return true;
    machine_counts.walks++;
    if (!mmu_walk(page, access, &got, &present)) {
        machine_counts.faults++;
        machine_counts.outdated += old->is_valid && !present;
        *fault = (struct machine_fault){ .present = present, .write = access->write, .user = access->user,
                                         .fetch = access->fetch };
        return false;
    }
    machine_counts.outdated += old->is_valid && old->frame != got.frame.no;
    remember_translation(page, &got);
    return true;
}

/* ---- Accesses from C: SIGSEGV ---------------------------------------------------------- */

sigjmp_buf *machine_expect_fault(struct machine_fault *fault)
{
    expected = fault;
    return &expected_jump;
}

static NORETURN void unexpected(const struct machine_fault *fault, const ucontext_t *context)
{
    struct audit_report report = { 0 };

    fprintf(stderr, "machine: page fault at 0x%08lx (%s, %s) from %p\n", fault->address,
            fault->write ? "write" : fault->fetch ? "fetch" : "read",
            fault->present ? "rights" : "not present", (void *)context->uc_mcontext.gregs[REG_RIP]);
    machine_tlb_audit(&report);
    for (uint32_t i = 0; i < report.failed && i < AUDIT_FAILURES; i++)
        fprintf(stderr, "machine: %s: %s\n", report.failures[i].id, report.failures[i].text);
    abort();
}

static void raise_fault(const struct machine_fault *fault, const ucontext_t *context)
{
    if (expected == NULL)
        unexpected(fault, context);
    *expected = *fault;
    expected  = NULL;
    siglongjmp(expected_jump, 1);
}

enum { ERROR_WRITE = 2, ERROR_FETCH = 16 };     /* Intel SDM vol. 3A, "Page-Fault Exceptions" */

static void on_segv(int signal_number, siginfo_t *info, void *more)
{
    ucontext_t          *context = more;
    uintptr_t            offset  = (uintptr_t)info->si_addr - (uintptr_t)host_mirror;
    long                 error   = context->uc_mcontext.gregs[REG_ERR];
    struct access        access  = { .write = error & ERROR_WRITE, .fetch = error & ERROR_FETCH };
    struct machine_fault fault;
    bool                 ok;

    if (host_mirror == NULL || offset >= MIRROR_BYTES) {
        sigaction(signal_number, &others, NULL);    /* not in the mirror: the access is repeated, for that handler */
        return;
    }
    enter_walk();
    ok = translate(page_of(offset), &access, &fault);
    if (ok)
        show_page(page_of(offset), &tlb[page_of(offset)]);
    leave_walk();
    if (!ok) {
        fault.address = offset;
        raise_fault(&fault, context);
    } else if (tlb[page_of(offset)].shown == PROT_NONE) {
        fprintf(stderr, "machine: 0x%08lx may not be read; use machine_store() and machine_fetch()\n",
                (unsigned long)offset);
        abort();
    }
}

/* ---- Accesses by the tests ------------------------------------------------------------- */

/* The word in RAM at an address of the active space. */
static bool reach_word(vaddr_t address, const struct access *access, struct machine_fault *fault, uint32_t **word)
{
    frame_t frame;
    bool    ok;

    assert(address % sizeof(uint32_t) == 0 && page_of(address) < MMU_SPACE_END);
    enter_walk();
    ok = translate(page_of(address), access, fault);
    leave_walk();
    if (!ok) {
        fault->address = address;
        return false;
    }
    frame = (frame_t){ tlb[page_of(address)].frame };
    *word = frame.no < machine_frames
                ? (uint32_t *)&machine_ram[frame_address(frame) + address % PAGE_SIZE] : NULL;
    return true;
}

static bool access_in(const struct space *space, vaddr_t address, struct access access,
                      struct machine_fault *fault, uint32_t **word)
{
    frame_t before = active;
    bool    elsewhere = !frame_is(before, space->root), ok;

    if (elsewhere)
        mmu_activate(space->root);
    ok = reach_word(address, &access, fault, word);
    if (elsewhere)
        mmu_activate(before);
    return ok;
}

bool machine_load(const struct space *space, vaddr_t address, bool user, uint32_t *value,
                  struct machine_fault *fault)
{
    uint32_t *word;

    if (!access_in(space, address, (struct access){ .user = user }, fault, &word))
        return false;
    *value = word != NULL ? *word : UINT32_MAX;
    return true;
}

bool machine_store(const struct space *space, vaddr_t address, bool user, uint32_t value,
                   struct machine_fault *fault)
{
    uint32_t *word;

    if (!access_in(space, address, (struct access){ .user = user, .write = true }, fault, &word))
        return false;
    if (word != NULL)
        *word = value;
    return true;
}

bool machine_fetch(const struct space *space, vaddr_t address, bool user, struct machine_fault *fault)
{
    uint32_t *word;

    return access_in(space, address, (struct access){ .user = user, .fetch = true }, fault, &word);
}

/* ---- Flushing -------------------------------------------------------------------------- */

void machine_skip_flush(uint32_t n)   { skip = n; }
uint32_t machine_skip_pending(void)   { return skip; }
page_t machine_skipped_page(void)     { return skipped; }

/* True if a test wants this flush to be left out. */
static bool left_out(page_t page)
{
    if (skip == 0 || --skip > 0)
        return false;
    skipped = page;
    return true;
}

/*
 * Many pages are hidden by one call of the host: all, or neighbours. Code that goes through an address space upwards
 * has its pages recorded in that order.
 */
enum { SINGLY = 256 };

static void hide_run(struct span run)
{
    if (span_pages(run) > 0)
        hide_page(run.first, span_pages(run));
}

static void forget_all_but(bool global_too)
{
    struct span run = { 0, 0 };

    if (global_too && valid_count > SINGLY) {
        hide_page(0, MMU_SPACE_END);
        for (uint32_t i = 0; i < valid_count; i++)
            tlb[valid[i]] = (struct cached){ .is_valid = false };
        valid_count = 0;
        return;
    }
    for (uint32_t i = valid_count; i-- > 0; ) {
        page_t page = valid[i];

        if ((!global_too && tlb[page].global) || !drop_record(page))
            continue;
        if (page + 1 == run.first) {
            run.first--;
            continue;
        }
        hide_run(run);
        run = span_of(page, 1);
    }
    hide_run(run);
}

void mmu_flush_page(page_t page)
{
    assert(page < MMU_SPACE_END);
    machine_counts.page_flushes++;
    machine_counts.user_page_flushes += page_is_users(page);
    if (left_out(page))
        return;
    enter_walk();
    forget_page(page);
    mmu_walk_forget();
    leave_walk();
}

void mmu_flush_space(void)
{
    machine_counts.space_flushes++;
    if (left_out(MMU_SPACE_END))
        return;
    enter_walk();
    forget_all_but(false);
    mmu_walk_forget();
    leave_walk();
}

void mmu_flush_all(void)
{
    machine_counts.all_flushes++;
    if (left_out(MMU_SPACE_END))
        return;
    enter_walk();
    forget_all_but(true);
    mmu_walk_forget();
    leave_walk();
}

/* Loading the root flushes all that is not global. No test can leave this flush out. */
void mmu_activate(frame_t root)
{
    enter_walk();
    active = root;
    forget_all_but(false);
    mmu_walk_forget();
    leave_walk();
}

frame_t mmu_active(void) { return active; }

void mmu_take_over(frame_t kernel_root)
{
    returns_to = kernel_root;
    mmu_activate(kernel_root);
}

void    mmu_return_to(frame_t root) { returns_to = root; }
frame_t mmu_returns_to(void)        { return returns_to; }

/* machine_start() has chosen the features. */
void mmu_start(bool shared_with_programs) { (void)shared_with_programs; }

/* ---- C4 ------------------------------------------------------------------------------------ */

static void audit_page(page_t page, struct audit_report *report)
{
    const struct cached *c = &tlb[page];
    struct translation   now;
    bool                 present;

    report->checked++;
    if (!mmu_walk(page, NULL, &now, &present))
        audit_fail(report, "C4", "page 0x%08lx is cached as frame %u, the tables have nothing",
                   (unsigned long)page_address(page), c->frame);
    else if (c->frame != now.frame.no)
        audit_fail(report, "C4", "page 0x%08lx is cached as frame %u, the tables say %u",
                   (unsigned long)page_address(page), c->frame, now.frame.no);
    else if ((c->kernel & ~now.kernel) || (c->user & ~now.user))
        audit_fail(report, "C4", "page 0x%08lx is cached with rights %x/%x, the tables allow %x/%x",
                   (unsigned long)page_address(page), c->kernel, c->user, now.kernel, now.user);
    else if (c->dirty && !now.dirty && !now.large)
        audit_fail(report, "C4", "page 0x%08lx is cached as dirty, the entry is clean",
                   (unsigned long)page_address(page));
}

void machine_tlb_audit(struct audit_report *report)
{
    for (uint32_t i = 0; i < valid_count; i++)
        audit_page(valid[i], report);
    mmu_walk_audit(report);
    if (machine_counts.outdated > 0)
        audit_fail(report, "C4", "%lu times since power-on a stale translation was met by chance",
                   (unsigned long)machine_counts.outdated);
}

bool machine_tlb_ok(void)
{
    struct audit_report report = { 0 };

    machine_tlb_audit(&report);
    return report.failed == 0;
}

bool machine_tlb_names(frame_t frame, struct span within)
{
    for (uint32_t i = 0; i < valid_count; i++)
        if (tlb[valid[i]].frame == frame.no && span_has(within, valid[i]))
            return true;
    return false;
}

/* ---- Power --------------------------------------------------------------------------------- */

static void power_off(void)
{
    forget_all_but(true);
    mmu_walk_forget();
    munmap(host_mirror, MIRROR_BYTES);
    host_mirror = NULL;
    active = NO_FRAME;
    arena  = -1;
}

void mmu_power(bool on, int memory)
{
    struct sigaction action = { .sa_sigaction = on_segv, .sa_flags = SA_SIGINFO | SA_NODEFER }, before;

    if (host_mirror != NULL)
        power_off();
    if (!on)
        return;
    host_mirror = mmap(machine_mirror, MIRROR_BYTES, PROT_NONE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | (machine_mirror != NULL ? MAP_FIXED : 0), -1, 0);
    if (host_mirror == MAP_FAILED)
        give_up("reserving the mirror");
    arena          = memory;
    skip           = 0;
    expected       = NULL;
    machine_counts = (struct machine_counts){ 0 };
    sigaction(SIGSEGV, &action, &before);
    if (before.sa_sigaction != on_segv)
        others = before;
}
