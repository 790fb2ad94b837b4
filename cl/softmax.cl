/* softmax.cl: softmax and log_softmax of x (outer, n, inner) over n, the largest element subtracted first.
 * Given: X_T, Y_T, LOAD_X, STORE_Y, V (float or double), EXP, LOG, IS_LOG. For GPUs: team.cl, KEEP. */
#define TILE 256
#define CONCAT_(a, b) a##b
#define CONCAT(a, b) CONCAT_(a, b)
#define V16 CONCAT(V, 16)
#define PARAMS                                                                                                         \
    __global const X_T *x_buffer, ulong x_offset, __global Y_T *y_buffer, ulong y_offset, IX outer, IX n, IX inner,    \
        IX per
#ifdef IS_LOG
#define RESULT(x, biggest, sum, scale) ((x) - (biggest) - (scale))
#define SCALE(sum) LOG(sum)
#else
#define RESULT(x, biggest, sum, scale) (EXP((x) - (biggest)) * (scale))
#define SCALE(sum) (1 / (sum))
#endif
/* A NaN wins; a row of -infinities alone gives NaN, as it should. */
#define BIGGER(a, b) ((b) > (a) || (b) != (b) ? (b) : (a))

#ifdef CPU_SHAPE
#if !defined(INNER)
/* A work-item: `per` rows of n neighbouring elements. */
static V row_max(__global const X_T *x, IX n)
{
    V tile[16], best = -INFINITY;
    for (int l = 0; l < 16; l++) tile[l] = -INFINITY;
    IX at = 0;
    for (; at + 16 <= n; at += 16) {
        LOOP
        for (int l = 0; l < 16; l++) {
            const V v = LOAD_X(x, at + l);
            tile[l] = BIGGER(tile[l], v);
        }
    }
    for (int l = 0; at + l < n; l++) {
        const V v = LOAD_X(x, at + l);
        tile[l] = BIGGER(tile[l], v);
    }
    for (int l = 0; l < 16; l++) best = BIGGER(best, tile[l]);
    return best;
}

/* A tile's sums are short; those of all tiles may be long. Leaves the powers of the last tile in it. */
static V row_sum(V *tile, __global const X_T *x, IX n, V biggest)
{
    V sum[16] = {0}, lost[16] = {0}, part[16] __attribute__((aligned(64)));
    for (IX at = 0; at < n; at += TILE) {
        V16 lanes = (V16)(0);
        const int count = (int)min((IX)TILE, n - at), padded = (count + 15) & ~15;
        for (int l = 0; l < count; l++) tile[l] = LOAD_X(x, at + l);
        for (int l = count; l < padded; l++) tile[l] = -INFINITY;
        for (int b = 0; b < padded; b += 16) {
            LOOP_ROW
            for (int l = 0; l < 16; l++) tile[b + l] = EXP(tile[b + l] - biggest);
            lanes += *(V16 *)(tile + b);
        }
        *(V16 *)part = lanes;
        LOOP
        for (int l = 0; l < 16; l++) COMPENSATED_ADD(V, sum[l], lost[l], part[l])
    }
    for (int half_way = 8; half_way; half_way /= 2)
        for (int l = 0; l < half_way; l++) sum[l] += sum[l + half_way];
    return sum[0];
}

__kernel ONE_ITEM void tn_softmax(ITEM_PARAM PARAMS)
{
    const IX begin = (IX)ITEM * per, end = min(begin + per, outer);
    for (IX row = begin; row < end; row++) {
        __global const X_T *x = x_buffer + x_offset + row * n;
        __global Y_T *y = y_buffer + y_offset + row * n;
        V tile[TILE] __attribute__((aligned(64)));
        const V biggest = row_max(x, n), sum = row_sum(tile, x, n, biggest), scale = SCALE(sum);
#ifndef IS_LOG
        if (n <= TILE) {
            LOOP_ROW
            for (int j = 0; j < (int)n; j++) STORE_Y(y, j, tile[j] * scale);
            continue;
        }
#endif
        LOOP_ROW
        for (IX j = 0; j < n; j++) STORE_Y(y, j, RESULT(LOAD_X(x, j), biggest, sum, scale));
    }
}
#else
/* A work-item: at most `per` <= TILE columns of one outer index. */
__kernel ONE_ITEM void tn_softmax(ITEM_PARAM PARAMS)
{
    const IX blocks = (inner + per - 1) / per, id = (IX)ITEM, at = id % blocks * per;
    const IX start = id / blocks * n * inner + at;
    const int count = (int)min(per, inner - at);
    __global const X_T *x = x_buffer + x_offset + start;
    __global Y_T *y = y_buffer + y_offset + start;
    V biggest[TILE], sum[TILE], lost[TILE];
    for (int l = 0; l < count; l++) biggest[l] = -INFINITY;
    for (int l = 0; l < count; l++) sum[l] = lost[l] = 0;
    for (IX i = 0; i < n; i++) {
        LOOP
        for (int l = 0; l < count; l++) {
            const V v = LOAD_X(x, i * inner + l);
            biggest[l] = BIGGER(biggest[l], v);
        }
    }
    for (IX i = 0; i < n; i++) {
        LOOP
        for (int l = 0; l < count; l++) COMPENSATED_ADD(V, sum[l], lost[l], EXP(LOAD_X(x, i * inner + l) - biggest[l]))
    }
    for (int l = 0; l < count; l++) sum[l] = SCALE(sum[l]);
    for (IX i = 0; i < n; i++) {
        LOOP
        for (int l = 0; l < count; l++)
            STORE_Y(y, i * inner + l, RESULT(LOAD_X(x, i * inner + l), biggest[l], sum[l], sum[l]));
    }
}
#endif
#else
#if !defined(INNER)
#define ADD(a, b) ((a) + (b))
/* A team (team.cl): one row. One of at most KEEP elements a work-item is read once, and stays in registers. */
__kernel TEAM_WITH __attribute__((reqd_work_group_size(GROUP, 1, 1))) void tn_softmax(PARAMS)
{
    TEAM_ROOM(V)
    const int lane = (int)get_local_id(0), place = TEAM_LANE;
    const IX row = (IX)get_group_id(0) * TEAMS + lane / TEAM, count = row < outer ? n : 0;
    __global const X_T *x = x_buffer + x_offset + row * n;
    __global Y_T *y = y_buffer + y_offset + row * n;
    V biggest = -INFINITY, sum = 0;
#ifdef KEEP
    V kept[KEEP];
#pragma unroll
    for (int l = 0; l < KEEP; l++) {
        kept[l] = -INFINITY;
        if (place + l * TEAM < count) kept[l] = LOAD_X(x, place + l * TEAM);
        biggest = BIGGER(biggest, kept[l]);
    }
    TEAM_FOLD(V, biggest, BIGGER)
#pragma unroll
    for (int l = 0; l < KEEP; l++) {
        kept[l] -= biggest;
        const V power = EXP(kept[l]);
        sum += power;
#ifndef IS_LOG
        kept[l] = power;
#endif
    }
    TEAM_FOLD(V, sum, ADD)
    const V scale = SCALE(sum);
#pragma unroll
    for (int l = 0; l < KEEP; l++)
#ifdef IS_LOG
        if (place + l * TEAM < count) STORE_Y(y, place + l * TEAM, kept[l] - scale);
#else
        if (place + l * TEAM < count) STORE_Y(y, place + l * TEAM, kept[l] * scale);
#endif
#else
    V lost = 0;
    for (IX j = place; j < count; j += TEAM) {
        const V v = LOAD_X(x, j);
        biggest = BIGGER(biggest, v);
    }
    TEAM_FOLD(V, biggest, BIGGER)
    for (IX j = place; j < count; j += TEAM) COMPENSATED_ADD(V, sum, lost, EXP(LOAD_X(x, j) - biggest))
    TEAM_FOLD(V, sum, ADD)
    const V scale = SCALE(sum);
    for (IX j = place; j < count; j += TEAM) STORE_Y(y, j, RESULT(LOAD_X(x, j), biggest, sum, scale));
#endif
}
#else
/* A work-item: one column; neighbours read neighbouring columns. */
__kernel void tn_softmax(ITEM_PARAM PARAMS)
{
    const IX id = (IX)ITEM;
    if (id >= outer * inner) return;
    const IX start = id / inner * n * inner + id % inner;
    __global const X_T *x = x_buffer + x_offset + start;
    __global Y_T *y = y_buffer + y_offset + start;
    V biggest = -INFINITY, sum = 0, lost = 0;
    for (IX i = 0; i < n; i++) {
        const V v = LOAD_X(x, i * inner);
        biggest = BIGGER(biggest, v);
    }
    for (IX i = 0; i < n; i++) COMPENSATED_ADD(V, sum, lost, EXP(LOAD_X(x, i * inner) - biggest))
    const V scale = SCALE(sum);
    for (IX i = 0; i < n; i++) STORE_Y(y, i * inner, RESULT(LOAD_X(x, i * inner), biggest, sum, scale));
}
#endif
#endif
