/*
 * test_machine_names.c - the names of machine and domain: each its own, and nothing stays of a longer one.
 */
#include "process_world.h"

#include "process/machine_names.h"

static char longest[MACHINE_NAME];

static void assert_names(const char *host, const char *domain)
{
    char name[MACHINE_NAME];

    machine_name_copy(NAME_OF_HOST, name);
    assert_string_equal(name, host);
    machine_name_copy(NAME_OF_DOMAIN, name);
    assert_string_equal(name, domain);
}

static void renames_the_machine(void)
{
    memset(longest, 'x', MACHINE_NAME - 1);
    assert_names("quire", "(none)");
    machine_name_set(NAME_OF_HOST, longest, MACHINE_NAME - 1);
    assert_names(longest, "(none)");
    machine_name_set(NAME_OF_DOMAIN, longest, MACHINE_NAME - 1);
    assert_names(longest, longest);
    machine_name_set(NAME_OF_HOST, "short and more", 5);
    assert_names("short", longest);
    machine_name_set(NAME_OF_HOST, "", 0);
    assert_names("", longest);
    machine_name_set(NAME_OF_HOST, "quire", 5);
    machine_name_set(NAME_OF_DOMAIN, "(none)", 6);
}

static void the_machine_is_called_as_it_was_told(void)
{
    run_program(renames_the_machine);
    assert_int_equal(longest[0], 'x');
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        in_world(the_machine_is_called_as_it_was_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
