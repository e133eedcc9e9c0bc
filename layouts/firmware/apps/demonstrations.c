/*
 * demonstrations.c - applications that show one thing each. See apps.h.
 */
#include "layouts/firmware/apps/apps.h"

static const char greeting[] = "hello";
static APP_SHARED(int, variable, 42);

int app_hello(struct app_arguments arguments)
{
    (void)arguments;
    app_print("%s from process %d: code at %p, constants at %p, stack at %p, a variable of mine (%d) at %p\n", greeting,
              app_number(), (void *)app_hello, (const void *)greeting, (void *)&arguments, variable,
              app_address(&variable));
    return 0;
}

/* ---- Variables ------------------------------------------------------------------------------ */

APP_SHARED(int, app_counted, APP_COUNTER_FIRST);

/* Other programs may run in between, and count in their copies. */
int app_counter(struct app_arguments arguments)
{
    uint32_t times = arguments.a != 0 ? arguments.a : 10;

    for (uint32_t n = 0; n < times; n++) {
        app_counted++;
        app_give_way();
    }
    app_print("process %d counted from %d to %d\n", app_number(), APP_COUNTER_FIRST, app_counted);
    return app_counted == APP_COUNTER_FIRST + (int)times ? 0 : 1;
}

/* ---- The stack ------------------------------------------------------------------------------ */

enum { FRAME_BYTES = 256 };

static APP_SHARED_ZERO(uint32_t, deepest);

/* Each call has variables of its own, which it checks after the inner call. */
static uint32_t descend(uint32_t depth, uint32_t most)
{
    volatile uint8_t here[FRAME_BYTES];
    uint32_t         reached = depth;

    here[0] = here[FRAME_BYTES - 1] = (uint8_t)depth;
    deepest = depth;
    if (most == 0 || depth < most)
        reached = descend(depth + 1, most);
    return here[0] == (uint8_t)depth && here[FRAME_BYTES - 1] == (uint8_t)depth ? reached : 0;
}

int app_recursion(struct app_arguments arguments)
{
    uint32_t reached = descend(1, arguments.a);

    app_print("process %d: %u calls deep and back\n", app_number(), reached);
    return reached == deepest ? 0 : 1;
}

/* ---- The heap ------------------------------------------------------------------------------- */

int app_grow(struct app_arguments arguments)
{
    size_t    piece = (arguments.a != 0 ? arguments.a : 64) * KiB, got = 0;
    uint32_t *block, *last = NULL;
    char     *at_end;

    while ((block = app_alloc(piece)) != NULL) {
        block[0] = (uint32_t)got;
        block[piece / sizeof *block - 1] = (uint32_t)got;
        last = block;
        got += piece;
    }
    at_end = app_break(NULL);
    app_print("process %d: %u KiB in pieces of %u KiB, then no more; the break stays at %p\n", app_number(),
              (unsigned)(got / KiB), (unsigned)(piece / KiB), (void *)at_end);
    return app_break(NULL) == at_end && (last == NULL || last[0] == got - piece) ? 0 : 1;
}

/* ---- A wild pointer ------------------------------------------------------------------------- */

static int ordinary = 5;                /* a variable of the kernel, where no application should have one */

int app_wild(struct app_arguments arguments)
{
    volatile int *pointer = arguments.a != 0 ? (volatile int *)(uintptr_t)arguments.a : &ordinary;

    app_print("process %d writes to %p\n", app_number(), (void *)pointer);
    *pointer = 1;
    app_print("process %d is still there\n", app_number());
    return 1;
}
