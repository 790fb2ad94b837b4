/* witness.c: the reference as another backend, which looks whether the host keeps what backend.h promises to backends:
 * limits, what is zero, what is -1, where operands and scratch memory lie. What it catches it refuses as an error. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "reference.h"

struct tn_kernel {
    tn_kernel *real;
    uint32_t n_in, n_out;
    uint64_t in_align[TN_MAX_OPERANDS], out_align[TN_MAX_OPERANDS], scratch;
};

static const tn_backend *real;
static tn_backend table;

static int32_t caught(tn_msg *msg, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    if (msg && msg->text && msg->capacity) vsnprintf(msg->text, msg->capacity, format, args);
    va_end(args);
    return TN_EDEVICE;
}

/* ---- what is asked for ---- */

/* Arguments that the instruction has: of a row at most 4, of the others as many as the header says. */
static int slots_of(const tn_map_instr *instr)
{
    static const struct {
        const char *op;
        int slots;
    } special[] = {{"const", 0}, {"scalar", 1}, {"iota", 1}, {"cast", 1}, {"where", 3}, {"uniform", 2}, {"normal", 2}};
    for (size_t i = 0; i < sizeof special / sizeof *special; i++)
        if (!strcmp(instr->op, special[i].op)) return special[i].slots;
#define X(name, y, dx, doc)                                                                                            \
    if (!strcmp(instr->op, #name)) return 1;
#include "tenon/unary.def"
#undef X
#define X(name, types, y, da, db, doc)                                                                                 \
    if (!strcmp(instr->op, #name)) return 2;
#include "tenon/binary.def"
#undef X
    return 4; /* gradients */
}

static int32_t check_instr(const tn_map_instr *instr, tn_msg *msg)
{
    const int has_value = !strcmp(instr->op, "const") || !strcmp(instr->op, "uniform") || !strcmp(instr->op, "normal");
    if (instr->reserved) return caught(msg, "%s: 'reserved' is %d", instr->op, instr->reserved);
    if (!has_value && instr->value != 0) return caught(msg, "%s: its value is %g", instr->op, instr->value);
    for (int k = slots_of(instr); k < 4; k++)
        if (instr->arg[k] != -1) return caught(msg, "%s: argument %d is %d, not -1", instr->op, k, instr->arg[k]);
    return TN_OK;
}

static int32_t check_map(const tn_map_attrs *map, tn_msg *msg)
{
    int32_t s = TN_OK;
    if (!map) return TN_OK;
    if (map->n_in > TN_MAX_OPERANDS || map->n_out > TN_MAX_OPERANDS || map->n_instr > TN_MAX_INSTRS ||
        map->n_scalar > TN_MAX_SCALARS)
        return caught(msg, "a map of %u inputs, %u outputs, %u instructions and %u scalars", map->n_in, map->n_out,
                      map->n_instr, map->n_scalar);
    for (uint32_t i = 0; i < map->n_instr && !s; i++) s = check_instr(&map->instr[i], msg);
    return s;
}

static const tn_map_attrs *map_of(const tn_op_desc *desc)
{
    if (!strcmp(desc->name, "map")) return desc->attrs;
    if (!strcmp(desc->name, "reduce")) return ((const tn_reduce_attrs *)desc->attrs)->map;
    if (!strcmp(desc->name, "matmul")) return ((const tn_matmul_attrs *)desc->attrs)->epilogue;
    return strncmp(desc->name, "conv2d", 6) ? NULL : ((const tn_conv_attrs *)desc->attrs)->epilogue;
}

static int is_power(uint64_t n)
{
    return !(n & (n - 1)); /* 0 as well: nothing is known */
}

static int32_t check_desc(const tn_op_desc *desc, tn_msg *msg)
{
    if (desc->keeps) return TN_EUNSUPPORTED; /* as of a backend that keeps nothing: it is asked again without */
    if (desc->size != sizeof *desc || desc->precision)
        return caught(msg, "%s: a description of %llu bytes, precision %u", desc->name, (unsigned long long)desc->size,
                      desc->precision);
    if (desc->n_in > TN_MAX_OPERANDS || desc->n_out > TN_MAX_OPERANDS)
        return caught(msg, "%s: %u inputs and %u outputs", desc->name, desc->n_in, desc->n_out);
    for (uint32_t i = 0; i < desc->n_in; i++)
        if (desc->in_align && !is_power(desc->in_align[i])) return caught(msg, "%s: input %u", desc->name, i);
    for (uint32_t i = 0; i < desc->n_out; i++)
        if (desc->out_align && !is_power(desc->out_align[i])) return caught(msg, "%s: output %u", desc->name, i);
    return check_map(map_of(desc), msg);
}

static int32_t op_prepare(tn_context *context, const tn_op_desc *desc, tn_kernel **kernel, tn_kernel_info *info,
                          tn_msg *msg)
{
    tn_kernel_info full = {.size = sizeof full};
    int32_t s = check_desc(desc, msg);
    tn_kernel *made = s || !kernel ? NULL : calloc(1, sizeof *made);
    if (!s && kernel && !made) s = TN_ENOMEM;
    if (!s) s = real->op_prepare(context, desc, made ? &made->real : NULL, &full, msg);
    if (s) return free(made), s;
    if (info) tn_answer(info, &full, sizeof full);
    if (!made) return TN_OK;
    made->n_in = desc->n_in, made->n_out = desc->n_out, made->scratch = full.scratch;
    for (uint32_t i = 0; desc->in_align && i < desc->n_in; i++) made->in_align[i] = desc->in_align[i];
    for (uint32_t i = 0; desc->out_align && i < desc->n_out; i++) made->out_align[i] = desc->out_align[i];
    *kernel = made;
    return TN_OK;
}

static void op_release(tn_kernel *kernel)
{
    if (kernel) real->op_release(kernel->real);
    free(kernel);
}

/* ---- what is run ---- */

static uint64_t hints; /* that said more than the size of an element */

static int lies_at(const tn_ref *ref, uint64_t align)
{
    if (align > 8) __atomic_fetch_add(&hints, 1, __ATOMIC_RELAXED);
    return !align || ref->offset % align == 0;
}

static int32_t op_run(tn_queue *queue, tn_kernel *kernel, const tn_run *run, tn_msg *msg)
{
    for (uint32_t i = 0; i < kernel->n_in; i++)
        if (!lies_at(&run->in[i], kernel->in_align[i]))
            return caught(msg, "input %u lies at %llu, which is no multiple of %llu", i,
                          (unsigned long long)run->in[i].offset, (unsigned long long)kernel->in_align[i]);
    for (uint32_t i = 0; i < kernel->n_out; i++)
        if (!lies_at(&run->out[i], kernel->out_align[i]))
            return caught(msg, "output %u lies at %llu, which is no multiple of %llu", i,
                          (unsigned long long)run->out[i].offset, (unsigned long long)kernel->out_align[i]);
    if (kernel->scratch && run->scratch.offset % 64)
        return caught(msg, "scratch memory lies at %llu", (unsigned long long)run->scratch.offset);
    return real->op_run(queue, kernel->real, run, msg);
}

/* A host that gives no hints breaks no rule, but then nothing was seen here. */
static void context_destroy(tn_context *context)
{
    if (context && !hints) fprintf(stderr, "witness: no operand's alignment was told\n"), abort();
    real->context_destroy(context);
}

static int32_t device_info(uint32_t device, tn_device_info *info, tn_msg *msg)
{
    tn_device_info mine = {.size = sizeof mine};
    int32_t s = real->device_info(device, &mine, msg);
    snprintf(mine.id, sizeof mine.id, "witness");
    if (!s) tn_answer(info, &mine, sizeof mine);
    return s;
}

const tn_backend *tn_backend_query(uint32_t host_major, uint32_t host_minor)
{
    (void)host_minor;
    real = tn_reference_backend();
    table = *real;
    table.id = "witness";
    table.device_info = device_info, table.context_destroy = context_destroy;
    table.op_prepare = op_prepare, table.op_release = op_release, table.op_run = op_run;
    return host_major == TN_ABI_MAJOR ? &table : NULL;
}
