/* step.cl: many launches as one. Each is a record of what is called with which arguments; its pieces, a work-item each
 * where it is launched alone, are numbered on from those of the launches before. A work-group takes the next piece that
 * nobody has, waits until those are done that this launch depends on, and does it. So one work-group does it all where
 * the others come late or never: nobody waits for a piece that no running one has.
 *
 * Given: PIECE(call, item, b, r, s) does a piece: of which function, its number, the buffers, the launch's arguments, and
 * the scalars. Only for processors whose compiler is clang. `counts` are what is taken, what is done and who is
 * through, a line of the cache each, all 0 before and after, and behind
 * them are the records. */
#define HEAD 4 /* of a record: which call, and FLUSH; the first piece behind it; pieces to be done before; its length */
#define FLUSH (1ul << 32)
#define TAKEN 0
#define DONE  16
#define OVER  32
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

static void tn_await(__global int *done, int least)
{
    while (__atomic_load_n(done, __ATOMIC_ACQUIRE) < least) __builtin_ia32_pause();
}

__kernel __attribute__((reqd_work_group_size(1, 1, 1))) void tn_step(BUFFER_PARAMS __global int *counts, int pieces,
                                                                     const tn_scalars scalars)
{
    __global const ulong *record = (__global const ulong *)(counts + RECORDS);
    __global uchar *const b[] = {BUFFERS};
    const uint before = __builtin_ia32_stmxcsr();
    int first = 0, awaited = 0, flushes = -1;
    for (int piece; (piece = tn_count(counts + TAKEN)) < pieces;) {
        while (piece >= (int)record[1]) {
            first = (int)record[1];
            record += record[3];
        }
        if (awaited < (int)record[2]) tn_await(counts + DONE, awaited = (int)record[2]);
        const int wanted = (record[0] & FLUSH) != 0;
        if (flushes != wanted) tn_flush(flushes = wanted);
        PIECE((uint)record[0], piece - first, b, record + HEAD, scalars.v)
        tn_count(counts + DONE);
    }
    __builtin_ia32_ldmxcsr(before);
    if (tn_count(counts + OVER) + 1 < (int)get_num_groups(0)) return;
    counts[TAKEN] = counts[DONE] = counts[OVER] = 0;
}
