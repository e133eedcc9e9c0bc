/*
 * object_list.c - which objects there are, made and found again: by the auditor, and by the hand.
 */
#include "memory/spaces/object_parts.h"

#include "base/check.h"
#include "base/lock.h"
#include "memory/heap/heap.h"

static struct lock    list_lock = LOCK("list of objects", RANK_SPACES);
static struct object *objects;                      /* [list_lock] all of them */
static struct object *at_hand;                      /* [list_lock] the next for the hand; NULL: the first */

static void object_start(struct object *object, enum owner owner, uint64_t pages)
{
    lock_state state;

    assert(owner != OWNER_FREE && owner != OWNER_TABLES);
    *object = (struct object){ .references = 1, .owner = owner, .pages = pages };
    object->lock = (struct rwlock)RWLOCK("object", RWLOCK_OBJECT);
    state = lock_take(&list_lock);
    object->next = objects;
    if (objects != NULL)
        objects->previous = object;
    objects = object;
    lock_drop(&list_lock, state);
}

void object_unlist(struct object *object)
{
    lock_state state = lock_take(&list_lock);

    deep_assert(object->previous != NULL ? object->previous->next == object : objects == object);
    if (object->previous != NULL)
        object->previous->next = object->next;
    else
        objects = object->next;
    if (object->next != NULL)
        object->next->previous = object->previous;
    if (at_hand == object)
        at_hand = object->next;
    lock_drop(&list_lock, state);
}

void objects_start(void) { objects = at_hand = NULL; }

const struct object *object_after(const struct object *object)
{
    lock_state           state = lock_take(&list_lock);
    const struct object *after = object == NULL ? objects : object->next;

    lock_drop(&list_lock, state);
    return after;
}

struct object *object_create(enum owner owner, uint64_t pages)
{
    struct object *object = heap_alloc(sizeof *object, 0);

    if (object != NULL) {
        object_start(object, owner, pages);
        object->on_heap = true;
    }
    return object;
}

struct object *object_create_paged(enum owner owner, uint64_t pages, const struct object_operations *operations,
                                   void *with)
{
    struct object *object = object_create(owner, pages);

    assert(operations != NULL && operations->fill != NULL);
    if (object != NULL) {
        object->operations = operations;
        object->with       = with;
        object->paged      = pages;
    }
    return object;
}

/* Never 0, nor 1, which is a file system's root; after 2^32 of them numbers come again, as on Linux. */
uint32_t object_new_number(void)
{
    static uint32_t last = 1;
    uint32_t        number;

    do {
        number = __atomic_add_fetch(&last, 1, __ATOMIC_RELAXED);
    } while (number < 2);
    return number;
}

/* ---- Going over all of them, while they come and go ------------------------------------------------------ */

/* Not one that is being released. The list's lock is held. */
static bool hold_living(struct object *object)
{
    uint32_t references = __atomic_load_n(&object->references, __ATOMIC_RELAXED);

    deep_assert(lock_held(&list_lock));
    /* bound: other CPUs' changes of the count */
    while (references > 0 && !__atomic_compare_exchange_n(&object->references, &references, references + 1, true,
                                                          __ATOMIC_RELAXED, __ATOMIC_RELAXED))
        continue;
    return references > 0;
}

struct object *object_next_held(struct object *object)
{
    lock_state     state = lock_take(&list_lock);
    struct object *next  = object == NULL ? objects : object->next;

    deep_assert(object == NULL || object->references > 0);
    while (next != NULL && !hold_living(next))  /* bound: threads that release an object */
        next = next->next;
    lock_drop(&list_lock, state);
    if (object != NULL)
        object_release(object);
    return next;
}

struct object *object_at_hand(void)
{
    lock_state     state = lock_take(&list_lock);
    struct object *object;

    if (at_hand == NULL)
        at_hand = objects;
    while (at_hand != NULL && !hold_living(at_hand))    /* bound: threads that release an object */
        at_hand = at_hand->next;
    object = at_hand;
    lock_drop(&list_lock, state);
    return object;
}

bool object_hand_passes(const struct object *object)
{
    lock_state state = lock_take(&list_lock);
    bool       more;

    deep_assert(object->references > 0);
    if (at_hand == object)
        at_hand = object->next;
    more = at_hand != NULL;
    lock_drop(&list_lock, state);
    return more;
}
