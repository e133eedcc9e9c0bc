/*
 * test_fault.c - the fault decision against a table, for every combination of facts; and the book's table.
 *
 * `test_fault table` prints the table as docs/faults.md has it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "memory/spaces/fault_decide.h"

/* '*' any, 'y' yes, 'n' no; access: 'w' to write, 'r' to read or execute; entry: 'E' EMPTY, 'P' PRESENT, 'B' BLOCKED,
 * 'S' SWAP, 'o' other; behind: 'h' here, 'a' away, 'l' lost. */
struct row {
    char region, stack, right, entry, entry_right, object, inside, behind, shared, sole, access;
    enum fault_action action;
    const char *meaning;
};

static const struct row table[] = {
    { 'n', 'n', '*', '*', '*', '*', '*', '*', '*', '*', '*', FAULT_SEGV_MAP,   "nothing is mapped there" },
    { 'n', 'y', '*', '*', '*', '*', '*', '*', '*', '*', '*', FAULT_GROW,       "the stack above reaches down to it" },
    { 'y', '*', 'n', '*', '*', '*', '*', '*', '*', '*', '*', FAULT_SEGV_ACCESS, "the region does not allow it" },
    { 'y', '*', 'y', 'E', '*', 'n', '*', '*', '*', '*', 'w', FAULT_ZERO,       "a fresh frame of zeros" },
    { 'y', '*', 'y', 'E', '*', 'n', '*', '*', '*', '*', 'r', FAULT_ZERO_READ,  "the frame of zeros that all share" },
    { 'y', '*', 'y', 'E', '*', 'y', 'n', '*', '*', '*', '*', FAULT_BUS,        "the object ends before it" },
    { 'y', '*', 'y', 'E', '*', 'y', 'y', 'l', '*', '*', '*', FAULT_BUS,        "its pager could not bring it" },
    { 'y', '*', 'y', 'E', '*', 'y', 'y', 'a', '*', '*', '*', FAULT_WAIT,       "its pager is to bring it first" },
    { 'y', '*', 'y', 'E', '*', 'y', 'y', 'h', 'y', '*', '*', FAULT_SHARE,
      "the object's frame, with the region's rights" },
    { 'y', '*', 'y', 'E', '*', 'y', 'y', 'h', 'n', '*', 'r', FAULT_SHARE,      "the object's frame, read-only" },
    { 'y', '*', 'y', 'E', '*', 'y', 'y', 'h', 'n', '*', 'w', FAULT_COPY_OBJECT, "a copy of the object's frame" },
    { 'y', '*', 'y', 'P', 'y', '*', '*', '*', '*', '*', '*', FAULT_DONE,
      "another thread's fault has handled it" },
    { 'y', '*', 'y', 'P', 'n', '*', '*', '*', 'y', '*', '*', FAULT_REUSE,      "changes are meant to be seen" },
    { 'y', '*', 'y', 'P', 'n', '*', '*', '*', 'n', 'y', '*', FAULT_REUSE,      "nobody else shows the frame any more" },
    { 'y', '*', 'y', 'P', 'n', '*', '*', '*', 'n', 'n', '*', FAULT_COPY,       "others show the frame: copy it" },
    { 'y', '*', 'y', 'B', '*', '*', '*', '*', 'y', '*', '*', FAULT_REUSE,
      "the region allows again what the entry does not yet" },
    { 'y', '*', 'y', 'B', '*', '*', '*', '*', 'n', 'y', '*', FAULT_REUSE,
      "the same, of private memory that nobody else shows" },
    { 'y', '*', 'y', 'B', '*', '*', '*', '*', 'n', 'n', '*', FAULT_REUSE_READ,
      "the same, but others show the frame: a write faults again" },
    { 'y', '*', 'y', 'S', '*', '*', '*', 'h', '*', '*', '*', FAULT_BRING_IN,
      "its contents come back from a swap slot" },
    { 'y', '*', 'y', 'S', '*', '*', '*', 'a', '*', '*', '*', FAULT_WAIT,
      "the swap device is to be read first" },
    { 'y', '*', 'y', 'S', '*', '*', '*', 'l', '*', '*', '*', FAULT_BUS,
      "the swap device could not be read" },
    { 'y', '*', 'y', 'o', '*', '*', '*', '*', '*', '*', '*', FAULT_SEGV_MAP,   "no program's page has such an entry" },
};

static bool is(char column, bool fact) { return column == '*' || (column == 'y') == fact; }

static bool is_entry(char column, enum entry_kind kind)
{
    switch (column) {
    case '*': return true;
    case 'E': return kind == ENTRY_EMPTY;
    case 'P': return kind == ENTRY_PRESENT;
    case 'B': return kind == ENTRY_BLOCKED;
    case 'S': return kind == ENTRY_SWAP;
    default:  return kind != ENTRY_EMPTY && kind != ENTRY_PRESENT && kind != ENTRY_BLOCKED && kind != ENTRY_SWAP;
    }
}

static bool is_behind(char column, enum fault_behind behind)
{
    return column == '*' || (column == 'h' && behind == BEHIND_HERE) || (column == 'a' && behind == BEHIND_AWAY) ||
           (column == 'l' && behind == BEHIND_LOST);
}

static bool matches(const struct row *row, const struct fault_facts *f)
{
    return is(row->region, f->region) && is(row->stack, f->growable) && is(row->right, f->allows & f->access) &&
           is_entry(row->entry, f->entry) && is(row->entry_right, f->entry_allows & f->access) &&
           is(row->object, f->object) && is(row->inside, f->inside) && is_behind(row->behind, f->behind) &&
           is(row->shared, f->shared) &&
           is(row->sole, f->sole) && (row->access == '*' || (row->access == 'w') == (f->access == MAY_WRITE));
}

/* Exactly one row of the table is about each combination, and has the decision's action. */
static void check(const struct fault_facts *facts)
{
    const struct row *found = NULL;

    for (size_t i = 0; i < COUNT_OF(table); i++)
        if (matches(&table[i], facts)) {
            assert_null(found);
            found = &table[i];
        }
    assert_non_null(found);
    if (fault_decide(facts) != found->action)
        fail_msg("row %d says %s, decided was %s", (int)(found - table), fault_action_names[found->action],
                 fault_action_names[fault_decide(facts)]);
}

enum { YES_NO = 64, RIGHTS = 8, KINDS = ENTRY_TABLE + 1, ACCESSES = 3, PLACES = BEHIND_LOST + 1 };

static void every_combination_of_facts_is_decided_by_the_table(void **state)
{
    static const uint8_t accesses[ACCESSES] = { MAY_READ, MAY_WRITE, MAY_EXECUTE };
    unsigned             checked = 0;

    (void)state;
    for (unsigned bits = 0; bits < YES_NO; bits++)
        for (unsigned allows = 0; allows < RIGHTS; allows++)
            for (unsigned kind = 0; kind < KINDS; kind++)
                for (unsigned entry_allows = 0; entry_allows < RIGHTS; entry_allows++)
                    for (unsigned a = 0; a < ACCESSES * PLACES; a++, checked++)
                        check(&(struct fault_facts){
                            .region = bits & 1, .growable = bits & 2, .shared = bits & 4, .object = bits & 8,
                            .inside = bits & 16, .sole = bits & 32, .allows = (uint8_t)allows,
                            .entry = (enum entry_kind)kind, .entry_allows = (uint8_t)entry_allows,
                            .access = accesses[a % ACCESSES], .behind = (enum fault_behind)(a / ACCESSES),
                        });
    assert_int_equal(checked, YES_NO * RIGHTS * KINDS * RIGHTS * ACCESSES * PLACES);
}

static void every_action_has_a_name_and_a_row(void **state)
{
    (void)state;
    for (int action = 0; action < FAULT_ACTIONS; action++) {
        bool found = false;

        for (size_t i = 0; i < COUNT_OF(table); i++)
            found |= table[i].action == (enum fault_action)action;
        assert_true(found);
        assert_non_null(fault_action_names[action]);
    }
}

/* ---- The book's table ------------------------------------------------------------------------------ */

static const char *word(char column)
{
    return column == 'y' ? "yes" : column == 'n' ? "no" : column == '*' ? "" : column == 'w' ? "write"
         : column == 'r' ? "other"
         : column == 'h' ? "here" : column == 'a' ? "away" : column == 'l' ? "lost"
         : column == 'E' ? "empty" : column == 'P' ? "present" : column == 'B' ? "blocked"
         : column == 'S' ? "swap" : "another";
}

static size_t render(char *to, size_t size)
{
    size_t used = (size_t)snprintf(to, size,
        "| region | stack above | region allows | entry | entry allows | object | inside it | it is | shared | sole | "
        "access | action | meaning |\n"
        "| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |\n");

    for (size_t i = 0; i < COUNT_OF(table); i++) {
        const struct row *r = &table[i];

        used += (size_t)snprintf(to + used, size - used,
                                 "| %s | %s | %s | %s | %s | %s | %s | %s | %s | %s | %s | %s | %s |\n",
                                 word(r->region), word(r->stack), word(r->right), word(r->entry), word(r->entry_right),
                                 word(r->object),
                                 word(r->inside), word(r->behind), word(r->shared), word(r->sole), word(r->access),
                                 fault_action_names[r->action], r->meaning);
    }
    return used;
}

static void the_books_table_is_this_one(void **state)
{
    static char book[1 << 16], wanted[1 << 13];
    FILE       *file = fopen("docs/faults.md", "r");

    (void)state;
    if (file == NULL)
        fail_msg("docs/faults.md cannot be read: run from the root of the repository");
    book[fread(book, 1, sizeof book - 1, file)] = 0;
    fclose(file);
    assert_true(render(wanted, sizeof wanted) < sizeof wanted);
    if (strstr(book, wanted) == NULL)
        fail_msg("docs/faults.md has another table; `test_fault table` prints this one");
}

int main(int count, char **words)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_combination_of_facts_is_decided_by_the_table),
        cmocka_unit_test(every_action_has_a_name_and_a_row),
        cmocka_unit_test(the_books_table_is_this_one),
    };
    static char text[1 << 13];

    if (count == 2 && strcmp(words[1], "table") == 0) {
        render(text, sizeof text);
        fputs(text, stdout);
        return 0;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
