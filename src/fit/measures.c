/* measures.c: what predictions are worth, counted on the host. A new measure is a function and a row.
 *
 * The conventions are those of scikit-learn, which people compare with: what is divided by nothing is 0 in precision,
 * recall and F1; classes that neither are there nor were predicted take no part in means; a target that never changes
 * has an R² of 1 where it was met exactly, and else of 0. A sample's weight is how often it counts. */
#include "tenon/measures.h"

#include <math.h>
#include <string.h>

#include "alloc.h"
#include "area.h"
#include "given.h"
#include "weights.h"

#define MOST_CONFUSED 4096 /* classes whose confusions are counted */
#define TOP           5

/* What was counted of a class or target, as often as the samples' weights say. */
typedef struct part {
    double there, found, both; /* samples that are it, that were taken for it, and that are and were */
    double r2, mae, rmse;
    int64_t support; /* samples that are it, each once */
} part;

struct tn_measures {
    uint32_t kind;
    int64_t count, parts;
    double weight, right, near; /* of all samples; of those wholly right; of those whose class is among the first TOP */
    double area;                /* under the ROC curve */
    part *part;
    int64_t *confused; /* (parts, parts), or NULL */
};

static double weight_of(const tn_measured_samples *s, int64_t i)
{
    return s->weight ? (double)s->weight[i] : 1;
}

static tn_status add_weights(const tn_measured_samples *s, double *all)
{
    for (int64_t i = 0; i < s->count; i++) {
        const double weight = weight_of(s, i);
        TN_REQUIRE(tn_is_weight(weight), TN_EINVAL, "sample %lld has the weight %g, not " TN_WEIGHT_RANGE, (long long)i,
                   weight);
        *all += weight;
    }
    TN_REQUIRE(*all > 0, TN_EINVAL, "all %lld samples have the weight 0", (long long)s->count);
    return TN_OK;
}

static tn_status begin(const tn_measured_samples *s, tn_measures **measures)
{
    const int64_t parts = s->parts;
    double weight = 0;
    TN_REQUIRE(s->count > 0 && parts > 0, TN_EINVAL, "measures of %lld samples with %lld outputs each",
               (long long)s->count, (long long)parts);
    TN_TRY(add_weights(s, &weight));
    tn_measures *m = tn_alloc(sizeof *m);
    if (!m) return TN_ENOMEM;
    *m = (tn_measures){.kind = s->kind, .count = s->count, .parts = parts, .weight = weight};
    const int confuses = s->kind == TN_OF_CLASSES && parts <= MOST_CONFUSED;
    m->part = tn_alloc((size_t)parts * sizeof *m->part);
    if (confuses) m->confused = tn_alloc((size_t)(parts * parts) * sizeof *m->confused);
    if (!m->part || (confuses && !m->confused)) {
        tn_measures_free(m);
        return TN_ENOMEM;
    }
    *measures = m;
    return TN_OK;
}

void tn_measures_free(tn_measures *m)
{
    if (!m) return;
    tn_free(m->part);
    tn_free(m->confused);
    tn_free(m);
}

/* ---- classes ---- */

int64_t tn_class_of(const float *output, int64_t classes)
{
    int64_t best = output && classes > 0 ? 0 : -1;
    for (int64_t k = 0; output && k < classes; k++) {
        if (isnan(output[k])) return -1;
        if (output[k] > output[best]) best = k;
    }
    return best;
}

/* Whether fewer than TOP outputs come before that one. */
static int is_near(const float *output, int64_t classes, int32_t label)
{
    int64_t before = 0;
    for (int64_t k = 0; k < classes; k++)
        before += output[k] > output[label] || (output[k] == output[label] && k < label);
    return before < TOP;
}

static void count_class(tn_measures *m, int32_t label, const float *output, double weight)
{
    const int64_t found = tn_class_of(output, m->parts);
    part *own = &m->part[label];
    own->there += weight;
    own->support++;
    if (found < 0) return;
    m->part[found].found += weight;
    if (found == label) own->both += weight, m->right += weight;
    if (is_near(output, m->parts, label)) m->near += weight;
    if (m->confused) m->confused[label * m->parts + found]++;
}

static void count_classes(tn_measures *m, const tn_measured_samples *s)
{
    for (int64_t i = 0; i < s->count; i++) count_class(m, s->label[i], s->output + i * s->parts, weight_of(s, i));
}

static tn_status check_labels(const tn_measured_samples *s)
{
    for (int64_t i = 0; i < s->count; i++)
        TN_REQUIRE(s->label[i] >= 0 && s->label[i] < s->parts, TN_EINVAL,
                   "the label %d of sample %lld is none of %lld classes", s->label[i], (long long)i,
                   (long long)s->parts);
    return TN_OK;
}

/* ---- marks ---- */

static void count_mark(part *p, int there, int found, double weight)
{
    if (there) p->there += weight;
    if (found) p->found += weight;
    if (there && found) p->both += weight;
    p->support += there;
}

static void count_marks(tn_measures *m, const tn_measured_samples *s)
{
    for (int64_t i = 0; i < s->count; i++) {
        int right = 1;
        for (int64_t k = 0; k < s->parts; k++) {
            const int64_t at = i * s->parts + k;
            const int there = s->target[at] > 0.5f, found = (double)s->output[at] > s->threshold;
            count_mark(&m->part[k], there, found, weight_of(s, i));
            right &= there == found;
        }
        if (right) m->right += weight_of(s, i);
    }
}

/* ---- numbers ---- */

/* 1 less the squared errors' share of the squared distances from the mean. */
static double share_told(double errors, double distances, int64_t count)
{
    if (count < 2) return NAN;
    if (distances > 0) return 1 - errors / distances;
    return errors > 0 ? 0 : 1 - errors; /* of NaN that is NaN */
}

static part measure_column(const tn_measured_samples *s, int64_t column, double all)
{
    const float *target = s->target + column, *output = s->output + column;
    const int64_t stride = s->parts;
    double mean = *target, distances = 0, squares = 0, sizes = 0; /* of equal numbers exactly theirs */
    for (int64_t i = 0; i < s->count; i++) mean += weight_of(s, i) * ((double)target[i * stride] - *target) / all;
    for (int64_t i = 0; i < s->count; i++) {
        const double w = weight_of(s, i), y = target[i * stride], error = (double)output[i * stride] - y;
        distances += w * (y - mean) * (y - mean);
        squares += w * error * error;
        sizes += w * fabs(error);
    }
    return (part){.r2 = share_told(squares, distances, s->count), .mae = sizes / all, .rmse = sqrt(squares / all)};
}

static void measure_numbers(tn_measures *m, const tn_measured_samples *s)
{
    for (int64_t k = 0; k < s->parts; k++) m->part[k] = measure_column(s, k, m->weight);
}

/* ---- all of them ---- */

tn_status tn_measures_of(const tn_measured_samples *s, tn_measures **measures)
{
    TN_GIVEN_AS("samples, measures", s, measures);
    const int classes = s->kind == TN_OF_CLASSES, marks = s->kind == TN_OF_MARKS;
    TN_REQUIRE(classes || marks || s->kind == TN_OF_NUMBERS, TN_EINVAL, "there are no measures of kind %u", s->kind);
    TN_REQUIRE(s->output && (classes ? s->label != NULL : s->target != NULL), TN_EINVAL,
               "measures take outputs, and labels or targets");
    tn_measures *m = NULL;
    if (classes) TN_TRY(check_labels(s));
    TN_TRY(begin(s, &m));
    (classes ? count_classes : marks ? count_marks : measure_numbers)(m, s);
    const tn_status status = tn_area_of(s, &m->area);
    if (status)
        tn_measures_free(m);
    else
        *measures = m;
    return status;
}

tn_status tn_measures_of_classes(const int32_t *label, const float *output, int64_t count, int64_t classes,
                                 tn_measures **measures)
{
    TN_GIVEN(label, output, measures);
    return tn_measures_of(
        &(tn_measured_samples){
            .kind = TN_OF_CLASSES, .label = label, .output = output, .count = count, .parts = classes},
        measures);
}

tn_status tn_measures_of_marks(const float *target, const float *output, int64_t count, int64_t targets,
                               double threshold, tn_measures **measures)
{
    TN_GIVEN(target, output, measures);
    return tn_measures_of(&(tn_measured_samples){.kind = TN_OF_MARKS,
                                                 .target = target,
                                                 .output = output,
                                                 .count = count,
                                                 .parts = targets,
                                                 .threshold = threshold},
                          measures);
}

tn_status tn_measures_of_numbers(const float *target, const float *output, int64_t count, int64_t targets,
                                 tn_measures **measures)
{
    TN_GIVEN(target, output, measures);
    return tn_measures_of(
        &(tn_measured_samples){
            .kind = TN_OF_NUMBERS, .target = target, .output = output, .count = count, .parts = targets},
        measures);
}

/* ---- the table ---- */

/* 0 of nothing. */
static double share(double some, double of)
{
    return of > 0 ? some / of : 0;
}

static double accuracy(const tn_measures *m, int64_t k)
{
    const part *p = &m->part[k];
    return (m->weight - p->there - p->found + 2 * p->both) / m->weight;
}

static double all_accuracy(const tn_measures *m)
{
    return m->right / m->weight;
}

/* The share of marks that are right. */
static double mean_accuracy(const tn_measures *m)
{
    double sum = 0;
    for (int64_t k = 0; k < m->parts; k++) sum += accuracy(m, k);
    return sum / (double)m->parts;
}

static double recall(const tn_measures *m, int64_t k)
{
    return share(m->part[k].both, m->part[k].there);
}

static double precision(const tn_measures *m, int64_t k)
{
    return share(m->part[k].both, m->part[k].found);
}

static double f1(const tn_measures *m, int64_t k)
{
    return share(2 * m->part[k].both, m->part[k].there + m->part[k].found);
}

static double support(const tn_measures *m, int64_t k)
{
    return (double)m->part[k].support;
}

/* The mean recall of the classes that are there. */
static double balanced(const tn_measures *m)
{
    double sum = 0;
    int64_t classes = 0;
    for (int64_t k = 0; k < m->parts; k++) {
        sum += recall(m, k);
        classes += m->part[k].there > 0;
    }
    return sum / (double)classes;
}

static double top(const tn_measures *m)
{
    return m->parts > TOP ? m->near / m->weight : NAN;
}

static double area(const tn_measures *m)
{
    return m->area;
}

static double r2(const tn_measures *m, int64_t k)
{
    return m->part[k].r2;
}

static double mae(const tn_measures *m, int64_t k)
{
    return m->part[k].mae;
}

static double rmse(const tn_measures *m, int64_t k)
{
    return m->part[k].rmse;
}

typedef struct row {
    const char *name, *doc;
    uint32_t of;
    uint32_t lower;
    double (*all)(const tn_measures *m);             /* NULL: the mean of all parts, */
    double (*each)(const tn_measures *m, int64_t k); /* unless this is NULL */
    uint32_t of_marks;                               /* `each` is of marks alone */
    uint32_t only_each;
} row;

static const row rows[] = {
    {.name = "accuracy",
     .doc = "samples that are wholly right",
     .of = TN_OF_CLASSES | TN_OF_MARKS,
     .all = all_accuracy,
     .each = accuracy,
     .of_marks = 1},
    {.name = "mean_accuracy", .doc = "mean accuracy of the targets", .of = TN_OF_MARKS, .all = mean_accuracy},
    {.name = "balanced_accuracy", .doc = "mean recall of the classes", .of = TN_OF_CLASSES, .all = balanced},
    {.name = "precision",
     .doc = "of what was taken for it, what is it",
     .of = TN_OF_CLASSES | TN_OF_MARKS,
     .each = precision},
    {.name = "recall",
     .doc = "of what is it, what was taken for it",
     .of = TN_OF_CLASSES | TN_OF_MARKS,
     .each = recall},
    {.name = "f1", .doc = "harmonic mean of precision and recall", .of = TN_OF_CLASSES | TN_OF_MARKS, .each = f1},
    {.name = "top5", .doc = "samples whose class is among the five likeliest", .of = TN_OF_CLASSES, .all = top},
    {.name = "roc_auc",
     .doc = "area under the ROC curve, of two classes, or the targets' mean",
     .of = TN_OF_CLASSES | TN_OF_MARKS,
     .all = area},
    {.name = "support",
     .doc = "samples that are it",
     .of = TN_OF_CLASSES | TN_OF_MARKS,
     .each = support,
     .only_each = 1},
    {.name = "r2", .doc = "share of the variance that is told", .of = TN_OF_NUMBERS, .each = r2},
    {.name = "mae", .doc = "mean absolute error", .of = TN_OF_NUMBERS, .each = mae, .lower = 1},
    {.name = "rmse", .doc = "root of the mean squared error", .of = TN_OF_NUMBERS, .each = rmse, .lower = 1},
};

int tn_measure_at(size_t index, tn_measure_entry *entry)
{
    if (index >= sizeof rows / sizeof *rows || !entry) return 0;
    const row *r = &rows[index];
    *entry = (tn_measure_entry){
        .name = r->name, .doc = r->doc, .of = r->of, .all = !r->only_each, .each = r->each != NULL, .lower = r->lower};
    return 1;
}

static double mean(const tn_measures *m, double (*each)(const tn_measures *m, int64_t k))
{
    double sum = 0;
    int64_t parts = 0;
    for (int64_t k = 0; k < m->parts; k++) {
        if (m->kind == TN_OF_CLASSES && !(m->part[k].there > 0) && !(m->part[k].found > 0)) continue;
        sum += each(m, k);
        parts++;
    }
    return sum / (double)parts;
}

static double ask(const tn_measures *m, const row *r, int64_t index)
{
    if (index >= m->parts || !(r->of & m->kind)) return NAN;
    if (index >= 0) return r->each && !(r->of_marks && m->kind != TN_OF_MARKS) ? r->each(m, index) : NAN;
    return r->only_each ? NAN : r->all ? r->all(m) : mean(m, r->each);
}

double tn_measures_get(const tn_measures *m, const char *name, int64_t index)
{
    if (!m || !name) return NAN;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (!strcmp(rows[i].name, name)) return ask(m, &rows[i], index);
    return NAN;
}

uint32_t tn_measures_kind(const tn_measures *m)
{
    return m ? m->kind : 0;
}

int64_t tn_measures_parts(const tn_measures *m)
{
    return m ? m->parts : 0;
}

int64_t tn_measures_confused(const tn_measures *m, int64_t truth, int64_t found)
{
    if (!m || !m->confused || truth < 0 || found < 0 || truth >= m->parts || found >= m->parts) return -1;
    return m->confused[truth * m->parts + found];
}
