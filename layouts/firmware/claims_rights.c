/*
 * claims_rights.c - the claims G7 to G14: the rights of kernel and programs to each of the eight regions, all 48 of
 * them.
 *
 * Each region has a word to try: the kernel reads, writes and calls it; and an application is started that does one of
 * these and is killed, or not. The table below is the design document's.
 *
 * An i386 without PAE has no pages that may be executed and not read, or read and not executed. Only these rights may
 * exceed the table; the probe then reports "differs".
 */
#include "layouts/firmware/claims.h"

#include "layouts/firmware/apps/apps.h"
#include "base/print.h"
#include "base/string.h"
#include "console/show.h"
#include "cpu.h"
#include "memory/heap/heap.h"
#include "memory/layout.h"
#include "layouts/firmware/shared.h"
#include "layouts/firmware/builtin.h"
#include "trap.h"

enum { RETURN = 0xC3, R = MAY_READ, W = MAY_WRITE, X = MAY_EXECUTE };

static const struct { const char *name; struct rights want; } table[] = {
    [G_TEXT]     = { "code",             { X,     X } },
    [G_RODATA]   = { "constants",        { R,     R } },
    [G_DATA]     = { "variables",        { R | W, 0 } },
    [G_ORIGINAL] = { "the original",     { 0,     0 } },
    [G_STACK]    = { "the stack",        { R | W, 0 } },
    [G_SHARED]   = { "the kernel's own", { R | W, 0 } },
    [G_HEAP]     = { "the heap",         { R | W, 0 } },
    [G_DEVICES]  = { "device pages",     { R | W, 0 } },
};

/* ---- A word of each region that may be called: it begins with a return ------------------------- */

static void code(void) { }
static const uint8_t constant[4] __attribute__((aligned(4))) = { RETURN, RETURN, RETURN, RETURN };
uint8_t firmware_variable[PAGE_SIZE] __attribute__((aligned(4096))) = { RETURN };
static APP_SHARED(uint32_t, shared_word, 0xC3C3C3C3);

extern char image_stack_start[], image_stack_end[];     /* the linker script's */

vaddr_t firmware_constant(void) { return address_of(constant); }

/*
 * The machine's firmware is mapped: memory that exists, is no RAM, and can be called where it has a return instruction.
 * The part below 1 MiB is used, since some emulators execute other bytes than they read below 4 GiB.
 */
enum { ROM = 0xFF000, ROM_BYTES = 0x1000 };

/* The address of a return instruction; 0: there is none. */
static vaddr_t return_in(vaddr_t window)
{
    for (vaddr_t at = window; at < window + ROM_BYTES; at++)
        if (*(const volatile uint8_t *)pointer_to(at) == RETURN)
            return at;
    return 0;
}

/* ---- Trying ---------------------------------------------------------------------------------------- */

/*
 * The word is written again at the end: an emulator that has translated code of a page traps all writes to the page
 * until the bytes of that code are written. The stack lies beside the kernel's word, and would be 15 times slower.
 */
static struct rights try_kernel(vaddr_t at)
{
    struct rights got = { 0, 0 };
    uint32_t      word = 0;

    got.kernel |= probe_read(at & ~3u, &word) ? R : 0;
    got.kernel |= probe_write(at & ~3u, word) ? W : 0;
    got.kernel |= probe_call(at) ? X : 0;
    if (got.kernel & W)
        probe_write(at & ~3u, word);
    return got;
}

/* Run the application `probe` for one access; false when there is no memory for it. */
static bool firmware_try(uint32_t kind, vaddr_t at, struct builtin *out, bool *allowed)
{
    const struct app          *app  = builtin_find("probe");
    const struct app_arguments what = { kind, (uint32_t)at };

    *out = (struct builtin){ .quiet = true };
    if (builtin_start(out, app, what) != 0)
        return false;
    builtin_wait(out);
    *allowed = out->status == PROBE_DONE << 8;
    return true;
}

static bool try_program(vaddr_t at, struct rights *got)
{
    static const struct {
        uint32_t kind;
        uint8_t right;
    } tries[] = { { PROBE_READ, R }, { PROBE_WRITE, W }, { PROBE_EXECUTE, X } };

    for (unsigned i = 0; i < COUNT_OF(tries); i++) {
        struct builtin builtin;
        bool           allowed;

        if (!firmware_try(tries[i].kind, at, &builtin, &allowed))
            return false;
        got->user |= allowed ? tries[i].right : 0;
    }
    return true;
}

/* ---- Judging ---------------------------------------------------------------------------------------- */

/* The rights that this processor cannot separate from those of the claim. */
static uint8_t comes_along(uint8_t want) { return (want & X ? R : 0) | (want & R ? X : 0); }

/* show_rights() leaves out a side without rights. */
static struct text both(struct rights rights)
{
    struct text text;

    format_text(text.text, sizeof text.text, "%c%c%c / %c%c%c", rights.kernel & R ? 'r' : '-',
                rights.kernel & W ? 'w' : '-', rights.kernel & X ? 'x' : '-', rights.user & R ? 'r' : '-',
                rights.user & W ? 'w' : '-', rights.user & X ? 'x' : '-');
    return text;
}

static void rights_judge(struct claim_result *result, enum g_region region, vaddr_t at)
{
    struct rights want = table[region].want, got = try_kernel(at), more;

    if (!try_program(at, &got))
        return claim_saw(result, false, "no memory for a process that tries");
    more = (struct rights){ got.kernel & ~want.kernel, got.user & ~want.user };
    if ((want.kernel & ~got.kernel) != 0 || (want.user & ~got.user) != 0 ||
        (more.kernel & ~comes_along(want.kernel)) != 0 || (more.user & ~comes_along(want.user)) != 0)
        return claim_saw(result, false, "%s at %s: the kernel and programs may %s", table[region].name,
                         show_address(at).text, both(got).text);
    if ((more.kernel | more.user) != 0)
        return claim_differs(result, "%s: kernel / programs may %s, for want of a bit that says %s; six tries",
                             table[region].name, both(got).text, both(want).text);
    claim_saw(result, true, "%s at %s: kernel / programs may %s, in six tries", table[region].name,
              show_address(at).text, both(got).text);
}

/* Page 0 is code as well, but without rights: reading through a null pointer must fault. */
void g7_code(struct claim_result *result)
{
    uint32_t word;
    struct builtin builtin;
    bool     allowed;

    if (probe_read(0, &word) || probe_write(0, 0))
        return claim_saw(result, false, "the kernel can reach address 0");
    if (!firmware_try(PROBE_READ, 0, &builtin, &allowed) || allowed)
        return claim_saw(result, false, "programs can read address 0");
    rights_judge(result, G_TEXT, address_of((const void *)code));
}

void g8_constants(struct claim_result *result) { rights_judge(result, G_RODATA, address_of(constant)); }
void g9_variables(struct claim_result *result) { rights_judge(result, G_DATA, address_of(firmware_variable)); }
void g10_original(struct claim_result *result) { rights_judge(result, G_ORIGINAL, (vaddr_t)(uintptr_t)&shared_word); }

void g11_stack(struct claim_result *result)
{
    volatile uint8_t here[4] __attribute__((aligned(4))) = { RETURN };

    if ((const char *)here < image_stack_start || (const char *)here >= image_stack_end)
        return claim_saw(result, false, "the console does not run on region 5");
    rights_judge(result, G_STACK, address_of((const void *)here));
}

void g12_own_shared(struct claim_result *result)
{
    rights_judge(result, G_SHARED, address_of(shared_own((vaddr_t)(uintptr_t)&shared_word)));
}

void g13_heap(struct claim_result *result)
{
    uint8_t *block = heap_alloc(sizeof(uint32_t), 0);

    if (block == NULL)
        return claim_saw(result, false, "no memory on the heap");
    memset(block, RETURN, sizeof(uint32_t));
    rights_judge(result, G_HEAP, address_of(block));
    heap_free(block);
}

void g14_devices(struct claim_result *result)
{
    struct region region;
    vaddr_t       at;

    if (kernel_map_device(&region, "firmware's claim", ROM, ROM_BYTES, CACHE_OFF) != 0)
        return claim_saw(result, false, "no room for a device");
    at = return_in(page_address(region.span.first));
    if (at == 0)
        claim_saw(result, false, "the firmware's last page has nothing that could be called");
    else
        rights_judge(result, G_DEVICES, at);
    kernel_unmap(&region);
}
