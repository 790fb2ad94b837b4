/* stats.c: statistics of a column. Order statistics are found without sorting or copying: by the bytes of the values'
 * bit patterns, the highest first, counting how much weight has each. */
#include <math.h>
#include <string.h>

#include "tenon/stats.h"

static float at(tn_column x, int64_t i)
{
    if (!x.x) return NAN;
    return x.x[i * (x.stride ? x.stride : 1)];
}

int64_t tn_stat_count(tn_column x)
{
    int64_t count = 0;
    for (int64_t i = 0; i < x.count; i++) count += !isnan(at(x, i));
    return count;
}

/* ---- sums ---- */

static double same(double value, double centre)
{
    (void)centre;
    return value;
}

static double square(double value, double centre)
{
    return (value - centre) * (value - centre);
}

static double distance(double value, double centre)
{
    return fabs(value - centre);
}

/* The sum of part(value, centre), divided by the count less `fewer`. */
static double mean_of(tn_column x, double (*part)(double value, double centre), double centre, int fewer)
{
    double sum = 0;
    int64_t count = tn_stat_count(x) - fewer;
    for (int64_t i = 0; i < x.count; i++)
        if (!isnan(at(x, i))) sum += part(at(x, i), centre);
    return count > 0 ? sum / (double)count : NAN;
}

double tn_stat_mean(tn_column x)
{
    return mean_of(x, same, 0, 0);
}

double tn_stat_variance(tn_column x, int sample)
{
    return mean_of(x, square, tn_stat_mean(x), sample != 0);
}

double tn_stat_deviation(tn_column x, int sample)
{
    return sqrt(tn_stat_variance(x, sample));
}

double tn_stat_mean_absolute_deviation(tn_column x)
{
    return mean_of(x, distance, tn_stat_mean(x), 0);
}

/* ---- order ---- */

/* Bits that are ordered as the numbers are, and back. */
static uint32_t ordered(float value)
{
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits & 0x80000000u ? ~bits : bits | 0x80000000u;
}

static float number(uint32_t bits)
{
    float value;
    bits = bits & 0x80000000u ? bits & 0x7fffffffu : ~bits;
    memcpy(&value, &bits, sizeof value);
    return value;
}

static double weight_of(const float *weight, int64_t i)
{
    return weight ? weight[i] : 1;
}

/* The weight of the values that begin with `high` above the lowest `shift` + 8 bits, by the next 8. */
static void count_bytes(tn_column x, const float *weight, uint32_t high, int shift, double part[256])
{
    memset(part, 0, 256 * sizeof *part);
    for (int64_t i = 0; i < x.count; i++) {
        float value = at(x, i);
        uint32_t bits = ordered(value);
        if (!isnan(value) && (uint64_t)bits >> (shift + 8) == high) part[bits >> shift & 255] += weight_of(weight, i);
    }
}

/* The first of the sorted values at which the weight so far exceeds `below`. There is one. */
static double first_beyond(tn_column x, const float *weight, double below)
{
    uint32_t high = 0;
    double part[256];
    for (int shift = 24; shift >= 0; shift -= 8) {
        uint32_t byte = 0, last = 0;
        count_bytes(x, weight, high, shift, part);
        for (; byte < 256 && part[byte] <= below; byte++) {
            if (part[byte] > 0) last = byte;
            below -= part[byte];
        }
        if (byte == 256) below = INFINITY; /* by rounding: the last one then */
        high = high << 8 | (byte < 256 ? byte : last);
    }
    return number(high);
}

/* fmin and fmax leave NaN out. */
double tn_stat_least(tn_column x)
{
    double least = NAN;
    for (int64_t i = 0; i < x.count; i++) least = fmin(least, at(x, i));
    return least;
}

double tn_stat_largest(tn_column x)
{
    double largest = NAN;
    for (int64_t i = 0; i < x.count; i++) largest = fmax(largest, at(x, i));
    return largest;
}

double tn_stat_range(tn_column x)
{
    return tn_stat_largest(x) - tn_stat_least(x);
}

double tn_stat_percentile(tn_column x, double percent)
{
    int64_t count = tn_stat_count(x);
    if (!count || !(percent >= 0 && percent <= 100)) return NAN;
    double place = percent / 100 * (double)(count - 1), whole = floor(place), share = place - whole;
    double low = first_beyond(x, NULL, whole);
    if (share == 0) return low;
    double high = first_beyond(x, NULL, whole + 1);
    return low == high ? low : low + share * (high - low);
}

double tn_stat_median(tn_column x)
{
    return tn_stat_percentile(x, 50);
}

double tn_stat_interquartile_range(tn_column x)
{
    return tn_stat_percentile(x, 75) - tn_stat_percentile(x, 25);
}

int64_t tn_stat_outliers(tn_column x, double factor, uint8_t outlier[])
{
    double low = tn_stat_percentile(x, 25), high = tn_stat_percentile(x, 75), reach = high - low;
    int64_t count = 0;
    reach *= factor != 0 ? factor : 1.5;
    for (int64_t i = 0; i < x.count; i++) {
        int out = at(x, i) < low - reach || at(x, i) > high + reach;
        if (outlier) outlier[i] = (uint8_t)out;
        count += out;
    }
    return count;
}

/* ---- weights ---- */

/* The weight of all values; NaN if a weight is no weight. */
static double total_weight(tn_column x, const float *weight)
{
    double sum = 0;
    for (int64_t i = 0; i < x.count; i++) {
        if (!(weight[i] >= 0 && weight[i] < INFINITY)) return NAN;
        if (!isnan(at(x, i))) sum += weight[i];
    }
    return sum > 0 ? sum : NAN;
}

double tn_stat_weighted_mean(tn_column x, const float *weight)
{
    if (!weight) return NAN;
    double sum = 0, total = total_weight(x, weight);
    for (int64_t i = 0; i < x.count; i++)
        if (!isnan(at(x, i)) && weight[i] > 0) sum += (double)at(x, i) * weight[i];
    return sum / total;
}

double tn_stat_weighted_median(tn_column x, const float *weight)
{
    if (!weight) return NAN;
    double total = total_weight(x, weight), below = 0, before = -INFINITY;
    if (isnan(total)) return NAN;
    double value = first_beyond(x, weight, total / 2);
    for (int64_t i = 0; i < x.count; i++)
        if (at(x, i) < value) below += weight[i];
    if (below != total / 2) return value; /* else half of the weight ends with the value before */
    for (int64_t i = 0; i < x.count; i++)
        if (at(x, i) < value && at(x, i) > before && weight[i] > 0) before = at(x, i);
    return (before + value) / 2;
}
