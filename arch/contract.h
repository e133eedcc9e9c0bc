/*
 * contract.h - the functions that a port must define, and those that it may call.
 *
 * A port is a folder arch/NAME that is first in the include path. It deals with the machine only: no file of it
 * includes a header of a room above base. Portable code includes this header and at most six of the port's own: cpu.h,
 * mmu.h and thread.h, which every port has, and where there are devices and programs io.h, power.h and trap.h. All
 * other headers of a port are for the port itself, for the folder of its programs' interface (kernel/linux/i386), for
 * boot/, and for claims of documents that name the processor's own tables.
 *
 * Functions are declared here, or, where they must be inline, listed with their prototype as lines of a comment and
 * defined in the header named there; tests/system/test_contract.py compiles every port against both. arch/host, the
 * machine in plain memory, has neither programs nor devices: it does not define the functions of sections that begin
 * with "Not on the host".
 *
 * For all calls: a virtual address is a vaddr_t, a page a page_t, and both have the port's width; a
 * frame_t is a number, a paddr_t has 64 bits everywhere; sizes are bytes (size_t). No call sleeps or
 * allocates. A call takes no lock but those that it names, may be made with any lock held and with interrupts on or
 * off, unless it says otherwise, and costs a few instructions unless it says more. Preconditions are
 * asserted; no call returns an error but those that it names.
 */
#ifndef QUIRE_ARCH_CONTRACT_H
#define QUIRE_ARCH_CONTRACT_H

#include "base/rights.h"

/* ---- The processor: cpu.h ------------------------------------------------------------------------------
 *
 * Base uses these functions, so cpu.h includes only base/types.h. MAX_CPUS is the most processors there can be.
 *
 *   unsigned cpu_number(void);
 *       The number of the current processor, 0 .. MAX_CPUS - 1. Valid while the caller cannot be moved: with interrupts
 *       off.
 *   unsigned long interrupts_off(void);
 *   void interrupts_restore(unsigned long state);
 *   bool interrupts_were_on(unsigned long state);
 *       Turn interrupts off, which returns the state before; restore that state; whether they were on in it. Pairs
 *       nest.
 *   void cpu_relax(void);
 *       To be called in a loop that waits for another processor.
 *   void *pointer_to(vaddr_t address);
 *   vaddr_t address_of(const void *pointer);
 *       The C pointer for a kernel address, and the reverse. The address need not be mapped.
 *   void words_fill(void *to, uint32_t word, size_t count);
 *   void words_copy(void *restrict to, const void *restrict from, size_t count);
 *       `count` words of 32 bits in a row, aligned to 4.
 *   int bytes_compare(const void *a, const void *b, size_t n);
 *       What memcmp() answers.
 *   uint32_t cpu_divide(uint64_t a, uint32_t b, uint32_t *rest);
 *       a / b, with the remainder in *rest. The upper half of a is below b, so that the quotient has 32 bits.
 *   void cpu_page_fill(void *page, uint32_t word);
 *   void cpu_page_copy(void *restrict to, const void *restrict from);
 *       Fill or copy a whole page, aligned, in the fastest way. The FPU's registers are not changed.
 *   uint64_t cpu_ticks(void);
 *       Cycles or instructions since some moment, at a steady rate; clock_span() says how long they take.
 *
 * caller_address() is a macro: the address that the function which contains it returns to, for reports.
 * TAKES_FROM_STACK before a function's declaration: its arguments are on the stack, where the kernel has put them for a
 * program that begins there, whatever the compiler's convention is.
 *
 * Not on the host:
 *
 *   void interrupts_on(void);
 *   void interrupts_shut(void);
 *       For the entry from a program: interrupts on, and off again before the return to it, where they are known to be
 *       on. The first also for the console's commands, which may sleep.
 *   void interrupts_let_in(void);
 *       Handle the interrupts that are pending. Interrupts are off before and after.
 *   void cpu_wait(void);
 *       Sleep until an interrupt has been handled. Interrupts are off before and after, and none is handled between the
 *       caller's last check for work and the sleep.
 *   void stretch_begins(void);
 *   void stretch_ends(void);
 *       Note that interrupts went off, or are about to go on, by other means than the calls above: by a gate, or by the
 *       return to a program. Checked builds measure the time between (stretch_longest()); in others these are empty.
 *   void cpu_start(void);
 *       Detect and switch on what cpu_page_fill() and cpu_page_copy() use, and shut the FPU. Called before all others;
 *       without it those two are slower.
 *   uint64_t cpu_random(void);
 *       A number from the processor's own generator, 0 where it has none.
 *   void cpu_raise_unexpected(void);
 *   void cpu_load_nonsense(void);
 *       Raise an unexpected trap in the kernel, which ends in panic_trap(). For the console's `crash`.
 */

/* ---- Stacks ------------------------------------------------------------------------------------------------ */

/*
 * Call function(argument) on the stack that ends at `top` (a multiple of 16), and return. A backtrace shows the
 * caller's frames behind the function's. (On the host a test decides what the call does.)
 */
void stack_call(vaddr_t top, void (*function)(void *), void *argument);

/* ---- Page-table entries: mmu.h -------------------------------------------------------------------------
 *
 * memory/tables knows no bits, no widths and no number of levels. The port's header has
 *
 *   entry_t             an entry, a struct whose one field `raw` is an unsigned integer
 *   MMU_LEVELS          level 1 is the last table, level MMU_LEVELS the root
 *   MMU_ENTRIES         entries of a table
 *   MMU_LARGE_LEVEL     where an entry may map mmu_reach() frames at once, 0: nowhere
 *   MMU_SPACE_END       pages of an address space, a page_t. Holes that a processor leaves in it are described
 *                       by the document
 *   MMU_FRAMES_END      frames that an entry can name
 *   MMU_VARIABLE        1: a root has a length, which mmu_cover() and mmu_trim() change
 *
 * Reading and making entries. Functions without a pointer are pure.
 *
 *   unsigned mmu_index(page_t page, unsigned level);
 *       The index of the entry in a level's table that leads to a page.
 *   page_t mmu_reach(unsigned level);
 *       Pages that one entry of a level covers.
 *   struct rights mmu_allow(struct rights want);
 *       The rights that the hardware allows for a leaf made with these: never fewer, sometimes more.
 *   enum entry_kind entry_kind(entry_t e, unsigned level);
 *   bool entry_present(entry_t e);
 *   frame_t entry_frame(entry_t e);
 *   uint32_t entry_slot_number(entry_t e);
 *       The frame of a present or BLOCKED entry or of a TABLE; the number of one that is SWAP.
 *   struct rights entry_rights(entry_t e);
 *   enum cache entry_cache(entry_t e);
 *   bool entry_global(entry_t e);
 *   bool entry_accessed(entry_t e);
 *   bool entry_dirty(entry_t e);
 *   unsigned entry_age(entry_t e);
 *       Of a present entry. The age is 0 .. 3, kept in bits that the processor ignores; always 0 where there are none.
 *   entry_t entry_empty(void);
 *       All zero: memory filled with zeros is a table of these.
 *   entry_t entry_leaf(frame_t frame, struct rights rights, enum cache cache, bool global, unsigned level);
 *       A present leaf with at least one right; for a page without rights there is entry_block().
 *   entry_t entry_table(frame_t table, bool user);
 *       An entry that leads to a table of the next level. Leaves decide on rights; programs have some only below `user`
 *       entries.
 *   entry_t entry_absent(enum entry_kind kind, uint32_t number, struct rights keep);
 *   struct rights entry_kept_rights(entry_t e);
 *       An entry that is not present: kind, a number of at least 20 bits, and rights kept for later.
 *   entry_t entry_with_age(entry_t e, unsigned age, bool accessed);
 *   entry_t entry_with_use(entry_t e, bool written);
 *       The entry accessed, and dirty if written, as the processor makes it by an access.
 *   entry_t entry_with_rights(entry_t e, struct rights rights);
 *   entry_t entry_with_global(entry_t e);
 *       The same leaf with other rights, or global: cached translations of global leaves survive a change of space.
 *       Rights are the same bits in every leaf, and one that is set means more.
 *   entry_t entry_with_frame(entry_t e, frame_t frame);
 *       The same present leaf, of the last level, for another frame; what the processor has noted of its use stays.
 *   entry_t entry_block(entry_t e, struct rights keep);
 *   entry_t entry_unblock(entry_t e, struct rights rights, bool global);
 *       Block a page for a while, and unblock it; its frame and its dirty bit are kept. The cache type must be
 *       CACHE_BACK.
 *   entry_t entry_read(const entry_t *at);
 *   void entry_write(entry_t *at, entry_t e);
 *       Atomic for the table walker. entry_write() replaces entries that are not present only.
 *   entry_t entry_exchange(entry_t *at, entry_t e);
 *   bool entry_change(entry_t *at, entry_t from, entry_t to);
 *       Replace a present entry. The processor may set its accessed and dirty bits at any moment, so the old value is
 *       fetched, or compared, in the same step.
 *   void mmu_cover(entry_t *page0, page_t end);
 *   void mmu_trim(entry_t *page0);
 *       Where MMU_VARIABLE is 1: make the root reach `end`; cut it behind its last entry that is not empty. Both get
 *       the entry of page 0.
 *
 * Only where MMU_LEVELS is above 1:
 *
 *   entry_t entry_self(frame_t root);
 *       The entry of a root that refers to the root itself.
 */
enum entry_kind {
    ENTRY_EMPTY,        /* nothing is mapped                                         */
    ENTRY_SWAP,         /* contents in a swap slot                                   */
    ENTRY_GUARD,        /* never mapped: an access is an overflow                    */
    ENTRY_TRANSIT,      /* being paged in or out: wait                               */
    ENTRY_IDENTITY,     /* not present, but names the frame of its own address (T6)  */
    ENTRY_BLOCKED,      /* frame kept, no access (G15)                               */
    ENTRY_PRESENT,      /* maps a frame (or mmu_reach() of them)                     */
    ENTRY_TABLE,        /* leads to a table of the next level                        */
};

/* ---- The memory-management unit -------------------------------------------------------------------------- */

/* The features that the processor has, and that mmu_start() has switched on. */
struct mmu_features {
    bool write_protect, large, global;  /* leaves that are read-only bind the kernel; large and global leaves work */
    bool smep, smap, umip;                  /* protection of the kernel from programs: no code depends on it */
};
extern struct mmu_features mmu_features;

/*
 * Detect and switch on the features, once, before space_start(). Where programs may run the kernel's code or read its
 * constants, smep and smap stay off: they would keep the kernel from these pages.
 */
void mmu_start(bool shared_with_programs);

/*
 * Flush translations of this processor. A translation may be cached as soon as it exists; a present entry that is
 * changed or removed must be flushed before its frame is reused. Entries that are not present are never cached; a port
 * whose processor caches them flushes when an entry is made present.
 */
void mmu_flush_page(page_t page);               /* one page, global or not   */
void mmu_flush_space(void);                     /* all that is not global    */
void mmu_flush_all(void);                       /* everything                */

/* Make a root current on this processor, which flushes all that is not global; and the current root. */
void    mmu_activate(frame_t root);
frame_t mmu_active(void);

/*
 * Where the kernel has a space of its own (K17): set its root, which every trap from a program loads, and the root that
 * the return to the program loads. The calls load neither. mmu_take_over() makes that space current for the first time
 * (K15).
 */
void    mmu_take_over(frame_t kernel_root);
void    mmu_return_to(frame_t root);
frame_t mmu_returns_to(void);

/* ---- Accesses that may fault ---------------------------------------------------------------------------- */

/*
 * Read, write or call an address that may fault; false when it did. Words have 32 bits; a function that is called must
 * return at once. For reports on a damaged machine, and for tests that pages are not mapped, writable or executable.
 * (The host executes nothing: a call there is the right to fetch an instruction.)
 */
bool probe_read(vaddr_t address, uint32_t *out);
bool probe_write(vaddr_t address, uint32_t value);
bool probe_call(vaddr_t address);

/* ---- Traps and interrupts --------------------------------------------------------------------------------
 * Not on the host.
 */

/*
 * The addresses in kernel space of the processor's own tables; 0: the port uses room in the image.
 */
struct trap_places { vaddr_t segments, gates, task; };

/* Load tables and gates, shut every interrupt line. Interrupts stay off. Once, after mmu_start(). */
void traps_start(const struct trap_places *places);

/*
 * Interrupt lines, 0 .. 15 on a PC. A line is opened when it gets its handler, for good; the controller is acknowledged
 * after the handler returns. Handlers run with interrupts off, on the interrupted stack.
 */
void     interrupt_handle(unsigned line, void (*handler)(void *), void *argument);
bool     interrupt_is_free(unsigned line);      /* the line exists, and nobody handles it */
uint64_t interrupts_taken(void);        /* from devices, since the start: intr of /proc/stat    */
enum { INTERRUPT_LINES = 16 };
uint64_t interrupts_by(unsigned line);  /* of these, by one line; a few came by none            */

/*
 * Checked builds measure the stretches of time in which interrupts are off, in ticks of cpu_ticks(): the longest since
 * the start, or since stretch_forget(), and the chain of callers at its end, the innermost first (0: no more). Ordinary
 * builds do not measure: false.
 */
enum { STRETCH_CALLERS = 6 };
struct stretch { uint64_t ticks; vaddr_t callers[STRETCH_CALLERS]; };
bool stretch_longest(struct stretch *out);
void stretch_forget(void);

/*
 * The description of a trap, for a panic. A double fault's frame counts as one from the kernel. trap_caller() goes from
 * a function to its caller, by the chain of frame pointers; false where the chain ends, or cannot be read.
 *
 * In trap.h, which has struct trap_frame:
 *
 *   vaddr_t trap_address(void);
 *       The address of the last page fault; valid until the next page fault.
 */
struct trap_frame;
bool    trap_has_address(const struct trap_frame *frame);          /* trap_address() is its address */
bool    trap_is_double_fault(const struct trap_frame *frame);
void    trap_describe(const struct trap_frame *frame, char *out, size_t size);
void    trap_print_registers(const struct trap_frame *frame);      /* begins on the line of the program counter */
vaddr_t trap_counter(const struct trap_frame *frame);
vaddr_t trap_stack_pointer(const struct trap_frame *frame);
vaddr_t trap_frame_pointer(const struct trap_frame *frame);
bool    trap_caller(vaddr_t *frame_pointer, vaddr_t *return_to);

/* ---- Legs: what a thread does in the kernel from one place where other threads may run to the next -------------
 *
 * LEG_ENDS() and LEG_BEGINS() note such a place (process/schedule.c). Checked builds measure the time between, as that
 * of stretches, in others the two are nothing. On the host they do nothing.
 */
void leg_begins(void);
void leg_ends(void);
#if IS_CHECKED
#define LEG_BEGINS()    leg_begins()
#define LEG_ENDS()      leg_ends()
#else
#define LEG_BEGINS()    ((void)0)
#define LEG_ENDS()      ((void)0)
#endif

/* Not on the host. The longest since the start, or since leg_forget(), and the callers at its end; or false. */
bool leg_longest(struct stretch *out);
void leg_forget(void);

/* ---- Programs' memory -----------------------------------------------------------------------------------
 * Not on the host.
 *
 * The instructions that access it. A uintptr_t is the program's address; the caller has checked that the range lies in
 * user space. Each function stops at the first byte that cannot be reached. A fault is handled as the program's own: it
 * may sleep, and may end the program. Where interrupts are on, other threads may run at any of these instructions
 * (trap_leave_inside()), or now and then. memory/spaces/user.h says which locks the caller may hold. Where the
 * processor has SMAP, a program's memory is accessible only inside these functions. Cost: proportional to the bytes.
 *
 * A layout may define these functions itself (layouts/pat/user_copy.c); its object is then linked instead of the
 * port's.
 */

/* Return the number of bytes not copied. */
size_t user_copy_in(void *to, uintptr_t from, size_t bytes);
size_t user_copy_out(uintptr_t to, const void *from, size_t bytes);

/*
 * Copy up to and including a NUL, at most `bytes`. Returns the length without the NUL, `bytes` without a NUL, or -1: a
 * byte cannot be reached.
 */
long user_copy_text(char *to, uintptr_t from, size_t bytes);

/*
 * Read, or compare and exchange, a word of 32 bits, as futexes are on every port; false when it cannot be reached.
 * *seen is the old value.
 */
bool user_load(uint32_t *word, uintptr_t at);
bool user_exchange(uintptr_t at, uint32_t expect, uint32_t desired, uint32_t *seen);

/* ---- Threads: thread.h ----------------------------------------------------------------------------------
 *
 * struct thread_state is a thread's state of the processor, a member of struct thread. Only the port and the folder of
 * the programs' interface access its members; process/abi.h declares what they do with it for processes.
 */

/* ---- Time ------------------------------------------------------------------------------------------------
 * Not on the host. The clock counts no interrupts, so it misses none: it is as right after a second with interrupts off
 * as after a second of sleep.
 */

/* Set the moment 0. Once, early: the rate of the processor's counter is measured from here to alarm_start(). */
void clock_begin(void);

/* Nanoseconds since clock_begin(); 0 until alarm_start(). Never falls back. Cost: about forty instructions. */
uint64_t clock_counter(void);

/* The nanoseconds in which cpu_ticks() grows by `ticks`, at the rate known now; 0 until alarm_start(). */
uint64_t clock_span(uint64_t ticks);

/*
 * Nanoseconds since 1970, whole seconds of the years 2000 to 2099, by the clock that runs while the machine is off; 0
 * when there is none. Cost: where that clock is just changing its second, the 2 milliseconds that this takes at most.
 */
uint64_t clock_read_wall(void);

/*
 * There is one alarm. alarm_set() sets the moment (a value of clock_counter()) at which it rings next, and replaces the
 * moment set before; a moment that has passed rings at once. `ring` is called in an interrupt, with interrupts off,
 * within a few microseconds after that moment, or before it: where the hardware cannot wait so long, or not so exactly,
 * the alarm rings early, and the handler looks at the clock and sets it again. The alarm does not ring before it is
 * first set, and a moment that is set and not replaced is followed by a ring. Cost of alarm_set(): a few accesses to
 * device registers; at a few moments in the first minutes the rate of the clock is measured anew, some microseconds.
 *
 * alarm_start() is called once, after clock_begin(). The caller has mapped the page of device memory at
 * alarm_registers(), uncached, and passes its address; NULL where alarm_registers() is 0 or the page could not be
 * mapped: then an alarm further than 55 ms away rings each 55 ms on the way. Cost: a millisecond where the rate of the
 * counter has not been measured yet, mostly none.
 */
paddr_t alarm_registers(void);
void    alarm_start(volatile void *registers, void (*ring)(void));
void    alarm_set(uint64_t moment);

/*
 * What programs may run of the port's to learn the time without a call: an ELF shared object of at most a page, for any
 * address at a page's start, whose data is the page right below it (base/vdso_data.h). Its word at VDSO_ENTRY_AT says
 * where in it programs make their calls. So many bytes behind that lie the ends of signal handlers, for programs that
 * bring none of their own: of a plain one, and of one that is told more (SA_SIGINFO).
 */
extern const uint8_t  vdso_image[];
extern const uint32_t vdso_image_bytes;
enum { VDSO_ENTRY_AT = 24, VDSO_SIGRETURN = 8, VDSO_RT_SIGRETURN = 24 };

/* ---- Facts about the processor, for people (/proc/cpuinfo) and programs ------------------------------
 * Not on the host.
 */
struct cpu_facts {
    char     maker[16], name[64];
    unsigned family, model, stepping;
    uint32_t flags[3];                  /* known to the port only */
};
void cpu_facts(struct cpu_facts *out);

/* The name of the n-th flag; "" when the processor lacks it. False when there is no n-th. */
bool cpu_fact_flag(const struct cpu_facts *facts, unsigned n, char *name, size_t size);

/* The value of AT_HWCAP in a program's auxiliary vector. */
uint32_t cpu_capabilities(void);

/* ---- Devices: io.h ----------------------------------------------------------------------------------------
 *
 * Not on the host. Ports of the I/O address space, on processors of x86:
 *
 *   uint8_t port_read8(uint16_t port);
 *   uint16_t port_read16(uint16_t port);
 *   uint32_t port_read32(uint16_t port);
 *   void port_write8(uint16_t port, uint8_t value);
 *   void port_write16(uint16_t port, uint16_t value);
 *   void port_write32(uint16_t port, uint32_t value);
 */

/* The address of a function of the PCI bus: bus << 8 | device << 3 | function. */
typedef uint16_t pci_address;

struct pci_access {
    uint32_t (*read)(pci_address where, unsigned offset);           /* offset: a multiple of 4, below 256 */
    void     (*write)(pci_address where, unsigned offset, uint32_t value);
};

/* NULL on a machine without PCI. */
const struct pci_access *pci_ports(void);

/* ---- Leaving: power.h has the statuses ------------------------------------------------------------------------
 * Not on the host.
 */

void power_exit(uint8_t status) NORETURN;   /* end the emulator; elsewhere switch off, or halt */
void power_reset(void) NORETURN;            /* start the machine again                  */
void power_halt(void) NORETURN;             /* halt, interrupts off                     */

/* Set how power_exit() switches a real machine off. A `way` that fails returns. NULL, as at the start: it does not. */
void power_off_by(void (*way)(void));

/* ---- What the kernel above must answer ------------------------------------------------------------------------
 * Not on the host. The port calls these functions; rooms above define them.
 */

struct boot_info;

/* The kernel's first function, on the boot stack, with paging on and interrupts off (init/main.c). */
void kernel_main(const struct boot_info *info, frame_t root) NORETURN;

/*
 * The line of clock_counter() has changed (process/clock.c). Interrupts have been off since before, and no program has
 * run meanwhile.
 */
struct rate;
void clock_changed(const struct rate *line);

/*
 * A trap without a handler has come, on any stack: the machine ends with a report (init/panic.c). The frame is not
 * moved.
 */
void panic_trap(const struct trap_frame *frame) NORETURN;

/* An assertion has failed at `counter`. Its text (NULL: the kernel does not have it), and where a backtrace begins. */
struct failed_assertion { vaddr_t at; const char *file; int line; const char *what; };
void panic_assertion(const struct failed_assertion *failed, vaddr_t counter, vaddr_t frame_pointer) NORETURN;

/*
 * Called before each return to a program: delivers signals, and ends a turn that is over. Interrupts are off before and
 * after (linux/<interface>). trap_leave_impossible() is called instead when the program's state cannot be returned to.
 */
void trap_leave(struct trap_frame *frame);
void trap_leave_impossible(void) NORETURN;

/*
 * Called before each return to kernel code that had interrupts on. They are off before and after. Other threads may run
 * meanwhile (linux/<interface>).
 */
void trap_leave_inside(const struct trap_frame *frame);

/*
 * Called first by a new thread, on its own stack, with interrupts off: what schedule() does after a switch
 * (process/schedule.c).
 */
void schedule_begin(void);

#endif
