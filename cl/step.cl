/* step.cl: many launches as one. Each is a record of what is called with which arguments, in so many pieces, a work-item
 * each where it is launched alone. A work-group goes through the launches, and of each takes the next piece that nobody
 * has, once those are done that this launch depends on, and does it. So one work-group does it all where the others come
 * late or never: nobody waits for a piece that no running one has. But the thread that has it may have lost its
 * processor: who waits for longer than pieces take leaves the step, which frees a processor for that thread. It has no
 * piece then, and the last work-group may not leave: all that it would wait for is done. Neighbours begin at either end,
 * so that from step to step the same processor mostly finds what it left in its cache.
 *
 * Given: PIECE(call, item, b, r, s) does a piece: of which function, its number, the buffers, the launch's arguments, and
 * the scalars. Only for processors whose compiler is clang. `counts`, all 0 before and after, are how many pieces are
 * done and how many work-groups are through or have left, a line of the cache each; behind these COUNTS words are `words`
 * of records, and how many pieces are taken, of each launch. A record has a HEAD of as many words: which call, and
 * whether it flushes (FLUSH); the first piece behind it; pieces to be done before; its length. step.c defines these. */
#define DONE     0
#define OVER     16
#define RECORDS  (2 * COUNTS)
#define PATIENCE 100000ul /* ticks of the processor's clock: 25 to 50 us */

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

/* Whether one of `count` pieces may be left. What is taken from the beginning and from the end is counted in a half of
 * the word each. */
static int tn_has_pieces(__global ulong *taken, int count)
{
    const ulong was = __atomic_load_n(taken, __ATOMIC_RELAXED);
    return (int)(uint)was + (int)(was >> 32) < count;
}

/* The next piece that nobody has, from the beginning or from the end; -1: there is none. */
static int tn_take(__global ulong *taken, int count, int from_end)
{
    const ulong was = __atomic_fetch_add(taken, from_end ? 1ul << 32 : 1ul, __ATOMIC_SEQ_CST);
    const int front = (int)(uint)was, back = (int)(was >> 32);
    return front + back >= count ? -1 : from_end ? count - 1 - back : front;
}

/* 0 for the last of those that aren't over. */
static int tn_leave(__global int *over, int groups)
{
    int was = __atomic_load_n(over, __ATOMIC_RELAXED);
    while (was + 1 < groups)
        if (__atomic_compare_exchange_n(over, &was, was + 1, 0, __ATOMIC_SEQ_CST, __ATOMIC_RELAXED)) return 1;
    return 0;
}

/* Until so many pieces are done; 0: it took longer than `patience`, and this work-group has left. */
static int tn_await(__global int *counts, int least, int groups, ulong patience)
{
    const ulong begin = __builtin_ia32_rdtsc();
    while (__atomic_load_n(counts + DONE, __ATOMIC_ACQUIRE) < least) {
        __builtin_ia32_pause();
        if (__builtin_ia32_rdtsc() - begin > patience && tn_leave(counts + OVER, groups)) return 0;
    }
    return 1;
}

__kernel __attribute__((reqd_work_group_size(1, 1, 1))) void tn_step(BUFFER_PARAMS __global int *counts, int pieces,
                                                                     int words, const tn_scalars scalars)
{
    __global const ulong *record = (__global const ulong *)(counts + RECORDS);
    __global ulong *taken = (__global ulong *)(counts + RECORDS) + words;
    __global uchar *const b[] = {BUFFERS};
    const uint before = __builtin_ia32_stmxcsr();
    const int from_end = (int)get_group_id(0) % 2;
    const int groups = (int)get_num_groups(0);
    int awaited = 0, flushes = -1, stays = 1;
    ulong longest = 0; /* of the pieces that it did: others' may take as long, and are waited for */
    for (int first = 0; stays && first < pieces; first = (int)record[1], record += record[3], taken++) {
        const int count = (int)record[1] - first;
        while (tn_has_pieces(taken, count)) {
            if (awaited < (int)record[2])
                stays = tn_await(counts, awaited = (int)record[2], groups, PATIENCE + 4 * longest);
            const int piece = stays ? tn_take(taken, count, from_end) : -1;
            if (piece < 0) break;
            const ulong begin = __builtin_ia32_rdtsc();
            const int wanted = (record[0] & FLUSH) != 0;
            if (flushes != wanted) tn_flush(flushes = wanted);
            PIECE((uint)record[0], piece, b, record + HEAD, scalars.v)
            tn_count(counts + DONE);
            longest = max(longest, (ulong)__builtin_ia32_rdtsc() - begin);
        }
    }
    __builtin_ia32_ldmxcsr(before);
    if (!stays || tn_count(counts + OVER) + 1 < groups) return;
    while (taken > (__global ulong *)(counts + RECORDS) + words) *--taken = 0;
    counts[DONE] = counts[OVER] = 0;
}
