/*
 * test_clock_start.c - how the clock starts: the alarm's registers are mapped where it has some, and the wall clock
 * begins with what the machine's says.
 */
#include "heap_world.h"

#include "memory/frames/frame.h"
#include "memory/tables/cursor.h"

#include "kernel/process/clock.c"

static uint64_t       time_now, wall;
static paddr_t        registers_at;
static volatile void *registers;
static unsigned       starts;

uint64_t clock_counter(void)            { return time_now; }
uint64_t clock_read_wall(void)          { return wall; }
paddr_t  alarm_registers(void)          { return registers_at; }
void     alarm_set(uint64_t moment)     { (void)moment; }
void     schedule_hurry(void)           { }
void     interrupts_let_in(void)        { }
void     cpu_wait(void)                 { }

void alarm_start(volatile void *mapped, void (*ring)(void))
{
    assert_ptr_equal(ring, handle_alarm);
    registers = mapped;
    starts++;
}

static volatile void *start_with(paddr_t at)
{
    registers_at = at;
    registers    = &time_now;
    clock_start();
    return registers;
}

static void registers_in_memory_are_mapped_and_others_are_not(void)
{
    struct cursor c;
    page_t        page;
    entry_t       entry;

    assert_null((const void *)start_with(0));                   /* they are not in memory */
    assert_null((const void *)start_with(8 * MiB));             /* that is RAM, and cannot be */
    assert_non_null((const void *)start_with(0xFEE00000));
    page = page_of(address_of((const void *)registers));
    assert_int_equal(page_address(page), address_of((const void *)registers));
    assert_int_equal(cursor_open(&c, &kernel_space, span_of(page, 1), 0), 0);
    entry = cursor_read(&c, page);
    assert_true(entry_present(entry));
    assert_int_equal(frame_address(entry_frame(entry)), 0xFEE00000);
    cursor_close(&c);
    assert_int_equal(starts, 3);
}

static void the_wall_clock_begins_with_the_machines(void)
{
    wall     = 1700000000000000123;
    time_now = 5000;
    start_with(0);
    assert_true(clock_wall() == 1700000000000000123);
    time_now += 7;
    assert_true(clock_wall() == 1700000000000000130);
    clock_set_wall(1000);
    assert_true(clock_wall() == 1000);
    time_now += 7;
    assert_true(clock_wall() == 1007);
}

/* The line that the port tells, and the wall clock whenever it is set, whichever comes first. */
static void a_page_for_programs_is_kept_as_the_clock_is(void **state)
{
    const struct vdso_data *data;
    frame_t                 frame;
    unsigned long           interrupts;

    (void)state;
    wall     = 1700000000000000123;
    time_now = 5000;
    start_with(0);
    assert_int_equal(frame_get(OWNER_SHARED, FRAME_ZERO, &frame), 0);
    clock_show_in(frame);
    interrupts = interrupts_off();
    data = frame_view(frame, SLOT_TO);
    assert_false(vdso_data_has_time(data));
    clock_changed(&(struct rate){ 4000, 1u << RATE_SHIFT });        /* a tick is a nanosecond */
    assert_true(vdso_data_has_time(data));
    assert_true(vdso_data_time(data, 1000, false) == 5000);
    assert_true(vdso_data_time(data, 1000, true) == clock_wall());
    clock_set_wall(1000);
    assert_true(vdso_data_time(data, 1000, false) == 5000);
    assert_true(vdso_data_time(data, 1000, true) == 1000);
    clock_changed(&(struct rate){ 3000, 1u << (RATE_SHIFT + 1) });  /* twice as fast from here on */
    assert_true(vdso_data_time(data, 1000, false) == 5000);
    assert_true(vdso_data_time(data, 1001, true) == 1002);
    assert_int_equal(data->sequence, 8);
    interrupts_restore(interrupts);
    shown_in = NO_FRAME;
    frame_put(frame);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        on_machine(registers_in_memory_are_mapped_and_others_are_not),
        on_machine(the_wall_clock_begins_with_the_machines),
        on_machine(a_page_for_programs_is_kept_as_the_clock_is),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
