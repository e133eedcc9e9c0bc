/*
 * pci.c - walking the PCI bus and measuring what its functions decode.
 */
#include "devices/pci.h"

enum { BUSES = 256, DEVICES = 32, FUNCTIONS = 8 };

/* Offsets in configuration space, of the 32-bit words that are read. */
enum {
    AT_IDENTITY = 0x00, AT_COMMAND = 0x04, AT_CLASS = 0x08, AT_HEADER = 0x0C, AT_BARS = 0x10,
    AT_BUSES = 0x18,                                        /* header type 1 */
    AT_ROM = 0x30, AT_BRIDGE_ROM = 0x38,                    /* types 0 and 1 */
};

enum {
    COMMAND_DECODES = 0x0003,                               /* memory and I/O */
    STATUS_CLEARS = 0xFFFF,                                 /* status bits clear when written as ones: write zeros */
    HEADER_MANY = 0x80, HEADER_TYPE = 0x7F, HEADER_DEVICE = 0, HEADER_BRIDGE = 1,
    CLASS_BRIDGE = 6, SUBCLASS_HOST = 0, SUBCLASS_PCI = 4,
    BAR_IO = 1, BAR_KIND = 6, BAR_64 = 4, BAR_FLAGS = 15,
};
#define ROM_FLAGS 0x7FFu

static bool function_exists(uint16_t vendor) { return vendor != 0xFFFF && vendor != 0; }

/* ---- The walk ----------------------------------------------------------------------- */

struct walk {
    const struct pci_access *access;
    void                   (*seen)(void *, const struct pci_function *);
    void                    *context;
    uint32_t                 wanted[BUSES / 32], done[BUSES / 32];      /* sets of buses */
};

static bool in_set(const uint32_t *set, unsigned n) { return set[n / 32] >> n % 32 & 1; }
static void add_to_set(uint32_t *set, unsigned n)   { set[n / 32] |= 1u << n % 32; }

static bool read_function(const struct pci_access *access, pci_address where, struct pci_function *out)
{
    uint32_t identity = access->read(where, AT_IDENTITY), class;

    if (!function_exists((uint16_t)identity))
        return false;
    class = access->read(where, AT_CLASS);
    *out = (struct pci_function){
        .where = where, .vendor = (uint16_t)identity, .device = (uint16_t)(identity >> 16),
        .class = (uint8_t)(class >> 24), .subclass = (uint8_t)(class >> 16),
        .header = (uint8_t)(access->read(where, AT_HEADER) >> 16),
    };
    return true;
}

static void walk_device(struct walk *w, unsigned bus, unsigned device)
{
    unsigned functions = 1;

    for (unsigned f = 0; f < functions; f++) {
        struct pci_function function;

        if (!read_function(w->access, (pci_address)(bus << 8 | device << 3 | f), &function))
            continue;
        if (f == 0 && (function.header & HEADER_MANY))
            functions = FUNCTIONS;
        if ((function.header & HEADER_TYPE) == HEADER_BRIDGE && function.class == CLASS_BRIDGE &&
            function.subclass == SUBCLASS_PCI)
            add_to_set(w->wanted, w->access->read(function.where, AT_BUSES) >> 8 & 0xFF);
        /* With several host bridges, each leads to the bus of its function's number. */
        if (bus == 0 && device == 0 && function.class == CLASS_BRIDGE && function.subclass == SUBCLASS_HOST)
            add_to_set(w->wanted, f);
        w->seen(w->context, &function);
    }
}

void pci_each(const struct pci_access *access, void (*seen)(void *, const struct pci_function *), void *context)
{
    struct walk w = { .access = access, .seen = seen, .context = context };
    bool        again = true;

    add_to_set(w.wanted, 0);
    while (again) {                                 /* a bridge may lead to a lower number */
        again = false;
        for (unsigned bus = 0; bus < BUSES; bus++) {
            if (!in_set(w.wanted, bus) || in_set(w.done, bus))
                continue;
            add_to_set(w.done, bus);
            again = true;
            for (unsigned device = 0; device < DEVICES; device++)
                walk_device(&w, bus, device);
        }
    }
}

/* ---- Measuring ---------------------------------------------------------------------- */

/* Write ones to a register, read which of them it keeps, and restore it. */
static uint32_t measure_register(const struct pci_access *access, pci_address where, unsigned offset, uint32_t ones)
{
    uint32_t before = access->read(where, offset), mask;

    access->write(where, offset, ones);
    mask = access->read(where, offset);
    access->write(where, offset, before);
    return mask;
}

/* Note [base, base + size), unless the register has no address or no size. */
static bool note_range(struct device_range *out, pci_address where, unsigned bar, uint64_t base, uint64_t mask)
{
    uint64_t size = ~mask + 1;

    if (base == 0 || mask == 0 || size == 0)
        return false;
    *out = (struct device_range){
        .start = base, .end = base + size < base ? UINT64_MAX : base + size, .function = where, .bar = (uint8_t)bar,
    };
    return true;
}

/* Measure one base register, or two that form one of 64 bits. Returns how many registers were used. */
static unsigned measure_bar(const struct pci_access *access, pci_address where, unsigned bar, unsigned bars,
                            struct device_range *out, unsigned *count)
{
    unsigned offset = AT_BARS + 4 * bar;
    uint32_t low = access->read(where, offset), mask_low;
    uint64_t base, mask;
    bool     wide = (low & BAR_KIND) == BAR_64 && bar + 1 < bars;

    if (low & BAR_IO)
        return 1;
    mask_low = measure_register(access, where, offset, UINT32_MAX);
    if (mask_low == 0)
        return 1;                                   /* there is no such register */
    base = low & ~(uint32_t)BAR_FLAGS;
    mask = mask_low & ~(uint32_t)BAR_FLAGS;
    if (wide) {
        base |= (uint64_t)access->read(where, offset + 4) << 32;
        mask |= (uint64_t)measure_register(access, where, offset + 4, UINT32_MAX) << 32;
    } else if (mask != 0) {
        mask |= 0xFFFFFFFFull << 32;
    }
    *count += note_range(&out[*count], where, bar, base, mask);
    return wide ? 2 : 1;
}

static void measure_rom(const struct pci_access *access, pci_address where, unsigned offset,
                        struct device_range *out, unsigned *count)
{
    uint32_t base = access->read(where, offset) & ~ROM_FLAGS;
    uint32_t mask = measure_register(access, where, offset, ~ROM_FLAGS) & ~ROM_FLAGS;

    *count += note_range(&out[*count], where, PCI_ROM, base, mask ? 0xFFFFFFFFull << 32 | mask : 0);
}

unsigned pci_function_ranges(const struct pci_access *access, const struct pci_function *function,
                             struct device_range out[PCI_RANGES])
{
    pci_address where = function->where;
    unsigned    type = function->header & HEADER_TYPE, count = 0;
    unsigned    bars = type == HEADER_DEVICE ? 6 : type == HEADER_BRIDGE ? 2 : 1;
    bool        carries_ram = function->class == CLASS_BRIDGE && function->subclass == SUBCLASS_HOST;
    uint32_t    command = access->read(where, AT_COMMAND) & ~((uint32_t)STATUS_CLEARS << 16);

    if (!carries_ram)
        access->write(where, AT_COMMAND, command & ~(uint32_t)COMMAND_DECODES);
    for (unsigned bar = 0; bar < bars; )
        bar += measure_bar(access, where, bar, bars, out, &count);
    if (type <= HEADER_BRIDGE)
        measure_rom(access, where, type == HEADER_DEVICE ? AT_ROM : AT_BRIDGE_ROM, out, &count);
    if (!carries_ram)
        access->write(where, AT_COMMAND, command);
    return count;
}

struct collection {
    const struct pci_access *access;
    struct device_range     *out;
    uint32_t                 room, count;
};

static void collect_ranges(void *context, const struct pci_function *function)
{
    struct collection  *c = context;
    struct device_range found[PCI_RANGES];
    unsigned            n = pci_function_ranges(c->access, function, found);

    for (unsigned i = 0; i < n; i++, c->count++)
        if (c->count < c->room)
            c->out[c->count] = found[i];
}

uint32_t pci_ranges(const struct pci_access *access, struct device_range *out, uint32_t room)
{
    struct collection c = { access, out, room, 0 };

    pci_each(access, collect_ranges, &c);
    return c.count;
}
