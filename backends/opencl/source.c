/* source.c: writes element-wise programs as OpenCL C: the macros that cl/map.cl describes. The text depends on the
 * program, the types, and which dimensions broadcast, but not on sizes: those are arguments. */
#include "opencl.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

typedef struct type_name {
    const char *value, *storage, *suffix;
} type_name;

#define NAME_F32 "float"
#define NAME_F64 "double"
#define NAME_I32 "int"
static const type_name types[] = {
#define X(NAME, name, bytes, VALUE, unit, smallest, largest, infinity)                                                 \
    [TN_##NAME] = {NAME_##VALUE, (bytes) == 1 ? "uchar" : (bytes) == 2 ? "ushort" : NAME_##VALUE, #name},
#include "tenon/dtype.def"
#undef X
};

const char *ocl_type_name(int32_t dtype)
{
    return types[dtype].value;
}

const char *ocl_storage_name(int32_t dtype)
{
    return types[dtype].storage;
}

const char *ocl_dtype_suffix(int32_t dtype)
{
    return types[dtype].suffix;
}

void ocl_source_operand(ocl_text *text, const char *name, int32_t dtype)
{
    ocl_textf(text, "#define %s_T %s\n#define LOAD_%s LOAD_%s\n#define STORE_%s STORE_%s\n", name, types[dtype].storage,
              name, types[dtype].suffix, name, types[dtype].suffix);
}

void ocl_source_types(ocl_text *text, tn_context *context, int wide)
{
    if (context->has_f64)
        ocl_textf(text,
                  "#define HAS_F64 1\n#ifdef cl_khr_fp64\n#pragma OPENCL EXTENSION cl_khr_fp64 : enable\n#endif\n");
    if (context->cpu_shape) ocl_textf(text, "#define CPU_SHAPE 1\n");
    ocl_textf(text, "#define NATIVE %d\ntypedef %s IX;\n%s", (int)ocl_max(4, ocl_min(16, context->vector_width)),
              wide ? "long" : "int", ocl_cl_types);
}

/* ---- rows as functions ------------------------------------------------------------------------------------------- */

/* f32_add, f32_add_da */
static void write_row_name(ocl_text *text, const tn_formula *row, int32_t dtype)
{
    const int n = (int)strcspn(row->op, ".");
    ocl_textf(text, "%s_%.*s", types[dtype].suffix, n, row->op);
    if (row->op[n]) ocl_textf(text, "_%s", row->op + n + 1);
}

/* A row's text, the functions that it calls prefixed: OpenCL's own names may be macros that can't be redefined. */
static void write_text(ocl_text *text, const char *from, const char *prefix)
{
    while (*from) {
        size_t word = 0, other = 0;
        while (isalnum((unsigned char)from[word]) || from[word] == '_') word++;
        if (word)
            ocl_textf(text, "%s%.*s", isalpha((unsigned char)*from) && from[word] == '(' ? prefix : "", (int)word,
                      from);
        from += word;
        while (from[other] && !isalnum((unsigned char)from[other]) && from[other] != '_') other++;
        ocl_textf(text, "%.*s", (int)other, from);
        from += other;
    }
}

/* Integer rows without comparisons are computed unsigned, so that they wrap. */
static void write_row(ocl_text *text, const tn_formula *row, int32_t dtype)
{
    const char *type = dtype == TN_I32 && !strpbrk(row->text, "<>=") ? "uint" : types[dtype].value;
    ocl_textf(text, "static inline %s ", type);
    write_row_name(text, row, dtype);
    for (int a = 0; a < 4 && row->arg[a]; a++) ocl_textf(text, "%s%s %s", a ? ", " : "(", type, row->arg[a]);
    ocl_textf(text, ")\n{\n    return ");
    write_text(text, row->text, dtype == TN_F64 ? "d_" : dtype == TN_I32 ? "i_" : "f_");
    ocl_textf(text, ";\n}\n");
}

/* Whether an instruction before number `i` has the same name and type. */
static int came_before(const tn_map_attrs *map, uint32_t i)
{
    for (uint32_t k = 0; k < i; k++)
        if (map->instr[k].dtype == map->instr[i].dtype && !strcmp(map->instr[k].op, map->instr[i].op)) return 1;
    return 0;
}

static void write_rows(ocl_text *text, const tn_map_attrs *map)
{
    ocl_textf(text, "%s", ocl_cl_names);
    for (uint32_t i = 0; i < map->n_instr; i++) {
        const tn_formula *row = came_before(map, i) ? NULL : tn_formula_find(map->instr[i].op);
        if (row) write_row(text, row, map->instr[i].dtype);
    }
}

/* ---- parameters -------------------------------------------------------------------------------------------------- */

static void write_index_arg(ocl_text *text, ocl_args *args, int wide, int64_t value, const char *name, int i, int d)
{
    ocl_textf(text, "IX %s%d", name, i);
    if (d >= 0) ocl_textf(text, "_%d", d);
    ocl_textf(text, ", ");
    ocl_arg_index(args, wide, value);
}

/* Scalars by type and number, each once. */
static void write_scalars(ocl_text *text, ocl_args *args, const tn_map_attrs *map)
{
    static const struct {
        int kind;
        const char *type, *name;
    } forms[] = {{OCL_ARG_F32, "float", "sf"},
                 {OCL_ARG_F64, "double", "sd"},
                 {OCL_ARG_I32, "int", "si"},
                 {OCL_ARG_U64, "ulong", "su"}};
    uint32_t begin = args->n;
    for (uint32_t i = 0; i < map->n_instr; i++) {
        const tn_map_instr *instr = &map->instr[i];
        const int random = tn_is_random(instr->op);
        if (tn_special_find(instr->op) != TN_INSTR_SCALAR && !random) continue;
        int form = random ? 3 : instr->dtype == TN_F32 ? 0 : instr->dtype == TN_F64 ? 1 : 2;
        for (int a = 0; a <= random; a++) {
            int seen = 0;
            for (uint32_t k = begin; k < args->n && k < OCL_MAX_ARGS; k++)
                seen |= args->arg[k].kind == forms[form].kind && args->arg[k].index == instr->arg[a];
            if (seen) continue;
            ocl_textf(text, "%s %s%d, ", forms[form].type, forms[form].name, (int)instr->arg[a]);
            ocl_arg_scalar(args, forms[form].kind, (uint32_t)instr->arg[a]);
        }
    }
}

/* An output written over an input of another type is no separate memory for the compiler either. */
static int may_restrict(const ocl_space *space)
{
    for (uint32_t i = space->first; i < space->n_in; i++)
        if (space->in[i].shares >= 0 && space->in[i].dtype != space->out[space->in[i].shares].dtype) return 0;
    return 1;
}

static int has_pointer(const ocl_space *space, uint32_t i)
{
    const ocl_operand *o = &space->in[i];
    return o->shares < 0 || o->dtype != space->out[o->shares].dtype;
}

static void write_params(ocl_text *text, ocl_args *args, const ocl_space *space, const tn_map_attrs *map,
                         uint32_t operand0)
{
    const char *restricted = may_restrict(space) ? "restrict " : "";
    int inner = space->rank - 1;
    int64_t reduced = 1;
    ocl_textf(text, "#define MAP_PARAMS ");
    for (uint32_t i = space->first; i < space->n_in; i++) {
        if (!has_pointer(space, i)) continue;
        ocl_textf(text, "__global const %s *%spb%u, ulong po%u, ", types[space->in[i].dtype].storage, restricted, i, i);
        ocl_arg_ref(args, OCL_ARG_IN, operand0 + i - space->first, space->in[i].dtype);
    }
    for (uint32_t k = 0; k < space->n_out; k++) {
        ocl_textf(text, "__global %s *%syb%u, ulong yo%u, ", types[space->out[k].dtype].storage, restricted, k, k);
        ocl_arg_ref(args, OCL_ARG_OUT, k, space->out[k].dtype);
    }
    write_scalars(text, args, map);
    for (int d = 0; d < space->rank; d++) {
        write_index_arg(text, args, space->wide, space->dim[d], "n", d, -1);
        if (d < inner && space->reduced[d]) reduced *= space->dim[d];
    }
    write_index_arg(text, args, space->wide, reduced, "nr", 0, -1);
    for (uint32_t i = space->first; i < space->n_in; i++)
        for (int d = 0; d < space->rank && !space->in[i].dense; d++)
            if (space->in[i].stride[d] && !(d == inner && space->in[i].stride[d] == 1))
                write_index_arg(text, args, space->wide, space->in[i].stride[d], "s", (int)i, d);
    ocl_textf(text, "\n#define MAP_N n%d\n#define MAP_R nr0\n", inner);
}

/* ---- the body ---------------------------------------------------------------------------------------------------- */

static void write_pointers(ocl_text *text, const ocl_space *space)
{
    ocl_textf(text, "#define MAP_POINTERS");
    for (uint32_t i = space->first; i < space->n_in; i++)
        if (has_pointer(space, i))
            ocl_textf(text, " __global const %s *p%u = pb%u + po%u;", types[space->in[i].dtype].storage, i, i, i);
    for (uint32_t k = 0; k < space->n_out; k++)
        ocl_textf(text, " __global %s *y%u = yb%u + yo%u;", types[space->out[k].dtype].storage, k, k, k);
    ocl_textf(text, "\n");
}

/* Coordinate c<d> of each outer dimension, from the number of the kept or of the reduced row. */
static void write_coordinates(ocl_text *text, const ocl_space *space)
{
    int left[2] = {0, 0};
    for (int d = 0; d < space->rank - 1; d++) left[space->reduced[d]]++;
    for (int d = space->rank - 2; d >= 0; d--) {
        int r = space->reduced[d];
        if (--left[r])
            ocl_textf(text, " const IX c%d = %s_ %% n%d; %s_ /= n%d;", d, r ? "r" : "k", d, r ? "r" : "k", d);
        else
            ocl_textf(text, " const IX c%d = %s_;", d, r ? "r" : "k");
    }
}

static void write_row_start(ocl_text *text, const ocl_space *space)
{
    int inner = space->rank - 1;
    ocl_textf(text, "#define MAP_ROW(k, r) IX k_ = (k), r_ = (r);");
    write_coordinates(text, space);
    ocl_textf(text, " const IX lin = ");
    for (int d = 1; d < inner; d++) ocl_textf(text, "(");
    if (inner) ocl_textf(text, "c0");
    for (int d = 1; d < inner; d++) ocl_textf(text, " * n%d + c%d)", d, d);
    if (inner)
        ocl_textf(text, " * n%d;", inner);
    else
        ocl_textf(text, "0;");
    for (uint32_t i = space->first; i < space->n_in; i++) {
        if (space->in[i].dense) continue;
        ocl_textf(text, " const IX b%u = 0", i);
        for (int d = 0; d < inner; d++)
            if (space->in[i].stride[d]) ocl_textf(text, " + c%d * s%u_%d", d, i, d);
        ocl_textf(text, ";");
    }
    ocl_textf(text, "\n");
}

static void write_load(ocl_text *text, const ocl_space *space, uint32_t i)
{
    const ocl_operand *o = &space->in[i];
    int inner = space->rank - 1;
    int64_t stride = o->stride[inner];
    ocl_textf(text, " \\\n    const %s v%u = LOAD_%s(", types[o->dtype].value, i, types[o->dtype].suffix);
    if (has_pointer(space, i))
        ocl_textf(text, "p%u, ", i);
    else
        ocl_textf(text, "y%d, ", o->shares);
    if (o->dense)
        ocl_textf(text, "lin + j_);");
    else if (stride == 0)
        ocl_textf(text, "b%u);", i);
    else if (stride == 1)
        ocl_textf(text, "b%u + j_);", i);
    else
        ocl_textf(text, "b%u + j_ * s%u_%d);", i, i, inner);
}

/* Bit by bit, for printf and the compiler may differ about points, infinities and NaN. */
static void write_const(ocl_text *text, const ocl_space *space, const tn_map_instr *instr)
{
    (void)space;
    const double f64 = instr->value;
    const float f32 = (float)f64;
    uint64_t bits = 0;
    memcpy(&bits, instr->dtype == TN_F32 ? (const void *)&f32 : &f64, instr->dtype == TN_F32 ? sizeof f32 : sizeof f64);
    if (instr->dtype == TN_I32)
        ocl_textf(text, "(int)0x%xu", (unsigned)(int32_t)f64);
    else if (instr->dtype == TN_F32)
        ocl_textf(text, "as_float(0x%08xu)", (unsigned)bits);
    else
        ocl_textf(text, "as_double(0x%016llxul)", (unsigned long long)bits);
}

static void write_scalar(ocl_text *text, const ocl_space *space, const tn_map_instr *instr)
{
    static const char letter[] = {[TN_F32] = 'f', [TN_I32] = 'i', [TN_F64] = 'd'};
    (void)space;
    ocl_textf(text, "s%c%d", letter[instr->dtype], (int)instr->arg[0]);
}

/* What a NaN is converted to is the driver's choice. */
static void write_cast(ocl_text *text, const ocl_space *space, const tn_map_instr *instr)
{
    const int x = (int)instr->arg[0];
    (void)space;
    if (instr->dtype == TN_I32)
        ocl_textf(text, "v%d == v%d ? convert_int_sat_rtz(v%d) : 0", x, x, x);
    else
        ocl_textf(text, "v%d", x);
}

static void write_where(ocl_text *text, const ocl_space *space, const tn_map_instr *instr)
{
    (void)space;
    ocl_textf(text, "v%d != 0 ? v%d : v%d", (int)instr->arg[0], (int)instr->arg[1], (int)instr->arg[2]);
}

static void write_iota(ocl_text *text, const ocl_space *space, const tn_map_instr *instr)
{
    for (int d = 0; d < space->rank; d++)
        if (space->place[d] == instr->arg[0]) ocl_textf(text, d == space->rank - 1 ? "j_" : "c%d", d);
}

static void write_random(ocl_text *text, const tn_map_instr *instr, int normal)
{
    int f64 = normal && instr->dtype == TN_F64;
    ocl_textf(text, "random_%s%s(su%d, su%d, %uu, (ulong)(lin + j_))", normal ? "normal" : "uniform", f64 ? "_f64" : "",
              (int)instr->arg[0], (int)instr->arg[1], (unsigned)instr->value);
}

static void write_uniform(ocl_text *text, const ocl_space *space, const tn_map_instr *instr)
{
    (void)space;
    write_random(text, instr, 0);
}

static void write_normal(ocl_text *text, const ocl_space *space, const tn_map_instr *instr)
{
    (void)space;
    write_random(text, instr, 1);
}

static void write_call(ocl_text *text, const tn_map_instr *instr)
{
    const tn_formula *row = tn_formula_find(instr->op);
    write_row_name(text, row, instr->dtype);
    for (int a = 0; a < 4 && row->arg[a]; a++) {
        ocl_textf(text, a ? ", " : "(");
        if (tn_formula_names(row, a))
            ocl_textf(text, "v%d", (int)instr->arg[a]);
        else
            ocl_textf(text, "0");
    }
    ocl_textf(text, ")");
}

static void write_instr(ocl_text *text, const ocl_space *space, const tn_map_instr *instr, uint32_t number)
{
    static void (*const special[])(ocl_text * text, const ocl_space *space, const tn_map_instr *instr) = {
#define X(NAME, name, ...) write_##name,
#include "tenon/instr.def"
#undef X
    };
    const int which = tn_special_find(instr->op);
    ocl_textf(text, " \\\n    const %s v%u = (%s)(", types[instr->dtype].value, number, types[instr->dtype].value);
    if (which < 0)
        write_call(text, instr);
    else
        special[which](text, space, instr);
    ocl_textf(text, ");");
}

static void write_body(ocl_text *text, const ocl_space *space, const tn_mapping *mapping)
{
    const tn_map_attrs *map = mapping->map;
    ocl_textf(text, "#define MAP_VALUES(j) const IX j_ = (j);");
    for (uint32_t i = 0; i < space->first; i++)
        ocl_textf(text, " const %s v%u = GIVEN(j);", types[tn_mapping_dtype(mapping, (int32_t)i)].value, i);
    for (uint32_t i = space->first; i < space->n_in; i++) write_load(text, space, i);
    for (uint32_t i = 0; i < map->n_instr; i++) write_instr(text, space, &map->instr[i], map->n_in + i);
    ocl_textf(text, "\n#define MAP_STORE(j)");
    for (uint32_t k = 0; k < space->n_out; k++)
        ocl_textf(text, " STORE_%s(y%u, lin + (j), v%d);", types[space->out[k].dtype].suffix, k, (int)map->out[k]);
    ocl_textf(text, "\n#define MAP_RESULT v%d\n#define MAP_T %s\n", (int)map->out[0],
              types[tn_mapping_dtype(mapping, map->out[0])].value);
}

/* What is read from memory that neighbouring rows don't share. */
static void write_fetch(ocl_text *text, const ocl_space *space)
{
    int any = 0;
    ocl_textf(text, "#define MAP_FETCH(j) {");
    for (uint32_t i = space->first; i < space->n_in; i++) {
        const ocl_operand *o = &space->in[i];
        int apart = o->dense;
        for (int d = 0; d < space->rank - 1; d++) apart |= o->stride[d] != 0;
        if (!apart || (!o->dense && o->stride[space->rank - 1] != 1)) continue;
        ocl_textf(text, has_pointer(space, i) ? " FETCH(p%d" : " FETCH(y%d",
                  has_pointer(space, i) ? (int)i : o->shares);
        ocl_textf(text, o->dense ? " + lin + (j));" : " + b%u + (j));", i);
        any = 1;
    }
    ocl_textf(text, " }\n%s", any ? "#define MAP_FETCHES 1\n" : "");
}

static int uses(const tn_map_attrs *map, int random)
{
    for (uint32_t i = 0; i < map->n_instr; i++)
        if (random ? tn_is_random(map->instr[i].op) : tn_special_find(map->instr[i].op) < 0) return 1;
    return 0;
}

void ocl_source_map(ocl_text *text, ocl_args *args, tn_context *context, const ocl_space *space,
                    const tn_mapping *mapping, uint32_t operand0)
{
    const tn_map_attrs *map = mapping->map;
    const int has_rows = !text->off && uses(map, 0), is_random = !text->off && uses(map, 1);
    ocl_source_types(text, context, space->wide);
    if (context->cpu_shape && (has_rows || is_random)) ocl_textf(text, "%s", ocl_cl_math);
    if (is_random) ocl_textf(text, "%s", ocl_cl_random);
    if (has_rows) write_rows(text, map);
    write_params(text, args, space, map, operand0);
    if (text->off) return;
    write_pointers(text, space);
    write_row_start(text, space);
    write_body(text, space, mapping);
    write_fetch(text, space);
}
