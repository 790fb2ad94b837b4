/* attend.c: the operators "attend" and "attend_grad" on GPUs, where they are worth it: the first in one launch
 * (cl/attend.cl); its gradient in three or four (cl/attend_grad.cl): the means of dy by y, queries' part, and that of
 * keys and of values. */
#include "tile.h"

#include <string.h>

/* From so many scores of a head on they are not stored: products and softmax write and read them twice. Not measured on
 * a card. */
#define PAYS 65536
#define FEW  32 /* queries that leave half of a block idle */

#define MOST     128 /* numbers of a query, and of a value: more take more registers than there are */
#define TOGETHER 2   /* vectors of keys and values together that one launch makes, as registers are few */

typedef struct attend {
    tn_sizes z;
    ocl_tile tile;              /* of the scores */
    int64_t wide[2];            /* vectors of four columns of queries and of values by a work-item */
    uint32_t n_in;              /* operands but for the mask */
    const tn_tensor_desc *mask; /* or NULL */
    int hides;
} attend;

static int32_t refuse(const ocl_build *build, const char *why)
{
    return ocl_fail(build->msg, TN_EUNSUPPORTED, "%s: %s", build->desc->name, why);
}

/* Elements of a mask from one to the next along a dimension. */
static int64_t step_of(const tn_tensor_desc *mask, int d)
{
    return mask->dim[d] > 1 ? mask->stride[d] : 0;
}

/* Of a work-group's memory: ROOM and `turned` of cl/attend_block.cl, and what cl/attend.cl has of each row. */
static int64_t local_bytes(const attend *a)
{
    const int64_t side = a->tile.side_u, step = side + 1, row = side * ocl_max(a->wide[0], a->wide[1]) + 1;
    const int64_t vectors = a->tile.deep * ocl_max(2 * step, row) + 4 * side * step;
    return (4 * vectors + 12 * side + 2 * side * side) * (int64_t)sizeof(float);
}

static int32_t check(const ocl_build *build, const attend *a)
{
    const tn_op_desc *desc = build->desc;
    const tn_sizes *z = &a->z;
    const double queries = (double)z->n, grain = build->context->grain;
    int fits = tn_desc_count(&desc->out[0]) <= INT32_MAX / 2;
    if (build->context->cpu_shape) return refuse(build, "products and softmax are as fast on processors");
    for (uint32_t i = 0; i < a->n_in; i++) {
        if (desc->in[i].dtype != TN_F32) return refuse(build, "only of f32");
        fits &= tn_desc_count(&desc->in[i]) <= INT32_MAX / 2;
    }
    fits &= !a->mask || (a->z.n * step_of(a->mask, 2) + a->z.m <= INT32_MAX / 2);
    if ((size_t)(a->tile.side_u * a->tile.side_v) > build->context->max_group ||
        !ocl_has_local(build->context, local_bytes(a)))
        return refuse(build, "work-groups are too small, or their memory is");
    if (!fits) return refuse(build, "too large");
    if (z->o * z->h * z->n * z->m * z->d * z->e == 0) return refuse(build, "of nothing");
    if (z->d > MOST || z->e > MOST) return refuse(build, "queries or values of more than 128 numbers");
    if (queries < FEW * grain || queries * (double)z->m < PAYS * grain)
        return refuse(build, "so few scores are faster as products and softmax");
    return TN_OK;
}

static attend plan(const ocl_build *build)
{
    const int32_t side = build->context->max_group >= 256 ? 16 : 4;
    const uint32_t n_in = strcmp(build->desc->name, "attend") ? 5 : 3;
    attend a = {.z = build->facts->size, .tile = {side, side, 4, 4, side}, .n_in = n_in};
    a.wide[0] = ocl_ceil(a.z.d, side * 4), a.wide[1] = ocl_ceil(a.z.e, side * 4);
    if (build->desc->n_in > n_in) a.mask = &build->desc->in[n_in];
    a.hides = a.mask && a.mask->dtype == TN_I32;
    return a;
}

static void write_block(ocl_text *text, const ocl_build *build, const attend *a, int64_t widest)
{
    const tn_attend_attrs *at = build->desc->attrs;
    ocl_source_types(text, build->context, 0);
    ocl_textf(text, "#define T float\n#define WIDEST %d\n#define CAUSAL %d\n#define HIDES %d\n", (int)widest,
              (int)at->causal, a->hides);
    if (a->mask) ocl_textf(text, "#define MASK %s\n", ocl_type_name(a->mask->dtype));
    ocl_tile_write(text, &a->tile, TN_F32);
    ocl_textf(text, "%s", ocl_cl_attend_block);
}

static void add_operands(ocl_args *args, const attend *a)
{
    for (uint32_t i = 0; i < a->n_in; i++) ocl_arg_ref(args, OCL_ARG_IN, i, TN_U8);
    if (!a->mask) return;
    ocl_arg_ref(args, OCL_ARG_IN, a->n_in, TN_U8);
    for (int d = 0; d < 2; d++) ocl_arg_long(args, step_of(a->mask, d));
    ocl_arg_int(args, (int32_t)step_of(a->mask, 2));
}

static void add_sizes(ocl_args *args, const ocl_build *build, const attend *a)
{
    const tn_attend_attrs *at = build->desc->attrs;
    const int64_t sizes[] = {a->z.h, a->z.g, a->z.n, a->z.m, a->z.d, a->z.e};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) ocl_arg_int(args, (int32_t)sizes[i]);
    ocl_arg_float(args, (float)at->scale);
    ocl_arg_int(args, (int32_t)at->first);
    ocl_arg_int(args, (int32_t)(a->z.o * a->z.h * a->z.n));
}

/* `outer` times the blocks of so many rows. */
static int32_t add_launch(ocl_build *build, ocl_text *text, const char *name, const ocl_args *args, const attend *a,
                          int64_t rows, int64_t outer)
{
    const size_t local[2] = {(size_t)a->tile.side_u, (size_t)a->tile.side_v};
    const size_t global[2] = {(size_t)(ocl_tile_high(&a->tile, rows) * outer) * local[0], local[1]};
    const int32_t s = ocl_add_launch(build, text, name, args, 2, global, local);
    ocl_text_free(text);
    return s;
}

int32_t ocl_prepare_attend(ocl_build *build)
{
    const attend a = plan(build);
    const int32_t s = check(build, &a);
    if (s) return s;
    ocl_text text = ocl_text_of(build);
    ocl_args args = {.n = 0};
    write_block(&text, build, &a, a.wide[1]);
    ocl_textf(&text, "#define WIDE %d\n%s", (int)a.wide[1], ocl_cl_attend);
    add_operands(&args, &a);
    ocl_arg_ref(&args, OCL_ARG_OUT, 0, TN_U8);
    add_sizes(&args, build, &a);
    return add_launch(build, &text, "tn_attend", &args, &a, a.z.n, a.z.o * a.z.h);
}

static int32_t add_means(ocl_build *build, const attend *a)
{
    ocl_text text = ocl_text_of(build);
    ocl_args args = {.n = 0};
    const int64_t total = a->z.o * a->z.h * a->z.n;
    const size_t global = (size_t)total, local = build->context->defaults.group;
    build->scratch = (uint64_t)total * sizeof(float);
    ocl_source_types(&text, build->context, 0);
    ocl_textf(&text, "#define MEANS 1\n%s", ocl_cl_attend_grad);
    for (uint32_t i = 3; i < 5; i++) ocl_arg_ref(&args, OCL_ARG_IN, i, TN_U8);
    ocl_arg_scratch(&args, 0);
    ocl_arg_int(&args, (int32_t)a->z.e);
    ocl_arg_int(&args, (int32_t)total);
    const int32_t s = ocl_add_launch(build, &text, "tn_attend_means", &args, 1, &global, &local);
    ocl_text_free(&text);
    return s;
}

/* For queries, or for keys, values or both: so many vectors of what is made. */
static int32_t add_part(ocl_build *build, const attend *a, int by_keys, int64_t wide_d, int64_t wide_e)
{
    ocl_text text = ocl_text_of(build);
    ocl_args args = {.n = 0};
    write_block(&text, build, a, ocl_max(wide_d, wide_e));
    ocl_textf(&text, "#define WIDE_D %d\n#define WIDE_E %d\n#define BY_KEYS %d\n%s", (int)wide_d, (int)wide_e, by_keys,
              ocl_cl_attend_grad);
    add_operands(&args, a);
    ocl_arg_scratch(&args, 0);
    ocl_arg_ref(&args, OCL_ARG_OUT, 0, TN_U8);
    add_sizes(&args, build, a);
    return add_launch(build, &text, "tn_attend_grad", &args, a, by_keys ? a->z.m : a->z.n,
                      a->z.o * (by_keys ? a->z.g : a->z.h));
}

int32_t ocl_prepare_attend_grad(ocl_build *build)
{
    const attend a = plan(build);
    int32_t s = check(build, &a);
    if (!s) s = add_means(build, &a);
    if (!s) s = add_part(build, &a, 0, a.wide[0], 0);
    if (s || a.wide[0] + a.wide[1] <= TOGETHER) return s ? s : add_part(build, &a, 1, a.wide[0], a.wide[1]);
    s = add_part(build, &a, 1, a.wide[0], 0);
    return s ? s : add_part(build, &a, 1, 0, a.wide[1]);
}
