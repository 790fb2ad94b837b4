/* layer_norm.cl: rows of x (m, n) with mean 0 and variance 1, or with mean square 1, times a weight, plus a bias.
 * Given: what layer_norm_row.cl needs; Y_T and STORE_Y. */
#define PARAMS                                                                                                         \
    __global const X_T *x_buffer, ulong x_offset, W_PARAM B_PARAM __global Y_T *y_buffer, ulong y_offset, IX m, IX n,  \
        IX per
#define RESULT(x, r, s, j) RAISED(WEIGHTED(NORMAL(x, r, s), j), j)

#ifdef CPU_SHAPE
static inline row_norm norm_of_row(__global const X_T *x, IX n, row_near r, V share)
{
    V left = 0, squares = 0, lost[2] = {0};
    for (IX at = 0; at < n;) {
        V16 sums = (V16)(0), powers = (V16)(0);
        for (const IX end = min(n, at + BLOCK); at < end; at += 16) {
            SIXTEEN(v, n - at, AWAY(LOAD_X(x, at + l), r))
            sums += v;
            powers += v * v;
        }
        COMPENSATED_ADD(V, left, lost[0], sum_of(sums))
        COMPENSATED_ADD(V, squares, lost[1], sum_of(powers))
    }
    return norm_of(r, left, squares, share);
}

/* A work-item: `per` rows. */
__kernel ONE_ITEM void tn_layer_norm(ITEM_PARAM PARAMS)
{
    const IX begin = (IX)ITEM * per, end = min(begin + per, m);
    const V share = 1 / (V)n;
    W_POINTER
    B_POINTER
    for (IX row = begin; row < end; row++) {
        __global const X_T *x = x_buffer + x_offset + row * n;
        __global Y_T *y = y_buffer + y_offset + row * n;
        const row_near r = near_of_row(x, n, share);
        const row_norm s = norm_of_row(x, n, r, share);
        LOOP_ROW
        for (IX j = 0; j < n; j++) STORE_Y(y, j, RESULT(LOAD_X(x, j), r, s, j));
    }
}
#else
/* A team (team.cl): one row. One of at most KEEP elements a work-item is read once, and stays in registers. */
__kernel TEAM_WITH __attribute__((reqd_work_group_size(GROUP, 1, 1))) void tn_layer_norm(PARAMS)
{
    TEAM_ROOM(V2)
    const int lane = (int)get_local_id(0), place = TEAM_LANE;
    const IX row = (IX)get_group_id(0) * TEAMS + lane / TEAM, count = row < m ? n : 0;
    __global const X_T *x = x_buffer + x_offset + row * n;
    __global Y_T *y = y_buffer + y_offset + row * n;
    const V share = 1 / (V)n;
    V2 left = (V2)(0), lost = (V2)(0);
    W_POINTER
    B_POINTER
    ROOM_OF(V, kept)
    BRING(kept, LOAD_X(x, AT))
    NEAR_OF_ROW(r)
    EACH
    {
        const V v = AWAY(THIS_X, r);
        ADD_TO(left.s0, lost.s0, v)
        ADD_TO(left.s1, lost.s1, v * v)
    }
    TEAM_FOLD(V2, left, ADD)
    const row_norm s = norm_of(r, left.s0, left.s1, share);
    EACH STORE_Y(y, AT, RESULT(THIS_X, r, s, AT));
}
#endif
