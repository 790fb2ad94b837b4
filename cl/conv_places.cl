/* conv_places.cl: where the elements of a convolution's product lie, on GPUs (conv_gpu.cl, conv_matrix.cl). Usual: rows
 * are filters, columns pixels, and k goes over channels and taps; of a gradient of weights columns are channels and
 * taps, and k goes over pixels (conv_cpu.cl).
 *
 * With CHANNELS_LAST, of CHANNELS of a group, channels go before taps, so that neighbours along them are neighbours in
 * pictures; weights are laid out so before (tn_conv_turn), but for those of one tap, which lie so.
 *
 * Given: R, S, STRIDE_H, STRIDE_W, DILATION_H, DILATION_W, WEIGHT, SPLIT; the epilogue as a map; where they stand, the
 * kernel's arguments, and g, the group's number. */
#if CHANNELS_LAST
#define PIXEL_STEP (groups * CHANNELS)
#define TAP(i)                                                                                                         \
    (((i) / CHANNELS / S * (DILATION_H * wp) + (i) / CHANNELS % S * DILATION_W) * PIXEL_STEP + (i) % CHANNELS)
#else
#define PIXEL_STEP 1
#define TAP(i)     ((i) / (R * S) * hp * wp + (i) / S % R * (DILATION_H * wp) + (i) % S * DILATION_W)
#endif
#define PIXEL(i) (((i) / q * (STRIDE_H * wp) + (i) % q * STRIDE_W) * PIXEL_STEP)
/* An element of the pictures: of a column, and a value of k. */
#define COLUMN(j)  (WEIGHT ? TAP(j) : PIXEL(j))
#define ALONG_K(k) (WEIGHT ? PIXEL(k) : TAP(k))
/* Whether neighbours of a factor are neighbours along rows or columns; else along k. */
#define TURNED_A   (CHANNELS_LAST && WEIGHT)
#define TURNED_B   (CHANNELS_LAST == WEIGHT)
/* Of a, filters or their gradients: from one row, and one value of k, to the next. */
#define ROW_STEP_A (TURNED_A ? 1 : k_all)
#define K_STEP_A   (TURNED_A ? groups * m : 1)

/* The first element of a and of the pictures, of an image. */
#if CHANNELS_LAST
#define A_OF(first, image)    ((first) + (WEIGHT ? (long)(image) * groups * m * k_all + g * m : (long)g * m * k_all))
#define FROM_OF(first, image) ((first) + (long)(image) * groups * picture + g * CHANNELS)
#else
#define A_OF(first, image)    ((first) + (WEIGHT ? (long)(image) * groups + g : g) * m * (long)k_all)
#define FROM_OF(first, image) ((first) + ((long)(image) * groups + g) * picture)
#endif

/* The product of row i and column j to where it belongs. */
#if CHANNELS_LAST && WEIGHT
#define RESULT(j) ((j) % CHANNELS * (R * S) + (j) / CHANNELS)
#else
#define RESULT(j) (j)
#endif
#define GIVEN(j) product
#ifdef SPLIT
#define RESULT_PARAMS   __global uchar *partial_buffer, ulong partial_offset,
#define RESULT_POINTERS __global T *partial = (__global T *)(partial_buffer + partial_offset) + (long)outer * m * n;
#define STORE_RESULT    partial[(long)i * n + RESULT(j)] = product;
#else
#define RESULT_PARAMS   MAP_PARAMS
#define RESULT_POINTERS MAP_POINTERS
#if CHANNELS_LAST && !WEIGHT
#define STORE_RESULT MAP_ROW((IX)(outer / groups) * n + j, 0) MAP_VALUES(g * m + i) MAP_STORE(g * m + i)
#else
#define STORE_RESULT MAP_ROW((IX)((long)outer * m + i), 0) MAP_VALUES(RESULT(j)) MAP_STORE(RESULT(j))
#endif
#endif
