/* reduce.c: the operator "reduce": the value of a map folded over some dimensions, in one kernel, or in two where few
 * outputs take many elements each. */
#include "team.h"

#include <string.h>

typedef struct fold {
    const char *kind;
    int is_arg;
    const char *init[3];   /* for f32 and f64, i32 */
    const char *fold[2];   /* of scalars a and b: floating, integer */
    const char *vector[2]; /* of 16 lanes */
    const char *better[2]; /* of x over best: floating, integer */
} fold;

#define LARGER(op)   "((b) " op " (a) || (b) != (b) ? (b) : (a))"
#define LARGER_V(op) "select(a, b, (b " op " a) | (b != b))"
#define WINS(op)     "((x) " op " (best) || ((x) != (x) && (best) == (best)))"

static const fold folds[] = {
    {"sum",
     0,
     {"0", "0"},
     {"((a) + (b))", "(int)((uint)(a) + (uint)(b))"},
     {"((a) + (b))", "as_int16(as_uint16(a) + as_uint16(b))"},
     {0}},
    {"prod",
     0,
     {"1", "1"},
     {"((a) * (b))", "(int)((uint)(a) * (uint)(b))"},
     {"((a) * (b))", "as_int16(as_uint16(a) * as_uint16(b))"},
     {0}},
    {"max", 0, {"-INFINITY", "INT_MIN"}, {LARGER(">"), LARGER(">")}, {LARGER_V(">"), "max(a, b)"}, {0}},
    {"min", 0, {"INFINITY", "INT_MAX"}, {LARGER("<"), LARGER("<")}, {LARGER_V("<"), "min(a, b)"}, {0}},
    {"argmax", 1, {"-INFINITY", "INT_MIN"}, {0}, {0}, {WINS(">"), "((x) > (best))"}},
    {"argmin", 1, {"INFINITY", "INT_MAX"}, {0}, {0}, {WINS("<"), "((x) < (best))"}},
};

static const fold *find_fold(const char *kind)
{
    const fold *f = folds;
    while (strcmp(f->kind, kind)) f++;
    return f;
}

/* How the work is cut. */
typedef struct plan {
    int rows;        /* the innermost dimension is reduced */
    int64_t count;   /* outputs */
    int64_t inner;   /* size of the innermost dimension */
    int64_t reduced; /* elements folded into an output */
    int64_t length;  /* of a segment: elements, or rows if the innermost dimension is kept */
    int64_t segments;
    int64_t per; /* outputs (rows) or columns of a work-item */
    size_t global, local;
    size_t group, team; /* on GPUs: work-items, and of them those that fold a row (cl/team.cl) */
} plan;

#define TILE  256 /* columns that a work-item can take, as in cl/reduce.cl */
#define LONG  64  /* rows of a segment at least */
#define GROUP 128 /* work-items that fold a row on a GPU */

/* Elements from which a piece of work pays. */
static int64_t least(const tn_context *context, int64_t elements)
{
    return ocl_max(1, (int64_t)((double)elements * context->grain));
}

static void plan_rows(const tn_context *context, plan *p)
{
    int64_t items = 4 * (int64_t)context->units, work = p->count * p->reduced;
    if (!context->cpu_shape) items = 16 * items;
    if (p->count < items && p->reduced >= least(context, 8192))
        p->segments = ocl_max(1, ocl_min(ocl_ceil(items, ocl_max(p->count, 1)), p->reduced / least(context, 4096)));
    p->length = ocl_max(16, ocl_ceil(ocl_ceil(p->reduced, p->segments), 16) * 16);
    p->segments = ocl_max(1, ocl_ceil(p->reduced, p->length));
    p->per = ocl_max(1, ocl_ceil(p->count, ocl_max(1, ocl_min(items, work / least(context, 8192)))));
    p->team = ocl_team_size(context, p->group, p->length);
    p->local = context->cpu_shape ? 1 : p->group;
    p->global = (size_t)(context->cpu_shape ? ocl_ceil(p->count, p->per) * p->segments
                                            : p->count * p->segments * (int64_t)p->team);
}

static void plan_columns(const tn_context *context, plan *p)
{
    int64_t kept = p->inner ? p->count / p->inner : 0, rows = p->reduced, work = p->count * rows;
    int64_t items = context->cpu_shape ? ocl_max(1, ocl_min(4 * (int64_t)context->units, work / least(context, 8192)))
                                       : 256 * (int64_t)context->units;
    int64_t blocks = kept ? ocl_ceil(items, kept) : 1;
    if (context->cpu_shape && rows >= LONG * items) blocks = 1; /* rather segments: memory is read in order */
    p->per = ocl_max(16, ocl_min(TILE, ocl_ceil(ocl_ceil(p->inner, blocks), 16) * 16));
    int64_t parallel = context->cpu_shape ? ocl_max(1, kept * ocl_ceil(p->inner, p->per)) : ocl_max(1, p->count);
    int64_t least = context->cpu_shape ? LONG : 32;
    if (parallel < items && rows >= 2 * least) p->segments = ocl_min(ocl_ceil(items, parallel), rows / least);
    p->length = ocl_max(1, ocl_ceil(rows, p->segments));
    p->segments = ocl_max(1, ocl_ceil(rows, p->length));
    p->local = context->cpu_shape ? 1 : p->group;
    p->global = (size_t)(context->cpu_shape ? kept * ocl_ceil(p->inner, p->per) : p->count) * (size_t)p->segments;
}

static plan make_plan(const tn_context *context, const ocl_space *space)
{
    int last = space->rank - 1;
    plan p = {.rows = space->reduced[last], .count = 1, .reduced = 1, .inner = space->dim[last], .segments = 1};
    p.group = p.team = ocl_team_group(context, GROUP);
    for (int d = 0; d < space->rank; d++) *(space->reduced[d] ? &p.reduced : &p.count) *= space->dim[d];
    if (p.rows)
        plan_rows(context, &p);
    else
        plan_columns(context, &p);
    return p;
}

/* ---- preparing --------------------------------------------------------------------------------------------------- */

static void write_fold(ocl_text *text, const tn_context *context, const fold *kind, int32_t value, int32_t stored,
                       const plan *p)
{
    int integer = value == TN_I32;
    ocl_textf(text, "#define INIT %s\n", kind->init[integer]);
    if (p->rows) ocl_textf(text, "#define ROWS_REDUCED 1\n");
    if (p->rows && !context->cpu_shape) ocl_team_write(text, context, p->group, p->team);
    if (p->segments > 1) ocl_textf(text, "#define IN_SEGMENTS 1\n");
    if (!integer && !strcmp(kind->kind, "sum")) ocl_textf(text, "#define IS_SUM 1\n");
    if (kind->is_arg)
        ocl_textf(text, "#define IS_ARG 1\n#define BETTER(x, best) %s\n", kind->better[integer]);
    else
        ocl_textf(text, "#define FOLD(a, b) %s\n#define FOLD_V(a, b) %s\n", kind->fold[integer], kind->vector[integer]);
    ocl_textf(text, "#define OUT_T %s\n#define OUT_STORE(p, i, v) STORE_%s(p, i, v)\n%s", ocl_storage_name(stored),
              ocl_dtype_suffix(stored), ocl_cl_reduce);
}

static void out_args(ocl_build *build, ocl_args *args, int wide, const plan *p)
{
    ocl_arg_ref(args, OCL_ARG_OUT, 0, build->desc->out[0].dtype);
    if (p->segments > 1)
        ocl_arg_scratch(args, 0);
    else
        ocl_arg_ref(args, OCL_ARG_OUT, 0, TN_U8); /* not used: any buffer */
    ocl_arg_index(args, wide, p->count);
    ocl_arg_int(args, (int32_t)p->segments);
}

static int32_t add_launches(ocl_build *build, ocl_text *text, ocl_args *args, const ocl_space *space, const plan *p)
{
    size_t one = 1;
    out_args(build, args, space->wide, p);
    ocl_arg_index(args, space->wide, p->length);
    ocl_arg_index(args, space->wide, p->per);
    int32_t s = ocl_add_launch(build, text, "tn_reduce", args, 1, &p->global, &p->local);
    if (s || p->segments == 1) return s;
    ocl_args last = {.n = 0};
    int64_t items = build->context->cpu_shape ? build->context->units : p->count;
    int64_t per = ocl_ceil(p->count, ocl_max(1, ocl_min(items, p->count)));
    size_t global = (size_t)ocl_ceil(p->count, per);
    out_args(build, &last, space->wide, p);
    ocl_arg_index(&last, space->wide, per);
    return ocl_add_launch(build, text, "tn_reduce_finish", &last, 1, &global, &one);
}

int32_t ocl_prepare_reduce(ocl_build *build)
{
    const tn_op_desc *desc = build->desc;
    const tn_reduce_attrs *attrs = desc->attrs;
    const fold *kind = find_fold(attrs->kind);
    ocl_space space;
    ocl_text text = ocl_text_of(build);
    ocl_args args = {.n = 0};
    int32_t value = build->facts->dtype;
    ocl_space_begin(&space, (int32_t)attrs->rank, attrs->dim, attrs->axes);
    for (uint32_t i = 0; i < desc->n_in; i++) ocl_space_operand(&space, &desc->in[i], 0, -1);
    space.pinned = ocl_map_pinned(attrs->map);
    ocl_space_merge(&space);
    plan p = make_plan(build->context, &space);
    if (p.reduced > INT32_MAX && kind->is_arg) return ocl_fail(build->msg, TN_EUNSUPPORTED, "reduce: too long");
    if (p.segments > 1)
        build->scratch = (uint64_t)(p.segments * p.count) * (tn_dtype_size(value) + (kind->is_arg ? 4 : 0));
    ocl_source_map(&text, &args, build->context, &space, &build->facts->mapping, 0);
    write_fold(&text, build->context, kind, value, desc->out[0].dtype, &p);
    int32_t s = add_launches(build, &text, &args, &space, &p);
    ocl_text_free(&text);
    return s;
}
