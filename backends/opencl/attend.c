/* attend.c: the operator "attend" on GPUs (cl/attend.cl), in one launch, where it is worth it. */
#include "opencl.h"

/* From so many scores of a head on they are not stored: products and softmax write and read them twice. Not measured on
 * a card. */
#define PAYS 65536
#define FEW  32 /* queries that leave half of a block idle */

#define MOST_WIDE 128 /* columns of values: more take more registers than there are */

typedef struct attend {
    tn_sizes z;
    ocl_tile tile;              /* of the scores */
    int64_t wide;               /* vectors of four columns of the result by a work-item */
    const tn_tensor_desc *mask; /* or NULL */
} attend;

static int32_t refuse(const ocl_build *build, const char *why)
{
    return ocl_fail(build->msg, TN_EUNSUPPORTED, "%s: %s", build->desc->name, why);
}

static int32_t check(const ocl_build *build)
{
    const tn_op_desc *desc = build->desc;
    const tn_sizes *z = &build->facts->size;
    int fits = tn_desc_count(&desc->out[0]) <= INT32_MAX / 2;
    if (build->context->cpu_shape) return refuse(build, "products and softmax are as fast on processors");
    for (uint32_t i = 0; i < 3; i++) {
        if (desc->in[i].dtype != TN_F32) return refuse(build, "only of f32");
        fits &= tn_desc_count(&desc->in[i]) <= INT32_MAX / 2;
    }
    if (!fits) return refuse(build, "too large");
    if (z->o * z->h * z->n * z->m * z->d * z->e == 0) return refuse(build, "of nothing");
    if (z->e > MOST_WIDE) return refuse(build, "values of more than 128 numbers");
    if ((double)z->n < FEW * build->context->grain || (double)z->n * (double)z->m < PAYS * build->context->grain)
        return refuse(build, "so few scores are faster as products and softmax");
    return TN_OK;
}

static attend plan(const ocl_build *build)
{
    const int32_t side = build->context->max_group >= 256 ? 16 : 4;
    attend a = {.z = build->facts->size, .tile = {side, side, 4, 4, side}};
    a.wide = ocl_ceil(a.z.e, side * 4);
    if (build->desc->n_in > 3) a.mask = &build->desc->in[3];
    return a;
}

static void write_source(ocl_text *text, const ocl_build *build, const attend *a)
{
    const tn_attend_attrs *at = build->desc->attrs;
    const int hides = a->mask && a->mask->dtype == TN_I32;
    ocl_source_types(text, build->context, 0);
    ocl_textf(text, "#define T float\n#define WIDE %d\n#define CAUSAL %d\n#define HIDES %d\n", (int)a->wide,
              (int)at->causal, hides);
    if (a->mask) ocl_textf(text, "#define MASK %s\n", ocl_type_name(a->mask->dtype));
    ocl_tile_write(text, &a->tile, TN_F32);
    ocl_textf(text, "%s", ocl_cl_attend);
}

static void add_mask(ocl_args *args, const tn_tensor_desc *mask)
{
    ocl_arg_ref(args, OCL_ARG_IN, 3, TN_U8);
    for (int d = 0; d < 3; d++) ocl_arg_long(args, mask->dim[d] > 1 ? mask->stride[d] : 0);
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

int32_t ocl_prepare_attend(ocl_build *build)
{
    int32_t s = check(build);
    if (s) return s;
    const attend a = plan(build);
    const int64_t blocks = ocl_tile_high(&a.tile, a.z.n) * a.z.o * a.z.h;
    size_t local[2] = {(size_t)a.tile.side_u, (size_t)a.tile.side_v}, global[2] = {(size_t)blocks * local[0], local[1]};
    ocl_text text = ocl_text_of(build);
    ocl_args args = {.n = 0};
    write_source(&text, build, &a);
    for (uint32_t i = 0; i < 3; i++) ocl_arg_ref(&args, OCL_ARG_IN, i, TN_U8);
    if (a.mask) add_mask(&args, a.mask);
    ocl_arg_ref(&args, OCL_ARG_OUT, 0, TN_U8);
    add_sizes(&args, build, &a);
    s = ocl_add_launch(build, &text, "tn_attend", &args, 2, global, local);
    ocl_text_free(&text);
    return s;
}
