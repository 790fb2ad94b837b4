/* measures.h: how good predictions are, by the measures that people ask for: accuracy and its kin of classes, errors of
 * numbers. What a training makes small is its loss; these tell what came of it.
 *
 * All of it works on arrays in host memory and counts in double precision. Any thread may call these functions; one
 * tn_measures may be read by several at once. */
#ifndef TENON_MEASURES_H
#define TENON_MEASURES_H

#include "tenon/status.h"

#ifdef __cplusplus
extern "C" {
#endif

/* What was predicted. */
#define TN_OF_CLASSES 1 /* one class for each sample */
#define TN_OF_MARKS   2 /* yes or no, for each of its targets */
#define TN_OF_NUMBERS 4 /* a number, for each of its targets */

typedef struct tn_measures tn_measures;

/* Measures `count` samples, 1 or more. Outputs are dense, (count, classes) or (count, targets). Of classes the largest
 * output is what was predicted, the first of equal ones; a sample with an output that is NaN has no class, and counts
 * as wrong. Of marks what lies above `threshold` is a yes, in the targets what lies above 0.5; NaN is a no. The caller
 * frees it. TN_EINVAL for a label that is none of the classes. */
TN_API TN_MUST_USE tn_status tn_measures_of_classes(const int32_t *label, const float *output, int64_t count,
                                                    int64_t classes, tn_measures **measures);
TN_API TN_MUST_USE tn_status tn_measures_of_marks(const float *target, const float *output, int64_t count,
                                                  int64_t targets, double threshold, tn_measures **measures);
TN_API TN_MUST_USE tn_status tn_measures_of_numbers(const float *target, const float *output, int64_t count,
                                                    int64_t targets, tn_measures **measures);

/* The same of samples that count as often as their weights say, as with scikit-learn's sample_weight; confusions and
 * support count samples. */
typedef struct tn_measured_samples {
    uint32_t kind; /* TN_OF_... */
    const int32_t *label;
    const float *target, *output;
    const float *weight;  /* of each sample, as a tn_dataset has them; NULL: 1 */
    int64_t count, parts; /* parts: classes or targets */
    double threshold;     /* of marks */
    uint64_t spare[4];
} tn_measured_samples;
TN_API TN_MUST_USE tn_status tn_measures_of(const tn_measured_samples *samples, tn_measures **measures);

/* The class that `classes` outputs predict, by that rule; -1: none. */
TN_API int64_t tn_class_of(const float *output, int64_t classes);

TN_API void tn_measures_free(tn_measures *measures); /* NULL is fine */

/* TN_OF_..., and the number of classes or targets. */
TN_API uint32_t tn_measures_kind(const tn_measures *measures);
TN_API int64_t tn_measures_parts(const tn_measures *measures);

/* A measure. `index` below 0 asks for that of all. Of precision, recall and f1 it is the plain mean over the classes
 * that are there or were predicted, or over the targets; of r2, mae and rmse the mean over the targets. Of accuracy it
 * is the share of samples that are wholly right: of several marks those with every one right, while mean_accuracy is
 * the targets' mean. Of roc_auc it is that of two classes, by what the second output is above the first, or the mean
 * of the targets of which there are both. Else it is that of a class or target, where the measure has such. NaN where
 * there is no answer, and of a name that is none. */
TN_API double tn_measures_get(const tn_measures *measures, const char *name, int64_t index);

/* Of classes, 4096 at most: how many samples of the class `truth` were taken for the class `found`. -1 beyond them. */
TN_API int64_t tn_measures_confused(const tn_measures *measures, int64_t truth, int64_t found);

/* The measures there are. Returns 0 past the last. */
typedef struct tn_measure_entry {
    const char *name; /* "balanced_accuracy" */
    const char *doc;
    uint32_t of;    /* what it is of: TN_OF_... added up */
    uint32_t all;   /* there is one of all, */
    uint32_t each;  /* and one of each class or target */
    uint32_t lower; /* lower is better; such a one is in the target's own units */
    uint64_t spare[4];
} tn_measure_entry;
TN_API int tn_measure_at(size_t index, tn_measure_entry *entry);

#ifdef __cplusplus
}
#endif
#endif
