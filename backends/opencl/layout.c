/* layout.c: checks of tensors and element-wise programs, and iteration spaces with neighbouring dimensions merged. */
#include "opencl.h"
#include "rows.h"

#include <string.h>

/* ---- checks ---------------------------------------------------------------------------------------------------------
 */

int32_t ocl_value_dtype(int32_t storage)
{
    return storage == TN_U8 ? TN_I32 : storage == TN_F16 || storage == TN_BF16 ? TN_F32 : storage;
}

/* Known type, rank and sizes, and dense strides; 0 also goes where `broadcast` is set. */
int32_t ocl_check_tensor(const tn_tensor_desc *t, int broadcast, const char *what, uint32_t index, ocl_build *build)
{
    int64_t dense = 1;
    if (!tn_dtype_size(t->dtype))
        return ocl_fail(build->msg, TN_EDTYPE, "%s: %s %u has the unknown type %d", build->desc->name, what, index,
                        (int)t->dtype);
    if (t->dtype == TN_F64 && !build->context->has_f64)
        return ocl_fail(build->msg, TN_EUNSUPPORTED, "%s: the device has no f64", build->desc->name);
    if (t->rank < 0 || t->rank > TN_MAX_RANK)
        return ocl_fail(build->msg, TN_ESHAPE, "%s: %s %u has rank %d", build->desc->name, what, index, (int)t->rank);
    for (int d = t->rank - 1; d >= 0; d--) {
        if (t->dim[d] < 0 || t->dim[d] > INT64_MAX / 8 / ocl_max(dense, 1))
            return ocl_fail(build->msg, TN_ESHAPE, "%s: %s %u has the size %lld", build->desc->name, what, index,
                            (long long)t->dim[d]);
        int fits = t->stride[d] == dense || t->dim[d] <= 1 || !dense;
        if (!fits && broadcast) fits = t->stride[d] >= 0;
        if (!fits)
            return ocl_fail(build->msg, TN_EUNSUPPORTED, "%s: %s %u has stride %lld in dimension %d, not %lld",
                            build->desc->name, what, index, (long long)t->stride[d], d, (long long)dense);
        dense *= t->dim[d];
    }
    return TN_OK;
}

int32_t ocl_check_store(int32_t value, int32_t storage, ocl_build *build)
{
    if (ocl_value_dtype(storage) == value) return TN_OK;
    return ocl_fail(build->msg, TN_EDTYPE, "%s: a value of type %d goes to an output of type %d", build->desc->name,
                    (int)value, (int)storage);
}

/* The row's arguments: those that its text names must be there, and be of the result's type. */
static int32_t check_row(const tn_map_instr *instr, const ocl_row *row, const int32_t *dtype, int32_t n,
                         ocl_build *build)
{
    if (instr->dtype == TN_I32 && !row->integer)
        return ocl_fail(build->msg, TN_EUNSUPPORTED, "map: '%s' of integers", instr->op);
    for (int a = 0; a < 4; a++) {
        int32_t arg = instr->arg[a];
        if (!ocl_row_names(row, a)) continue;
        if (arg < 0 || arg >= n) return ocl_fail(build->msg, TN_EINVAL, "map: '%s' lacks argument %d", instr->op, a);
        if (dtype[arg] != instr->dtype)
            return ocl_fail(build->msg, TN_EDTYPE, "map: '%s' of type %d has an argument of type %d", instr->op,
                            (int)instr->dtype, (int)dtype[arg]);
    }
    return TN_OK;
}

static int32_t check_special(const tn_map_instr *instr, int op, const int32_t *dtype, int32_t n,
                             const tn_map_attrs *map, int32_t rank, ocl_build *build)
{
    static const struct {
        int8_t values, scalars; /* arguments that are values, or else scalars */
    } form[] = {[OCL_CONST] = {0, 0}, [OCL_SCALAR] = {0, 1},  [OCL_IOTA] = {0, 0},  [OCL_CAST] = {1, 0},
                [OCL_WHERE] = {3, 0}, [OCL_UNIFORM] = {0, 2}, [OCL_NORMAL] = {0, 2}};
    for (int a = 0; a < form[op].values; a++)
        if (instr->arg[a] < 0 || instr->arg[a] >= n)
            return ocl_fail(build->msg, TN_EINVAL, "map: '%s' has no value %d", instr->op, (int)instr->arg[a]);
    for (int a = 0; a < form[op].scalars; a++)
        if (instr->arg[a] < 0 || (uint32_t)instr->arg[a] >= map->n_scalar)
            return ocl_fail(build->msg, TN_EINVAL, "map: '%s' has no scalar %d", instr->op, (int)instr->arg[a]);
    if (op == OCL_IOTA && (instr->arg[0] < 0 || instr->arg[0] >= rank))
        return ocl_fail(build->msg, TN_EINVAL, "map: iota along dimension %d of %d", (int)instr->arg[0], (int)rank);
    if (op == OCL_WHERE && (dtype[instr->arg[1]] != instr->dtype || dtype[instr->arg[2]] != instr->dtype))
        return ocl_fail(build->msg, TN_EDTYPE, "map: 'where' of unlike types");
    if ((op == OCL_UNIFORM || op == OCL_NORMAL) && instr->dtype == TN_I32)
        return ocl_fail(build->msg, TN_EDTYPE, "map: '%s' of integers", instr->op);
    return TN_OK;
}

static int32_t check_instr(const tn_map_instr *instr, const int32_t *dtype, int32_t n, const tn_map_attrs *map,
                           int32_t rank, ocl_build *build)
{
    if (!instr->op) return ocl_fail(build->msg, TN_EINVAL, "map: an instruction without a name");
    if (instr->dtype != TN_F32 && instr->dtype != TN_I32 && instr->dtype != TN_F64)
        return ocl_fail(build->msg, TN_EDTYPE, "map: '%s' of type %d", instr->op, (int)instr->dtype);
    if (instr->dtype == TN_F64 && !build->context->has_f64)
        return ocl_fail(build->msg, TN_EUNSUPPORTED, "map: the device has no f64");
    int op = ocl_special_find(instr->op);
    if (op >= 0) return check_special(instr, op, dtype, n, map, rank, build);
    const ocl_row *row = ocl_row_find(instr->op);
    if (!row) return ocl_fail(build->msg, TN_EUNSUPPORTED, "map: unknown operator '%s'", instr->op);
    return check_row(instr, row, dtype, n, build);
}

/* `in`: the operands after the first `given` ones, whose type is `given_dtype`. */
int32_t ocl_check_map(const tn_map_attrs *map, const tn_tensor_desc *in, uint32_t given, int32_t given_dtype,
                      int32_t rank, int32_t *dtype, ocl_build *build)
{
    int32_t s = TN_OK;
    if (!map || map->size < sizeof *map || !map->out || (map->n_instr && !map->instr))
        return ocl_fail(build->msg, TN_EINVAL, "%s: the program is missing or incomplete", build->desc->name);
    if (!tn_attrs_known(map, sizeof *map))
        return ocl_fail(build->msg, TN_EUNSUPPORTED, "%s: attributes of a later version", build->desc->name);
    if (map->n_in > OCL_MAX_OPERANDS || map->n_out > OCL_MAX_OPERANDS || map->n_instr > OCL_MAX_VALUES - map->n_in)
        return ocl_fail(build->msg, TN_EUNSUPPORTED, "%s: %u inputs, %u instructions, %u outputs are too many",
                        build->desc->name, map->n_in, map->n_instr, map->n_out);
    for (uint32_t i = 0; i < map->n_in; i++) dtype[i] = i < given ? given_dtype : ocl_value_dtype(in[i - given].dtype);
    for (uint32_t i = 0; i < map->n_instr && !s; i++) {
        int32_t n = (int32_t)(map->n_in + i);
        s = map->instr[i].reserved
                ? ocl_fail(build->msg, TN_EUNSUPPORTED, "%s: an instruction of a later version", build->desc->name)
                : check_instr(&map->instr[i], dtype, n, map, rank, build);
        dtype[n] = map->instr[i].dtype;
    }
    for (uint32_t k = 0; k < map->n_out && !s; k++)
        if (map->out[k] < 0 || (uint32_t)map->out[k] >= map->n_in + map->n_instr)
            s = ocl_fail(build->msg, TN_EINVAL, "%s: output %u is value %d of %u", build->desc->name, k,
                         (int)map->out[k], map->n_in + map->n_instr);
    return s;
}

uint64_t ocl_map_pinned(const tn_map_attrs *map)
{
    uint64_t pinned = 0;
    for (uint32_t i = 0; i < map->n_instr; i++)
        if (ocl_special_find(map->instr[i].op) == OCL_IOTA) pinned |= 1ull << map->instr[i].arg[0];
    return pinned;
}

/* ---- iteration spaces ---------------------------------------------------------------------------------------------
 */

void ocl_space_begin(ocl_space *space, int32_t rank, const int64_t *dim, uint32_t reduced)
{
    *space = (ocl_space){.rank = rank};
    for (int d = 0; d < rank; d++) {
        space->dim[d] = dim[d];
        space->reduced[d] = reduced >> d & 1;
        space->place[d] = d;
    }
}

void ocl_space_operand(ocl_space *space, const tn_tensor_desc *t, int is_output, int shares)
{
    ocl_operand *o = is_output ? &space->out[space->n_out++] : &space->in[space->n_in++];
    *o = (ocl_operand){.dtype = t->dtype, .shares = shares};
    memcpy(o->stride, t->stride, sizeof o->stride);
}

static void drop(ocl_space *space, int d)
{
    for (int k = d; k + 1 < space->rank; k++) {
        space->dim[k] = space->dim[k + 1];
        space->reduced[k] = space->reduced[k + 1];
        space->place[k] = space->place[k + 1];
        for (uint32_t i = 0; i < space->n_in; i++) space->in[i].stride[k] = space->in[i].stride[k + 1];
        for (uint32_t i = 0; i < space->n_out; i++) space->out[i].stride[k] = space->out[i].stride[k + 1];
    }
    space->rank--;
}

static int pinned(const ocl_space *space, int d)
{
    return (int)(space->pinned >> space->place[d] & 1);
}

static int mergeable(const ocl_space *space, int d)
{
    if (pinned(space, d) || pinned(space, d + 1) || space->reduced[d] != space->reduced[d + 1]) return 0;
    for (uint32_t i = 0; i < space->n_in; i++)
        if (space->in[i].stride[d] != space->in[i].stride[d + 1] * space->dim[d + 1]) return 0;
    for (uint32_t i = 0; i < space->n_out; i++)
        if (space->out[i].stride[d] != space->out[i].stride[d + 1] * space->dim[d + 1]) return 0;
    return 1;
}

static void find_dense(const ocl_space *space, ocl_operand *o)
{
    int64_t stride = 1;
    o->dense = 1;
    for (int d = space->rank - 1; d >= 0; d--) {
        if (space->dim[d] == 1) o->stride[d] = stride; /* never used: as if dense */
        if (o->stride[d] != stride) o->dense = 0;
        stride *= space->dim[d];
    }
}

/* Indices of 32 bits do where twice the space fits. */
static int is_wide(const ocl_space *space)
{
    int64_t total = 1;
    for (int d = 0; d < space->rank; d++) total *= space->dim[d];
    int wide = total > INT32_MAX / 2;
    for (uint32_t i = 0; i < space->n_in; i++)
        for (int d = 0; d < space->rank; d++) wide |= space->in[i].stride[d] * space->dim[d] > INT32_MAX / 2;
    return wide;
}

void ocl_space_merge(ocl_space *space)
{
    for (int d = space->rank - 1; d >= 0; d--)
        if (space->dim[d] == 1 && !pinned(space, d)) drop(space, d);
    for (int d = space->rank - 2; d >= 0; d--) {
        if (!mergeable(space, d)) continue;
        space->dim[d + 1] *= space->dim[d];
        drop(space, d);
    }
    if (!space->rank) {
        space->rank = 1;
        space->dim[0] = 1;
        space->reduced[0] = 0;
        space->place[0] = 0;
    }
    for (uint32_t i = 0; i < space->n_in; i++) find_dense(space, &space->in[i]);
    for (uint32_t i = 0; i < space->n_out; i++) find_dense(space, &space->out[i]);
    space->wide = is_wide(space);
}
