/* index.cl: operators that find elements by place: slice, unslice, concat, scatter_add, take, put, and those that go
 * along lines: cumsum, topk, searchsorted. T: the element's type; for those that only move elements, an integer type of its size.
 * A work-item takes `per` of `count` things; which they are stands at each kernel. */
#define EACH(i) for (IX i = (IX)ITEM * per, end_ = min(i + per, count); i < end_; i++)

/* Given for slice and unslice: DIGITS, DIGIT(d) for each dimension but the last, from the inner ones outwards, and
 * DIGIT_PARAMS: size l and n of the larger and the smaller tensor, b, t: begin and step, s: the stride in the input. */
#ifdef IS_SLICE
/* Things: rows of y, or elements with BY_ELEMENT. */
#define DIGIT(d) at += (b##d + rest % n##d * t##d) * s##d, rest /= n##d;
__kernel void tn_slice(ITEM_PARAM __global const T *x_buffer, ulong x_offset, __global T *y_buffer, ulong y_offset,
                       DIGIT_PARAMS IX l, IX begin, IX step, IX n, IX count, IX per)
{
    __global const T *x = x_buffer + x_offset;
    __global T *y = y_buffer + y_offset;
    EACH(i)
    {
#ifdef CPU_SHAPE
        IX rest = i, at = begin;
        DIGITS
        if (step == 1) {
            LOOP
            for (IX j = 0; j < n; j++) y[i * n + j] = x[at + j];
        } else {
            for (IX j = 0; j < n; j++) y[i * n + j] = x[at + j * step];
        }
#else
        IX rest = i / n, at = begin + i % n * step;
        DIGITS
        y[i] = x[at];
#endif
    }
}
#endif

#ifdef IS_UNSLICE
/* Things: rows of y, or elements. */
#define DIGIT(d)                                                                                                       \
    {                                                                                                                  \
        const IX way = rest % l##d - b##d, c = way / t##d;                                                             \
        inside = inside && c * t##d == way && c >= 0 && c < n##d;                                                      \
        at += c * s##d, rest /= l##d;                                                                                  \
    }
__kernel void tn_unslice(ITEM_PARAM __global const T *x_buffer, ulong x_offset, __global T *y_buffer, ulong y_offset,
                         DIGIT_PARAMS IX l, IX begin, IX step, IX n, IX count, IX per)
{
    __global const T *x = x_buffer + x_offset;
    __global T *y = y_buffer + y_offset;
    EACH(i)
    {
        int inside = n > 0;
        IX at = 0;
#ifdef CPU_SHAPE
        IX rest = i;
        DIGITS
        for (IX j = 0; j < l; j++) y[i * l + j] = 0;
        for (IX j = 0; inside && j < n; j++) y[i * l + begin + j * step] = x[at + j];
#else
        IX rest = i / l;
        const IX way = i % l - begin, c = way / step;
        inside = inside && c * step == way && c >= 0 && c < n;
        DIGITS
        y[i] = inside ? x[at + c] : (T)0;
#endif
    }
}
#endif

#ifdef IS_CONCAT
/* Given: IN_PARAMS, buffer, offset, and size of a row of each input, and INPUTS, INPUT(k) for each. Things: an input's
 * rows in turn on CPUs (count is the number of rows times INPUT_COUNT), else elements of y. */
#ifdef CPU_SHAPE
#define INPUT(k)                                                                                                       \
    if (i % INPUT_COUNT == k) {                                                                                        \
        __global const T *x = x_buffer##k + x_offset##k + i / INPUT_COUNT * n##k;                                      \
        __global T *y = y_buffer + y_offset + i / INPUT_COUNT * row + at;                                              \
        LOOP                                                                                                           \
        for (IX j = 0; j < n##k; j++) y[j] = x[j];                                                                     \
    }                                                                                                                  \
    at += n##k;
#else
#define INPUT(k)                                                                                                       \
    if (i % row >= at && i % row < at + n##k)                                                                          \
        y_buffer[y_offset + i] = x_buffer##k[x_offset##k + i / row * n##k + (i % row - at)];                           \
    at += n##k;
#endif
__kernel void tn_concat(ITEM_PARAM IN_PARAMS __global T *y_buffer, ulong y_offset, IX row, IX count, IX per)
{
    EACH(i)
    {
        IX at = 0;
        INPUTS
    }
}
#endif

#ifdef IS_SCATTER_ADD
/* y[index[i]][j] += x[i][j] in the order of i. Things: parts of y of `rows` by `columns`, which nothing else writes. */
__kernel void tn_scatter_add(ITEM_PARAM
                             __global const int *index_buffer, ulong index_offset, __global const T *x_buffer,
                             ulong x_offset, __global T *y_buffer, ulong y_offset, IX n, IX d, IX m, IX rows,
                             IX columns, IX count, IX per)
{
    __global const int *index = index_buffer + index_offset;
    __global const T *x = x_buffer + x_offset;
    __global T *y = y_buffer + y_offset;
    const IX across = (d + columns - 1) / columns;
    EACH(i)
    {
        const IX r0 = i / across * rows, r1 = min(r0 + rows, n), c0 = i % across * columns, c1 = min(c0 + columns, d);
        for (IX r = r0; r < r1; r++)
            for (IX c = c0; c < c1; c++) y[r * d + c] = 0;
        for (IX k = 0; k < m; k++) {
            const IX r = index[k];
            if (r < r0 || r >= r1) continue;
            LOOP
            for (IX c = c0; c < c1; c++) y[r * d + c] += x[k * d + c];
        }
    }
}
#endif

#ifdef IS_TAKE
/* Things: elements of y. */
__kernel void tn_take(ITEM_PARAM
                      __global const T *x_buffer, ulong x_offset, __global const int *index_buffer, ulong index_offset,
                      __global T *y_buffer, ulong y_offset, IX n, IX m, IX inner, IX count, IX per)
{
    __global const T *x = x_buffer + x_offset;
    EACH(i)
    {
        const IX k = index_buffer[index_offset + i];
        y_buffer[y_offset + i] = k >= 0 && k < n ? x[(i / (m * inner) * n + k) * inner + i % inner] : (T)0;
    }
}
#endif

#ifdef IS_PUT
/* Things: lines of y, each of them added up in the order of the index. */
__kernel void tn_put(ITEM_PARAM
                     __global const int *index_buffer, ulong index_offset, __global const T *x_buffer, ulong x_offset,
                     __global T *y_buffer, ulong y_offset, IX n, IX m, IX inner, IX count, IX per)
{
    EACH(i)
    {
        const IX o = i / inner, in = i % inner;
        __global const int *index = index_buffer + index_offset + o * m * inner + in;
        __global const T *x = x_buffer + x_offset + o * m * inner + in;
        __global T *y = y_buffer + y_offset + o * n * inner + in;
        for (IX k = 0; k < n; k++) y[k * inner] = 0;
        for (IX k = 0; k < m; k++) {
            const IX to = index[k * inner];
            if (to >= 0 && to < n) y[to * inner] += x[k * inner];
        }
    }
}
#endif

#ifdef IS_CUMSUM
/* Things: lines. An element is read before its place is written. */
__kernel void tn_cumsum(ITEM_PARAM
                        __global const T *x_buffer, ulong x_offset, __global T *y_buffer, ulong y_offset, IX n,
                        IX inner, int reverse, int exclusive, IX count, IX per)
{
    EACH(i)
    {
        const IX start = i / inner * n * inner + i % inner;
        __global const T *x = x_buffer + x_offset + start;
        __global T *y = y_buffer + y_offset + start;
        T sum = 0, lost = 0;
        for (IX k = 0; k < n; k++) {
            const IX at = (reverse ? n - 1 - k : k) * inner;
            const T before = sum;
#ifdef IS_FLOATING
            COMPENSATED_ADD(T, sum, lost, x[at])
#else
            sum += x[at];
#endif
            y[at] = exclusive ? before : sum;
        }
    }
}
#endif

#ifdef IS_TOPK
/* Things: lines. The places found so far are kept in order; of equals the first comes first, a NaN is larger than all.
 */
static inline int better(T a, T b, int smallest)
{
    return smallest ? a < b || (b != b && a == a) : a > b || (a != a && b == b);
}

__kernel void tn_topk(ITEM_PARAM
                      __global const T *x_buffer, ulong x_offset, __global int *y_buffer, ulong y_offset, IX n,
                      IX most, IX inner, int smallest, IX count, IX per)
{
    EACH(i)
    {
        __global const T *x = x_buffer + x_offset + i / inner * n * inner + i % inner;
        __global int *y = y_buffer + y_offset + i / inner * most * inner + i % inner;
        IX have = 0;
        for (IX k = 0; k < n; k++) {
            const T v = x[k * inner];
            if (have == most && !better(v, x[y[(have - 1) * inner] * inner], smallest)) continue;
            IX to = have < most ? have : have - 1;
            have = have < most ? have + 1 : have;
            for (; to && better(v, x[y[(to - 1) * inner] * inner], smallest); to--)
                y[to * inner] = y[(to - 1) * inner];
            y[to * inner] = (int)k;
        }
    }
}
#endif

#ifdef IS_SEARCHSORTED
/* Things: values; m of them belong to a line. The search goes by halves; a NaN is larger than all. */
static inline int comes_before(T element, T value, int right)
{
    return right ? element <= value || value != value : element < value || (value != value && element == element);
}

__kernel void tn_searchsorted(ITEM_PARAM
                              __global const T *x_buffer, ulong x_offset, __global const T *v_buffer, ulong v_offset,
                              __global int *y_buffer, ulong y_offset, IX n, IX m, int right, IX count, IX per)
{
    EACH(i)
    {
        __global const T *line = x_buffer + x_offset + i / m * n;
        const T value = v_buffer[v_offset + i];
        IX low = 0, high = n;
        while (low < high) {
            const IX middle = low + (high - low) / 2;
            if (comes_before(line[middle], value, right))
                low = middle + 1;
            else
                high = middle;
        }
        y_buffer[y_offset + i] = (int)low;
    }
}
#endif
