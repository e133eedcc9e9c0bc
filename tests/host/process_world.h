/*
 * process_world.h - for tests of kernel/process: a machine, threads that really take turns, and a clock.
 *
 * A program is a function of the test, and a thread's kernel stack a stack of the host's: the function calls the
 * kernel as a program would, and back() is the way out of each call. A child of fork() begins in a function of its own,
 * as it lacks its parent's stack. Time stands still until tick(). The test itself is the idle thread; run() lets
 * all others run until they have ended.
 *
 * Files, folders and terminals are counted, and are nothing else. Included once by each test program.
 */
#ifndef QUIRE_TESTS_PROCESS_WORLD_H
#define QUIRE_TESTS_PROCESS_WORLD_H

#include <sys/mman.h>
#include <ucontext.h>

#include "heap_world.h"

#include "arch/contract.h"
#include "base/error.h"
#include "memory/check/corrupt.h"
#include "memory/spaces/fault.h"
#include "memory/spaces/user.h"
#include "memory/spaces/user_walk.h"
#include "process/abi.h"
#include "process/above.h"
#include "process/chore.h"
#include "process/family.h"
#include "process/parts.h"
#include "process/process_audit.c"
#include "process/user_account.h"

/*
 * The scheduler's locks that sleep. Where a test asks for none of them by name, the linker would be content with those
 * of arch/host/sleep.c, which cannot wait.
 */
__attribute__((used)) static void (*const lock_of_threads)(struct mutex *mutex) = mutex_take;

/* ---- Threads ---------------------------------------------------------------------------------------- */

enum { FIBER_BYTES = 256 * 1024, TICK = 10000000 };

struct trap_frame {
    void  (*program)(void);
    long    call, result;                       /* the system call it is in, -1: none */
    vaddr_t stack;
};

struct fiber {
    ucontext_t        context;
    struct trap_frame frame;
    char             *stack;
};

static struct fiber the_boot_stack;

static inline struct fiber *fiber_of(struct thread *thread)
{
    return thread->machine.of_test != NULL ? thread->machine.of_test : &the_boot_stack;
}

static inline struct trap_frame *own_frame(void) { return &fiber_of(current_thread())->frame; }

#ifdef __SANITIZE_ADDRESS__
void __sanitizer_start_switch_fiber(void **fake, const void *bottom, size_t bytes);
void __sanitizer_finish_switch_fiber(void *fake, const void **bottom, size_t *bytes);

static const void *boot_stack_bottom;
static size_t      boot_stack_bytes;

static inline void *stack_leave(bool for_good, const struct fiber *to)
{
    void *fake = NULL;

    __sanitizer_start_switch_fiber(for_good ? NULL : &fake, to->stack != NULL ? to->stack : boot_stack_bottom,
                                   to->stack != NULL ? FIBER_BYTES : boot_stack_bytes);
    return fake;
}

static inline void stack_enter(void *fake)
{
    const void *bottom;
    size_t      bytes;

    __sanitizer_finish_switch_fiber(fake, &bottom, &bytes);
    if (boot_stack_bottom == NULL) {
        boot_stack_bottom = bottom;
        boot_stack_bytes  = bytes;
    }
}
#else
static inline void *stack_leave(bool for_good, const struct fiber *to) { (void)for_good; (void)to; return NULL; }
static inline void stack_enter(void *fake) { (void)fake; }
#endif

void schedule_begin(void);

/* The way back to the program, as after each trap in the kernel. */
static inline void back(void)
{
    interrupts_off();
    schedule_preempt();
    interrupts_restore(0);
    signal_deliver(own_frame());
}

static void fiber_start(void)
{
    stack_enter(NULL);
    schedule_begin();
    interrupts_restore(0);
    back();
    own_frame()->program();
    process_exit_group(0);
}

static bool no_memory_for_state;

int thread_copy_state(struct thread *thread)
{
    struct fiber *fiber;

    if (no_memory_for_state)
        return -ENOMEM;
    fiber = calloc(1, sizeof *fiber);
    assert_non_null(fiber);
    fiber->stack = mmap(NULL, FIBER_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    assert_true(fiber->stack != MAP_FAILED);
    fiber->frame.call = -1;
    getcontext(&fiber->context);
    fiber->context.uc_stack.ss_sp   = fiber->stack;
    fiber->context.uc_stack.ss_size = FIBER_BYTES;
    makecontext(&fiber->context, fiber_start, 0);
    thread->machine.of_test = fiber;
    return 0;
}

void thread_drop_state(struct thread *thread)
{
    struct fiber *fiber = thread->machine.of_test;

    assert_true(thread->phase != THREAD_DEAD || thread->process == NULL);
    if (fiber == NULL)
        return;
    munmap(fiber->stack, FIBER_BYTES);
    free(fiber);
    thread->machine.of_test = NULL;
}

void thread_prepare(struct thread *thread, vaddr_t stack)
{
    fiber_of(thread)->frame        = *own_frame();
    fiber_of(thread)->frame.result = 0;
    fiber_of(thread)->frame.call   = -1;
    if (stack != 0)
        fiber_of(thread)->frame.stack = stack;
}

void thread_switch(struct thread *from, struct thread *to)
{
    struct fiber *gone = fiber_of(from), *next = fiber_of(to);
    frame_t       root = to->stack_memory != NULL ? space_enter(&to->stack_memory->space) : NO_FRAME;
    void         *fake;

    if (frame_exists(root))
        mmu_activate(root);
    fake = stack_leave(from->phase == THREAD_DEAD, next);
    swapcontext(&gone->context, &next->context);
    stack_enter(fake);
}

static vaddr_t tls_asked;
static int     tls_answer;

int thread_set_tls_from(struct thread *thread, vaddr_t argument)
{
    (void)thread;
    tls_asked = argument;
    return tls_answer;
}

/* ---- Registers and handlers ------------------------------------------------------------------------------ */

static struct {
    struct signal_info info;
    vaddr_t            handler;
    uint64_t           mask;                    /* the registers that the handler's return restores */
    int32_t            thread;
} handled[64];
static unsigned handlers_run;
static bool     no_room_for_frame;              /* the next handler's frame does not fit on the program's stack */

int signal_frame_push(struct trap_frame *frame, const struct signal_info *info, const struct signal_action *action,
                      uint64_t mask)
{
    assert_ptr_equal(frame, own_frame());
    if (no_room_for_frame) {
        no_room_for_frame = false;
        return -EFAULT;
    }
    assert_true(handlers_run < 64);
    handled[handlers_run].info    = *info;
    handled[handlers_run].handler = action->handler;
    handled[handlers_run].mask    = mask;
    handled[handlers_run].thread  = current_thread()->id;
    handlers_run++;
    return 0;
}

/* The last handler returns. */
static inline void handler_returns(void) { signal_set_mask(handled[handlers_run - 1].mask); }

long registers_call(const struct trap_frame *frame) { return frame->call; }

static enum restart_mode restarted_how;
static long              restarted_call;
static unsigned          restarts;

void registers_restart(struct trap_frame *frame, long call, enum restart_mode how)
{
    assert_ptr_equal(frame, own_frame());
    assert_true(call >= 0);
    restarted_call = call;
    restarted_how  = how;
    restarts++;
}

/* ---- Programs' memory: one region, mapped where every layout has room ----------------------------------- */

#define PROGRAM_PAGE ((vaddr_t)0x20000000)

static bool access_own(vaddr_t at, bool write, uint32_t *value)
{
    struct space        *space = &current_process()->memory->space;
    struct machine_fault fault;
    struct fault_verdict verdict;

    for (int tries = 0; tries < 4; tries++) {
        if (write ? machine_store(space, at, true, *value, &fault) : machine_load(space, at, true, value, &fault))
            return true;
        if (space_fault(space, at, write ? MAY_WRITE : MAY_READ, &verdict) != 0)
            return false;
    }
    return false;
}

/* Copies a range as a walk of its tables does, with interrupts off as well; returns the bytes not copied. */
static size_t copy_pages(vaddr_t at, char *kernel, size_t bytes, bool out)
{
    struct space *space = &current_process()->memory->space;
    size_t        done;

    (void)!(out ? walk_write(space, user_resolve_plainly, at, kernel, bytes, &done)
                : walk_read(space, user_resolve_plainly, kernel, at, bytes, &done));
    return bytes - done;
}

size_t user_copy_in(void *to, uintptr_t from, size_t bytes)        { return copy_pages(from, to, bytes, false); }
size_t user_copy_out(uintptr_t to, const void *from, size_t bytes) { return copy_pages(to, (char *)from, bytes, true); }

long user_copy_text(char *to, uintptr_t from, size_t bytes)
{
    for (size_t n = 0; n < bytes; n++) {
        if (user_copy_in(&to[n], from + n, 1) != 0)
            return -1;
        if (to[n] == 0)
            return (long)n;
    }
    return (long)bytes;
}

static uint32_t words_loaded, change_word_at, change_word_to;   /* another program writes, before the n-th look */

/* Under a spin lock no fault is resolved. */
bool user_load(uint32_t *word, uintptr_t at)
{
    struct machine_fault fault;

    if (++words_loaded == change_word_at)
        assert_true(access_own(at, true, &change_word_to));
    return machine_load(&current_process()->memory->space, at, true, word, &fault) ||
           (!host_interrupts_off && access_own(at, false, word));
}

bool user_exchange(uintptr_t at, uint32_t expect, uint32_t desired, uint32_t *seen)
{
    return access_own(at, false, seen) && (*seen != expect || access_own(at, true, &desired));
}

static inline uint32_t word_at(vaddr_t at)
{
    uint32_t value = 0xBADBAD;

    assert_int_equal(user_read(&value, at, 4), 0);
    return value;
}

static inline void set_word(vaddr_t at, uint32_t value) { assert_int_equal(user_write(at, &value, 4), 0); }

static inline void map_pages_at(struct space *space, vaddr_t at, size_t pages)
{
    struct map_request wanted = { .address = at, .bytes = pages * PAGE_SIZE, .rights = MAY_READ | MAY_WRITE,
                                  .may = MAY_READ | MAY_WRITE, .flags = MAP_IS_FIXED };
    vaddr_t            out;

    assert_int_equal(map_create(space, &wanted, &out), 0);
}

/* ---- What they have of files ----------------------------------------------------------------------------- */

struct files      { int references; };
struct fs_context { int references; };
struct node       { int uses, runners; };

static int  parts_alive;                        /* tables of files, and contexts */
static void (*on_part_gone)(void);              /* when the next goes: a process that ends has no memory then */
static bool no_memory_for_parts;
static unsigned no_memory_for_part;             /* for the so-manieth from now on; 0: for each there is some */

void files_hold(struct files *files) { files->references++; }
void fs_context_hold(struct fs_context *fs) { fs->references++; }

static inline void *new_part(size_t bytes)
{
    struct files *part;

    if (no_memory_for_parts || (no_memory_for_part > 0 && --no_memory_for_part == 0))
        return NULL;
    part = calloc(1, bytes);
    part->references = 1;
    parts_alive++;
    return part;
}

void files_release(struct files *files)
{
    assert_true(files->references > 0);
    if (--files->references == 0) {
        void (*act)(void) = on_part_gone;

        free(files);
        parts_alive--;
        on_part_gone = NULL;
        if (act != NULL)
            act();
    }
}

void fs_context_release(struct fs_context *fs) { files_release((struct files *)fs); }

struct files *files_copy(struct files *files)
{
    assert_true(files->references > 0);
    return new_part(sizeof *files);
}

struct fs_context *fs_context_copy(const struct fs_context *fs)
{
    assert_true(fs->references > 0);
    return new_part(sizeof *fs);
}

void node_use(struct node *node)   { node->uses++; }
void node_unuse(struct node *node) { node->uses--; }
void node_end_runner(struct node *node) { node->runners--; }

int node_add_runner(struct node *node)
{
    if (node->runners < 0)
        return -ETXTBSY;
    node->runners++;
    return 0;
}

static unsigned terminals_left;
static void (*on_terminal_left)(void);          /* by each that ends, which may wait there */

void terminal_leave(struct process *process)
{
    (void)process;
    terminals_left++;
    if (on_terminal_left != NULL)
        on_terminal_left();
}

/* ---- The floor above ------------------------------------------------------------------------------------- */

static char     told[512];                      /* the last line for the user of the machine */
static unsigned samples, lines_told, endings, ends;
static int32_t  the_program;                    /* the number of the one the machine was started for */

bool init_is_program(const struct process *process)     { return process->id == the_program; }
void init_note_ending(const struct process *process)    { endings += process->memory != NULL; }
void init_note_end(const struct process *process)       { ends += process->memory == NULL; }
void report_sample(void)                                { samples++; }

void report_say(const char *line)
{
    snprintf(told, sizeof told, "%s", line);
    lines_told++;
}

/* Programs of the kernel's own, under a layout that has them: none here. */
void builtin_note_end(struct process *process);
void builtin_note_reason(const char *reason);
void builtin_ended(struct process *process);
bool builtin_is_quiet(void);

void builtin_note_end(struct process *process)      { (void)process; }
void builtin_note_reason(const char *reason)        { (void)reason; }
void builtin_ended(struct process *process)         { (void)process; }
bool builtin_is_quiet(void)                         { return false; }

#ifndef WITH_CORRUPTIONS
extern const struct corruption process_corruptions[];
const struct corruption process_corruptions[] = { { 0 } };
#endif

/* ---- Time ------------------------------------------------------------------------------------------------ */

static uint64_t the_time;
static uint64_t alarm_moment = NEVER;
static void   (*on_ring)(void);
static void   (*on_wait)(void);                 /* instead of a tick, while no thread is ready */
static void   (*on_let_in)(void);               /* between two portions of long work           */
static void   (*on_interrupts)(void);           /* whenever they are on again                  */

uint64_t clock_counter(void)              { return the_time; }
uint64_t host_ticks(void)                 { return the_time; }
uint64_t clock_span(uint64_t ticks)       { return ticks; }
uint64_t clock_read_wall(void)            { return 1000000000000000000ull; }
paddr_t  alarm_registers(void)            { return 0; }
void     alarm_set(uint64_t moment)       { alarm_moment = moment; }
void     interrupts_let_in(void)          { if (on_let_in != NULL) on_let_in(); }
void     host_interrupts_on(void)         { if (on_interrupts != NULL) on_interrupts(); }

void alarm_start(volatile void *registers, void (*ring)(void))
{
    (void)registers;
    on_ring = ring;
}

/* Time advances by so much, and the alarm rings on the way. */
static inline void pass_time(uint64_t nanoseconds)
{
    unsigned long interrupts = interrupts_off();
    uint64_t      until = the_time + nanoseconds;

    while (alarm_moment <= until) {
        the_time     = alarm_moment > the_time ? alarm_moment : the_time;
        alarm_moment = NEVER;
        on_ring();
    }
    the_time = until;
    interrupts_restore(interrupts);
}

static inline void tick(void) { pass_time(TICK); }

/* No thread is ready: an interrupt comes, always that of the clock. */
void cpu_wait(void)
{
    if (on_wait != NULL)
        on_wait();
    else
        tick();
}

/* ---- The world ------------------------------------------------------------------------------------------- */

static struct heap_sums heap_before;

static inline void start_processes(void)
{
    boot(32);
    on_wait = on_let_in = on_interrupts = NULL;                 /* and time advances, as the clock never goes back */
    clock_start();
    chores_resting = NULL;
    schedule_start();
    heap_sums(&heap_before);
    parts_alive = 0;
    handlers_run = restarts = samples = lines_told = endings = ends = terminals_left = 0;
    words_loaded = change_word_at = 0;
    the_program = tls_answer = 0;
    no_memory_for_parts = no_memory_for_state = no_room_for_frame = false;
    no_memory_for_part = 0;
    told[0] = 0;
    on_part_gone = on_terminal_left = NULL;
}

/* All processes have ended, and none of their memory is left. */
static inline void stop_processes(void)
{
    struct heap_sums after = sums();

    assert_int_equal(processes_alive(), 0);
    assert_int_equal(threads_alive(), 0);
    assert_int_equal(parts_alive, 0);
    pass_time(10000000000ull);                  /* chores come to rest */
    space_activate(&kernel_space);
    assert_int_equal(after.live_blocks, heap_before.live_blocks);
    assert_int_equal(after.live_bytes, heap_before.live_bytes);
    assert_int_equal(frames_owned(OWNER_USER), 0);
    assert_sound();
    machine_stop();
}

static inline void run_in_world(void **state)
{
    void (*test)(void) = *state;

    start_processes();
    test();
    stop_processes();
}

#define in_world(test) { #test, run_in_world, NULL, NULL, test }

/* A process without a parent, with a page of memory; the first such process is number 1. */
static inline struct process *start_program(void (*program)(void))
{
    struct process *process = process_new();
    struct thread  *thread;

    assert_non_null(process);
    process->memory  = memory_new();
    process->actions = actions_new(NULL);
    process->files   = new_part(sizeof *process->files);
    process->fs      = new_part(sizeof *process->fs);
    assert_true(process->memory != NULL && process->actions != NULL);
    process->memory->space.limits = (struct map_limits){
        .break_start = 0x10000000, .break_end = 0x10000000, .map_end = 0x30000000,
        .stack = 8 * MiB, .data = SIZE_MAX, .whole = SIZE_MAX, .locked = SIZE_MAX,
    };
    for (unsigned i = 0; i < LIMITS; i++)
        process->limits[i] = (struct limit){ LIMIT_NONE, LIMIT_NONE };
    process->exit_signal = SIGCHLD;
    process_watch_cpu_limit(process);
    snprintf(process->name, sizeof process->name, "first");
    assert_int_equal(process_enlist(process, NULL, NULL), 0);
    map_pages_at(&process->memory->space, PROGRAM_PAGE, 1);
    assert_int_equal(thread_new(process, &thread), 0);
    assert_int_equal(thread_copy_state(thread), 0);
    fiber_of(thread)->frame.program = program;
    assert_int_equal(thread_enlist(thread), 0);
    schedule_add(thread);
    return process;
}

/* The idle thread's work, until no thread is left. Threads that wait for an event that never comes fail the test. */
static inline void run(void)
{
    for (unsigned ticks = 0; processes_alive() > 0; ) {
        interrupts_off();
        clock_catch_up();
        interrupts_restore(0);
        if (schedule_ready() > 0) {
            schedule();
            continue;
        }
        if (ticks++ > 2000)
            fail_msg("%u processes wait for ever", processes_alive());
        tick();
    }
}

static inline void run_program(void (*program)(void))
{
    start_program(program);
    run();
}

/* ---- What programs do ------------------------------------------------------------------------------------ */

enum { FORK = 0, VM = 0x100, FS = 0x200, FILES = 0x400, SIGHAND = 0x800, VFORK = 0x4000, PARENT = 0x8000,
       THREAD = 0x10000, SETTLS = 0x80000, PARENT_SETTID = 0x100000, CHILD_CLEARTID = 0x200000,
       CHILD_SETTID = 0x1000000 };
enum { NOHANG = 1, UNTRACED = 2, CONTINUED = 8, WAIT_ALL_KINDS = 0x40000000 };

static inline int clone_into(void (*body)(void), struct clone_request request)
{
    struct trap_frame *frame = own_frame();
    void             (*self)(void) = frame->program;
    int                id;

    frame->program = body;
    id = process_clone(&request);
    frame->program = self;
    back();
    return id;
}

static inline int fork_into(void (*body)(void))
{
    return clone_into(body, (struct clone_request){ .exit_signal = SIGCHLD });
}

static inline int thread_into(void (*body)(void))
{
    return clone_into(body, (struct clone_request){ .flags = VM | FS | FILES | SIGHAND | THREAD });
}

static struct wait_result waited;

static inline int wait_for(int32_t which, int options)
{
    int err;

    waited = (struct wait_result){ 0 };
    err = process_wait(which, options, &waited);
    back();
    return err;
}

/* sched_yield(). */
static inline void give_way(void)
{
    schedule();
    back();
}

/* The same inside the kernel, where a lock that sleeps may be held. */
static inline void give_way_inside(void) { schedule(); }

/* Others run, so long. */
static inline int sleep_for(uint64_t nanoseconds)
{
    struct lock guard = LOCK("test", RANK_PROCESSES);
    lock_state  state = lock_take(&guard);
    int         err   = wait_on(&current_thread()->never, &guard, &state, clock_now() + nanoseconds, WAIT_SIGNALS);

    lock_drop(&guard, state);
    back();
    return err;
}

static inline void kill(int32_t id, int signal)
{
    struct signal_info info = { .number = signal, .sender = current_process()->id };

    assert_int_equal(signal_process(process_find(id), &info), 0);
    back();
}

static inline void on_signal(int signal, vaddr_t handler, uint32_t flags)
{
    current_process()->actions->action[signal] = (struct signal_action){ .handler = handler, .flags = flags };
}

static inline void exit_with(int status) { process_exit_group(status << 8); }

#endif
