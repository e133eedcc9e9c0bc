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

#include "process_around.h"
#include "process_fibers.h"

#include "memory/spaces/fault.h"
#include "memory/spaces/user.h"
#include "memory/spaces/user_walk.h"
#include "process/abi.h"
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

    stack_forget_below();
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
