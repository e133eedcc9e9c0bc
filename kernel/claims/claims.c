/*
 * claims.c - going through the document's claims; the command `claims`.
 */
#include "claims/claims.h"

#include "base/check.h"
#include "base/error.h"
#include "base/print.h"
#include "base/string.h"
#include "claims/digest.h"
#include "console/commands.h"
#include "memory/layout.h"

const char *(*claim_lacks)(const char *id);

static void print_verdict(struct claim_result *result, enum claim_verdict verdict, const char *format, va_list list)
{
    result->verdict = verdict;
    format_list(result->saw, sizeof result->saw, format, list);
}

void claim_saw(struct claim_result *result, bool holds, const char *format, ...)
{
    va_list list;

    va_start(list, format);
    print_verdict(result, holds ? CLAIM_HOLDS : CLAIM_FAILS, format, list);
    va_end(list);
}

void claim_differs(struct claim_result *result, const char *format, ...)
{
    va_list list;

    va_start(list, format);
    print_verdict(result, CLAIM_DIFFERS, format, list);
    va_end(list);
}

void claim_unseen(struct claim_result *result, const char *format, ...)
{
    va_list list;

    va_start(list, format);
    print_verdict(result, CLAIM_UNSEEN, format, list);
    va_end(list);
}

static const struct claim_probe *probe_of(const char *id)
{
    EACH_ROW(probe, claim_probes)
        if (strcmp(probe->id, id) == 0)
            return probe;
    return NULL;
}

/* A checked kernel checks that the probe leaves all as it was, except for what it makes once and for good. */
static void run_probe(const struct claim_probe *probe, struct claim_result *result)
{
    static struct digest before, after;
    const char          *left = NULL;

    if (!IS_CHECKED) {
        probe->probe(result);
        return;
    }
    for (unsigned turn = 0; turn < 2 && (turn == 0 || left != NULL); turn++) {
        digest_take(&before);
        probe->probe(result);
        digest_take(&after);
        left = digest_differs(&before, &after);
    }
    if (left != NULL)
        claim_saw(result, false, "its probe has left something behind: %s", left);
}

/* A claim that the kernel is to show. */
static enum claim_verdict look_at_claim(const struct layout_claim *claim)
{
    static const char *const words[CLAIM_VERDICTS] = {
        [CLAIM_FAILS] = "fails", [CLAIM_HOLDS] = "holds", [CLAIM_DIFFERS] = "differs", [CLAIM_UNSEEN] = "unseen",
    };
    const struct claim_probe *probe   = probe_of(claim->id);
    struct claim_result       result  = { CLAIM_FAILS, "this kernel has no probe for it" };
    const char               *lacking = claim_lacks != NULL ? claim_lacks(claim->id) : NULL;

    if (lacking != NULL)
        claim_unseen(&result, "%s", lacking);
    else if (probe != NULL)
        run_probe(probe, &result);
    print("claim %s %s %s\n", claim->id, words[result.verdict], result.saw);
    return result.verdict;
}

/* Look at every claim of the document and print the report. Returns how many fail. */
static uint32_t claims_report(void)
{
    uint32_t count[CLAIM_VERDICTS] = { 0 }, elsewhere = 0;

    for (uint32_t i = 0; i < layout.claim_count; i++) {
        const struct layout_claim *claim = &layout.claims[i];

        if (claim->where == CLAIM_KERNEL) {
            count[look_at_claim(claim)]++;
            continue;
        }
        print("claim %s elsewhere %s\n", claim->id, claim->shown);
        elsewhere++;
    }
    print("claims: %u hold, %u fail, %u differ, %u unseen, %u are shown elsewhere\n", count[CLAIM_HOLDS],
          count[CLAIM_FAILS], count[CLAIM_DIFFERS], count[CLAIM_UNSEEN], elsewhere);
    return count[CLAIM_FAILS];
}

/* ---- Mutations ----------------------------------------------------------------------------- */

static bool claim_is_in_document(const char *id)
{
    for (uint32_t i = 0; i < layout.claim_count; i++)
        if (strcmp(layout.claims[i].id, id) == 0)
            return true;
    return false;
}

static void list_mutations(void)
{
    EACH_ROW(mutation, claim_mutations)
        if (claim_is_in_document(mutation->id))
            print("  %-4s%s\n", mutation->id, mutation->how);
}

static int try_mutation(const char *id)
{
    EACH_ROW(mutation, claim_mutations) {
        if (strcmp(mutation->id, id) != 0 || !claim_is_in_document(id))
            continue;
        if (!mutation->mutate()) {
            print("claims: not enough memory for this mutation\n");
            return -ENOMEM;
        }
        print("mutated %s: %s\n", id, mutation->how);
        (void)claims_report();
        mutation->restore();
        print("restored %s\n", id);
        return 0;
    }
    print("claims: expected a claim below, not \"%s\"\n", id);
    list_mutations();
    return -ENOENT;
}

int run_claims(int count, char **words)
{
    if (count == 1)
        return claims_report() == 0 ? 0 : -EIO;
    if (strcmp(words[1], "mutate") == 0 && count == 3)
        return try_mutation(words[2]);
    if (strcmp(words[1], "mutate") == 0) {
        list_mutations();
        return 0;
    }
    print("claims: expected nothing or \"mutate ID\", not \"%s\"\n", words[1]);
    return -EINVAL;
}
