/* rules_table.c: operators of the domain ai.onnx.ml that exporters of scikit-learn and its like put around a network:
 * columns of tables scaled, filled, picked and coded, labels of classes, linear models. */
#include <math.h>
#include <string.h>

#include "rule.h"

/* The rows of a table: what has one dimension is one row. */
static tn_tensor *as_rows(tn_tensor *x)
{
    return x && tn_shape_of(x).rank == 1 ? tn_unsqueeze(x, 0) : x;
}

static tn_tensor *as_f32(tn_tensor *x)
{
    return x ? tn_cast(x, TN_F32) : NULL;
}

/* An attribute that lists numbers as a tensor (count), f32 or i32 as the file has them; NULL: it is not there. */
static tn_tensor *list_of(onnx_node *n, const char *name)
{
    const onnx_attribute *at = onnx_attr(n, name);
    if (!at) return NULL;
    if (at->n_floats) return tn_constant(n->graph, TN_F32, TN_SHAPE((int64_t)at->n_floats), at->floats);
    return at->n_ints ? onnx_constant_ints(n, at->ints, TN_SHAPE((int64_t)at->n_ints)) : NULL;
}

/* The list that an attribute of any of these names has, and in *name which; NULL: none of them is there. */
static tn_tensor *list_of_any(onnx_node *n, const char *const names[], const char **name)
{
    tn_tensor *found = NULL;
    for (size_t i = 0; names[i] && !found; i++)
        if ((found = list_of(n, names[i]))) *name = names[i];
    return found;
}

static int has_texts(onnx_node *n, const char *name)
{
    const onnx_attribute *at = onnx_attr(n, name);
    return at && at->n_strings;
}

static int is_of_ints(tn_tensor *x)
{
    return tn_dtype_of(x) == TN_I32;
}

/* ---- columns ---- */

void onnx_rule_scaler(onnx_node *n)
{
    tn_tensor *x = as_f32(onnx_in(n, 0)), *offset = list_of(n, "offset"), *scale = list_of(n, "scale");
    if (x && offset) x = tn_sub(x, offset);
    if (x && scale) x = tn_mul(x, scale);
    onnx_out_as(n, 0, x, ONNX_FLOAT);
}

void onnx_rule_binarizer(onnx_node *n)
{
    tn_tensor *x = onnx_in(n, 0);
    if (x) onnx_out(n, 0, tn_cast(tn_gt(x, tn_number(x, onnx_float(n, "threshold", 0))), tn_dtype_of(x)));
}

/* Each row by its largest number, its sum or its length; rows whose divisor is 0 stay as they are. */
void onnx_rule_normalizer(onnx_node *n)
{
    tn_tensor *x = as_f32(onnx_in(n, 0)), *by = NULL;
    const tn_axes last = TN_AXES(-1);
    if (!x) return;
    if (onnx_text_is(n, "norm", "MAX", "MAX")) by = tn_amax(x, last, 1);
    if (onnx_text_is(n, "norm", "MAX", "L1")) by = tn_sum(tn_abs(x), last, 1);
    if (onnx_text_is(n, "norm", "MAX", "L2")) by = tn_sqrt(tn_sum(tn_square(x), last, 1));
    if (!by) return;
    onnx_out_as(n, 0, tn_div(x, tn_where(tn_eq(by, tn_number(by, 0)), tn_number(by, 1), by)), ONNX_FLOAT);
}

/* In place of one number, NaN in most files, others: one for all columns or one for each. */
void onnx_rule_imputer(onnx_node *n)
{
    static const char *const names[] = {"imputed_value_floats", "imputed_value_int64s", NULL};
    const char *name = NULL;
    tn_tensor *x = onnx_in(n, 0), *value = list_of_any(n, names, &name);
    double replaced = onnx_float(n, "replaced_value_float", 0);
    double whole = (double)onnx_int(n, "replaced_value_int64", 0);
    if (!x || !value) return;
    if (is_of_ints(x)) replaced = whole;
    tn_tensor *is = isnan(replaced) ? tn_isnan(x) : tn_eq(x, tn_number(x, replaced));
    onnx_out(n, 0, tn_where(is, tn_cast(value, tn_dtype_of(x)), x));
}

void onnx_rule_array_feature_extractor(onnx_node *n)
{
    tn_tensor *x = as_rows(onnx_in(n, 0)), *index = onnx_in(n, 1);
    if (!x || !index) return;
    tn_shape shape = tn_shape_of(index);
    index = tn_reshape(index, TN_SHAPE(tn_shape_count(&shape)));
    onnx_out(n, 0, tn_index_select(x, tn_shape_of(x).rank - 1, index));
}

void onnx_rule_feature_vectorizer(onnx_node *n)
{
    tn_tensor *part[64];
    onnx_heeded(n, "inputdimensions"); /* the operands say it, too */
    if (!n->n_in || n->n_in > 64) return;
    for (uint32_t i = 0; i < n->n_in; i++)
        if (!(part[i] = as_f32(as_rows(onnx_in(n, i))))) return;
    onnx_out_as(n, 0, tn_concat(part, n->n_in, 1), ONNX_FLOAT);
}

/* ---- codes ---- */

/* Which of the keys each number is: a further dimension of truth values. NaN is a key, too. */
static tn_tensor *matches(tn_tensor *x, tn_tensor *keys)
{
    tn_tensor *one = tn_unsqueeze(x, tn_shape_of(x).rank);
    if (is_of_ints(x)) return tn_eq(one, tn_cast(keys, TN_I32));
    keys = tn_cast(keys, tn_dtype_of(x));
    return tn_logical_or(tn_eq(one, keys), tn_logical_and(tn_isnan(one), tn_isnan(keys)));
}

void onnx_rule_one_hot_encoder(onnx_node *n)
{
    tn_tensor *x = onnx_in(n, 0), *keys = list_of(n, "cats_int64s");
    if (has_texts(n, "cats_strings")) onnx_cannot(n, "categories are strings");
    if (!onnx_int(n, "zeros", 1)) onnx_cannot(n, "zeros = 0: that a category is missing is no error here");
    if (x && keys && !n->failed) onnx_out_as(n, 0, as_f32(matches(tn_cast(x, TN_I32), keys)), ONNX_FLOAT);
}

/* A list of LabelEncoder: an attribute of numbers, or one that is a tensor. */
static tn_tensor *codes(onnx_node *n, const char *const names[], const char *tensor, const char **name)
{
    onnx_value value = {0};
    const onnx_attribute *at = onnx_attr(n, tensor);
    if (!at || !at->t) return list_of_any(n, names, name);
    value.proto = at->t;
    *name = tensor;
    tn_tensor *x = onnx_tensor(n, &value);
    tn_shape shape = x ? tn_shape_of(x) : TN_SCALAR;
    return x ? tn_reshape(x, TN_SHAPE(tn_shape_count(&shape))) : NULL;
}

/* What stands for numbers that are no key. */
static double code_otherwise(onnx_node *n, int is_whole)
{
    const double number = onnx_float(n, "default_float", 0), whole = (double)onnx_int(n, "default_int64", -1);
    const onnx_attribute *at = onnx_attr(n, "default_tensor");
    onnx_heeded(n, "default_string");
    if (!at || !at->t) return is_whole ? whole : number;
    onnx_value value = {.proto = at->t};
    tn_tensor *x = onnx_tensor(n, &value);
    const char *input;
    const double *known = x ? onnx_evaluate(n->build, x, &input) : NULL;
    return known ? *known : 0;
}

/* The first of equal keys counts: the others' matches are taken away. */
void onnx_rule_label_encoder(onnx_node *n)
{
    static const char *const key_names[] = {"keys_int64s", "keys_floats", NULL};
    static const char *const value_names[] = {"values_int64s", "values_floats", NULL};
    const char *name = NULL;
    tn_tensor *x = onnx_in(n, 0);
    if (has_texts(n, "keys_strings") || has_texts(n, "values_strings") || has_texts(n, "classes_strings"))
        onnx_cannot(n, "codes are strings");
    if (!x || n->failed) return;
    tn_tensor *keys = codes(n, key_names, "keys_tensor", &name);
    tn_tensor *values = codes(n, value_names, "values_tensor", &name);
    if (!keys || !values || n->failed) return;
    const int is_whole = is_of_ints(values);
    const double otherwise = code_otherwise(n, is_whole);
    tn_tensor *is = matches(x, keys), *place = tn_argmax(is, -1);
    tn_tensor *y = tn_gather(values, place), *any = tn_amax(is, TN_AXES(-1), 0);
    y = tn_where(any, y, tn_number(y, otherwise));
    onnx_out_as(n, 0, y, is_whole ? ONNX_INT64 : tn_dtype_of(y) == TN_F64 ? ONNX_DOUBLE : ONNX_FLOAT);
}

/* Scores by the labels of their columns are the scores: an array in the labels' order. */
void onnx_rule_zip_map(onnx_node *n)
{
    onnx_heeded(n, "classlabels_int64s"), onnx_heeded(n, "classlabels_strings");
    onnx_out(n, 0, onnx_in(n, 0));
}

/* ---- linear models ---- */

/* x W^T + b for the rows of W, which there are `outputs` of: (rows, outputs). */
static tn_tensor *linear(onnx_node *n, int64_t outputs)
{
    tn_tensor *x = as_rows(as_f32(onnx_in(n, 0))), *w = list_of(n, "coefficients"), *b = list_of(n, "intercepts");
    if (!x || !w || outputs < 1 || onnx_rank(n, 0) > 2) return NULL;
    x = tn_matmul(x, tn_transpose(tn_reshape(w, TN_SHAPE(outputs, onnx_dim(x, 1))), NULL));
    return b ? tn_add(x, b) : x;
}

/* What the scores are made into. */
static tn_tensor *scores(onnx_node *n, tn_tensor *y)
{
    static const char *const names[] = {"NONE", "LOGISTIC", "SOFTMAX"};
    uint32_t which = 0;
    while (which < 3 && !onnx_text_is(n, "post_transform", "NONE", names[which])) which++;
    if (which == 3) onnx_cannot(n, "post_transform is none of NONE, LOGISTIC and SOFTMAX");
    return which == 1 ? tn_sigmoid(y) : which == 2 ? tn_softmax(y, -1) : y;
}

void onnx_rule_linear_regressor(onnx_node *n)
{
    tn_tensor *y = linear(n, onnx_int(n, "targets", 1));
    if (y) onnx_out_as(n, 0, scores(n, y), ONNX_FLOAT);
}

/* Two classes by one score: the first class has what is left of 1. */
static tn_tensor *of_both(tn_tensor *score)
{
    return tn_concat((tn_tensor *[]){tn_sub(tn_number(score, 1), score), score}, 2, -1);
}

void onnx_rule_linear_classifier(onnx_node *n)
{
    const onnx_attribute *bias = onnx_attr(n, "intercepts");
    tn_tensor *labels = list_of(n, "classlabels_ints");
    onnx_heeded(n, "multi_class");
    if (has_texts(n, "classlabels_strings")) onnx_cannot(n, "labels are strings");
    if (!labels || !bias || n->failed) return;
    const int64_t classes = onnx_dim(labels, 0), rows = (int64_t)bias->n_floats;
    tn_tensor *score = linear(n, rows);
    if (!score || (rows != classes && (rows != 1 || classes != 2))) return;
    tn_tensor *best =
        rows == 1 ? tn_cast(tn_reshape(tn_gt(score, tn_number(score, 0)), TN_SHAPE(-1)), TN_I32) : tn_argmax(score, -1);
    onnx_out_as(n, 0, tn_gather(labels, best), ONNX_INT64);
    score = scores(n, score);
    onnx_out_as(n, 1, rows == classes ? score : of_both(score), ONNX_FLOAT);
}
