/* conv.c: the operators "conv2d", "conv2d_data" and "conv2d_weight": products of matrices, one of which is read from
 * pictures as it is packed.
 *
 * A picture that needs zeros around it is first copied with them into scratch. conv2d_data is a convolution as well: of
 * dy, with zeros between its elements where the stride asks for it, by the weights turned round. conv2d_weight adds up
 * over pictures; where its result is too small to keep the device busy, segments of them are added up apart.
 *
 * Operands that are stored in 16 bits are widened where they are read, but on processors, whose kernels copy and
 * multiply whole vectors: there they are first laid out as what they are computed with, but for dy where products are
 * added to where they belong. */
#include "conv.h"

#include <string.h>

/* ---- what is asked ----------------------------------------------------------------------------------------------- */

static int32_t check_sizes(const ocl_build *build, const tn_conv_attrs *a)
{
    const tn_op_desc *desc = build->desc;
    int large = tn_desc_count(&desc->in[0]) > INT32_MAX / 2 || tn_desc_count(&desc->in[1]) > INT32_MAX / 2 ||
                tn_desc_count(&desc->out[0]) > INT32_MAX / 2;
    for (int d = 0; d < 2; d++) large |= a->stride[d] > 65535 || a->dilation[d] > 65535 || a->pad[d] > 65535;
    return large ? ocl_fail(build->msg, TN_EUNSUPPORTED, "%s: too large", desc->name) : TN_OK;
}

/* The tensor (b, k, p, q) as (b, k, p q), or (b, p, q, k) as (b, p q, k). */
static int32_t flatten(ocl_build *build, int last, const tn_tensor_desc *from, tn_tensor_desc *to)
{
    const int p = last ? 1 : 2, q = p + 1;
    *to = *from;
    to->rank = 3;
    to->dim[p] = from->dim[p] * from->dim[q];
    to->stride[p] = from->dim[q] == 1 ? from->stride[p] : from->stride[q];
    if (last) to->dim[2] = from->dim[3], to->stride[2] = from->stride[3];
    if (from->dim[p] <= 1 || from->dim[q] <= 1 || from->stride[p] == from->stride[q] * from->dim[q]) return TN_OK;
    return ocl_fail(build->msg, TN_EUNSUPPORTED,
                    "%s: an epilogue's input that is broadcast along rows or columns alone", build->desc->name);
}

static int32_t begin_epilogue(ocl_build *build, conv *c)
{
    const tn_op_desc *desc = build->desc;
    int32_t s = TN_OK;
    c->mapping = ocl_epilogue(build);
    for (uint32_t i = 2; i < desc->n_in && !s; i++) s = flatten(build, c->last, &desc->in[i], &c->flat[i]);
    if (!s && ocl_map_pinned(c->mapping.map) >> (c->last ? 1 : 2))
        s = ocl_fail(build->msg, TN_EUNSUPPORTED, "conv2d: an epilogue that asks for a pixel's place");
    return s ? s : ocl_check_over(build);
}

/* ---- the product that a convolution is --------------------------------------------------------------------------- */

/* What is read as pictures, and what must lie around and between its elements. */
static int32_t plan_pictures(ocl_build *build, conv *c)
{
    const tn_sizes *z = &build->facts->size;
    const int64_t window[2] = {z->r, z->s}, images[2] = {z->h, z->w}, results[2] = {z->p, z->q};
    const int64_t *const size = c->data ? results : images, *const pixels = c->data ? images : results;
    int64_t laid[2];
    c->c = c->data ? c->filters : z->g;
    for (int d = 0; d < 2; d++) {
        const int64_t reach = ocl_max(0, window[d] - 1) * c->attrs.dilation[d];
        c->up[d] = c->data ? c->attrs.stride[d] : 1;
        c->stride[d] = c->data ? 1 : c->attrs.stride[d];
        c->top[d] = c->data ? reach - c->attrs.pad[d] : c->attrs.pad[d];
        laid[d] = pixels[d] && window[d] ? (pixels[d] - 1) * c->stride[d] + reach + 1 : 0;
        c->staged |= c->up[d] > 1 || c->top[d] || laid[d] > size[d] || c->x_type != build->desc->in[0].dtype;
    }
    c->h = size[0], c->w = size[1];
    c->hp = c->staged ? laid[0] : size[0];
    c->wp = c->staged ? laid[1] : size[1];
    c->r = ocl_max(1, window[0]), c->s = ocl_max(1, window[1]);
    c->q = ocl_max(1, pixels[1]);
    int64_t count = 1;
    int fits = tn_count_by(&count, c->hp) && tn_count_by(&count, c->wp) && tn_count_by(&count, c->c * c->groups) &&
               tn_count_by(&count, c->batch) && count <= INT32_MAX / 2;
    if (!fits || laid[0] > INT32_MAX / 2 || laid[1] > INT32_MAX / 2)
        return ocl_fail(build->msg, TN_EUNSUPPORTED, "%s: too large", build->desc->name);
    return TN_OK;
}

void ocl_conv_segments(const tn_context *context, conv *c, int64_t jobs)
{
    const int64_t wanted = context->cpu_shape ? 4 * (int64_t)context->units : 2 * context->defaults.groups;
    c->segments = 1;
    if (jobs < wanted / 2) c->segments = ocl_max(1, ocl_min(c->batch, ocl_ceil(wanted, ocl_max(1, jobs))));
    c->length = ocl_max(1, ocl_ceil(c->batch, c->segments));
    c->segments = ocl_max(1, ocl_ceil(c->batch, c->length));
}

uint64_t ocl_conv_scratch(uint64_t *scratch, int64_t elements, int32_t dtype)
{
    const uint64_t at = *scratch;
    *scratch += ((uint64_t)(elements + OCL_CONV_SLACK) * tn_dtype_size(dtype) + 255) & ~(uint64_t)255;
    return at;
}

static void plan_scratch(ocl_build *build, conv *c)
{
    if (c->staged) c->x_at = ocl_conv_scratch(&build->scratch, c->batch * c->groups * c->c * c->hp * c->wp, c->x_type);
    if (c->turned) c->a_at = ocl_conv_scratch(&build->scratch, tn_desc_count(&build->desc->in[1]), c->a_type);
    if (c->segments > 1)
        c->partial_at = ocl_conv_scratch(&build->scratch, c->segments * c->groups * c->m * c->n, c->dtype);
}

/* Rows and columns of the result: (pictures or segments, rows of all groups, columns); of pictures with channels last
 * (pictures, columns, rows). */
static void make_space(const ocl_build *build, conv *c)
{
    const tn_op_desc *desc = build->desc;
    tn_tensor_desc y = {.dtype = desc->out[0].dtype, .rank = 3};
    y.dim[0] = c->weight ? 1 : c->batch, y.dim[1] = c->groups * c->m, y.dim[2] = c->n;
    if (c->last && !c->weight) y.dim[2] = y.dim[1], y.dim[1] = c->n;
    y.stride[0] = y.dim[1] * y.dim[2], y.stride[1] = y.dim[2], y.stride[2] = 1;
    ocl_space_begin(&c->space, 3, y.dim, 0);
    ocl_space_operand(&c->space, &y, 0, -1); /* stands for the product */
    for (uint32_t i = 2; i < desc->n_in; i++)
        ocl_space_operand(&c->space, &c->flat[i], 0, desc->alias && desc->alias[0] == (int32_t)i ? 0 : -1);
    ocl_space_operand(&c->space, &y, 1, -1);
    c->space.first = 1;
    c->space.pinned = ocl_map_pinned(c->mapping.map) | 1u << 2;
    ocl_space_merge(&c->space);
}

static void plan_types(const ocl_build *build, conv *c)
{
    c->dtype = build->facts->dtype;
    c->x_type = build->context->cpu_shape ? c->dtype : build->desc->in[0].dtype;
    c->a_type = build->context->cpu_shape ? c->dtype : build->desc->in[1].dtype;
}

static int32_t plan(ocl_build *build, conv *c)
{
    const tn_op_desc *desc = build->desc;
    c->weight = !strcmp(desc->name, "conv2d_weight");
    c->data = !strcmp(desc->name, "conv2d_data");
    const tn_sizes *z = &build->facts->size;
    c->attrs = *(const tn_conv_attrs *)desc->attrs;
    c->batch = z->b;
    c->groups = c->attrs.groups;
    c->last = build->facts->channels_last != 0;
    plan_types(build, c);
    c->turned = c->data || (c->last && !c->weight && z->r * z->s > 1) || c->a_type != desc->in[1].dtype;
    if (c->last && build->context->cpu_shape)
        return ocl_fail(build->msg, TN_EUNSUPPORTED, "%s: channels last are for GPUs", desc->name);
    const int64_t filters = c->filters = z->k / c->groups, channels = z->g;
    const int64_t window = z->r * z->s, pixels = z->p * z->q;
    int32_t s = check_sizes(build, &c->attrs);
    if (s) return s;
    c->m = c->data ? channels : filters;
    c->n = c->weight ? channels * window : c->data ? z->h * z->w : pixels;
    c->k = c->weight ? pixels : (c->data ? filters : channels) * window;
    s = plan_pictures(build, c);
    return s ? s : begin_epilogue(build, c);
}

/* ---- launches ---------------------------------------------------------------------------------------------------- */

void ocl_conv_source(ocl_text *text, const ocl_build *build, int32_t dtype)
{
    ocl_source_types(text, build->context, 0);
    ocl_textf(text, "#define T %s\n", ocl_storage_name(dtype));
}

/* The same of what is laid out, of input i: widened, or bit by bit. */
static void begin_layout(ocl_text *text, const ocl_build *build, uint32_t i, int32_t dtype)
{
    ocl_conv_source(text, build, dtype);
    if (build->desc->in[i].dtype != dtype)
        ocl_source_operand(text, "FROM", build->desc->in[i].dtype);
    else
        ocl_textf(text, "#define FROM_T T\n#define LOAD_FROM(p, i) (p)[i]\n");
}

/* Adds a launch over `count` things of `weight` elements each: some for a work-item of a CPU, one for each of a GPU's.
 * The last argument says how many. Frees the text. */
static int32_t add_simple(ocl_build *build, ocl_text *text, ocl_args *args, const char *name, int64_t count,
                          int64_t weight, int wide)
{
    const int cpu = build->context->cpu_shape;
    const int64_t items = ocl_max(1, ocl_min(4 * (int64_t)build->context->units, count * weight / 4096));
    const int64_t per = cpu ? ocl_max(1, ocl_ceil(count, items)) : 1;
    size_t global = (size_t)ocl_ceil(count, per), local = cpu || build->context->max_group < 64 ? 1 : 64;
    if (wide)
        ocl_arg_long(args, per);
    else
        ocl_arg_int(args, (int32_t)per);
    int32_t s = ocl_add_launch(build, text, name, args, 1, &global, &local);
    ocl_text_free(text);
    return s;
}

static int32_t add_stage(ocl_build *build, const conv *c)
{
    ocl_text text = ocl_text_of(build);
    ocl_args args = {.n = 0};
    const int64_t total = c->batch * c->groups * c->c * c->hp * c->wp;
    begin_layout(&text, build, 0, c->x_type);
    ocl_textf(&text, "#define STAGE 1\n#define UP_H %d\n#define UP_W %d\n#define DEPTH %d\n%s", (int)c->up[0],
              (int)c->up[1], c->last ? (int)(c->groups * c->c) : 1, ocl_cl_conv);
    ocl_arg_ref(&args, OCL_ARG_IN, 0, TN_U8);
    ocl_arg_scratch(&args, c->x_at);
    const int64_t sizes[] = {c->h, c->w, c->hp, c->wp, c->top[0], c->top[1]};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) ocl_arg_int(&args, (int32_t)sizes[i]);
    ocl_arg_long(&args, total);
    const int64_t rows = c->wp ? total / c->wp : 0;
    return build->context->cpu_shape ? add_simple(build, &text, &args, "tn_conv_stage", rows, c->wp, 1)
                                     : add_simple(build, &text, &args, "tn_conv_stage", total, 1, 1);
}

int32_t ocl_conv_turn(ocl_build *build, const conv *c)
{
    ocl_text text = ocl_text_of(build);
    ocl_args args = {.n = 0};
    const int64_t taps = c->r * c->s, total = tn_desc_count(&build->desc->in[1]);
    const char *order = c->scatter ? "BY_TAP"
                        : c->data  ? c->last ? "CHANNELS_FIRST" : "BY_CHANNEL"
                        : c->last  ? "TAPS_FIRST"
                                   : "AS_THEY_LIE";
    begin_layout(&text, build, 1, c->a_type);
    ocl_textf(&text, "#define TURN 1\n#define %s 1\n%s", order, ocl_cl_conv);
    ocl_arg_ref(&args, OCL_ARG_IN, 1, TN_U8);
    ocl_arg_scratch(&args, c->a_at);
    ocl_arg_int(&args, (int32_t)c->filters);
    ocl_arg_int(&args, (int32_t)build->facts->size.g);
    ocl_arg_int(&args, (int32_t)taps);
    ocl_arg_int(&args, (int32_t)total);
    return add_simple(build, &text, &args, "tn_conv_turn", total, 1, 0);
}

static int32_t add_finish(ocl_build *build, const conv *c)
{
    ocl_text text = ocl_text_of(build);
    ocl_args args = {.n = 0};
    const int64_t total = c->groups * c->m * c->n;
    ocl_conv_source(&text, build, c->dtype);
    ocl_source_operand(&text, "Y", build->desc->out[0].dtype);
    ocl_textf(&text, "#define SPLIT 1\n%s", ocl_cl_conv);
    ocl_arg_scratch(&args, c->partial_at);
    ocl_arg_ref(&args, OCL_ARG_OUT, 0, TN_U8);
    ocl_arg_int(&args, (int32_t)c->segments);
    ocl_arg_int(&args, (int32_t)total);
    return add_simple(build, &text, &args, "tn_conv_finish", total, c->segments, 0);
}

void ocl_conv_window(ocl_text *text, const conv *c)
{
    ocl_textf(text, "#define R %d\n#define S %d\n#define WEIGHT %d\n", (int)c->r, (int)c->s, c->weight);
    ocl_textf(text, "#define STRIDE_H %d\n#define STRIDE_W %d\n#define DILATION_H %d\n#define DILATION_W %d\n",
              (int)c->stride[0], (int)c->stride[1], (int)c->attrs.dilation[0], (int)c->attrs.dilation[1]);
}

void ocl_conv_begin(ocl_build *build, const conv *c, ocl_text *text, ocl_args *args)
{
    ocl_args map_args = {.n = 0};
    ocl_source_map(text, &map_args, build->context, &c->space, &c->mapping, 2);
    ocl_textf(text, "#define T %s\n%s", ocl_type_name(c->dtype), c->segments > 1 ? "#define SPLIT 1\n" : "");
    ocl_source_operand(text, "A", c->a_type);
    ocl_source_operand(text, "X", c->x_type);
    ocl_conv_window(text, c);
    if (c->turned)
        ocl_arg_scratch(args, c->a_at);
    else
        ocl_arg_ref(args, OCL_ARG_IN, 1, TN_U8);
    if (c->staged)
        ocl_arg_scratch(args, c->x_at);
    else
        ocl_arg_ref(args, OCL_ARG_IN, 0, TN_U8);
    if (c->segments > 1)
        ocl_arg_scratch(args, c->partial_at);
    else
        ocl_args_append(args, &map_args);
    const int64_t sizes[] = {c->m, c->n, c->k, c->groups, c->batch, c->length};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) ocl_arg_int(args, (int32_t)sizes[i]);
}

void ocl_conv_pictures(const conv *c, ocl_args *args)
{
    const int64_t sizes[] = {c->c * c->hp * c->wp, c->hp, c->wp, c->q};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) ocl_arg_int(args, (int32_t)sizes[i]);
}

int32_t ocl_prepare_conv(ocl_build *build)
{
    conv c = {.segments = 1, .length = 1};
    ocl_conv_plan g = {.form = -1};
    const tn_context *context = build->context;
    int32_t s = plan(build, &c);
    if (s) return s;
    if (build->level && context->cpu_shape)
        return ocl_fail(build->msg, TN_EUNSUPPORTED, "%s: no faster with less precision", build->desc->name);
    ocl_conv_cpu p = {.lanes = 0};
    if (!context->cpu_shape)
        s = ocl_conv_plan_gpu(build, &c, &g);
    else if (build->only)
        s = ocl_no_such(build);
    else
        p = ocl_conv_plan_cpu(build, &c);
    if (s || !c.groups || !c.m || !c.n || (!c.weight && !c.batch)) return s;
    if (c.scatter) return ocl_conv_add_scatter(build, &c, &p);
    make_space(build, &c);
    if (g.is_winograd) return ocl_winograd_add(build, &c, &g);
    if (g.staged.stages) return ocl_last_add(build, &c, &g);
    plan_scratch(build, &c);
    if (c.staged) s = add_stage(build, &c);
    if (!s && c.turned) s = ocl_conv_turn(build, &c);
    if (!s && !context->cpu_shape)
        s = ocl_conv_add_gpu(build, &c, &g);
    else if (!s)
        s = ocl_conv_add_cpu(build, &c, &p);
    return s || c.segments == 1 ? s : add_finish(build, &c);
}
