/* pool.c: the operators "maxpool2d" and "avgpool2d" and their gradients. */
#include "opencl.h"

#include <string.h>

static const struct {
    const char *name;
    const char *defines;
} kinds[] = {{"maxpool2d", "#define MAX 1\n"},
             {"maxpool2d_grad", "#define MAX 1\n#define GRAD 1\n"},
             {"avgpool2d", "#define AVG 1\n"},
             {"avgpool2d_grad", "#define AVG 1\n#define GRAD 1\n"}};

typedef struct pool {
    size_t kind;
    const tn_pool_attrs *attrs;
    int64_t x[2], y[2];       /* heights and widths of the pictures, and of what they are pooled to */
    int inside, apart, pairs, plain; /* see cl/pool.cl */
} pool;

static int32_t begin(ocl_build *build, pool *p)
{
    const tn_op_desc *desc = build->desc;
    const tn_sizes *z = &build->facts->size;
    const tn_pool_attrs *a = p->attrs = desc->attrs;
    while (strcmp(kinds[p->kind].name, desc->name)) p->kind++;
    p->x[0] = z->h, p->x[1] = z->w, p->y[0] = z->p, p->y[1] = z->q;
    int large = tn_desc_count(desc->out) > INT32_MAX / 2;
    for (uint32_t i = 0; i < desc->n_in; i++) large |= tn_desc_count(&desc->in[i]) > INT32_MAX / 2;
    for (int d = 0; d < 2; d++) large |= a->window[d] > 65535 || a->stride[d] > 65535 || a->pad[d] > 65535;
    if (a->channels_last && build->context->cpu_shape)
        return ocl_fail(build->msg, TN_EUNSUPPORTED, "%s: channels last", desc->name);
    return large ? ocl_fail(build->msg, TN_EUNSUPPORTED, "%s: too large", desc->name) : TN_OK;
}

static void look_at_windows(const ocl_build *build, pool *p)
{
    const tn_pool_attrs *a = p->attrs;
    p->inside = p->apart = 1;
    p->plain = build->desc->out->dtype == build->facts->dtype;
    for (uint32_t i = 0; i < build->desc->n_in; i++) p->plain &= build->desc->in[i].dtype == build->facts->dtype;
    for (int d = 0; d < 2; d++) {
        const int64_t size = p->x[d], count = p->y[d];
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
    const tn_op_desc *desc = build->desc;
    ocl_source_types(text, build->context, 0);
    ocl_textf(text, "#define T %s\n#define LOWEST %s\n%s", ocl_type_name(build->facts->dtype),
              build->facts->dtype == TN_I32 ? "INT_MIN" : "-INFINITY", kinds[p->kind].defines);
    ocl_source_operand(text, "X", desc->in[0].dtype);
    ocl_source_operand(text, "DY", desc->in[desc->n_in - 1].dtype);
    ocl_source_operand(text, "Y", desc->out[0].dtype);
    for (int i = 0; i < 3; i++)
        ocl_textf(text, "#define %s_H %u\n#define %s_W %u\n", names[i], values[i][0], names[i], values[i][1]);
    if (p->attrs->channels_last)
        ocl_textf(text, "#define CHANNELS %lld\n", (long long)ocl_max(1, build->facts->size.c));
    ocl_textf(text, "%s%s%s%s%s%s", p->inside ? "#define INSIDE 1\n" : "", p->apart ? "#define APART 1\n" : "",
              p->pairs ? "#define PAIRS 1\n" : "", p->plain ? "#define PLAIN 1\n" : "",
              p->attrs->count_pad ? "#define COUNT_PAD 1\n" : "", ocl_cl_pool);
}

int32_t ocl_prepare_pool(ocl_build *build)
{
    pool p = {0};
    int32_t s = begin(build, &p);
    if (s) return s;
    const tn_op_desc *desc = build->desc;
    const tn_context *context = build->context;
    look_at_windows(build, &p);
    ocl_text text = ocl_text_of(build);
    ocl_args args = {.n = 0};
    write_source(&text, build, &p);
    ocl_arg_ref(&args, OCL_ARG_IN, 0, desc->in[0].dtype);
    ocl_arg_ref(&args, OCL_ARG_IN, desc->n_in - 1, desc->in[desc->n_in - 1].dtype);
    ocl_arg_ref(&args, OCL_ARG_OUT, 0, desc->out[0].dtype);
    const int64_t sizes[] = {p.x[0], p.x[1], p.y[0], p.y[1]};
    for (int i = 0; i < 4; i++) ocl_arg_int(&args, (int32_t)sizes[i]);
    const int64_t elements = tn_desc_count(desc->out), window = (int64_t)p.attrs->window[0] * p.attrs->window[1];
    const int64_t rows = desc->out->dim[0] * desc->out->dim[1] * (p.apart ? p.y[0] : desc->out->dim[2]);
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
