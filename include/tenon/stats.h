/* stats.h: statistics of a column of numbers, and the scaling of features.
 *
 * All of it works on f32 numbers in host memory and computes in double precision. NaN stands for a missing value and is
 * left out. Where there is no answer, as of a column without values, the answer is NaN. Any thread may call these
 * functions; those that return a number allocate nothing. */
#ifndef TENON_STATS_H
#define TENON_STATS_H

#include "tenon/data.h"
#include "tenon/state.h"

#ifdef __cplusplus
extern "C" {
#endif

/* `count` numbers, each `stride` after the last (0: 1): column c of a table x of (rows, columns) is
 * (tn_column){x + c, rows, columns}. An x that is NULL has no values: all are missing. */
typedef struct tn_column {
    const float *x;
    int64_t count;
    int64_t stride;
} tn_column;

/* How many values are there: all that are not NaN. */
TN_API int64_t tn_stat_count(tn_column x);

/* Their sum divided by their count. */
TN_API double tn_stat_mean(tn_column x);
/* The mean of the squared distances from the mean; with `sample` divided by count - 1 instead, which estimates the
 * variance of what the values were drawn from. The standard deviation is its root. */
TN_API double tn_stat_variance(tn_column x, int sample);
TN_API double tn_stat_deviation(tn_column x, int sample);
/* The mean distance from the mean. */
TN_API double tn_stat_mean_absolute_deviation(tn_column x);

/* The smallest and the largest value, and the second minus the first. */
TN_API double tn_stat_least(tn_column x);
TN_API double tn_stat_largest(tn_column x);
TN_API double tn_stat_range(tn_column x);

/* The value below which `percent` (0..100) of the others lie. The sorted values are numbered from 0 to count - 1; what
 * lies at percent / 100 (count - 1) is interpolated between its neighbours: definition 7 of Hyndman and Fan, "Sample
 * quantiles in statistical packages", 1996, the usual one of NumPy and R. */
TN_API double tn_stat_percentile(tn_column x, double percent);
TN_API double tn_stat_median(tn_column x);              /* the 50th percentile */
TN_API double tn_stat_interquartile_range(tn_column x); /* from the 25th to the 75th */

/* Value i counts weight[i] times; the weights are dense, `count` of them, none negative and not all 0: else NaN. A
 * missing value takes its weight with it; a missing weight counts as negative. The median is where half of the weight
 * is reached; if it is reached exactly between two values, it is their mean. */
TN_API double tn_stat_weighted_mean(tn_column x, const float *weight);
TN_API double tn_stat_weighted_median(tn_column x, const float *weight);

/* Marks what lies more than `factor` (0: 1.5) inter-quartile ranges below the lower or above the upper quartile (Tukey,
 * "Exploratory data analysis", 1977): outlier[i] becomes 1 or 0; NULL is fine. Returns how many there are. */
TN_API int64_t tn_stat_outliers(tn_column x, double factor, uint8_t outlier[]);

/* ---- scaling ---- */

#define TN_SCALE_NONE     0
#define TN_SCALE_MINMAX   1 /* each column to low..high, from the least to the largest value that it had */
#define TN_SCALE_STANDARD 2 /* each column to mean 0 and (population) deviation 1 */
#define TN_SCALE_UNIT     3 /* each row to length 1: divided by the root of the sum of its squares */

/* What was learnt from a table, to be applied to others: fit it on the training part alone. Column c is
 * base + (x - centre[c]) / spread[c]. A column that is constant becomes the base: 0, or `low`. */
typedef struct tn_scaler {
    int32_t kind;
    int64_t columns;
    double base;
    double *centre, *spread; /* NULL where the kind needs none */
    double *mean;            /* takes the place of missing values; 0 for a column without values */
    uint64_t spare[4];
} tn_scaler;

/* The number of a kind by its name, "none", "minmax", "standard" or "unit", and back; -1 and NULL for what is none. */
TN_API int32_t tn_scale_kind(const char *name);
TN_API const char *tn_scale_name(int32_t kind);

/* Learns from x, dense (rows, columns), how to scale. `low` < `high` are for TN_SCALE_MINMAX alone. Infinite values are
 * an error. Free the scaler in the end. */
TN_API TN_MUST_USE tn_status tn_scaler_fit(tn_scaler *scaler, int32_t kind, double low, double high, const float *x,
                                           int64_t rows, int64_t columns);
TN_API void tn_scaler_free(tn_scaler *scaler); /* a zeroed struct is fine, and so is NULL */

/* Learns from all samples of a data set, f32, in two passes if they have a loader. A column without any value is
 * TN_EFORMAT. */
TN_API TN_MUST_USE tn_status tn_scaler_learn(tn_scaler *scaler, int32_t kind, double low, double high,
                                             const tn_dataset *data);
/* Fills and scales all samples of a data set: those in memory now, those with a loader whenever they are read. */
TN_API TN_MUST_USE tn_status tn_dataset_scale(tn_dataset *data, const tn_scaler *scaler);

/* Puts the columns' means in the place of missing values, in x itself. */
TN_API void tn_scaler_fill(const tn_scaler *scaler, float *x, int64_t rows);
/* Scales x itself, dense (rows, scaler->columns), and back. A missing value stays missing; a row of zeros stays zeros.
 * Rows that were brought to length 1 have lost their length: TN_EUNSUPPORTED. */
TN_API void tn_scaler_apply(const tn_scaler *scaler, float *x, int64_t rows);
TN_API TN_MUST_USE tn_status tn_scaler_invert(const tn_scaler *scaler, float *x, int64_t rows);

/* Keeps a scaler in a state, to be saved with it: as the tensor `name`, (3, columns) in f64, which are mean, centre and
 * spread, and "NAME.kind", (2), which are kind and base. And back from a file: the caller frees it. TN_EMISSING if the
 * file has none of that name, TN_EFORMAT if it makes no sense. */
TN_API TN_MUST_USE tn_status tn_scaler_put(const tn_scaler *scaler, tn_state *state, const char *name);
TN_API TN_MUST_USE tn_status tn_scaler_read(tn_scaler *scaler, const tn_checkpoint *checkpoint, const char *name);

#ifdef __cplusplus
}
#endif
#endif
