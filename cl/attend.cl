/* attend.cl: attention in tiles on GPU devices: the means of values by softmax of scale q k', and the logarithms of its
 * sums, whose scores are never stored but in local memory. A work-group has BLOCK_M queries of a head, and takes
 * BLOCK_N keys at a time: their scores, by products from DEEP values of a key's at a time; their weights, by softmax
 * that goes on from block to block, what was added up so far being multiplied by the exponential of the difference when
 * a larger score comes (Milakov and Gimelshein, 2018; Dao and others, 2022); and what their values add to the block's
 * result, which stays in registers, WIDE vectors of four columns in each row.
 *
 * Given: what attend_block.cl needs; WIDE. */
#define SHARERS (ITEMS / BLOCK_M) /* work-items for each row of scores */

/* Weights in place of the scores (BLOCK_N, STEP_M * 4) of a block, of each row by the largest score so far; what was
 * added up before is to be multiplied by `fix`. Some work-items for each row: neighbours have neighbouring rows. */
static inline void weigh(__local float *scores, uint lane, __local float *top, __local float *sum, __local float *fix,
                         __local float *part_top, __local float *part_sum)
{
    const int mine = (int)lane % BLOCK_M, part = (int)lane / BLOCK_M;
    __local float *row = scores + (part * (BLOCK_N / SHARERS) * STEP_M * 4 + mine);
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
}

__kernel __attribute__((reqd_work_group_size(SIDE_U, SIDE_V, 1))) void
tn_attend(__global const uchar *q_buffer, ulong q_offset, __global const uchar *k_buffer, ulong k_offset,
          __global const uchar *v_buffer, ulong v_offset, MASK_PARAMS __global uchar *y_buffer, ulong y_offset,
          int heads, int groups, int n, int m, int d, int e, float scale, int first, int all)
{
    __local V4 room[ROOM], turned[BLOCK_N * STEP_M];
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
    __global const MASK *mask = MASK_OF(outer);
#endif
    const int keys = CAUSAL ? min(m, (int)min((long)first + i0 + BLOCK_M, (long)m)) : m;
    V4 out[4 * WIDE];
#pragma unroll
    for (int h = 0; h < 4 * WIDE; h++) out[h] = (V4)(0);
    if (part == 0) top[mine] = -INFINITY, sum[mine] = 0;
    for (int j0 = 0; j0 < keys; j0 += BLOCK_N) {
        V4 acc[4] = {(V4)(0), (V4)(0), (V4)(0), (V4)(0)};
        ADD_PRODUCTS_OF(acc, q, i0, n, key, j0, m, d)
#pragma unroll
        for (int c = 0; c < 4; c++) {
            float s[4];
#pragma unroll
            for (int r = 0; r < 4; r++) {
                const int i = i0 + 4 * v + r, j = j0 + 4 * u + c;
                SCORE(score, seen, PART(acc[r], c), i, j)
                s[r] = seen ? score : -INFINITY;
            }
            turned[(4 * u + c) * STEP_M + v] = (V4)(s[0], s[1], s[2], s[3]);
        }
        barrier(CLK_LOCAL_MEM_FENCE);
        weigh((__local float *)turned, lane, top, sum, fix, part_top, part_sum);
#pragma unroll
        for (int h = 0; h < 4 * WIDE; h++) out[h] *= fix[4 * v + h / WIDE];
        ADD_MEANS_OF(out, WIDE, value, j0, m, e)
    }
    barrier(CLK_LOCAL_MEM_FENCE);
    const int row0 = outer * n;
#pragma unroll
    for (int r = 0; r < 4; r++) {
        const int i = i0 + 4 * v + r;
        const float whole = sum[4 * v + r], by = HIDES && whole == 0 ? 0 : 1 / whole;
#pragma unroll
        for (int h = 0; h < WIDE && i < n; h++)
            store_four(y + (long)(row0 + i) * e, out[r * WIDE + h] * by, (h * SIDE_U + u) * 4, e);
    }
    if (part == 0 && i0 + mine < n)
        y[(long)all * e + row0 + i0 + mine] = HIDES && sum[mine] == 0 ? 0 : top[mine] + log(sum[mine]);
}
