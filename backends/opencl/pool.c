/* pool.c: the operators "maxpool2d" and "avgpool2d" and their gradients. */
#include "opencl.h"

#include <string.h>

static const struct {
    const char *name;
    const char *defines;
    uint32_t n_in;
    int x, y; /* which operand is the picture, and the pooled one: an input's number, -1 the output */
} kinds[] = {{"maxpool2d", "#define MAX 1\n", 1, 0, -1},
             {"maxpool2d_grad", "#define MAX 1\n#define GRAD 1\n", 2, 0, 1},
             {"avgpool2d", "#define AVG 1\n", 1, 0, -1},
             {"avgpool2d_grad", "#define AVG 1\n#define GRAD 1\n", 1, -1, 0}};

typedef struct pool {
    size_t kind;
    const tn_pool_attrs *attrs;
    const tn_tensor_desc *x, *y;
    int inside, apart, pairs; /* see cl/pool.cl */
} pool;

static int32_t check_operand(ocl_build *build, const tn_tensor_desc *t, int32_t dtype)
{
    const char *name = build->desc->name;
    int32_t s = ocl_check_tensor(t, 0, "operand", 0, build);
    if (s) return s;
    if (t->rank != 4) return ocl_fail(build->msg, TN_ESHAPE, "%s: an operand of rank %d", name, (int)t->rank);
    if (t->dtype != dtype || (dtype != TN_F32 && dtype != TN_F64))
        return ocl_fail(build->msg, TN_EUNSUPPORTED, "%s: only f32 or f64 for all operands", name);
    if (tn_desc_count(t) > INT32_MAX / 2) return ocl_fail(build->msg, TN_EUNSUPPORTED, "%s: too large", name);
    return TN_OK;
}

static int32_t check_attrs(ocl_build *build, const tn_pool_attrs *a)
{
    const char *name = build->desc->name;
    if (!a || a->size < sizeof *a) return ocl_fail(build->msg, TN_EINVAL, "%s: attributes are missing", name);
    if (!tn_attrs_known(a, sizeof *a))
        return ocl_fail(build->msg, TN_EUNSUPPORTED, "%s: attributes of a later version", name);
    for (int d = 0; d < 2; d++)
        if (!a->window[d] || !a->stride[d] || a->window[d] > 65535 || a->stride[d] > 65535 || a->pad[d] > 65535)
            return ocl_fail(build->msg, TN_EUNSUPPORTED, "%s: a window or stride of 0, or too large", name);
    return TN_OK;
}

static int32_t check(ocl_build *build, pool *p)
{
    const tn_op_desc *desc = build->desc;
    while (strcmp(kinds[p->kind].name, desc->name)) p->kind++;
    if (desc->n_in != kinds[p->kind].n_in || desc->n_out != 1)
        return ocl_fail(build->msg, TN_EINVAL, "%s: another number of operands", desc->name);
    p->attrs = desc->attrs;
    p->x = kinds[p->kind].x < 0 ? desc->out : desc->in + kinds[p->kind].x;
    p->y = kinds[p->kind].y < 0 ? desc->out : desc->in + kinds[p->kind].y;
    int32_t s = check_attrs(build, p->attrs);
    if (!s) s = check_operand(build, p->x, p->x->dtype);
    if (!s) s = check_operand(build, p->y, p->x->dtype);
    if (!s) s = check_operand(build, desc->out, p->x->dtype);
    if (s) return s;
    if (p->x->dim[0] != p->y->dim[0] || p->x->dim[1] != p->y->dim[1] ||
        (desc->n_in == 2 && memcmp(p->x->dim, desc->out->dim, 4 * sizeof *p->x->dim)))
        return ocl_fail(build->msg, TN_ESHAPE, "%s: the operands do not fit", desc->name);
    if (desc->alias && desc->alias[0] >= 0)
        return ocl_fail(build->msg, TN_EUNSUPPORTED, "%s: not in place", desc->name);
    return TN_OK;
}

static void look_at_windows(const ocl_build *build, pool *p)
{
    const tn_pool_attrs *a = p->attrs;
    p->inside = p->apart = 1;
    for (int d = 0; d < 2; d++) {
        const int64_t size = p->x->dim[2 + d], count = p->y->dim[2 + d];
        p->inside &= !a->pad[d] && (!count || (count - 1) * (int64_t)a->stride[d] + a->window[d] <= size);
        p->apart &= count && a->window[d] <= a->stride[d];
    }
    p->pairs = p->inside && build->context->cpu_shape;
    for (int d = 0; d < 2; d++) p->pairs &= a->window[d] == 2 && a->stride[d] == 2;
    p->apart &= p->inside && build->context->cpu_shape && !strcmp(build->desc->name, "maxpool2d_grad");
}

static void write_source(ocl_text *text, const ocl_build *build, const pool *p)
{
    static const char *const names[] = {"WINDOW", "STRIDE", "PAD"};
    const uint32_t *values[] = {p->attrs->window, p->attrs->stride, p->attrs->pad};
    ocl_source_types(text, build->context, 0);
    ocl_textf(text, "#define T %s\n%s", ocl_type_name(p->x->dtype), kinds[p->kind].defines);
    for (int i = 0; i < 3; i++)
        ocl_textf(text, "#define %s_H %u\n#define %s_W %u\n", names[i], values[i][0], names[i], values[i][1]);
    ocl_textf(text, "%s%s%s%s%s", p->inside ? "#define INSIDE 1\n" : "", p->apart ? "#define APART 1\n" : "",
              p->pairs ? "#define PAIRS 1\n" : "", p->attrs->count_pad ? "#define COUNT_PAD 1\n" : "", ocl_cl_pool);
}

int32_t ocl_prepare_pool(ocl_build *build)
{
    pool p = {0};
    int32_t s = check(build, &p);
    if (s) return s;
    const tn_op_desc *desc = build->desc;
    const tn_context *context = build->context;
    const int32_t dtype = p.x->dtype;
    look_at_windows(build, &p);
    ocl_text text = {0};
    ocl_args args = {.n = 0};
    write_source(&text, build, &p);
    ocl_arg_ref(&args, OCL_ARG_IN, 0, dtype);
    ocl_arg_ref(&args, OCL_ARG_IN, desc->n_in - 1, dtype);
    ocl_arg_ref(&args, OCL_ARG_OUT, 0, dtype);
    const int64_t sizes[] = {p.x->dim[2], p.x->dim[3], p.y->dim[2], p.y->dim[3]};
    for (int i = 0; i < 4; i++) ocl_arg_int(&args, (int32_t)sizes[i]);
    const int64_t elements = tn_desc_count(desc->out), window = (int64_t)p.attrs->window[0] * p.attrs->window[1];
    const int64_t rows = desc->out->dim[0] * desc->out->dim[1] * (p.apart ? p.y : desc->out)->dim[2];
    const int64_t total = !elements ? 0 : context->cpu_shape ? rows : elements;
    const int64_t items = ocl_max(1, ocl_min(4 * (int64_t)context->units, elements * window / 4096));
    const int64_t per = context->cpu_shape ? ocl_max(1, ocl_ceil(total, items)) : 1;
    ocl_arg_int(&args, (int32_t)total);
    ocl_arg_int(&args, (int32_t)per);
    size_t global = (size_t)ocl_ceil(total, per), local = context->cpu_shape || context->max_group < 64 ? 1 : 64;
    s = ocl_add_launch(build, &text, "tn_pool", &args, 1, &global, &local);
    ocl_text_free(&text);
    return s;
}
