/*
 * test_region_every.c - every region tree there can be over a few pages, and every gap in each, against plain arrays.
 */
#include "region_world.h"

/* The model: look at every place, in the order asked for. */
static bool model_gap(const char *picture, size_t pages, size_t align, size_t from, size_t to, bool top,
                      size_t *first)
{
    for (size_t i = 0; i + pages <= to - from; i++) {
        size_t at = top ? to - pages - i : from + i;

        if ((WORLD_FIRST + at) % align == 0 && strspn(picture + at, ".") >= pages) {
            *first = at;
            return true;
        }
    }
    return false;
}

static void assert_gap_as_model(const char *picture, size_t pages, size_t align, size_t from, size_t to)
{
    for (int top = 0; top < 2; top++) {
        size_t expected = 0;
        page_t first = WORLD_FIRST;
        bool   there = model_gap(picture, pages, align, from, to, top, &expected);

        if (region_gap(&world.tree, pages, align, columns(from, to - from), top, &first) != there ||
            first - WORLD_FIRST != expected)
            fail_msg("%s: %zu pages at %zu in [%zu, %zu): expected %d at %zu, got %zu", picture, pages, align,
                     from, to, there, expected, (size_t)first - WORLD_FIRST);
    }
}

enum { SMALL = 8, MOST_STATES = 1 << 14 };

static struct world *states;            /* each found once, in the order found                */
static char        (*keys)[3 * SMALL + 1];
static uint32_t     *shelf;             /* hash table of state numbers + 1, twice MOST_STATES */
static size_t        state_count;

/* Borders and shape in one text; which node object plays which part does not matter. */
static char *write_key(char *out, const struct region *node)
{
    if (node == NULL)
        return out;
    *out++ = (char)('0' + node->span.first - WORLD_FIRST);
    *out++ = (char)('0' + node->span.end - WORLD_FIRST);
    *out++ = (char)('0' + node->height);
    return write_key(write_key(out, node->child[0]), node->child[1]);
}

static void note_state(void)
{
    char     key[3 * SMALL + 1];
    uint32_t at = 2166136261u;

    assert_sound();
    *write_key(key, world.tree.root) = 0;
    for (const char *c = key; *c; c++)
        at = (at ^ (uint8_t)*c) * 16777619u;
    for (at %= 2 * MOST_STATES; shelf[at] != 0; at = (at + 1) % (2 * MOST_STATES))
        if (strcmp(keys[shelf[at] - 1], key) == 0)
            return;
    assert_true(state_count < MOST_STATES);
    states[state_count] = world;
    strcpy(keys[state_count++], key);
    shelf[at] = (uint32_t)state_count;
}

/* The free columns around [first, ...) that belong to nobody but `own`: as far as a border may move. */
static struct span elbow_room(const char *picture, char own, size_t first)
{
    char        mine[3] = { '.', own, 0 };
    struct span room = { first, first + strspn(picture + first, mine) };

    while (room.first > 0 && strchr(mine, picture[room.first - 1]))
        room.first--;
    return room;
}

static void try_insert(const struct world *before, const char *picture, char letter, size_t from, size_t to)
{
    world = *before;
    assert_int_equal(insert(letter, from, to - from), strspn(picture + from, ".") >= to - from ? 0 : -EEXIST);
    note_state();
}

static void try_resize(const struct world *before, const char *picture, char letter, size_t from, size_t to)
{
    struct span room = elbow_room(picture, letter, node_of(letter)->span.first - WORLD_FIRST);
    int         expected = from >= room.first && to <= room.end ? 0 : -EEXIST;

    world = *before;
    assert_int_equal(region_resize(&world.tree, node_of(letter), columns(from, to - from)), expected);
    note_state();
}

/* The spare region gets what one region has from a column on. */
static void try_split(const struct world *before, char letter, char spare, page_t page)
{
    world = *before;
    snprintf(world.names[spare - 'A'], 2, "%c", spare);
    node_of(spare)->name = world.names[spare - 'A'];
    region_split(&world.tree, node_of(letter), node_of(spare), page);
    assert_true(region_next(node_of(letter)) == node_of(spare) && region_find(&world.tree, page) == node_of(spare));
    note_state();
}

static void try_join(const struct world *before, char letter)
{
    struct region *lower = node_of(letter), *upper;
    struct span    whole = lower->span;

    world = *before;
    upper = region_next(lower);
    if (upper == NULL || upper->span.first != lower->span.end)
        return;
    whole.end = upper->span.end;
    region_join(&world.tree, lower, upper);
    assert_true(upper->height == 0 && lower->span.first == whole.first && lower->span.end == whole.end);
    assert_int_equal(world.tree.count, before->tree.count - 1);
    note_state();
}

/* Everything that can be done to one tree. */
static void go_on_from(const struct world *before)
{
    char picture[WORLD_PAGES + 1], spare = 'A';

    world = *before;
    draw(picture);
    while (strchr(picture, spare))
        spare++;
    for (size_t from = 0; from < SMALL; from++)
        for (size_t to = from + 1; to <= SMALL; to++) {
            try_insert(before, picture, spare, from, to);
            for (char c = 'A'; c < 'A' + SMALL; c++) {
                world = *before;
                if (strchr(picture, c))
                    try_resize(before, picture, c, from, to);
            }
        }
    for (char c = 'A'; c < 'A' + SMALL; c++) {
        world = *before;
        if (strchr(picture, c)) {
            struct span span = node_of(c)->span;

            region_remove(&world.tree, node_of(c));
            note_state();
            try_join(before, c);
            for (page_t page = span.first + 1; page < span.end; page++)
                try_split(before, c, spare, page);
        }
    }
}

/* Copy so many nodes of the tree, all of them or fewer, then take what there is to pieces again. */
static void try_copy(size_t most)
{
    static struct region copies[SMALL];
    const struct region *next = world.tree.root;
    struct region_tree   tree;
    struct region       *at = NULL, *node;
    size_t               made = 0, left = 0;

    for (; next != NULL && made < most; made++) {
        copies[made] = *next;
        next = region_graft(&at, next, &copies[made]);
    }
    region_tree_start(&tree, world.tree.limits);
    if (next == NULL) {
        char key[3 * SMALL + 1], copied[3 * SMALL + 1];

        assert_int_equal(made, world.tree.count);
        region_tree_become(&tree, at, made);
        assert_true(region_tree_ok(&tree));
        *write_key(key, world.tree.root) = *write_key(copied, tree.root) = 0;
        assert_string_equal(copied, key);
        at = region_tree_forget(&tree);
        assert_true(tree.root == NULL && tree.count == 0 && tree.limits.end == world.tree.limits.end);
    } else {
        at = region_graft_end(at);
    }
    while ((node = region_take_apart(&at)) != NULL) {
        assert_true(node >= copies && node < copies + made && node->height > 0);
        node->height = 0;                       /* each comes once */
        left++;
    }
    assert_int_equal(left, made);
    assert_sound();
}

static void every_sequence_over_eight_pages(void **state)
{
    (void)state;
    states = malloc(sizeof *states * MOST_STATES);
    keys = malloc(sizeof *keys * MOST_STATES);
    shelf = calloc(2 * MOST_STATES, sizeof *shelf);
    state_count = 0;
    world_of_size(SMALL);
    note_state();
    for (size_t i = 0; i < state_count; i++)
        go_on_from(&states[i]);
    print_message("%zu trees are reachable over %d pages\n", state_count, SMALL);

    for (size_t i = 0; i < state_count; i++) {
        char picture[WORLD_PAGES + 1];

        world = states[i];
        for (size_t most = 0; most <= world.tree.count; most++)
            try_copy(most);
        draw(picture);
        for (size_t from = 0; from < SMALL; from++)
            for (size_t to = from + 1; to <= SMALL; to++)
                for (size_t pages = 1; pages <= SMALL; pages++)
                    for (size_t align = 1; align <= SMALL; align *= 2)
                        assert_gap_as_model(picture, pages, align, from, to);
    }
    free(states);
    free(keys);
    free(shelf);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_sequence_over_eight_pages),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
