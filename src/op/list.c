/* list.c: all operators by number and by name: those of list.def, then the rows and their gradients. */
#include <math.h>
#include <pthread.h>
#include <string.h>

#include "hash.h"
#include "plain.h"
#include "rows.h"
#include "tenon/op_info.h"

static const tn_op_def *const listed[] = {
#define X(name) &tn_op_##name,
#include "list.def"
#undef X
};
enum { LISTED = sizeof listed / sizeof *listed, BUCKETS = 1024, ATTRIBUTES = 200 };

const tn_op_def *tn_op_number(size_t index)
{
    const tn_row *row = index < LISTED ? NULL : tn_row_at(index - LISTED);
    return index < LISTED ? listed[index] : row ? &row->def : NULL;
}

/* ---- by name: a table of hashes with open addressing ---- */

static const tn_op_def *bucket[BUCKETS];

static size_t first_bucket(const char *name)
{
    return tn_hash_text(name) % BUCKETS;
}

static void fill_buckets(void)
{
    const tn_op_def *op;
    for (size_t i = 0; (op = tn_op_number(i)); i++) {
        size_t at = first_bucket(op->name);
        while (bucket[at]) at = (at + 1) % BUCKETS;
        bucket[at] = op;
    }
}

const tn_op_def *tn_op_named(const char *name)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, fill_buckets);
    size_t at = first_bucket(name);
    while (bucket[at] && strcmp(bucket[at]->name, name)) at = (at + 1) % BUCKETS;
    return bucket[at];
}

/* ---- cost ---- */

/* An operand's bytes, once where it is broadcast. */
static double bytes_of(const tn_tensor_desc *x)
{
    double count = 1;
    for (int32_t d = 0; d < x->rank; d++) count *= x->stride[d] || x->dim[d] == 0 ? (double)x->dim[d] : 1;
    return count * (double)tn_dtype_size(x->dtype);
}

/* Of one that is only read where something is picked from it. */
static double bytes_picked(const tn_tensor_desc *from, const tn_tensor_desc *to)
{
    return fmin(bytes_of(from), (double)tn_desc_count(to) * (double)tn_dtype_size(from->dtype));
}

tn_cost tn_op_cost(const tn_op_desc *desc)
{
    const tn_op_def *op = tn_op_named(desc->name);
    tn_cost cost = {0, 0};
    for (uint32_t i = 0; i < desc->n_in; i++)
        cost.bytes += op && op->picks && !i ? bytes_picked(&desc->in[i], &desc->out[0]) : bytes_of(&desc->in[i]);
    for (uint32_t i = 0; i < desc->n_out; i++) cost.bytes += bytes_of(&desc->out[i]);
    if (op && op->flops)
        cost.flops = op->flops(desc);
    else
        for (uint32_t i = 0; i < desc->n_out; i++) cost.flops += (double)tn_desc_count(&desc->out[i]);
    return cost;
}

/* ---- for people ---- */

static char attributes[LISTED][ATTRIBUTES];

/* "stride: factor[2]" */
static void print_field(tn_text *text, const tn_field *field)
{
    static const char *const kind[TN_HOLDS_PROGRAM + 1] = {
        [TN_HOLDS_NUMBER] = "number", [TN_HOLDS_SIZE] = "size",     [TN_HOLDS_FACTOR] = "factor",
        [TN_HOLDS_FLAG] = "flag",     [TN_HOLDS_AXIS] = "axis",     [TN_HOLDS_AXES] = "axes",
        [TN_HOLDS_DTYPE] = "type",    [TN_HOLDS_STREAM] = "stream", [TN_HOLDS_SHAPE] = "shape",
        [TN_HOLDS_DATA] = "bytes"};
    tn_text_add(text, "%s%s: %s", text->used ? ", " : "", field->name, field->words ? "" : kind[field->holds]);
    for (size_t i = 0; field->words && field->words[i]; i++) tn_text_add(text, "%s%s", i ? "|" : "", field->words[i]);
    if (field->count > 1) tn_text_add(text, "[%u]", field->count);
}

static void fill_attributes(void)
{
    for (size_t i = 0; i < LISTED; i++) {
        tn_text text = tn_text_in(attributes[i], ATTRIBUTES);
        for (const tn_field *field = listed[i]->fields; field && field->name; field++)
            if (field->holds != TN_HOLDS_NOTHING) print_field(&text, field);
    }
}

static const char *attributes_of(size_t index)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, fill_attributes);
    return index < LISTED ? attributes[index] : "";
}

int tn_op_at(size_t index, tn_op_entry *entry)
{
    if (!entry) return 0;
    static const char *const kind[] = {"leaf", "element-wise", "view", "kernel", "composite"};
    const tn_op_def *op;
    for (size_t i = 0; (op = tn_op_number(i)); i++) {
        const tn_row *row = tn_row_of(op);
        if ((row && row->is_gradient) || index--) continue;
        *entry = (tn_op_entry){.name = op->name,
                               .kind = kind[op->kind],
                               .doc = op->doc,
                               .differentiable = op->grad || (op->kind == TN_COMPOSITE && op->lower),
                               .operands = op->arity,
                               .attributes = attributes_of(i)};
        return 1;
    }
    return 0;
}
