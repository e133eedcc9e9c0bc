/*
 * timer_heap.c - see timer_heap.h.
 */
#include "process/timer_heap.h"

#include "base/check.h"
#include "base/range.h"

static unsigned node_distance(const struct timer *timer) { return timer != NULL ? timer->distance : 0; }

static bool timer_is_before(const struct timer *a, const struct timer *b)
{
    return a->due < b->due || (a->due == b->due && a->turn < b->turn);
}

/* Put the child of greater distance on the left; the node's distance is the right child's plus one. */
static void settle_node(struct timer *timer)
{
    struct timer *left = timer->left;

    if (node_distance(left) < node_distance(timer->right)) {
        timer->left  = timer->right;
        timer->right = left;
    }
    timer->distance = (uint8_t)(node_distance(timer->right) + 1);
}

/* Make one heap of two, along their paths to the right: the recursion is at most as deep as their distances' sum. */
static struct timer *meld_heaps(struct timer *a, struct timer *b)
{
    if (a == NULL || b == NULL)
        return a != NULL ? a : b;
    if (timer_is_before(b, a)) {
        struct timer *first = b;

        b = a;
        a = first;
    }
    a->right = meld_heaps(a->right, b);
    a->right->parent = a;
    settle_node(a);
    return a;
}

void timer_heap_put(struct timer **root, struct timer *timer)
{
    static uint64_t turns;

    assert(!timer->armed);
    timer->parent   = timer->left = timer->right = NULL;
    timer->turn     = turns++;
    timer->distance = 1;
    timer->armed    = true;
    *root = meld_heaps(*root, timer);
    (*root)->parent = NULL;
}

/*
 * Upwards as long as distances change. Each step up comes to a distance greater by one, so there are at most
 * log2(timers + 1) steps.
 */
static void settle_nodes_upwards(struct timer *timer)
{
    for (; timer != NULL; timer = timer->parent) {
        unsigned before = timer->distance;

        settle_node(timer);
        if (timer->distance == before)
            return;
    }
}

void timer_heap_take(struct timer **root, struct timer *timer)
{
    struct timer *parent = timer->parent, *rest = meld_heaps(timer->left, timer->right);

    assert(timer->armed);
    if (rest != NULL)
        rest->parent = parent;
    if (parent == NULL)
        *root = rest;
    else if (parent->left == timer)
        parent->left = rest;
    else
        parent->right = rest;
    settle_nodes_upwards(parent);
    timer->armed = false;
}

/* A1 to A4 for one timer. */
static const char *broken_in_node(const struct timer *timer)
{
    const struct timer *left = timer->left, *right = timer->right;

    if (!timer->armed)
        return "A4";
    if ((left != NULL && left->parent != timer) || (right != NULL && right->parent != timer))
        return "A3";
    if (timer->distance != node_distance(right) + 1 || node_distance(left) < node_distance(right))
        return "A2";
    return timer->parent != NULL && timer_is_before(timer, timer->parent) ? "A1" : NULL;
}

/* The next timer of a walk: down to the left, without which there is no right child, or up to a right one unvisited. */
static const struct timer *next_in_walk(const struct timer *timer)
{
    if (timer->left != NULL)
        return timer->left;
    for (; timer->parent != NULL; timer = timer->parent)
        if (timer->parent->left == timer && timer->parent->right != NULL)
            return timer->parent->right;
    return NULL;
}

const char *timer_heap_broken(const struct timer *root)
{
    const char *broken = root != NULL && root->parent != NULL ? "A3" : NULL;

    for (; root != NULL && broken == NULL; root = next_in_walk(root))
        broken = broken_in_node(root);
    return broken;
}

uint64_t interval_pass(uint64_t *due, uint64_t interval, uint64_t now)
{
    uint64_t intervals = (now - *due) / interval + 1;

    assert(interval != 0 && now >= *due);
    /* The product is the interval itself, or at most twice the time that has passed: it cannot wrap. */
    if (!checked_add(*due, intervals * interval, due))
        *due = UINT64_MAX - 1;
    return intervals;
}
