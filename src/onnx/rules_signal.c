/* rules_signal.c: Fourier transforms and what goes with them. */
#include <math.h>

#include "rule.h"

/* ---- complex numbers are a last dimension of 2, or 1 where they are real ---- */

static tn_tensor *part_of(tn_tensor *x, int64_t i)
{
    return onnx_dim(x, -1) > i ? tn_squeeze(tn_slice(x, -1, i, 1, 1), -1) : NULL;
}

static tn_tensor *together(tn_tensor *re, tn_tensor *im)
{
    return tn_stack((tn_tensor *[]){re, im}, 2, -1);
}

static tn_tensor *swapped(tn_tensor *x, int32_t axis)
{
    return x ? tn_swap_axes(x, axis, -1) : NULL;
}

/* Of the first half of a spectrum, all of it: the rest is its mirror image, conjugate. */
static tn_tensor *mirrored(tn_tensor *x, int64_t size, int sign)
{
    const int64_t half = size / 2 + 1, more = size - half;
    if (!x) return NULL;
    if (onnx_dim(x, -1) > half) x = tn_slice(x, -1, 0, half, 1);
    if (onnx_dim(x, -1) < half) x = onnx_pad_number(x, tn_shape_of(x).rank - 1, 0, half - onnx_dim(x, -1), 0);
    if (!more) return x;
    tn_tensor *tail = tn_slice(x, -1, more, more, -1);
    return tn_concat((tn_tensor *[]){x, sign < 0 ? tn_neg(tail) : tail}, 2, -1);
}

/* The axis is an attribute before opset 20. */
void onnx_rule_dft(onnx_node *n)
{
    tn_tensor *x = onnx_in(n, 0);
    const int inverse = onnx_int(n, "inverse", 0) != 0, half = onnx_int(n, "onesided", 0) != 0;
    const double at = onnx_known_number(n, 2, n->opset < 20 ? (double)onnx_int(n, "axis", 1) : -2);
    if (!x || n->failed) return;
    int32_t axis = onnx_axis(n, (int64_t)at, tn_shape_of(x).rank);
    int64_t there = onnx_dim(x, axis), usual = inverse && half ? 2 * (there - 1) : there;
    const int64_t size = (int64_t)onnx_known_number(n, 1, (double)usual);
    tn_tensor *re = swapped(part_of(x, 0), axis), *im = swapped(part_of(x, 1), axis);
    if (n->failed || axis == tn_shape_of(x).rank - 1) return;
    if (inverse && half) re = mirrored(re, size, 1), im = mirrored(im, size, -1);
    tn_dft_options options = {.size = size, .inverse = (uint32_t)inverse, .half = half && !inverse};
    re = tn_dft(re, im, options, &im);
    re = swapped(re, axis), im = swapped(im, axis);
    onnx_out(n, 0, inverse && half ? tn_unsqueeze(re, -1) : together(re, im));
}

/* Frames, by the numbers of their elements. */
static tn_tensor *frames_of(onnx_node *n, tn_tensor *x, int64_t count, int64_t length, int64_t step)
{
    tn_shape shape = TN_SHAPE(count, length);
    tn_tensor *first = tn_iota(n->graph, shape, 0), *place = tn_iota(n->graph, shape, 1);
    place = tn_add(tn_mul(first, tn_number(first, (double)step)), place);
    x = tn_index_select(x, 1, tn_reshape(place, TN_SHAPE(count * length)));
    return tn_reshape(x, TN_SHAPE(onnx_dim(x, 0), count, length));
}

void onnx_rule_stft(onnx_node *n)
{
    tn_tensor *x = onnx_in(n, 0), *window = onnx_in(n, 2), *part[2];
    const int half = onnx_int(n, "onesided", 1) != 0;
    const double step = onnx_known_number(n, 1, 1),
                 wanted = onnx_known_number(n, 3, window ? (double)onnx_dim(window, 0) : 0);
    if (!x || n->failed || tn_shape_of(x).rank != 3) return;
    const int64_t length = wanted > 0 ? (int64_t)wanted : onnx_dim(x, 1);
    if (step < 1 || length > onnx_dim(x, 1)) onnx_cannot(n, "frames longer than the signal");
    if (n->failed) return;
    const int64_t count = (onnx_dim(x, 1) - length) / (int64_t)step + 1;
    for (int64_t i = 0; i < 2; i++) {
        part[i] = part_of(x, i);
        if (part[i]) part[i] = frames_of(n, part[i], count, length, (int64_t)step);
        if (part[i] && window) part[i] = tn_mul(part[i], window);
    }
    tn_tensor *im = NULL, *re = tn_dft(part[0], part[1], (tn_dft_options){.half = (uint32_t)half}, &im);
    onnx_out(n, 0, together(re, im));
}

/* ---- windows and banks ---- */

static void window(onnx_node *n, tn_tensor *(*function)(tn_graph *graph, int64_t count, int symmetric))
{
    const double count = onnx_known_number(n, 0, 0);
    const int symmetric = !onnx_int(n, "periodic", 1);
    int32_t type = (int32_t)onnx_int(n, "output_datatype", ONNX_FLOAT);
    if (!n->failed) onnx_out_as(n, 0, function(n->graph, (int64_t)count, symmetric), type);
}

void onnx_rule_hann_window(onnx_node *n)
{
    window(n, tn_hann);
}

void onnx_rule_hamming_window(onnx_node *n)
{
    window(n, tn_hamming);
}

void onnx_rule_blackman_window(onnx_node *n)
{
    window(n, tn_blackman);
}

/* The bin of a spectrum in which a place on the mel scale, 2595 log10(1 + f / 700), lies. */
static int64_t bin_of(double mel, double length, double rate)
{
    return (int64_t)floor((length + 1) * (700 * (pow(10, mel / 2595) - 1)) / rate);
}

/* A triangle of a bank: up from one bin to the next, and down to the one after it. */
static void triangle(float *bank, int64_t columns, int64_t column, const int64_t bin[3], int64_t rows)
{
    for (int64_t j = bin[0]; j <= bin[1] && j < rows; j++)
        bank[j * columns + column] = bin[1] == bin[0] ? 1 : (float)(j - bin[0]) / (float)(bin[1] - bin[0]);
    for (int64_t j = bin[1]; j < bin[2] && j < rows; j++)
        bank[j * columns + column] = (float)(bin[2] - j) / (float)(bin[2] - bin[1]);
}

void onnx_rule_mel_weight_matrix(onnx_node *n)
{
    double given[5];
    for (uint32_t i = 0; i < 5; i++) given[i] = onnx_known_number(n, i, 0);
    const int64_t columns = (int64_t)given[0], rows = (int64_t)given[1] / 2 + 1;
    if (n->failed || columns < 1 || rows < 1 || given[2] <= 0) return;
    float *bank = tn_region_alloc(&n->build->region, (size_t)(rows * columns) * sizeof *bank + 1);
    const double low = 2595 * log10(1 + given[3] / 700), high = 2595 * log10(1 + given[4] / 700);
    const double step = (high - low) / (double)(columns + 2);
    for (int64_t i = 0; bank && i < columns; i++) {
        int64_t bin[3];
        for (int64_t k = 0; k < 3; k++) bin[k] = bin_of(low + (double)(i + k) * step, given[1], given[2]);
        if (bin[0] >= 0) triangle(bank, columns, i, bin, rows);
    }
    int32_t type = (int32_t)onnx_int(n, "output_datatype", ONNX_FLOAT);
    if (bank) onnx_out_as(n, 0, tn_constant(n->graph, TN_F32, TN_SHAPE(rows, columns), bank), type);
}
