/* save_batch.c: which sizes depend on the number of samples: those in which a graph differs from the same graph for
 * another number. They are whole multiples of it. */
#include <string.h>

#include "save.h"

const tn_tensor *export_other(const export_saver *s, const tn_tensor *x)
{
    return s->other && x->id < s->other->count ? s->other->tensor[x->id] : x;
}

static void differ(export_saver *s, const tn_tensor *x, const char *in_what)
{
    if (!s->status)
        s->status = tn_fail(TN_EINVAL, "%s, node %u: the two graphs differ in more than the batch: %s", x->op->name,
                            x->id, in_what);
}

int64_t export_per_sample(export_saver *s, const tn_tensor *x, int32_t d)
{
    const tn_tensor *y = export_other(s, x);
    const int64_t a = x->type.shape.dim[d], b = y->type.shape.dim[d];
    if (s->status || a == b) return 0;
    if (s->batch[0] && a % s->batch[0] == 0 && b % s->batch[1] == 0 && a / s->batch[0] == b / s->batch[1])
        return a / s->batch[0];
    export_refuse(s, x, "a size depends on the batch, and is no multiple of it");
    return 0;
}

/* The first size in which two inputs differ. */
static void measure(export_saver *s, const tn_tensor *x, const tn_tensor *y)
{
    for (int32_t d = 0; d < x->type.shape.rank && !s->batch[0]; d++)
        if (x->type.shape.dim[d] != y->type.shape.dim[d]) {
            s->batch[0] = x->type.shape.dim[d];
            s->batch[1] = y->type.shape.dim[d];
        }
}

void export_find_batch(export_saver *s)
{
    for (uint32_t i = 0; s->other && i < s->graph->count; i++) {
        const tn_tensor *x = s->graph->tensor[i], *y = export_other(s, x);
        if (s->graph->count != s->other->count) return differ(s, x, "their lengths");
        if (x->op != y->op || x->n_in != y->n_in || x->type.dtype != y->type.dtype ||
            x->type.shape.rank != y->type.shape.rank || !x->name != !y->name || (x->name && strcmp(x->name, y->name)))
            return differ(s, x, "operators, types or names");
        if (x->op == &tn_op_input) measure(s, x, y);
    }
    if (s->other && (s->batch[0] < 1 || s->batch[1] < 1)) s->other = NULL;
}

/* How many samples there are: what the first input with that dimension has. */
const char *export_batch(export_saver *s)
{
    for (uint32_t i = 0; !s->batch_value && i < s->graph->count && !s->status; i++) {
        const tn_tensor *x = s->graph->tensor[i];
        for (int32_t d = 0; d < x->type.shape.rank && x->op == &tn_op_input && !s->batch_value; d++)
            if (export_per_sample(s, x, d) == 1)
                s->batch_value = export_say(s, "batch", "Shape", EXPORT_OF(export_value(s, x)),
                                            EXPORT_AT(EXPORT_INT("start", d), EXPORT_INT("end", d + 1)));
    }
    return s->batch_value ? s->batch_value : "";
}

const char *export_size(export_saver *s, const tn_tensor *x, int32_t d)
{
    const int64_t each = export_per_sample(s, x, d);
    if (!each) return export_int(s, x->type.shape.dim[d]);
    const char *batch = export_batch(s);
    return each == 1 ? batch : export_say(s, NULL, "Mul", EXPORT_OF(batch, export_int(s, each)), NULL);
}

const char *export_shape(export_saver *s, const tn_tensor *x, uint32_t ones)
{
    const char *size[TN_MAX_RANK + 1] = {NULL};
    int64_t fixed[TN_MAX_RANK];
    int depends = 0;
    for (int32_t d = 0; d < x->type.shape.rank; d++) {
        const int one = ones >> d & 1;
        depends |= !one && export_per_sample(s, x, d);
        fixed[d] = one ? 1 : x->type.shape.dim[d];
    }
    if (!depends) return export_ints(s, fixed, (size_t)x->type.shape.rank);
    for (int32_t d = 0; d < x->type.shape.rank; d++) size[d] = ones >> d & 1 ? export_int(s, 1) : export_size(s, x, d);
    return export_say(s, NULL, "Concat", size, EXPORT_AT(EXPORT_INT("axis", 0)));
}
