/*
 * stock.c - each CPU's frames at hand: refilling, emptying, zeroing ahead.
 *
 * frame.c takes the ring's newest frame and gives to a ring with room by itself; everything
 * rarer is here, in the order in which a call gets to it.
 */
#include "memory/frames/stock.h"

#include "base/check.h"
#include "base/string.h"
#include "memory/tables/slot.h"

struct stock stocks[MAX_CPUS];
struct lock  pool_lock = LOCK("pool", RANK_POOL);

/* ---- Taking ----------------------------------------------------------------------------- */

static uint32_t take_newest(struct stock *stock)
{
    uint32_t newest = stock->newest - 1;

    __atomic_store_n(&stock->newest, newest, __ATOMIC_RELAXED);
    if (newest - stock->oldest < stock->lowest)
        stock->lowest = newest - stock->oldest;
    return stock->ring[newest % STOCK_MOST];
}

static uint32_t take_from_claim(struct stock *stock)
{
    uint32_t frame = stock->base + (uint32_t)__builtin_ctzl(stock->claim);

    stock->claim &= stock->claim - 1;
    return frame;
}

/* Some frame of the stock that is below low_end, if there is any. */
static uint32_t low_in_stock(struct stock *stock)
{
    uint32_t low_end = frames.pool.low_end;

    for (uint32_t n = stock->newest; n != stock->oldest; n--) {
        uint32_t frame = stock->ring[(n - 1) % STOCK_MOST];

        if (frame < low_end) {
            stock->ring[(n - 1) % STOCK_MOST] = take_newest(stock);
            return frame;
        }
    }
    if (stock->claim != 0 && stock->base + (uint32_t)__builtin_ctzl(stock->claim) < low_end)
        return take_from_claim(stock);
    for (uint32_t n = 0; n < stock->clean_count; n++) {
        uint32_t frame = stock->clean[n];

        if (frame < low_end) {
            stock->clean[n] = stock->clean[--stock->clean_count];
            return frame;
        }
    }
    return POOL_NONE;
}

/* Below low_end: the ring's newest frame if it is; else from the bitmap; else from deeper in the stock. */
static uint32_t take_low(struct stock *stock, unsigned flags)
{
    uint32_t frame = POOL_NONE;
    lock_state state;

    if (stock->newest != stock->oldest && stock->ring[(stock->newest - 1) % STOCK_MOST] < frames.pool.low_end)
        return take_newest(stock);
    state = lock_take(&pool_lock);
    peak_note(stock);
    if (frames.pool.free > frames.reserve || (flags & FRAME_SPARE))
        frame = pool_take(&frames.pool, true);
    if (frame == POOL_NONE)
        frame = low_in_stock(stock);
    if (frame == POOL_NONE)
        stocks_want(stock);
    stocks_adjust(stock);
    lock_drop(&pool_lock, state);
    return frame;
}

/*
 * From the bitmap: a word for the stock, or without a stock one frame. What is down to
 * the reserve is given singly, and only to those who may use it.
 */
static uint32_t refill(struct stock *stock, bool from_reserve)
{
    lock_state state = lock_take(&pool_lock);
    uint32_t spare = frames.pool.free > frames.reserve ? frames.pool.free - frames.reserve : 0;
    uint32_t frame = POOL_NONE;

    peak_note(stock);
    if (from_reserve || (frames.stock == 0 && spare > 0)) {
        frame = pool_take(&frames.pool, false);
    } else if (spare > 0) {
        stock->claim = pool_claim(&frames.pool, spare < frames.stock ? spare : frames.stock, &stock->base);
        frame = take_from_claim(stock);
    }
    if (frame == POOL_NONE && (stock->clean_count == 0 || from_reserve))
        stocks_want(stock);
    stocks_adjust(stock);
    lock_drop(&pool_lock, state);
    return frame;
}

/* Armed by frame_fail_at(): is this the call that fails? */
bool stock_fails(void)
{
    if (count_read(frames.fail_at) == 0 || __atomic_sub_fetch(&frames.fail_at, 1, __ATOMIC_RELAXED) != 0)
        return false;
    __atomic_store_n(&frames.unusual, frames.always, __ATOMIC_RELAXED);
    return true;
}

uint32_t stock_take(struct stock *stock, unsigned flags)
{
    uint32_t frame;

    if (stock_fails())
        return POOL_NONE;
    if ((flags & FRAME_LOW) && frames.low_matters)
        return take_low(stock, flags);
    if ((flags & FRAME_ZERO) && stock->clean_count > 0)
        return stock->clean[--stock->clean_count];
    if (stock->newest != stock->oldest)
        return take_newest(stock);
    if (stock->claim != 0)
        return take_from_claim(stock);
    frame = refill(stock, false);
    if (frame == POOL_NONE && stock->clean_count > 0)
        frame = stock->clean[--stock->clean_count];
    if (frame == POOL_NONE && (flags & FRAME_SPARE))
        frame = refill(stock, true);
    return frame;
}

/* ---- Giving ----------------------------------------------------------------------------- */

void stock_give(struct stock *stock, uint32_t frame)
{
    lock_state state = lock_take(&pool_lock);

    peak_note(stock);
    if (count_read(stock->wanted))
        stock_empty(stock);
    if (count_read(stock->room) == 0) {
        pool_give(&frames.pool, frame);
    } else {
        pool_give(&frames.pool, stock->ring[stock->oldest++ % STOCK_MOST]);
        stock->ring[stock->newest++ % STOCK_MOST] = frame;
    }
    stocks_adjust(stock);
    lock_drop(&pool_lock, state);
}

void stock_empty(struct stock *stock)
{
    while (stock->oldest != stock->newest)
        pool_give(&frames.pool, stock->ring[stock->oldest++ % STOCK_MOST]);
    while (stock->clean_count > 0)
        pool_give(&frames.pool, stock->clean[--stock->clean_count]);
    pool_unclaim(&frames.pool, stock->base, stock->claim);
    stock->claim = 0;
    __atomic_store_n(&stock->wanted, 0, __ATOMIC_RELAXED);
}

void stocks_want(const struct stock *mine)
{
    for (uint32_t cpu = 0; frames.stock > 0 && cpu < MAX_CPUS; cpu++) {
        if (&stocks[cpu] != mine) {
            __atomic_store_n(&stocks[cpu].wanted, 1, __ATOMIC_RELAXED);
            __atomic_store_n(&stocks[cpu].room, 0, __ATOMIC_RELAXED);
        }
    }
}

/*
 * Frames not free: those used in the bitmap less those in our stock at its lowest since
 * the last time. Other CPUs' stocks count as if they were in use; with one CPU and no
 * frames zeroed ahead the peak is exact, else never too small.
 */
void peak_note(struct stock *mine)
{
    uint32_t used = frames.ram - frames.pool.free;

    used -= mine->lowest + mine->clean_count + word_ones(mine->claim);
    if (used > frames.peak)
        frames.peak = used;
    mine->lowest = mine->newest - mine->oldest;
}

void stocks_adjust(struct stock *mine)
{
    bool is_short = frames.pool.free < frames.reserve;

    mine->lowest = mine->newest - mine->oldest;
    peak_note(mine);
    if (is_short != frames.is_short) {
        frames.is_short = is_short;
        for (uint32_t cpu = 0; cpu < MAX_CPUS; cpu++)
            if (!count_read(stocks[cpu].wanted))
                __atomic_store_n(&stocks[cpu].room, is_short ? 0 : frames.stock, __ATOMIC_RELAXED);
    } else if (!is_short && !count_read(mine->wanted) && count_read(mine->room) != frames.stock) {
        __atomic_store_n(&mine->room, frames.stock, __ATOMIC_RELAXED);
    }
}

void frames_drain(void)
{
    lock_state state = lock_take(&pool_lock);

    peak_note(&stocks[cpu_number()]);
    for (uint32_t cpu = 0; cpu < MAX_CPUS; cpu++)
        stock_empty(&stocks[cpu]);
    stocks_adjust(&stocks[cpu_number()]);
    lock_drop(&pool_lock, state);
}

/* ---- Looking ---------------------------------------------------------------------------- */

uint32_t stock_count(const struct stock *stock)
{
    return stock->newest - stock->oldest + stock->clean_count + word_ones(stock->claim);
}

uint32_t stock_frame(const struct stock *stock, uint32_t n)
{
    word_t claim = stock->claim;

    if (n < stock->newest - stock->oldest)
        return stock->ring[(stock->oldest + n) % STOCK_MOST];
    n -= stock->newest - stock->oldest;
    if (n < stock->clean_count)
        return stock->clean[n];
    for (n -= stock->clean_count; n > 0; n--)
        claim &= claim - 1;
    return stock->base + (uint32_t)__builtin_ctzl(claim);
}

/* ---- Contents, and zeroing ahead -------------------------------------------------------- */

void contents_clear(uint32_t frame)
{
    page_clear(frame_view((frame_t){ frame }, SLOT_POOL));
}

void contents_poison(uint32_t frame)
{
    page_fill(frame_view((frame_t){ frame }, SLOT_POOL), FRAME_POISON);
}

bool contents_ok(uint32_t frame, uint32_t state)
{
    if ((state & (STATE_ZEROED | STATE_POISONED)) == 0)
        return true;
    return page_holds(frame_view((frame_t){ frame }, SLOT_POOL), state & STATE_ZEROED ? 0 : FRAME_POISON);
}

/* Clear a free frame that nobody else can take meanwhile. */
static void clear_ahead(struct stock *stock, uint32_t frame)
{
    struct frame_record *record = record_of(frame);
    uint32_t state = state_read(record);

    if (state & STATE_ZEROED)
        return;
    contents_clear(frame);
    state_write(record, (state & ~STATE_POISONED) | STATE_ZEROED);
    count_add(stock->zeroed, 1);
}

/* Without a stock: the frame that would be handed out next is cleared where it is. */
static bool idle_in_place(struct stock *stock)
{
    lock_state state = lock_take(&pool_lock);
    uint32_t frame = pool_peek(&frames.pool, false);
    bool work = frame != POOL_NONE && !(state_read(record_of(frame)) & STATE_ZEROED);

    if (work)
        clear_ahead(stock, frame);
    lock_drop(&pool_lock, state);
    return work;
}

bool frames_idle(void)
{
    lock_state interrupts = interrupts_off();
    struct stock *stock = &stocks[cpu_number()];
    uint32_t room = count_read(stock->room) / 2, frame = POOL_NONE;
    bool work = false;

    if (frames.stock == 0) {
        work = idle_in_place(stock);
    } else if (stock->clean_count < (room < CLEAN_MOST ? room : CLEAN_MOST)) {
        frame = stock->claim != 0 ? take_from_claim(stock) : refill(stock, false);
        work = frame != POOL_NONE;
    }
    if (frame != POOL_NONE) {
        clear_ahead(stock, frame);
        stock->clean[stock->clean_count++] = frame;
    }
    interrupts_restore(interrupts);
    return work;
}
