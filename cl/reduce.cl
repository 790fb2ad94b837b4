/* reduce.cl: folds the value of an element-wise program (see map.cl) over the reduced dimensions. The folded range is
 * cut into `segments` of `length` elements; with more than one, each leaves a partial result in scratch, and
 * tn_reduce_finish folds those in order. Partial results lie as [segment][output].
 *
 * Given: INIT, BETTER(x, best) and IS_ARG for argmax and argmin; FOLD(a, b) for the other kinds, FOLD_V(a, b): the
 * same for 16 lanes; IS_SUM for floating sums; MAP_R: the number of reduced rows, ROWS_REDUCED: the innermost dimension is
 * reduced; OUT_STORE(p, i, v), OUT_T. For GPUs: team.cl. */
#define TILE 256
#define CONCAT_(a, b) a##b
#define CONCAT(a, b) CONCAT_(a, b)
#define MAP_T16 CONCAT(MAP_T, 16)

/* STEP takes x, found at place `at`, into `best`, with `extra`: the place of the best, or what the sum lost. */
#ifdef IS_ARG
#define EXTRA_T int
#define EXTRA_0 (int)begin
#define STEP(best, extra, x, at)                                                                                       \
    {                                                                                                                  \
        const int better = BETTER(x, best);                                                                            \
        best = better ? (x) : (best);                                                                                  \
        extra = better ? (at) : (extra);                                                                               \
    }
#define WRITE(i, v, at) partial_or_result(out, partial, places, segments, segment, count, i, v, at)
static void partial_or_result(__global int *out, __global MAP_T *partial, __global int *places, int segments,
                              int segment, IX count, IX i, MAP_T value, int place)
{
    if (segments == 1) {
        out[i] = place;
    } else {
        partial[segment * count + i] = value;
        places[segment * count + i] = place;
    }
}
#else
#define EXTRA_T MAP_T
#define EXTRA_0 0
#ifdef IS_SUM
#define STEP(best, extra, x, at) COMPENSATED_ADD(MAP_T, best, extra, x)
#else
#define STEP(best, extra, x, at) best = FOLD(best, x);
#endif
#define WRITE(i, v, at)                                                                                                \
    {                                                                                                                  \
        if (segments == 1) OUT_STORE(out, i, v);                                                                       \
        else partial[segment * count + (i)] = v;                                                                       \
    }
#endif

#define OUT_PARAMS                                                                                                     \
    __global OUT_T *out_buffer, ulong out_offset, __global uchar *scratch_buffer, ulong scratch_offset, IX count,      \
        int segments
#define OUT_POINTERS                                                                                                   \
    __global OUT_T *out = out_buffer + out_offset;                                                                     \
    __global MAP_T *partial = (__global MAP_T *)(scratch_buffer + scratch_offset);                                     \
    __global int *places = (__global int *)(partial + segments * count);

#ifdef ROWS_REDUCED

#ifdef CPU_SHAPE
/* A work-item: `per` neighbouring outputs, one segment. What lies AHEAD is fetched, for processors that fetch by
 * themselves stop where a row or a page ends. */
#define LINE  16
#define AHEAD 1024
__kernel ONE_ITEM void tn_reduce(ITEM_PARAM MAP_PARAMS OUT_PARAMS, IX length, IX per)
{
    MAP_POINTERS
    OUT_POINTERS
    const IX blocks = (count + per - 1) / per, id = (IX)ITEM, block = id % blocks;
    const int segment = (int)(id / blocks);
    const IX total = (IX)MAP_R * MAP_N, begin = min(segment * length, total), end = min(begin + length, total);
    const IX ahead = max((IX)1, (IX)AHEAD / max((IX)1, (IX)MAP_N));
    for (IX k = block * per; k < min(block * per + per, count); k++) {
        MAP_T tile[TILE] __attribute__((aligned(64))), lanes[16];
        MAP_T best = INIT;
        EXTRA_T extra = EXTRA_0;
        EXTRA_T extras[16];
        for (int l = 0; l < 16; l++) lanes[l] = INIT;
        for (int l = 0; l < 16; l++) extras[l] = 0;
        IX e = begin, row = begin / MAP_N, first = begin - row * MAP_N;
        while (e < end) {
            const IX last = min((IX)MAP_N, first + (end - e));
            MAP_ROW(k, row)
            for (IX at = first; at < last; at += TILE) {
                const int n = (int)min((IX)TILE, last - at);
#ifdef MAP_FETCHES
                if (row + ahead < (IX)MAP_R) {
                    MAP_ROW(k, row + ahead)
                    for (int l = 0; l < n; l += LINE) MAP_FETCH(at + l)
                }
#endif
                LOOP_ROW
                for (int l = 0; l < n; l++) {
                    MAP_VALUES(at + l)
                    tile[l] = MAP_RESULT;
                }
#ifdef IS_ARG
                for (int l = 0; l < n; l++) STEP(best, extra, tile[l], (int)(row * MAP_N + at) + l)
#else
                const int padded = (n + 15) & ~15;
                for (int l = n; l < padded; l++) tile[l] = INIT;
                MAP_T16 part = *(MAP_T16 *)tile;
                for (int l = 16; l < padded; l += 16) {
                    const MAP_T16 x = *(MAP_T16 *)(tile + l);
                    part = FOLD_V(part, x);
                }
                *(MAP_T16 *)tile = part;
                LOOP
                for (int l = 0; l < 16; l++) STEP(lanes[l], extras[l], tile[l], 0)
#endif
            }
            e += last - first;
            first = 0;
            row++;
        }
#ifndef IS_ARG
        for (int half_way = 8; half_way; half_way /= 2)
            for (int l = 0; l < half_way; l++) lanes[l] = FOLD(lanes[l], lanes[l + half_way]);
        best = lanes[0];
#endif
        WRITE(k, best, extra);
    }
}
#else
/* A team (team.cl): one output, one segment. */
__kernel TEAM_WITH __attribute__((reqd_work_group_size(GROUP, 1, 1))) void tn_reduce(MAP_PARAMS OUT_PARAMS, IX length,
                                                                                     IX per)
{
    MAP_POINTERS
    OUT_POINTERS
    TEAM_ROOM(MAP_T)
    const int lane = (int)get_local_id(0), place = TEAM_LANE;
    const IX id = (IX)get_group_id(0) * TEAMS + lane / TEAM, k = id % count;
    const int segment = (int)(id / count), is_one = segment < segments;
    const IX total = (IX)MAP_R * MAP_N, begin = is_one ? min(segment * length, total) : total;
    const IX end = min(begin + length, total);
    MAP_T best = INIT;
    EXTRA_T extra = EXTRA_0;
#ifdef IS_ARG
    if (begin + place < end) extra = (int)begin + place;
#endif
    for (IX e = begin + place; e < end; e += TEAM) {
        const IX row = e / MAP_N, j = e - row * MAP_N;
        MAP_ROW(k, row)
        MAP_VALUES(j)
        STEP(best, extra, MAP_RESULT, (int)e)
    }
#ifdef IS_ARG
    TEAM_BEST(MAP_T, best, extra, BETTER)
#else
    TEAM_FOLD(MAP_T, best, FOLD)
#endif
    if (place == 0 && is_one) WRITE(k, best, extra);
}
#endif

#else /* the innermost dimension is kept */

#ifdef CPU_SHAPE
/* A work-item: at most `per` <= TILE columns of one kept row, one segment of the reduced rows. Sums of FEW rows are
 * short; those of all may be long. */
#define FEW 16
__kernel ONE_ITEM void tn_reduce(ITEM_PARAM MAP_PARAMS OUT_PARAMS, IX length, IX per)
{
    MAP_POINTERS
    OUT_POINTERS
    const IX blocks = (MAP_N + per - 1) / per, kept = count / MAP_N;
    IX id = (IX)ITEM;
    const IX at = id % blocks * per, k = id / blocks % kept;
    const int segment = (int)(id / blocks / kept), n = (int)min(per, (IX)MAP_N - at);
    const IX begin = min(segment * length, (IX)MAP_R), end = min(begin + length, (IX)MAP_R);
    MAP_T best[TILE];
    EXTRA_T extra[TILE];
    for (int l = 0; l < n; l++) extra[l] = EXTRA_0;
    for (int l = 0; l < n; l++) best[l] = INIT;
#ifdef IS_SUM
    for (IX top = begin; top < end; top += FEW) {
        MAP_T few[TILE];
        for (int l = 0; l < n; l++) few[l] = 0;
        for (IX row = top; row < min(top + FEW, end); row++) {
            MAP_ROW(k, row)
            LOOP_ROW
            for (int l = 0; l < n; l++) {
                MAP_VALUES(at + l)
                few[l] += MAP_RESULT;
            }
        }
        LOOP
        for (int l = 0; l < n; l++) STEP(best[l], extra[l], few[l], 0)
    }
#else
    for (IX row = begin; row < end; row++) {
        MAP_ROW(k, row)
        LOOP
        for (int l = 0; l < n; l++) {
            MAP_VALUES(at + l)
            STEP(best[l], extra[l], MAP_RESULT, (int)row)
        }
    }
#endif
    for (int l = 0; l < n; l++) WRITE(k * MAP_N + at + l, best[l], extra[l]);
}
#else
/* A work-item: one column, one segment of the reduced rows; neighbours read neighbouring columns. */
__kernel void tn_reduce(ITEM_PARAM MAP_PARAMS OUT_PARAMS, IX length, IX per)
{
    MAP_POINTERS
    OUT_POINTERS
    const IX id = (IX)ITEM;
    const int segment = (int)(id / count);
    if (segment >= segments) return;
    const IX i = id % count, k = i / MAP_N, j = i % MAP_N;
    const IX begin = min(segment * length, (IX)MAP_R), end = min(begin + length, (IX)MAP_R);
    MAP_T best = INIT;
    EXTRA_T extra = EXTRA_0;
    for (IX row = begin; row < end; row++) {
        MAP_ROW(k, row)
        MAP_VALUES(j)
        STEP(best, extra, MAP_RESULT, (int)row)
    }
    WRITE(i, best, extra);
}
#endif
#endif

#ifdef IN_SEGMENTS
/* A work-item: `per` neighbouring outputs. */
__kernel void tn_reduce_finish(ITEM_PARAM OUT_PARAMS, IX per)
{
    OUT_POINTERS
    const IX first = (IX)ITEM * per;
    for (IX i = first; i < min(first + per, count); i++) {
        MAP_T best = partial[i];
#ifdef IS_ARG
        int extra = places[i];
#else
        EXTRA_T extra = 0;
#endif
        for (int s = 1; s < segments; s++) STEP(best, extra, partial[s * count + i], places[s * count + i])
#ifdef IS_ARG
        out[i] = extra;
#else
        OUT_STORE(out, i, best);
#endif
    }
}
#endif
