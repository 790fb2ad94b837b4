/* layer_norm.c: the operators "layer_norm" and "layer_norm_grad" of rows (m, n): the first in one launch, the second in
 * one for dx and, if there is a weight, one that adds up what pieces of rows say of that and of a bias. */
#include "team.h"

#include <float.h>
#include <math.h>
#include <string.h>

#define GROUP   128   /* work-items that share a row on a GPU, at most; */
#define LARGE   512   /* of rows that would not stay in their registers */
#define KEPT    16    /* numbers of f32 that a work-item keeps of a row, at most */
#define ROWS    64    /* whose sums for the weight may be plain */
#define LONG    65536 /* elements of a row that is worth more than a work-group */
#define SHARERS 8     /* work-items of a GPU that add up what pieces say of a weight */

typedef struct norm {
    int64_t m, n;
    uint32_t rows;  /* operands that are rows: those for weight and bias are behind them */
    uint32_t sums;  /* of each column: 0, 1 or 2 */
    int64_t kept;   /* elements that a work-item of a GPU keeps at most: of a gradient there are two numbers each */
    int64_t per;    /* rows of a work-item or a team */
    int64_t pieces; /* work-items, or groups */
    size_t group, team;
    int wide;
} norm;

/* Reductions deal a row to all units. */
static int32_t check(const ocl_build *build, const norm *p)
{
    const tn_context *context = build->context;
    if (p->m >= (int64_t)context->units || (double)p->n <= LONG * context->grain) return TN_OK;
    return ocl_fail(build->msg, TN_EUNSUPPORTED, "%s: %lld rows of %lld are too few", build->desc->name,
                    (long long)p->m, (long long)p->n);
}

static void plan_gpu(const tn_context *context, norm *p)
{
    p->group = ocl_team_group(context, p->n > p->kept * GROUP ? LARGE : GROUP);
    p->team = ocl_team_size(context, p->group, p->n * (KEPT / p->kept));
    const int64_t teams = (int64_t)(p->group / p->team), groups = p->sums ? 2 * context->defaults.groups : p->m;
    p->per = ocl_max(1, ocl_min(ROWS, ocl_ceil(ocl_ceil(p->m, ocl_max(1, groups)), teams)));
    p->pieces = ocl_ceil(p->m, p->per * teams);
}

static void plan_cpu(const tn_context *context, norm *p)
{
    const int64_t items = ocl_max(1, ocl_min(4 * (int64_t)context->units, p->m * p->n / 512));
    p->per = ocl_max(1, ocl_ceil(p->m, items));
    if (p->sums) p->per = ocl_min(p->per, ROWS);
    p->pieces = ocl_ceil(p->m, p->per);
    p->group = p->team = 1;
}

static norm plan(const ocl_build *build)
{
    const tn_layer_norm_attrs *at = build->desc->attrs;
    const int is_grad = strcmp(build->desc->name, "layer_norm") != 0;
    norm p = {.m = build->facts->size.m, .n = build->facts->size.n, .rows = is_grad ? 2 : 1};
    if (is_grad && build->desc->n_in > p.rows) p.sums = at->keep_mean ? 1 : 2;
    p.kept = KEPT / p.rows / (tn_dtype_size(build->facts->dtype) / sizeof(float));
    p.wide = p.m * p.n > INT32_MAX / 6; /* with as many sums in scratch as there may be */
    if (build->context->cpu_shape)
        plan_cpu(build->context, &p);
    else
        plan_gpu(build->context, &p);
    if (!p.n) p.pieces = 0;
    return p;
}

/* ---- sources ---------------------------------------------------------------------------------------------------- */

/* Bit by bit: printf and the compiler may differ about points. */
static void write_root(ocl_text *text, double root, int32_t dtype)
{
    const float narrow = (float)fmin(root, FLT_MAX);
    uint64_t bits = 0;
    memcpy(&bits, dtype == TN_F64 ? (const void *)&root : &narrow, tn_dtype_size(dtype));
    if (dtype == TN_F64)
        ocl_textf(text, "#define IS_DOUBLE 1\n#define ROOT as_double(0x%016llxul)\n", (unsigned long long)bits);
    else
        ocl_textf(text, "#define ROOT as_float(0x%08xu)\n", (unsigned)bits);
}

static void write_team(ocl_text *text, const tn_context *context, const norm *p)
{
    int64_t keep = 1;
    while (keep * (int64_t)p->team < p->n) keep *= 2;
    if (keep <= p->kept) ocl_textf(text, "#define KEEP %d\n", (int)keep);
    ocl_team_write(text, context, p->group, p->team);
}

static void write_types(ocl_text *text, const ocl_build *build, const norm *p)
{
    static const char *const name[][3] = {{"X", "W", "B"}, {"X", "DY", "W"}};
    const tn_op_desc *desc = build->desc;
    const tn_layer_norm_attrs *at = desc->attrs;
    const char *value = ocl_type_name(build->facts->dtype);
    ocl_source_types(text, build->context, p->wide);
    ocl_textf(text, "#define V %s\n", value);
    for (int n = 2; n <= 16; n *= 2) ocl_textf(text, "#define V%d %s%d\n", n, value, n);
    for (uint32_t i = 0; i < desc->n_in; i++) ocl_source_operand(text, name[p->rows - 1][i], desc->in[i].dtype);
    ocl_source_operand(text, "Y", desc->out[0].dtype);
    write_root(text, sqrt(at->epsilon), build->facts->dtype);
    ocl_textf(text, "#define KEEP_MEAN %u\n#define SUMS %u\n", at->keep_mean, p->sums);
}

/* ---- launches --------------------------------------------------------------------------------------------------- */

static int32_t add_rows(ocl_build *build, const norm *p, const char *name, const char *source)
{
    const size_t local = p->group, global = (size_t)p->pieces * local;
    const tn_op_desc *desc = build->desc;
    ocl_text text = ocl_text_of(build);
    ocl_args args = {.n = 0};
    write_types(&text, build, p);
    if (!build->context->cpu_shape) write_team(&text, build->context, p);
    ocl_textf(&text, "%s%s", ocl_cl_layer_norm_row, source);
    for (uint32_t i = 0; i < desc->n_in; i++) ocl_arg_ref(&args, OCL_ARG_IN, i, desc->in[i].dtype);
    ocl_arg_ref(&args, OCL_ARG_OUT, 0, desc->out[0].dtype);
    ocl_arg_index(&args, p->wide, p->m);
    ocl_arg_index(&args, p->wide, p->n);
    ocl_arg_index(&args, p->wide, p->per);
    if (p->sums) ocl_arg_scratch(&args, 0);
    const int32_t s = ocl_add_launch(build, &text, name, &args, 1, &global, &local);
    ocl_text_free(&text);
    return s;
}

/* What pieces left in scratch. */
static int32_t add_finish(ocl_build *build, const norm *p)
{
    const int is_cpu = build->context->cpu_shape;
    const int64_t count = p->sums * p->n, per = ocl_max(16, ocl_ceil(count, (int64_t)build->context->units));
    const size_t group = is_cpu ? 1 : ocl_team_group(build->context, 2 * GROUP);
    const size_t sharers = (size_t)ocl_min(SHARERS, (int64_t)group);
    const size_t global = is_cpu ? (size_t)ocl_ceil(count, per) : (size_t)count * sharers;
    ocl_text text = ocl_text_of(build);
    ocl_args args = {.n = 0};
    write_types(&text, build, p);
    ocl_textf(&text, "#define FINISH 1\n#define GROUP %u\n#define SHARERS %u\n%s", (unsigned)group, (unsigned)sharers,
              ocl_cl_layer_norm_grad);
    ocl_arg_scratch(&args, 0);
    ocl_arg_ref(&args, OCL_ARG_OUT, 0, build->desc->out[0].dtype);
    ocl_arg_long(&args, p->m * p->n);
    ocl_arg_index(&args, p->wide, count);
    ocl_arg_index(&args, p->wide, p->pieces);
    if (is_cpu) ocl_arg_index(&args, p->wide, per);
    const int32_t s = ocl_add_launch(build, &text, "tn_layer_norm_finish", &args, 1, &global, &group);
    ocl_text_free(&text);
    return s;
}

int32_t ocl_prepare_layer_norm(ocl_build *build)
{
    const norm p = plan(build);
    const int32_t s = check(build, &p);
    return s ? s : add_rows(build, &p, "tn_layer_norm", ocl_cl_layer_norm);
}

int32_t ocl_prepare_layer_norm_grad(ocl_build *build)
{
    const norm p = plan(build);
    int32_t s = check(build, &p);
    build->scratch = (uint64_t)(p.pieces * p.sums * p.n) * tn_dtype_size(build->facts->dtype);
    if (!s) s = add_rows(build, &p, "tn_layer_norm_grad", ocl_cl_layer_norm_grad);
    return s || !p.sums ? s : add_finish(build, &p);
}
