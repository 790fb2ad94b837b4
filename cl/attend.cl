/* attend.cl: attention in tiles on GPU devices: the means of values by softmax of scale q k', and the logarithms of its
 * sums, whose scores are never stored but in local memory. A work-group has BLOCK_M queries of a head, and takes
 * BLOCK_N keys at a time: their scores, by products from DEEP values of a key's at a time; their weights, by softmax
 * that goes on from block to block, what was added up so far being multiplied by the exponential of the difference when
 * a larger score comes (Milakov and Gimelshein, 2018; Dao and others, 2022); and what their values add to the block's
 * result, which stays in registers: WIDE vectors of four columns by a work-item, SIDE_U vectors apart.
 *
 * Given: what tile_gpu.cl needs, with ROWS and COLS 4; WIDE; CAUSAL; MASK: none, or the type of its elements; HIDES: it
 * hides where it is 0, else it is added. Elements are f32. */
#define SHARERS (ITEMS / BLOCK_M) /* work-items for each row of scores */
#define STEP_V  (SIDE_U * WIDE + 1)
#define BOTH    (DEEP * (STEP_M + STEP_N > STEP_V ? STEP_M + STEP_N : STEP_V))
#ifdef MASK
#define MASK_PARAMS                                                                                                    \
    __global const uchar *mask_buffer, ulong mask_offset, long mask_sample, long mask_head, long mask_row,
#else
#define MASK_PARAMS
#endif

/* `deep` rows of x, (rows, d) from element `at` on and from row `i` on, values k0 .. k0 + DEEP of each, to local memory
 * as (DEEP, step); what is not there is 0. */
#define BRING_ROWS(to, step, block, from, i, rows, k0, d)                                                              \
    for (int f = (int)lane; f < DEEP * (block); f += ITEMS) {                                                          \
        const int row = f / DEEP, k = f % DEEP;                                                                        \
        ((__local float *)((to) + k * (step)))[row] =                                                                  \
            (i) + row < (rows) && (k0) + k < (d) ? (from)[((i) + row) * (d) + (k0) + k] : 0;                           \
    }

/* acc (4, wide) += left (deep, step) times right (deep, right_step), of this work-item's rows and columns. */
#define ADD_BLOCK(acc, wide, left, step, right, right_step)                                                            \
    _Pragma("unroll 2") for (int k = 0; k < DEEP; k++)                                                                 \
    {                                                                                                                  \
        const V4 p = (left)[k * (step) + v];                                                                           \
        _Pragma("unroll") for (int h = 0; h < (wide); h++)                                                             \
        {                                                                                                              \
            const V4 o = (right)[k * (right_step) + h * SIDE_U + u];                                                   \
            acc[h] += p.x * o;                                                                                         \
            acc[(wide) + h] += p.y * o;                                                                                \
            acc[2 * (wide) + h] += p.z * o;                                                                            \
            acc[3 * (wide) + h] += p.w * o;                                                                            \
        }                                                                                                              \
    }

__kernel __attribute__((reqd_work_group_size(SIDE_U, SIDE_V, 1))) void
tn_attend(__global const uchar *q_buffer, ulong q_offset, __global const uchar *k_buffer, ulong k_offset,
          __global const uchar *v_buffer, ulong v_offset, MASK_PARAMS __global uchar *y_buffer, ulong y_offset,
          int heads, int groups, int n, int m, int d, int e, float scale, int first, int all)
{
    __local V4 both[BOTH], weights[BLOCK_N * STEP_M];
    __local float top[BLOCK_M], sum[BLOCK_M], fix[BLOCK_M], part_top[ITEMS], part_sum[ITEMS];
    const uint lane = (uint)(get_local_id(1) * SIDE_U + get_local_id(0));
    const int u = lane_u(lane), v = lane_v(lane), mine = (int)lane % BLOCK_M, part = (int)lane / BLOCK_M;
    const int blocks = (n + BLOCK_M - 1) / BLOCK_M, outer = (int)get_group_id(0) / blocks;
    const int i0 = (int)get_group_id(0) % blocks * BLOCK_M, group = outer / (heads / groups);
    __global const float *q = (__global const float *)(q_buffer + q_offset) + (long)outer * n * d;
    __global const float *key = (__global const float *)(k_buffer + k_offset) + (long)group * m * d;
    __global const float *value = (__global const float *)(v_buffer + v_offset) + (long)group * m * e;
    __global float *y = (__global float *)(y_buffer + y_offset);
#ifdef MASK
    __global const MASK *mask =
        (__global const MASK *)(mask_buffer + mask_offset) + outer / heads * mask_sample + outer % heads * mask_head;
#endif
    const int keys = CAUSAL ? min(m, (int)min((long)first + i0 + BLOCK_M, (long)m)) : m;
    V4 out[4 * WIDE];
#pragma unroll
    for (int h = 0; h < 4 * WIDE; h++) out[h] = (V4)(0);
    if (part == 0) top[mine] = -INFINITY, sum[mine] = 0;
    for (int j0 = 0; j0 < keys; j0 += BLOCK_N) {
        V4 acc[4] = {(V4)(0), (V4)(0), (V4)(0), (V4)(0)};
        for (int k0 = 0; k0 < d; k0 += DEEP) {
            barrier(CLK_LOCAL_MEM_FENCE);
            BRING_ROWS(both, STEP_M, BLOCK_M, q, i0, n, k0, d)
            BRING_ROWS(both + DEEP * STEP_M, STEP_N, BLOCK_N, key, j0, m, k0, d)
            barrier(CLK_LOCAL_MEM_FENCE);
            ADD_BLOCK(acc, 1, both, STEP_M, both + DEEP * STEP_M, STEP_N)
        }
        /* Scores as (BLOCK_N, BLOCK_M). */
#pragma unroll
        for (int c = 0; c < 4; c++) {
            const int j = j0 + 4 * u + c;
            float s[4];
#pragma unroll
            for (int r = 0; r < 4; r++) {
                const int i = i0 + 4 * v + r;
                const float product = c == 0 ? acc[r].x : c == 1 ? acc[r].y : c == 2 ? acc[r].z : acc[r].w;
                int seen = j < m;
                s[r] = product * scale;
                if (CAUSAL) seen = seen && j <= (long)first + i;
#ifdef MASK
                const MASK given = seen ? mask[min(i, n - 1) * mask_row + j] : 0;
#if HIDES
                seen = seen && given != 0;
#else
                s[r] += given;
#endif
#endif
                if (!seen) s[r] = -INFINITY;
            }
            weights[(4 * u + c) * STEP_M + v] = (V4)(s[0], s[1], s[2], s[3]);
        }
        barrier(CLK_LOCAL_MEM_FENCE);
        /* Some work-items for each row: neighbours have neighbouring rows. */
        __local float *row = (__local float *)weights + (part * (BLOCK_N / SHARERS) * STEP_M * 4 + mine);
        float biggest = -INFINITY, added = 0;
#pragma unroll 4
        for (int c = 0; c < BLOCK_N / SHARERS; c++) biggest = fmax(biggest, row[c * STEP_M * 4]);
        part_top[lane] = biggest;
        barrier(CLK_LOCAL_MEM_FENCE);
        biggest = top[mine];
        for (int c = 0; c < SHARERS; c++) biggest = fmax(biggest, part_top[c * BLOCK_M + mine]);
        const float from = biggest == -INFINITY ? 0 : biggest; /* no difference of infinities */
#pragma unroll 2
        for (int c = 0; c < BLOCK_N / SHARERS; c++) {
            const float weight = exp(row[c * STEP_M * 4] - from);
            added += weight;
            row[c * STEP_M * 4] = weight;
        }
        part_sum[lane] = added;
        barrier(CLK_LOCAL_MEM_FENCE);
        if (part == 0) {
            const float by = exp(top[mine] - from);
            added = sum[mine] * by;
            for (int c = 0; c < SHARERS; c++) added += part_sum[c * BLOCK_M + mine];
            fix[mine] = by, sum[mine] = added, top[mine] = biggest;
        }
        barrier(CLK_LOCAL_MEM_FENCE);
#pragma unroll
        for (int h = 0; h < 4 * WIDE; h++) out[h] *= fix[4 * v + h / WIDE];
        for (int k0 = 0; k0 < BLOCK_N && j0 + k0 < m; k0 += DEEP) {
            for (int f = (int)lane; f < DEEP * SIDE_U * WIDE * 4; f += ITEMS) {
                const int k = f / (SIDE_U * WIDE * 4), c = f % (SIDE_U * WIDE * 4), j = j0 + k0 + k;
                ((__local float *)(both + k * STEP_V))[c] = j < m && c < e ? value[j * e + c] : 0;
            }
            barrier(CLK_LOCAL_MEM_FENCE);
            ADD_BLOCK(out, WIDE, weights + k0 * STEP_M, STEP_M, both, STEP_V)
            barrier(CLK_LOCAL_MEM_FENCE);
        }
    }
    barrier(CLK_LOCAL_MEM_FENCE);
    const int row0 = outer * n;
#pragma unroll
    for (int r = 0; r < 4; r++) {
        const int i = i0 + 4 * v + r;
        const float whole = sum[4 * v + r], by = HIDES && whole == 0 ? 0 : 1 / whole;
#pragma unroll
        for (int h = 0; h < WIDE; h++) {
            const int c = (h * SIDE_U + u) * 4;
            const V4 x = out[r * WIDE + h] * by;
            __global float *to = y + ((long)(row0 + i) * e + c);
            if (i < n && c < e) to[0] = x.x;
            if (i < n && c + 1 < e) to[1] = x.y;
            if (i < n && c + 2 < e) to[2] = x.z;
            if (i < n && c + 3 < e) to[3] = x.w;
        }
    }
    if (part == 0 && i0 + mine < n)
        y[(long)all * e + row0 + i0 + mine] = HIDES && sum[mine] == 0 ? 0 : top[mine] + log(sum[mine]);
}
