/* step.cl: many launches as one. Each is a record of what is called with which arguments, in so many pieces, a work-item
 * each where it is launched alone. A work-group goes through the launches, and of each takes the next piece that nobody
 * has, waits until those are done that this launch depends on, and does it. So one work-group does it all where the
 * others come late or never: nobody waits for a piece that no running one has. Neighbours begin at either end, so that
 * from step to step the same processor mostly finds what it left in its cache.
 *
 * Given: PIECE(call, item, b, r, s) does a piece: of which function, its number, the buffers, the launch's arguments, and
 * the scalars. Only for processors whose compiler is clang. `counts`, all 0 before and after, are how many pieces are
 * done and how many work-groups are through, a line of the cache each; behind them are `words` of records, and how many
 * pieces are taken, of each launch. */
#define HEAD 4 /* of a record: which call, and FLUSH; the first piece behind it; pieces to be done before; its length */
#define FLUSH (1ul << 32)
#define DONE  0
#define OVER  16
#define RECORDS 48

/* Whether what would be denormal is zero. */
static void tn_flush(int on)
{
    const uint bits = __builtin_ia32_stmxcsr();
    __builtin_ia32_ldmxcsr(on ? bits | 0x8040u : bits & ~0x8040u);
}

static int tn_count(__global int *count)
{
    return __atomic_fetch_add(count, 1, __ATOMIC_SEQ_CST);
}

/* The next piece of `count` that nobody has, from the beginning or from the end; -1: there is none. What is taken from
 * either is counted in a half of the word. */
static int tn_take(__global ulong *taken, int count, int from_end)
{
    ulong was = __atomic_load_n(taken, __ATOMIC_RELAXED);
    if ((int)(uint)was + (int)(was >> 32) >= count) return -1;
    was = __atomic_fetch_add(taken, from_end ? 1ul << 32 : 1ul, __ATOMIC_SEQ_CST);
    const int front = (int)(uint)was, back = (int)(was >> 32);
    return front + back >= count ? -1 : from_end ? count - 1 - back : front;
}

static void tn_await(__global int *done, int least)
{
    while (__atomic_load_n(done, __ATOMIC_ACQUIRE) < least) __builtin_ia32_pause();
}

__kernel __attribute__((reqd_work_group_size(1, 1, 1))) void tn_step(BUFFER_PARAMS __global int *counts, int pieces,
                                                                     int words, const tn_scalars scalars)
{
    __global const ulong *record = (__global const ulong *)(counts + RECORDS);
    __global ulong *taken = (__global ulong *)(counts + RECORDS) + words;
    __global uchar *const b[] = {BUFFERS};
    const uint before = __builtin_ia32_stmxcsr();
    const int from_end = (int)get_group_id(0) % 2;
    int awaited = 0, flushes = -1;
    for (int first = 0; first < pieces; first = (int)record[1], record += record[3], taken++) {
        const int count = (int)record[1] - first;
        for (int piece; (piece = tn_take(taken, count, from_end)) >= 0;) {
            if (awaited < (int)record[2]) tn_await(counts + DONE, awaited = (int)record[2]);
            const int wanted = (record[0] & FLUSH) != 0;
            if (flushes != wanted) tn_flush(flushes = wanted);
            PIECE((uint)record[0], piece, b, record + HEAD, scalars.v)
            tn_count(counts + DONE);
        }
    }
    __builtin_ia32_ldmxcsr(before);
    if (tn_count(counts + OVER) + 1 < (int)get_num_groups(0)) return;
    while (taken > (__global ulong *)(counts + RECORDS) + words) *--taken = 0;
    counts[DONE] = counts[OVER] = 0;
}
