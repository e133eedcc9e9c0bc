/*
 * numbers.c - the numbers of processes, threads, groups and sessions.
 *
 * A set says which are in use, for the search of the next free one and for walks in order; a hash table leads from a
 * number to what has it. Both are of fixed size: with all numbers in use a list of the table has 32.
 */
#include "process/numbers.h"

#include "base/bitset.h"
#include "base/check.h"
#include "base/error.h"
#include "process/family.h"

enum { LISTS = 1024, AGAIN_FROM = 2 };

static uint32_t       words[BITSET_WORDS(NUMBERS)];
static struct bitset  in_use = { NUMBERS, words, words + NUMBERS / BITSET_WORD,
                                 words + NUMBERS / BITSET_WORD + BITSET_SUMMARIES(NUMBERS) };
static struct number *table[LISTS];
static int32_t        last;

int32_t number_last(void) { return last; }

static struct number **list_of(int32_t value) { return &table[(uint32_t)value % LISTS]; }

struct number *number_find(int32_t value)
{
    struct number *number = *list_of(value);

    deep_assert(lock_held(&process_lock));
    while (number != NULL && number->value != value)    /* bound: NUMBERS / LISTS */
        number = number->next;
    return number;
}

struct number *number_next(int32_t from)
{
    uint32_t value = from < 0 ? 0 : (uint32_t)from;

    deep_assert(lock_held(&process_lock));
    value = value < NUMBERS ? bitset_next(&in_use, value) : NUMBERS;
    return value < NUMBERS ? number_find((int32_t)value) : NULL;
}

static int enter_number(uint32_t value, struct number *number)
{
    struct number **list = list_of((int32_t)value);

    deep_assert(lock_held(&process_lock));
    if (value >= NUMBERS || bitset_has(&in_use, value))
        return -EAGAIN;
    *number = (struct number){ .value = (int32_t)value, .uses = 1, .next = *list };
    *list   = number;
    last    = (int32_t)value;
    list_start(&number->group);
    list_start(&number->session);
    list_start(&number->send_link);
    bitset_add(&in_use, value);
    return 0;
}

int number_take_first(struct number *number) { return enter_number(1, number); }

int number_take(struct number *number)
{
    uint32_t from  = last < AGAIN_FROM ? AGAIN_FROM : (uint32_t)last + 1;
    uint32_t value = bitset_next_free(&in_use, from);

    if (value >= NUMBERS)
        value = bitset_next_free(&in_use, AGAIN_FROM);
    return enter_number(value, number);
}

void number_drop(struct number *number)
{
    struct number **at = list_of(number->value);

    deep_assert(lock_held(&process_lock));
    assert(number->uses > 0);
    if (--number->uses > 0)
        return;
    assert(number->process == NULL && number->thread == NULL && list_is_empty(&number->group) &&
           list_is_empty(&number->session));
    while (*at != number)                       /* bound: NUMBERS / LISTS */
        at = &(*at)->next;
    *at = number->next;
    bitset_remove(&in_use, (uint32_t)number->value);
    if (number->unused != NULL)
        number->unused(number);
}

/* ---- The check ------------------------------------------------------------------------------ */

/* N3 for the members of its group and session, who are counted as its uses. */
static bool members_have(const struct number *number, uint32_t *uses)
{
    struct list *at;

    if (!list_ok(&number->group) || !list_ok(&number->session))
        return false;
    LIST_EACH(at, &number->group)
        if (++*uses && LIST_ITEM(at, struct process, group_link)->group != number->value)
            return false;
    LIST_EACH(at, &number->session)
        if (++*uses && LIST_ITEM(at, struct process, session_link)->session != number->value)
            return false;
    return true;
}

static const char *broken_in_number(const struct number *number)
{
    uint32_t uses = (number->process != NULL) + (number->thread != NULL);

    if (!bitset_has(&in_use, (uint32_t)number->value))                                  /* listed -> in use */
        return "N1";
    if (!members_have(number, &uses) || (number->process != NULL && number->process->id != number->value) ||
        (number->thread != NULL && number->thread->id != number->value))
        return "N3";
    return uses == 0 || uses != number->uses ? "N2" : NULL;
}

const char *numbers_broken(void)
{
    const char *broken = NULL;
    uint32_t    listed = 0, counted = 0;

    assert(lock_held(&process_lock));
    for (uint32_t i = 0; i < LISTS; i++)        /* bound: NUMBERS, and the members of groups and sessions */
        for (const struct number *number = table[i]; number != NULL && broken == NULL; number = number->next, listed++)
            broken = broken_in_number(number);
    if (broken != NULL)
        return broken;
    for (uint32_t value = 0; (value = bitset_next(&in_use, value)) < NUMBERS; value++)
        counted++;
    return counted == listed && bitset_ok(&in_use) ? NULL : "N1";                       /* in use -> listed */
}
