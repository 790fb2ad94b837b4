/* layer_norm_grad.cl: what dy of layer normalisation means for x (m, n), for the weight and for the bias, one after
 * another in a vector: dx = 1 / deviation (dy weight - its mean - y' times the mean of (dy weight y')), where y' is the
 * normalised x, which is made again from x. Pieces of rows leave their sums for weight and bias in scratch, as
 * [piece][sum], and tn_layer_norm_finish adds those of all pieces, in the same order each time.
 *
 * Given: what layer_norm_row.cl needs; DY_T and LOAD_DY; Y_T and STORE_Y, of all results; SUMS: how many a column has
 * behind dx. */
#if SUMS
#define SUMS_PARAM   , __global uchar *sums_buffer, ulong sums_offset
#define SUMS_POINTER __global V *sums = (__global V *)(sums_buffer + sums_offset);
#else
#define SUMS_PARAM
#define SUMS_POINTER
#endif
#define PARAMS                                                                                                         \
    __global const X_T *x_buffer, ulong x_offset, __global const DY_T *dy_buffer, ulong dy_offset,                     \
        W_PARAM __global Y_T *dx_buffer, ulong dx_offset, IX m, IX n, IX per SUMS_PARAM
/* What dx is made of: sums of g = dy weight, and of that times what is left of x; one element is its mean, whatever it
 * is. */
#define SLOPES(levels, alongs)                                                                                         \
    const V flat = KEEP_MEAN ? 0 : (levels) * share;                                                                   \
    const V slope = (KEEP_MEAN ? (alongs) : (alongs) - s.low * (levels)) * share * s.inverse;                          \
    const V outer = n > 1 || KEEP_MEAN ? s.outer : 0;
#define RESULT(g, normal) ((((g) - flat) - (normal) * slope) * outer)

#ifdef FINISH
/* `pieces` sums for each of `count` numbers. */
#define FINISH_PARAMS                                                                                                  \
    __global const uchar *sums_buffer, ulong sums_offset, __global Y_T *to_buffer, ulong to_offset, ulong behind,      \
        IX count, IX pieces
#define FINISH_POINTERS                                                                                                \
    __global const V *sums = (__global const V *)(sums_buffer + sums_offset);                                          \
    __global Y_T *to = to_buffer + to_offset + behind;

#ifdef CPU_SHAPE
/* A work-item: `per` neighbours. */
__kernel ONE_ITEM void tn_layer_norm_finish(ITEM_PARAM FINISH_PARAMS, IX per)
{
    FINISH_POINTERS
    const IX first = (IX)ITEM * per;
    for (IX i = first; i < min(first + per, count); i++) {
        V sum = 0, lost = 0;
        for (IX p = 0; p < pieces; p++) COMPENSATED_ADD(V, sum, lost, sums[p * count + i])
        STORE_Y(to, i, sum);
    }
}
#else
/* SHARERS work-items for each number; neighbours have neighbouring ones. */
#define NUMBERS (GROUP / SHARERS)
__kernel __attribute__((reqd_work_group_size(GROUP, 1, 1))) void tn_layer_norm_finish(FINISH_PARAMS)
{
    __local V room[GROUP];
    FINISH_POINTERS
    const int lane = (int)get_local_id(0), part = lane / NUMBERS;
    const IX i = (IX)get_group_id(0) * NUMBERS + lane % NUMBERS;
    V sum = 0, lost = 0;
    for (IX p = part; p < pieces && i < count; p += SHARERS) COMPENSATED_ADD(V, sum, lost, sums[p * count + i])
    room[lane] = sum;
    barrier(CLK_LOCAL_MEM_FENCE);
    for (int s = 1; s < SHARERS; s++) sum += part == 0 ? room[s * NUMBERS + lane] : 0;
    if (part == 0 && i < count) STORE_Y(to, i, sum);
}
#endif

#elif defined(CPU_SHAPE)
/* A work-item: a piece of `per` rows. */
__kernel ONE_ITEM void tn_layer_norm_grad(ITEM_PARAM PARAMS)
{
    const IX piece = (IX)ITEM, begin = piece * per, end = min(begin + per, m);
    const V share = 1 / (V)n;
    W_POINTER
    SUMS_POINTER
#if SUMS
    sums += piece * SUMS * n;
    for (IX j = 0; j < SUMS * n; j++) sums[j] = 0;
#endif
    for (IX row = begin; row < end; row++) {
        __global const X_T *x = x_buffer + x_offset + row * n;
        __global const DY_T *dy = dy_buffer + dy_offset + row * n;
        __global Y_T *dx = dx_buffer + dx_offset + row * n;
        const row_near r = near_of_row(x, n, share);
        V sum[4] = {0}, lost[4] = {0};
        for (IX at = 0; at < n;) {
            V16 left = (V16)(0), squares = (V16)(0), levels = (V16)(0), alongs = (V16)(0);
            for (const IX last = min(n, at + BLOCK); at < last; at += 16) {
                SIXTEEN(v, n - at, AWAY(LOAD_X(x, at + l), r))
                SIXTEEN(g, n - at, WEIGHTED(LOAD_DY(dy, at + l), at + l))
                left += v;
                squares += v * v;
                levels += g;
                alongs += g * v;
            }
            const V all[4] = {sum_of(left), sum_of(squares), sum_of(levels), sum_of(alongs)};
            for (int l = 0; l < 4; l++) COMPENSATED_ADD(V, sum[l], lost[l], all[l])
        }
        const row_norm s = norm_of(r, sum[0], sum[1], share);
        SLOPES(sum[2], sum[3])
        LOOP_ROW
        for (IX j = 0; j < n; j++) {
            const V in = LOAD_DY(dy, j), normal = NORMAL(LOAD_X(x, j), r, s);
            STORE_Y(dx, j, RESULT(WEIGHTED(in, j), normal));
#if SUMS
            sums[j] += in * normal;
#endif
#if SUMS > 1
            sums[n + j] += in;
#endif
        }
    }
}
#else
#define THIS_DY THIS(kept_dy, LOAD_DY(dy, AT))
/* Both sums of a column, of those that a work-item has; where rows are not kept, they lie in scratch all along. */
#ifdef KEEP
#define FIRST(first) 0
#define SUM_W        sum_w[l]
#define SUM_B        sum_b[l]
#else
#define FIRST(first) (first)
#define SUM_W        sums[AT]
#define SUM_B        sums[n + AT]
#endif
/* A group: a piece of `per` rows for each team (team.cl). Those of at most KEEP elements a work-item are read once, and
 * stay in registers, and so do the sums. */
__kernel TEAM_WITH __attribute__((reqd_work_group_size(GROUP, 1, 1))) void tn_layer_norm_grad(PARAMS)
{
    TEAM_ROOM(V2)
#if SUMS && defined(KEEP)
    __local V room[TEAMS > 1 ? SUMS * KEEP * TEAM : 1];
    V sum_w[KEEP], sum_b[KEEP];
#pragma unroll
    for (int l = 0; l < KEEP; l++) sum_w[l] = sum_b[l] = 0;
#endif
    const int lane = (int)get_local_id(0), place = TEAM_LANE, team = lane / TEAM;
    const IX piece = (IX)get_group_id(0), begin = (piece * TEAMS + team) * per;
    const V share = 1 / (V)n;
    W_POINTER
    SUMS_POINTER
#if SUMS
    sums += piece * SUMS * n;
#endif
    for (IX row = begin; row < begin + per; row++) {
        const IX count = row < m ? n : 0;
        __global const X_T *x = x_buffer + x_offset + row * n;
        __global const DY_T *dy = dy_buffer + dy_offset + row * n;
        __global Y_T *dx = dx_buffer + dx_offset + row * n;
        V2 left = (V2)(0), means = (V2)(0), lost = (V2)(0), lost_too = (V2)(0);
        ROOM_OF(V, kept)
        ROOM_OF(V, kept_dy)
        BRING(kept, LOAD_X(x, AT))
        BRING(kept_dy, LOAD_DY(dy, AT))
        NEAR_OF_ROW(r)
        EACH
        {
            const V v = AWAY(THIS_X, r), g = WEIGHTED(THIS_DY, AT);
            ADD_TO(left.s0, lost.s0, v)
            ADD_TO(left.s1, lost.s1, v * v)
            ADD_TO(means.s0, lost_too.s0, g)
            ADD_TO(means.s1, lost_too.s1, g * v)
        }
        TEAM_FOLD(V2, left, ADD)
        TEAM_FOLD(V2, means, ADD)
        const row_norm s = norm_of(r, left.s0, left.s1, share);
        SLOPES(means.s0, means.s1)
        EACH
        {
            const V in = THIS_DY, normal = NORMAL(THIS_X, r, s);
            STORE_Y(dx, AT, RESULT(WEIGHTED(in, AT), normal));
#if SUMS
            SUM_W = (FIRST(row == begin) ? 0 : SUM_W) + in * normal;
#endif
#if SUMS > 1
            SUM_B = (FIRST(row == begin) ? 0 : SUM_B) + in;
#endif
        }
    }
#if SUMS && defined(KEEP)
    /* Teams add to what those before them have. */
    const IX count = n;
    for (int t = 0; t < TEAMS; t++) {
        if (team == t) {
            EACH
            {
                if (t) sum_w[l] += room[AT];
                if (t + 1 < TEAMS) room[AT] = sum_w[l];
                else sums[AT] = sum_w[l];
#if SUMS > 1
                if (t) sum_b[l] += room[KEEP * TEAM + AT];
                if (t + 1 < TEAMS) room[KEEP * TEAM + AT] = sum_b[l];
                else sums[n + AT] = sum_b[l];
#endif
            }
        }
        barrier(CLK_LOCAL_MEM_FENCE);
    }
#endif
}
#endif
