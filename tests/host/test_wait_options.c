/*
 * test_wait_options.c - each bit of a wait's options by itself: which children it tells of, and that it does nothing
 * else.
 */
#include "process_notes.h"

enum { ENDED, STOPPED, GONE_ON, OF_OTHER_KIND, OF_OTHER_THREAD, KINDS };
enum { NO_WAIT = 0x1000000, NO_THREAD = 0x20000000 };
#define CLONES 0x80000000u

static int32_t child[KINDS];

static void lasts(void)
{
    for (;;)
        sleeps_long();
}

static void makes_one(void)
{
    child[OF_OTHER_THREAD] = fork_into(does_nothing);
    for (;;)
        sleep_for(1000 * (uint64_t)TICK);
}

static void make_all(void)
{
    child[ENDED]         = fork_into(exits_with_7);
    child[STOPPED]       = fork_into(lasts);
    child[GONE_ON]       = fork_into(lasts);
    child[OF_OTHER_KIND] = clone_into(exits_with_7, (struct clone_request){ .exit_signal = SIGURG });
    thread_into(makes_one);
    give_way();
    give_way();
    kill(child[STOPPED], SIGSTOP);
    kill(child[GONE_ON], SIGSTOP);
    give_way();
    kill(child[GONE_ON], SIGCONT);
    give_way();
}

/* Whether a wait for this child by its number says anything of it. */
static bool is_told(unsigned kind, uint32_t options)
{
    if (kind == OF_OTHER_KIND && !(options & (WAIT_ALL_KINDS | CLONES)))
        return false;
    if (kind != OF_OTHER_KIND && (options & CLONES) && !(options & WAIT_ALL_KINDS))
        return false;
    if (kind == OF_OTHER_THREAD && (options & NO_THREAD))
        return false;
    if (kind == STOPPED)
        return options & UNTRACED;
    if (kind == GONE_ON)
        return options & CONTINUED;
    return !(options & WAIT_NO_EXITED);
}

static bool is_waited_for(unsigned kind, uint32_t options)
{
    return (kind == OF_OTHER_KIND ? options & (WAIT_ALL_KINDS | CLONES)
                                  : !(options & CLONES) || (options & WAIT_ALL_KINDS)) &&
           !(kind == OF_OTHER_THREAD && (options & NO_THREAD));
}

static void tries_options(uint32_t options)
{
    static const int status[KINDS] = { 7 << 8, SIGSTOP << 8 | 0x7F, 0xFFFF, 7 << 8, 0 };

    for (unsigned kind = 0; kind < KINDS; kind++) {
        int found = wait_for(child[kind], (int)(options | NOHANG | NO_WAIT));

        if (found != (is_told(kind, options) ? child[kind] : is_waited_for(kind, options) ? 0 : -ECHILD))
            fail_msg("options %#x, child %u: %d", (unsigned)options, kind, found);
        if (found > 0)
            assert_int_equal(waited.status, status[kind]);
    }
}

static void tries_each_option(void)
{
    make_all();
    for (unsigned twice = 0; twice < 2; twice++) {              /* nothing of all that is taken away */
        tries_options(0);
        for (unsigned bit = 0; bit < 32; bit++)
            for (unsigned other = 0; other <= bit; other++)
                tries_options(1u << bit | 1u << other);
    }
    for (unsigned kind = 0; kind < KINDS; kind++)               /* without that option each is told of once */
        assert_int_equal(wait_for(child[kind], UNTRACED | CONTINUED | NOHANG | WAIT_ALL_KINDS), child[kind]);
    for (unsigned kind = 0; kind < KINDS; kind++)
        assert_int_equal(wait_for(child[kind], UNTRACED | CONTINUED | NOHANG | WAIT_ALL_KINDS),
                         kind == STOPPED || kind == GONE_ON ? 0 : -ECHILD);
    kill(child[STOPPED], SIGKILL);
    kill(child[GONE_ON], SIGKILL);
    give_way();
    assert_int_equal(wait_for(-1, 0), child[STOPPED]);
    assert_int_equal(wait_for(-1, 0), child[GONE_ON]);
    exit_with(0);
}

static void an_option_does_what_it_is_for_and_nothing_else(void) { begin(tries_each_option); }

int main(void)
{
    const struct CMUnitTest tests[] = {
        in_world(an_option_does_what_it_is_for_and_nothing_else),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
